"""No post breaks a feed: what cannot be published is named in one line, the rest is.

Hostile means what people paste, convert and mistype, and what somebody would write who
wants to break out of a title, a feed or the output folder.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.config.reading import read_config
from postroom.publish import Options, World, publish
from postroom.store.values import Owner
from tests.readers.judges import fault_of_form, faults_of_entries, feeds_of
from tests.stage import Site, make_site

if TYPE_CHECKING:
    from tests.stage import Ran

URL = "https://blog.example/"
NOW = "2026-03-01T00:00:00+09:00"
ALL = "[feeds]\nlimit = 100\n"
"""As many entries as a feed may have: more than there are hostile posts."""
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - folders of our own are made in it


def post(front: str, body: str = "본문이다.") -> bytes:
    """A dated post."""
    return f"---\ndate: 2026-01-02\n{front}\n---\n\n{body}\n".encode()


def dated(date: str) -> bytes:
    """A post of another date."""
    return f"---\ntitle: 날\ndate: {date}\n---\n\n본문이다.\n".encode()


ENCLOSURES = "".join(
    f'  - {{url: "https://cdn.example/{number} <&>.mp3", length: {number}, type: audio/mpeg}}\n'
    for number in range(100)
)
TAGS = ", ".join(f'"꼬리 {number} & <{number}>"' for number in range(200))
TABLE = f"|{'가|' * 2000}\n|{'-|' * 2000}\n|{'1|' * 2000}\n"
SOUP = (
    '<div><p><table><tr><b><i></div></b><svg><math><mi//xlink:href="data:x,<script>">'
    "<style><!--</style><img src=x onerror=alert(1)></p><template><noscript>"
    '<p title="</noscript><img src=x>">'
)
LINKS = (
    "![x](<java script:1>) ![y](//evil.example/x.png) ![z](../../etc/passwd)"
    " ![](http://[::1) [a](?q) [b](#c) [d](/e) <x:y> [f](mailto:a@b.example)"
)

PUBLISHED = {
    "controls-in-title": post('title: "가\\x0B나\\x00다\\uFFFE라"'),
    "controls": post("title: a\x08b", "body \x0b\x0c\x01\x1b[31m\ufffe end"),
    "half-emoji": b'{\n"title": "\\ud83d half",\n"date": "2026-01-02",\n"tags": ["\\udc00"]\n}\n\nb\n',
    "cdata": post('title: "a ]]> b <![CDATA[ c"', "]]> `]]>` <![CDATA[ x ]]> <!-- ]]> -->"),
    "entities": post('title: "a&nbsp;b &amp;lt; &bogus;"', "a&nbsp;b &bogus; &#0; &#x1F; &#xD800;"),
    "markup-in-title": post('title: "<b>가</b> <script>alert(1)</script> **별**"'),
    "joined-emoji": post('title: "👩‍👩‍👧‍👦 🏳️‍🌈 가족"', "👩‍👩‍👧‍👦" * 300),
    "right-to-left": post('title: "\\u202Eرسالة\\u2066 טקסט"\nlang: ar', "نص \u202e هنا"),
    "just-small-enough": post("title: 긴 글", "긴 글이다. 둘째 문장.\n\n" * 29_000),
    "200-tags": post(f"title: 꼬리표\ntags: [{TAGS}]"),
    "100-enclosures": post(f"title: 백 개\nenclosures:\n{ENCLOSURES}"),
    "enclosure-odd": post('title: 소리\nenclosure: {url: "javascript:1", length: many, type: "a b"}'),
    "enclosure-lost": post("title: 소리\nenclosure: nowhere.mp3"),
    "updated-odd": post("title: 고침\nupdated: never"),
    "updated-early": post("title: 거꾸로\nupdated: 1999-01-01"),
    "old": dated("1900-01-01 00:00 +0827"),
    "no-title": post('title: ""'),
    "long-title": post(f"title: {'긴제목' * 4000}"),
    "title-of-lines": post('title: "한\\n줄\\r\\n둘\\u2028셋"'),
    "slug-upwards": post("title: 탈출\nslug: ../../../../etc/passwd"),
    "slug-odd": post('title: 이상\nslug: "a\\u0000b/..//c?d#e%00"'),
    "same-slug-1": post("title: 같은 1\nslug: same"),
    "same-slug-2": post("title: 같은 2\nslug: same"),
    "id-odd": post('title: 아이디\nid: "<not an iri> \\" & ]]>"'),
    "canonical-odd": post('title: 정본\ncanonical: "java\\nscript:alert(1)"'),
    "addresses-odd": post('title: 그림\nimage: "data:text/html,<script>"', LINKS),
    "language-odd": post('title: 언어\nlang: "en\\" onload=\\"x"'),
    "authors-odd": post('title: 사람\nauthors: ["<b>가</b>", kim@mail.example, {name: ""}, {x: 1}, 7, null, [a]]'),
    "soup": post("title: 죽", SOUP),
    "xml": post("title: 문서", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    "brackets": post("title: 괄호", "[" * 20_000),
    "stars": post("title: 별", "*a **b " * 8000),
    "links": post("title: 고리", "[a](b)" * 5000),
    "wide-table": post("title: 표", TABLE),
    "utf-16": post("title: 십육").decode().encode("utf-16"),
}  # fmt: skip
REFUSED = {
    "ten-megabytes": post("title: 열 메가", "긴 글이다. 둘째 문장.\n\n" * 330_000),
    "surrogate": b"---\ntitle: a\ndate: 2026-01-02\n---\n\nbody \xed\xa0\xbd end\n",
    "latin": b"---\ntitle: caf\xe9\ndate: 2026-01-02\n---\n\nbody\n",
    "nul": b"\0" * 1000,
    "unclosed": "---\ntitle: 안 닫힘\ndate: 2026-01-02\n".encode(),
    "year-0": dated("0000-00-00"),
    "year-1": dated("0001-01-01"),
    "year-10000": dated("9999-12-31 23:59:59 -1200"),
    "no-leap-day": dated("2025-02-29"),
    "words-for-date": dated("yesterday"),
    "huge-number": dated("123456789012345678901234567890"),
    "beyond-floats": dated("1e400"),
    "list-for-date": dated("[2026, 1, 2]"),
    "deep-quote": post("title: 인용", "> " * 3000 + "끝"),
    "deep-list": post("title: 목록", "".join("  " * n + "- x\n" for n in range(300))),
    "deep-html": post("title: 깊이", "<div>" * 4000),
    "bomb": post("a: &a [x,x,x]\nb: &b [*a,*a,*a]\ntitle: 폭탄"),
    "deep-yaml": post(f"a: {'[' * 3000}{']' * 3000}\ntitle: 깊은"),
    "python": post('title: !!python/object/apply:os.system ["id"]'),
}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A site of good and hostile posts, and how its build ended."""

    site: Site
    ran: Ran


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    """Build them all at once, by the command line."""
    site = make_site(tmp_path_factory.mktemp("hostile") / "site", ALL)
    for number in range(3):
        site.essay(f"2026-01-0{number + 3}", f"좋은 글 {number}")
    for name, data in (PUBLISHED | REFUSED).items():
        (site.root / "posts" / f"{name}.md").write_bytes(data)
    return Hostile(site, site.run("build", "--json", "--now", NOW, code=1))


def test_everything_that_can_be_published_is(hostile: Hostile) -> None:
    """Nothing is lost but what is refused, and the good posts least of all."""
    ids = {row["path"] for row in hostile.site.run("posts", "list", "--json").rows}
    hostile_ones = {name for name in PUBLISHED if f"{name}.md" in ids}
    assert hostile_ones == set(PUBLISHED)
    assert len(ids) == len(PUBLISHED) + 3
    items = json.loads((hostile.site.root / "public/feed.json").read_bytes())["items"]
    assert len(items) == len(ids)


def test_every_problem_is_one_line_with_its_place_and_its_cure(
    hostile: Hostile,
) -> None:
    """`path:line:column: what, how to mend it`, however long or odd the post."""
    lines = hostile.ran.err.splitlines()
    assert sorted(line.partition(".md:")[0] for line in lines) == sorted(REFUSED)
    assert [line for line in lines if len(line) > 250 or not line.isprintable()] == []
    assert all(", " in line for line in lines)
    problems = hostile.ran.json["posts"]["problems"]
    assert {problem["path"] for problem in problems} == {f"{n}.md" for n in REFUSED}


def test_every_feed_is_read_by_expat_and_feedparser(hostile: Hostile) -> None:
    """And no id is there twice, no title empty, no address relative."""
    feeds = feeds_of(hostile.site.root / "public", URL)
    assert {"atom.xml", "rss.xml", "feed.json"} <= {feed.path for feed in feeds}
    faults = [
        fault
        for feed in feeds
        for judge in (fault_of_form, faults_of_entries)
        for fault in judge(feed)
    ]
    assert faults == []


def test_nothing_is_written_outside_the_output_folder(hostile: Hostile) -> None:
    """Whatever a slug says."""
    root = hostile.site.root
    assert {path.name for path in root.parent.iterdir()} == {root.name}
    assert {path.name for path in root.iterdir()} == {
        "posts",
        "postroom.toml",
        "public",
        "state",
    }


def test_no_script_reaches_a_reader(hostile: Hostile) -> None:
    """Not from a body, not from an address of front matter."""
    feed = json.loads((hostile.site.root / "public/feed.json").read_bytes())
    for item in feed["items"]:
        content = item["content_html"].lower()
        assert "<script" not in content
        assert "onerror=" not in content.replace("&quot;", '"').partition("<img")[2]
        files = [file["url"] for file in item.get("attachments", ())]
        urls = [item["url"], item.get("image", URL), *files]
        assert [url for url in urls if not url.startswith(("http:", "https:"))] == []


# -- anything at all -------------------------------------------------------------------

CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=12)
"""Surrogates and controls too."""
PIECES = st.sampled_from(
    ["]]>", "<![CDATA[", "&nbsp;", "&#0;", "<b>", "</p>", "<script>", "<!--", "-->",
     "`", "```\n", "**", "[^1]", "\n\n[^1]: ", "[a](b.md)", "![](x.png)", "](", "> ",
     "\n- ", "| a |\n|---|\n", "<!--more-->", "{{< x >}}", "{% y %}", "\u202e", "👩‍👧",
     "https://a.example/?b=c&d", "<a href='", "<img src=x>", "\n# ", "---\n", "가", "\x0b"]
)  # fmt: skip
TEXTS = st.lists(CHARACTERS | PIECES, max_size=8).map("".join)
SCALARS = TEXTS | st.integers() | st.floats() | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "url", "type", "length"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=5,
)  # fmt: skip
KEYS = st.sampled_from(
    ["title", "slug", "tags", "author", "authors", "lang", "image", "image_alt", "summary",
     "updated", "expires", "draft", "id", "canonical_url", "subject", "preheader", "email",
     "link", "enclosure", "enclosures", "episode", "season", "explicit", "permalink",
     "duration", "transcript", "chapters"]
)  # fmt: skip
FRONTS = st.dictionaries(KEYS | CHARACTERS, VALUES, max_size=6)
DATES = st.sampled_from(["2026-01-02", "2026-01-02 09:00", "2025-12-31T23:59:60Z"])


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    """A post with any front matter, written as JSON or, badly, as YAML."""
    front: dict[str, Any] = {"date": draw(DATES | TEXTS), **draw(FRONTS)}
    if draw(st.booleans()):
        head = json.dumps(front, indent=1)
    else:
        lines = "\n".join(f"{key}: {value}" for key, value in front.items())
        head = f"---\n{lines}\n---\n"
    return f"{head}\n\n{draw(TEXTS)}\n".encode("utf-8", "surrogatepass")


def build_in_process(root: Path) -> int:
    """Build a site without a process of its own; return how many posts are public."""
    world = World(
        clock=lambda: datetime.fromisoformat(NOW),
        environ={},
        token=os.urandom,
        random=lambda: 0.5,
        owner=Owner(host="here", boot_id="", pid=os.getpid()),
    )
    report = publish(read_config(root, {}), world, Options(mail=False))
    return report.built.counts.published


@given(st.lists(sources(), min_size=1, max_size=4))
def test_no_post_whatever_breaks_a_feed(posts: list[bytes]) -> None:
    """Any front matter, any body: the feeds stand, the good post is in them."""
    place = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=place, prefix="postroom-hostile-") as folder:
        site = make_site(Path(folder) / "site", ALL)
        site.essay("2026-01-03", "좋은 글")
        for number, data in enumerate(posts):
            (site.root / "posts" / f"{number}.md").write_bytes(data)
        published = build_in_process(site.root)
        feeds = feeds_of(site.root / "public", URL)
        for feed in feeds:
            assert [*fault_of_form(feed), *faults_of_entries(feed)] == []
        items = json.loads((site.root / "public/feed.json").read_bytes())["items"]
    assert len(items) == published
    assert "좋은 글" in {item["title"] for item in items}

"""Whatever the bytes: posts, or a clear error; never a traceback, little time and memory."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.errors import PostroomError
from postroom.importing.fields import Choices
from postroom.importing.members import is_safe
from postroom.importing.run import Importer, Options, Outcome
from postroom.posts.head import parse_head
from postroom.posts.post import Source
from tests.importing.conftest import FILES, RULES
from tests.stage import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.importing.conftest import Imported

    Take = Callable[..., Imported]

MOST_KIB = 100_000
NAMES = [path.name for path in FILES.iterdir() if path.is_file()]


def zip_of(members: dict[str, bytes], **how: int) -> bytes:
    """A zip as bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def test_a_damaged_item_costs_itself(take: Take) -> None:
    """Its line and title are named; all others are there."""
    done = take("damaged.xml")
    assert done.names == ["2024-01-01-1.md", "2024-01-03-3.md", "2024-01-05-5.md"]
    assert [
        (problem.line, problem.message.split("`")[1]) for problem in done.problems
    ] == [(5, "Broken inside"), (7, "Never ends")]


def test_a_truncated_file_gives_what_is_whole(take: Take) -> None:
    """And says where it ends."""
    done = take("truncated.xml")
    assert done.names == ["2024-01-01-1.md"]
    assert (
        done.problems[0].line,
        "ends in the middle" in done.problems[0].message,
    ) == (4, True)
    done = take("truncated.json")
    assert [outcome.found.title for outcome in done.outcomes] == ["Whole", "Whole too"]
    assert [problem.line for problem in done.problems] == [3, 5]


def test_the_same_guid_twice(take: Take) -> None:
    """The same entry once; another entry keeps its text and gets an id of its own."""
    done = take("twice.xml")
    assert [outcome.state for outcome in done.outcomes] == [
        "written",
        "twice",
        "written",
        "written",
    ]
    assert "id:" not in done.text("2024-01-01-other.md")
    assert done.names == [
        "2024-01-01-other.md",
        "2024-01-01-same.md",
        "2024-01-02-same-2.md",
    ]
    again = take("twice.xml")
    assert [outcome.state for outcome in again.outcomes] == [
        "there",
        "twice",
        "there",
        "there",
    ]


@pytest.mark.parametrize("name", ["bomb.xml", "outside.xml"])
def test_entities_are_refused(take: Take, name: str) -> None:
    """Neither expanded nor fetched: the file is refused by name."""
    with pytest.raises(PostroomError, match="declares entities"):
        take(name)


def test_an_entity_declared_late_is_text(take: Take) -> None:
    """A document type within the document is damage, not a declaration."""
    done = take(
        b"<rss><channel><item><title>&e;</title><!DOCTYPE x [<!ENTITY e 'y'>]></item><item><title>&e; fine</title></item></channel></rss>"
    )
    assert [outcome.found.title for outcome in done.outcomes] == ["&e; fine"]
    assert len(done.problems) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../up.html",
        "/etc/x.html",
        "a/../../b.html",
        "C:/x.html",
        "..\\x.html",
        "con.html",
    ],
)
def test_names_that_lead_out_are_not_believed(take: Take, name: str) -> None:
    """They are named and passed over; the others are read."""
    assert not is_safe(name)
    done = take(zip_of({name: b"<p>evil</p>", "good.html": b"<p>good</p>"}))
    assert [outcome.path for outcome in done.outcomes] == ["good.md"]
    assert len(done.notes) == 1


def test_links_in_a_zip_are_not_followed(take: Take) -> None:
    """A member that is a symbolic link does not exist here."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        link = zipfile.ZipInfo("link.html")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("good.html", "<p>good</p>")
    assert [outcome.path for outcome in take(out.getvalue()).outcomes] == ["good.md"]


def test_a_link_in_a_folder_is_not_followed(take: Take, tmp_path: Path) -> None:
    """Nor one on disk."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "good.html").write_text("<p>good</p>")
    (folder / "link.html").symlink_to("/etc/hostname")
    assert [outcome.path for outcome in take(folder).outcomes] == ["good.md"]


def test_a_zip_bomb_is_not_unpacked(take: Take) -> None:
    """64 MiB of zeros in 64 KiB."""
    data = zip_of({"big.html": b"\0" * (64 << 20)})
    started = time.process_time()
    with pytest.raises(PostroomError, match="zip bomb"):
        take(data)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"<", b"<a", b"<html><p>x</p></html>", b"{", b"[]", b"{}",
        b'{"items": 3}', b'{"items": [3, null, []]}', b'{"db": [{"data": {"posts": [{"html": 1}], "tags": 3}}]}',
        b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe<\x00", b"plain words", b"\x00" * 100, b"<rss>", b"<rss/>",
        b"<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>", b"<rss><item>" * 20_000, b"<rss><![CDATA[" * 20_000,
        b"<!DOCTYPE " + b"x" * 100_000, b"<rss><channel><item>" + b"<a>" * 5000 + b"</item></channel></rss>",
        b"<rss><channel><item><title>" + b"&" * 200_000 + b"</title></item></channel></rss>",
        b"<rss><channel><item><description>" + b"&lt;b&gt;" * 50_000 + b"</description></item></channel></rss>",
        b"<rss><channel><item><description>" + b"&lt;![" * 50_000 + b"</description></item></channel></rss>",
        b"<rss><channel><item><description>" + b"[a](" * 50_000 + b"</description></item></channel></rss>",
        b"<rss><channel><item>" + b"<category>x</category>" * 20_000 + b"</item></channel></rss>",
        b"<rss><channel>" + b"<!-- x" * 50_000, b"<?xml version='1.0' encoding='zip'?><rss/>", b"<?xml version='1.0' encoding='utf-7'?><rss/>",
    ],
    ids=lambda data: f"{zlib.crc32(data):08x}",
)  # fmt: skip
def test_odd_bytes_end_in_posts_or_a_clear_error(take: Take, data: bytes) -> None:
    """Within seconds of processor time."""
    started = time.process_time()
    try:
        take(data)
    except PostroomError as error:
        assert str(error)  # noqa: PT017 - either end is right
    assert time.process_time() - started < 10


tags = st.sampled_from(
    [
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<guid>",
        "</guid>",
        "<pubDate>",
        "</pubDate>",
        "Mon, 01 Jan 2024 00:00:00 GMT",
        "<description>",
        "</description>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "&lt;p&gt;",
        "&amp;",
        "&x;",
        "&#0;",
        "&#xD800;",
        "<media:content url='x'/>",
        "</channel>",
        "</rss>",
        "<x:y>",
        "<enclosure url='http://a.example/b' length='-1'/>",
        "가",
        "\x00",
        "\ud7ff",
        '"',
    ]
)
feeds = st.lists(st.one_of(tags, st.text(max_size=5)), max_size=40).map(
    lambda parts: ("<rss><channel>" + "".join(parts)).encode("utf-8", "replace")
)
values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=10)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "items",
                    "id",
                    "url",
                    "title",
                    "content_html",
                    "content_text",
                    "date_published",
                    "tags",
                    "authors",
                    "author",
                    "name",
                    "attachments",
                    "db",
                    "data",
                    "posts",
                    "html",
                    "published_at",
                    "status",
                    "slug",
                    "posts_tags",
                    "users",
                    "settings",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)
json_feeds = values.map(
    lambda value: json.dumps({"items": value, "db": value}).encode()
)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A file of the set with octets cut out, doubled or changed."""
    data = (FILES / draw(st.sampled_from(NAMES))).read_bytes()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 200)))
        data = (
            data[:start]
            + draw(st.one_of(st.binary(max_size=8), st.just(data[start:end] * 2)))
            + data[end:]
        )
    return data


@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=300),
        feeds,
        json_feeds,
        mangled(),
        st.binary(max_size=200).map(
            lambda data: zip_of({"a.html": data, "b.xml": data})
        ),
    )
)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Every post that is written can be read again; nothing else is ever raised."""
    folder = tmp_path_factory.mktemp("any") / "posts"
    importer = Importer(
        rules=RULES,
        options=Options(
            folder=folder, site="https://x.example", choices=Choices(language="ko")
        ),
    )
    try:
        steps = list(importer.run("-", io.BytesIO(data)))
    except PostroomError:
        return
    for step in steps:
        if isinstance(step, Outcome) and step.state == "written":
            written = (folder / step.path).read_bytes()
            head = parse_head(Source(path=step.path, data=written), RULES)
            assert head.title == step.found.title
            assert head.id == step.id


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux only")
def test_a_long_export_needs_little_memory(tmp_path: Path) -> None:
    """40 MB of WordPress at a peak of less than 100 MB, as any other length."""
    post = (FILES / "wordpress.xml").read_text(encoding="utf-8")
    head, _, rest = post.partition("\t<item>")
    item, _, _ = rest.partition("</item>")
    export = tmp_path / "long.xml"
    filler = "<!-- " + "x" * 100_000 + " -->"
    with export.open("w", encoding="utf-8") as file:
        file.write(head)
        for number in range(400):
            changed = item.replace("?p=7", f"?p={number}").replace(
                "%ed%98%b8%eb%b0%80%eb%b9%b5", f"rye-{number}"
            )
            file.write(f"<item>{changed}{filler}</item>\n")
        file.write("</channel></rss>")
    script = (
        "import atexit, sys\nfrom pathlib import Path\nfrom postroom.cli.group import main\n"
        "atexit.register(lambda: print(Path('/proc/self/status').read_text(), file=sys.stderr))\nmain()"
    )
    (tmp_path / "postroom.toml").write_text('[site]\nurl = "https://b.example/"\n')
    (tmp_path / "posts").mkdir()
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            "-C",
            str(tmp_path),
            "import",
            str(export),
            "--dry-run",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=unmeasured(),
    )
    assert ran.stdout.count('"state": "written"') == 400
    peak = ran.stderr.partition("VmHWM:")[2].split()
    assert peak, "no /proc/self/status"
    assert int(peak[0]) < MOST_KIB


WXR = (
    '<rss xmlns:wp="http://wordpress.org/export/1.2/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item>'
    "<title>t</title><content:encoded><![CDATA[{}]]></content:encoded></item></channel></rss>"
)


@pytest.mark.parametrize(
    "mark",
    [
        "[caption]", "[code]", '[gallery ids="1" ', "[gallery", "<!-- wp:x {", "[embed]http://a ",
        "[audio ", "<pre>", "\n \n", "<li>x</li>", "[a](", "<b>x</b>", "{{ ", "`a ", "<!--more",
    ],
)  # fmt: skip
def test_a_mark_repeated_costs_little(take: Take, mark: str) -> None:
    """Patterns that look for an end do so once, or not at all."""
    started = time.process_time()
    take(WXR.format(mark * 20_000).encode())
    assert time.process_time() - started < 8

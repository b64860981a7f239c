"""A source becomes a Head, or one error with its place: what each key of front matter does."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from postroom.errors import PostError, Problem
from postroom.posts.head import parse_head
from postroom.posts.post import Enclosure, Episode, Head, Person, Rules, Source

SEOUL = ZoneInfo("Asia/Seoul")
RULES = Rules(site_url="https://blog.example/", language="ko", zone=SEOUL)
DAY = datetime(2024, 1, 2, tzinfo=SEOUL)


def head(block: str, path: str = "a.md", body: str = "text") -> Head:
    """Read a post with `block` as YAML front matter."""
    return parse_head(
        Source(path=path, data=f"---\n{block}\n---\n{body}\n".encode()), RULES
    )


def fault(block: str, path: str = "a.md") -> Problem:
    """Return the problem that reading raises."""
    with pytest.raises(PostError) as caught:
        head(block, path)
    return caught.value.problem


def messages(found: Head) -> list[str]:
    """Return the warnings as printed."""
    return [str(problem) for problem in found.warnings]


def test_a_full_post() -> None:
    """Every field of a Head has its key."""
    found = head(
        "title: 봄\ndate: 2024-01-02\nupdated: 2024-02-03\nexpires: 2030-01-01\n"
        "slug: spring\nlang: en\ntags: [a]\nauthor: Kim\nsummary: '*s*'\nsubject: S\n"
        "preheader: p\nimage: ../i.png\nimage_alt: alt\n"
        "canonical_url: https://a.kr/\nid: tag:a.kr,2024:1\nemail: false\n"
        "link: https://b.kr/\nenclosure: a.mp3\nepisode: 3",
        path="2023/2020-05-05-x.md",
    )
    assert found == Head(
        path="2023/2020-05-05-x.md",
        title="봄",
        published=DAY,
        updated=datetime(2024, 2, 3, tzinfo=SEOUL),
        expires=datetime(2030, 1, 1, tzinfo=SEOUL),
        draft=False,
        slug="spring",
        url_path="posts/spring/",
        language="en",
        tags=("a",),
        authors=(Person(name="Kim"),),
        summary="*s*",
        subject="S",
        preheader="p",
        image="../i.png",
        image_alt="alt",
        canonical_url="https://a.kr/",
        id="tag:a.kr,2024:1",
        mailed=False,
        link="https://b.kr/",
        enclosures=(Enclosure(url="a.mp3"),),
        episode=Episode(number=3),
        body="text",
        body_line=22,
    )


def test_a_bare_text() -> None:
    """Without front matter there is a page with the site's language and no title."""
    found = parse_head(Source(path="about.md", data=b"# About\n"), RULES)
    assert (found.title, found.published, found.url_path) == ("", None, "about/")
    assert (found.language, found.body, found.warnings) == ("ko", "# About", ())


# -- titles and other lines --------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("2024", "2024"),
        ("'R&amp;D &lt;3 &#8220;x&#8221;'", "R&D <3 “x”"),
        ('"a\\nb\\u2028c"', "a b c"),
        ('"a\\u202Eb\\u2066c\\0"', "abc"),
        ("'a&#8238;b&#10;c'", "ab c"),
        ("one\n  two", "one two"),
        ("[번역]", "번역"),
    ],
)
def test_a_title_is_one_clean_line(value: str, title: str) -> None:
    """Entities are characters; breaks, controls and direction overrides are gone."""
    assert head(f"title: {value}").title == title


def test_titles_are_nfc() -> None:
    """Text from macOS is the same text."""
    decomposed = unicodedata.normalize("NFD", "한글 é")
    assert head(f"title: {decomposed}").title == "한글 é"


def test_a_subject_is_the_title_where_there_is_none() -> None:
    """Buttondown's `subject`; beside a title it is the letter's."""
    assert head("subject: s").title == "s"
    assert head("subject: s").subject == ""
    assert (
        head("title: t\nsubject: s").title,
        head("title: t\nsubject: s").subject,
    ) == (
        "t",
        "s",
    )


def test_an_endless_title_is_cut() -> None:
    """A paragraph in the wrong key does not become a mail's subject."""
    found = head("title: " + "word " * 1000)
    assert len(found.title) <= 500
    assert found.title.endswith("…")
    assert "more than 500" in messages(found)[0]


def test_a_summary_keeps_its_lines() -> None:
    """It is Markdown; the rest is cleaned as elsewhere."""
    found = head('summary: "one\\n\\n* two\\u202e"')
    assert found.summary == "one\n\n* two"


# -- drafts and mail -----------------------------------------------------------------


@pytest.mark.parametrize(
    "block",
    [
        "draft: true",
        "Draft: Yes",
        "draft: perhaps",
        "is_draft: true",
        "published: false",
        "publish: no",
        "public: false",
        "status: draft",
        "status: Hidden",
        "status: scheduled",
        "private: true",
        "eleventyExcludeFromCollections: true",
        "초안: true",
        "draft: false\nstatus: draft",
        "params:\n  draft: true",
    ],
)
def test_any_sign_of_a_draft_wins(block: str) -> None:
    """A letter cannot be called back."""
    assert head(block).draft


@pytest.mark.parametrize(
    "block",
    [
        "draft: false",
        "draft:",
        "published: true",
        "published: 2024-01-02",
        "status: published",
        "status: scheduled\ndate: 2024-01-02",
        "publish: true",
        "public: true",
    ],
)
def test_other_words_are_no_draft(block: str) -> None:
    """So is a scheduled post with its date: the date decides."""
    assert not head(block).draft


@pytest.mark.parametrize("folder", ["_drafts", "drafts", "blog/Drafts"])
def test_draft_folders(folder: str) -> None:
    """What lies in them is a draft whatever it says."""
    assert head("published: true", path=f"{folder}/a.md").draft


def test_posts_that_are_not_mailed() -> None:
    """`email: false`, `send: no`, and a post without text."""
    assert head("title: a").mailed
    assert head("email: kim@blog.example").mailed
    assert not head("email: false").mailed
    assert not head("send: no").mailed
    empty = head("title: a", body="")
    assert not empty.mailed
    assert "empty body" in messages(empty)[0]


# -- dates ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ("date: 2024-01-02", "2020-05-05-a.md"),
        ("pubDatetime: 2024-01-02", "a.md"),
        ("published: 2024-01-02", "a.md"),
        ("date:\npublished_at: 2024-01-02T00:00:00+09:00", "a.md"),
        ("created: 2020-05-05", "2024-01-02-a.md"),
        ("x: y", "2024/01/02/a.md"),
        ("path: blog/2024/01/02/a", "a.md"),
        ("created_at: 2024-01-02", "a.md"),
    ],
)
def test_where_a_date_comes_from(block: str, path: str) -> None:
    """Front matter, file name, folders, `path`, then the day of creation."""
    found = head(block, path)
    assert found.published == DAY
    assert found.url_path == f"posts/{found.slug}/"


def test_toml_dates_are_dates() -> None:
    """Local ones are in the site's zone, and a `path` names a day."""
    data = b'+++\ndate = 2024-01-02T00:00:00\ntitle = "a"\n+++\nx'
    assert parse_head(Source(path="a.md", data=data), RULES).published == DAY
    data = b'+++\npath = "2024/01/02/Hello"\n+++\nx'
    found = parse_head(Source(path="b.md", data=data), RULES)
    assert (found.published, found.slug) == (DAY, "hello")


def test_an_undated_text_is_a_page() -> None:
    """Never now, never the file's time."""
    assert head("title: a").published is None
    assert head("date: ''").published is None


@pytest.mark.parametrize("key", ["date", "published", "expires"])
def test_a_bad_date_is_an_error_for_its_post(key: str) -> None:
    """With the line of the key and how to write it, also when the name has a date."""
    problem = fault(f"title: a\n{key}: 2024-02-30", path="2024-01-02-a.md")
    assert (problem.line, problem.column) == (3, 1)
    assert "2024-02-30" in problem.message
    assert "2026-01-31" in problem.cure


def test_a_placeholder_for_a_date_is_named() -> None:
    """Quoted, it is YAML, but still no date."""
    assert "placeholder" in fault('date: "{{date}}"').message


def test_a_bad_date_of_a_draft_is_a_warning() -> None:
    """Nothing is published, so nothing has to stop."""
    found = head("draft: true\ndate: TBD")
    assert found.published is None
    assert "TBD" in messages(found)[0]


def test_a_bad_update_is_left_out() -> None:
    """It costs a detail, not the post; nor does an update before the post."""
    assert head("date: 2024-01-02\nupdated: soon").updated is None
    early = head("date: 2024-01-02\nupdated: 2023-01-01")
    assert early.updated is None
    assert "before the date" in messages(early)[0]
    same_day = head("date: 2024-01-02 09:00\nupdated: 2024-01-02")
    assert same_day.updated == same_day.published
    assert not same_day.warnings


def test_an_embargo_holds() -> None:
    """Hugo's `publishDate` after the date is when the post goes out."""
    found = head("date: 2024-01-01\npublishDate: 2024-01-02")
    assert found.published == DAY
    assert head("date: 2024-01-02\npublishDate: 2024-01-01").published == DAY


def test_a_name_with_an_impossible_day_is_warned_of() -> None:
    """It is a page then, not a post of today."""
    found = head("title: a", path="2024-02-30-a.md")
    assert found.published is None
    assert "no such day" in messages(found)[0]


def test_days_are_those_of_the_site() -> None:
    """23:30 UTC of the old year is a morning of the new one in Seoul."""
    found = head("date: 2023-12-31T23:30:00Z")
    assert found.published == datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
    assert found.published is not None
    assert f"{found.published:%Y-%m-%d}" == "2024-01-01"


# -- addresses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "path", "url_path"),
    [
        ("slug: Spring Day", "2024-01-02-a.md", "posts/spring-day/"),
        ("permalink: /x/y.html", "2024-01-02-a.md", "posts/y/"),
        ("url: https://a.kr/b/", "2024-01-02-a.md", "posts/b/"),
        ("permalink: pretty", "2024-01-02-봄.md", "posts/봄/"),
        ("slug: '🎉'", "2024-01-02-a.md", "posts/a/"),
        ("slug: ../../x", "2024-01-02-a.md", "posts/x/"),
        ("title: a", "posts.md", "posts-page/"),
        ("title: a", "x/tags.md", "tags-page/"),
        ("slug: media", "2024-01-02-a.md", "posts/media/"),
        ("title: a", "2024-01-02-trip/index.md", "posts/trip/"),
    ],
)
def test_addresses(block: str, path: str, url_path: str) -> None:
    """The slug of the author, else of the permalink, else of the file."""
    assert head(block, path).url_path == url_path


def test_nfc_and_nfd_names_are_one_post() -> None:
    """The same address, whichever system the file came from."""
    forms = [
        unicodedata.normalize(form, "2024-01-02-한글.md") for form in ("NFC", "NFD")
    ]
    assert {head("title: a", path).url_path for path in forms} == {"posts/한글/"}


# -- tags, people, pictures, ids -----------------------------------------------------


@pytest.mark.parametrize(
    ("block", "tags"),
    [
        ("tags: [a, b]", ("a", "b")),
        ("tags: a, b; c", ("a", "b", "c")),
        ("tags: 한국어 처리", ("한국어 처리",)),
        ("tags: '#하나 #둘 셋'", ("하나", "둘 셋")),
        ('tags: ["#a", "[[b]]", "C#"]', ("a", "b", "C#")),
        ("tags: [[a]]", ("a",)),
        ("tags: [b, B, a, b, '', 2024]", ("b", "a", "2024")),
        ("tags: [x]\ncategories: [y, x]", ("x", "y")),
        ("category: 개발", ("개발",)),
        ("keywords: a, b", ("a", "b")),
        ('tags: ["a\\u0000b\\u202E"]', ("ab",)),
        ("tags:\n  - {name: x}", ()),
    ],
)
def test_tags(block: str, tags: tuple[str, ...]) -> None:
    """Lists or commas, never blanks; categories follow the tags."""
    assert head(block).tags == tags


@pytest.mark.parametrize(
    ("block", "authors"),
    [
        ("author: 김철수", (Person(name="김철수"),)),
        ("authors: [A, B, A]", (Person(name="A"), Person(name="B"))),
        ("author: A, PhD; B", (Person(name="A, PhD"), Person(name="B"))),
        ("author: A <a@b.kr>", (Person(name="A", email="a@b.kr"),)),
        ("author: a.b@c.kr", (Person(name="a.b", email="a.b@c.kr"),)),
        (
            "authors:\n  - name: A\n    url: https://a.kr\n    email: a@a.kr\n  - B",
            (Person(name="A", email="a@a.kr", url="https://a.kr"), Person(name="B")),
        ),
        ("author: {name: A, url: 'javascript:x'}", (Person(name="A"),)),
        ("author: {email: x@y.kr}", ()),
    ],
)
def test_authors(block: str, authors: tuple[Person, ...]) -> None:
    """Text, maps or lists; a mail address is never the name shown."""
    assert head(block).authors == authors


@pytest.mark.parametrize(
    ("block", "image", "alt"),
    [
        ("image: /a.png", "/a.png", ""),
        ("cover: {image: a.png, alt: A}", "a.png", "A"),
        ("images: [a.png, b.png]", "a.png", ""),
        ("feature_image: a.png\nfeature_image_alt: B", "a.png", "B"),
        ("image: 'data:image/png;base64,AA'", "", ""),
        ("image: 'javascript:x'", "", ""),
        ("image: '{{ site.url }}/a.png'", "", ""),
        ("image:", "", ""),
    ],
)
def test_pictures(block: str, image: str, alt: str) -> None:
    """The address as written; what is no address is left out."""
    found = head(block)
    assert (found.image, found.image_alt) == (image, alt)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("id: tag:a.kr,2024:1", "tag:a.kr,2024:1"),
        ("guid: https://a.kr/?p=1", "https://a.kr/?p=1"),
        (
            "uuid: 1225C695-CFB8-4EBB-AAAA-80DA344EFA6A",
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
        ),
        ("id: 12", ""),
    ],
)
def test_ids(block: str, expected: str) -> None:
    """A feed needs an IRI; a number that every generator counts anew is none."""
    assert head(block).id == expected
    assert bool(head(block).warnings) == (not expected)


def test_languages() -> None:
    """Front matter, then the file name, then the site; a bad tag is warned of."""
    assert head("lang: en_us").language == "en-US"
    assert head("title: a", path="a.ja.md").language == "ja"
    assert head("lang: no").language == "no"
    odd = head("language: Korean")
    assert odd.language == "ko"
    assert messages(odd)[0].startswith("a.md:2:1: `Korean` is no language tag")


def test_a_canonical_url_is_a_web_address() -> None:
    """Anything else is warned of and left out."""
    assert head("canonical: javascript:x").canonical_url == ""
    assert head("canonicalURL: https://a.kr/한글").canonical_url == "https://a.kr/한글"


@pytest.mark.parametrize("key", ["link", "link_url", "external_url", "externalUrl"])
def test_a_link_post_is_about_a_page_elsewhere(key: str) -> None:
    """As JSON Feed has it: the post is still read here, so its own address stays."""
    found = head(f"{key}: https://other.kr/글")
    assert (found.link, found.canonical_url) == ("https://other.kr/글", "")
    inside = head(f"{key}: /about/")
    assert inside.link == ""
    assert messages(inside) == [
        f"a.md:2:1: `{key}` is no web address, begin with https://"
    ]


# -- warnings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "warning"),
    [
        ("titl: a", "a.md:2:1: the key `titl` is not read, did you mean `title`?"),
        (
            "x: y\n제목: a",
            "a.md:3:1: the key `제목` is not read, did you mean `title`?",
        ),
        ("date: 2024-01-02\npubdate: 2024-01-03", "a.md:3:1: `date` and `pubdate`"),
        ("Some text: here", "a.md:2:1: the front matter has neither title nor date"),
        ("draft: perhaps", "a.md:2:1: `draft` is neither true nor false"),
        ("title: {a: b}", "a.md:2:1: `title` must be text"),
    ],
)
def test_warnings_have_a_place(block: str, warning: str) -> None:
    """Path, line and column of the key they are about."""
    assert any(text.startswith(warning) for text in messages(head(block)))


def test_an_ordinary_post_has_no_warnings() -> None:
    """Keys of other generators are no business of ours."""
    block = (
        "title: a\ndate: 2024-01-02\nlayout: post\ncontent: x\nhandler: y\ntoc: true"
    )
    assert head(block).warnings == ()


def test_a_pelican_header_is_a_setting() -> None:
    """`[posts] pelican = true` reads `Title: …` without fences."""
    source = Source(path="a.md", data="Title: 봄\nDate: 2024-01-02\n\ntext".encode())
    rules = Rules(
        site_url="https://a.kr/", language="ko", zone=SEOUL, pelican_header=True
    )
    found = parse_head(source, rules)
    assert (found.title, found.published, found.body) == ("봄", DAY, "text")
    assert parse_head(source, RULES).title == ""

"""Odd files: each gives what its author expects, or one error that says how to mend it."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import PostError
from postroom.posts.head import parse_head
from postroom.posts.post import Head, Rules, Source
from postroom.posts.slug import EXTENSIONS

if TYPE_CHECKING:
    from pathlib import Path

SEOUL = ZoneInfo("Asia/Seoul")
RULES = Rules(site_url="https://blog.example/", language="ko", zone=SEOUL)
NINE = "2024-01-02T09:00:00+09:00"
FOLDERS_WITHOUT_POSTS = ("bounces-sisimai",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a reader of the file gets: a post, or an error."""

    title: str = ""
    body: str = "b"
    date: str = ""
    warning: str = ""
    error: str = ""
    place: tuple[int, int] = (0, 0)


KOREAN = "---\ntitle: 안녕\n---\n한국어\n"
BOMB = "---\na: &a [x,x,x]\nb: &b [*a,*a]\n---\nb"

CASES: dict[str, tuple[bytes, Expected]] = {
    "01": (b"\xef\xbb\xbf---\ntitle: a\n---\nb", Expected(title="a")),
    "02": (b"---\r\ntitle: a\r\n---\r\nb\r\n", Expected(title="a")),
    "03": (b"---\rtitle: a\r---\rb\r", Expected(title="a")),
    "04": (b"\n\n---\ntitle: a\n---\nb", Expected(title="a")),
    "05": (b'+++\ntitle = "a"\n+++\nb', Expected(title="a")),
    "06": (b'{\n"title":"a"\n}\n\nb', Expected(title="a")),
    "07": (b"---\ntitle: a\n...\nb", Expected(title="a")),
    "08": (b"b\n\n---\n\nc: d\n\n---\nx", Expected(body="b\n\n---\n\nc: d\n\n---\nx")),
    "09": (b"---\n\nA text: b\n\n---\nb", Expected(warning="neither title nor date")),
    "10": (b"---\n---\nb", Expected()),
    "11": (b"---\ntitle: a\n---", Expected(title="a", body="", warning="empty body")),
    "12": (
        b"---\ntitle: a\nb",
        Expected(error="front matter opened on line 1 is never closed", place=(1, 1)),
    ),
    "13": (b"---\n- a\n---\nb", Expected(error="key: value pairs", place=(2, 1))),
    "14": (b"---\nhello\n---\nb", Expected(error="key: value pairs", place=(2, 1))),
    "15": (b"---\ntitle: a: b\n---\nb", Expected(title="a: b", warning="not YAML")),
    "16": (b"---\ntitle:\ta\n\tx: 1\n---\n", Expected(error="TAB", place=(3, 1))),
    "17": (b"---\nauthor: @me\n---\nb", Expected(error="reserves", place=(2, 9))),
    "18": (
        b"---\nd: {{date}}\n---\nb",
        Expected(error="unexpanded template placeholder", place=(2, 5)),
    ),
    "19": (b"---\ntitle: 2024\n---\nb", Expected(title="2024")),
    "20": (b"---\ntitle: 2024-01-02\n---\nb", Expected(title="2024-01-02")),
    "21": (b"---\ntitle: No\nlang: no\n---\nb", Expected(title="No")),
    "22": (b"---\nslug: 0123\nt: 12:30:45\n---\nb", Expected()),
    "23": (
        b"---\ndate: 2024-02-30\n---\nb",
        Expected(error="2024-02-30", place=(2, 1)),
    ),
    "24": (
        b"---\ndate: 2017-09-24 16:21:61\n---\nb",
        Expected(error="second must be in 0..59", place=(2, 1)),
    ),
    "25": (b"---\ndate: 2024-01-02 09:00:00 +0900\n---\nb", Expected(date=NINE)),
    "26": (b"---\ndate: 2024-01-02 09:00:00 +09:00\n---\nb", Expected(date=NINE)),
    "27": (
        b"---\ndate: 2024.01.02\n---\nb",
        Expected(date="2024-01-02T00:00:00+09:00"),
    ),
    "28": (b"---\ndate: 2024-01-02 09:00\n---\nb", Expected(date=NINE)),
    "29": (b"---\ntitle: a\ntitle: b\n---\nb", Expected(error="twice", place=(3, 1))),
    "30": (b"----\ntitle: a\n----\nb", Expected(title="a")),
    "31": (b"--- \ntitle: a\n--- \nb", Expected(title="a")),
    "32": (BOMB.encode(), Expected(error="aliases", place=(2, 4))),
    "33": (
        b"---\na: !!python/object/apply:os.getcwd []\n---\nb",
        Expected(error="!!python/object/apply:os.getcwd", place=(2, 4)),
    ),
    "34": (KOREAN.encode("cp949"), Expected(error="CP949/EUC-KR", place=(2, 8))),
    "35": ("---\ntitle: a\n---\nb".encode("utf-16"), Expected(title="a")),
    "36": (b"---\ntitle: a\n---\nb\0c", Expected(title="a", body="bc")),
    "37": ("---\ntitle: 😀\n---\nb".encode(), Expected(title="😀")),
    "38": ("---\ntitle: a\x80b\n---\nb".encode(), Expected(title="ab")),
    "39": (b"---\ntitle: a\x08b\n---\nb", Expected(title="ab")),
    "40": (
        b'---\ntitle: "a\n---\nb"\n---\nb',
        Expected(error="a quote is opened and never closed", place=(2, 8)),
    ),
    "41": (
        "---\n제목: 안녕\n날짜: 2024년 1월 2일\n---\nb".encode(),
        Expected(warning="did you mean `title`?"),
    ),
    "42": (b"---\ntitle: a\ncontent: x\nhandler: y\n---\nb", Expected(title="a")),
    "43": (
        b"---\ntitle: a\n---\n\n    code\n\nb\n   \n",
        Expected(title="a", body="    code\n\nb"),
    ),
}
"""The 43 minimal cases, in our own words; the corpus has the same under these numbers."""


def read(data: bytes, path: str = "a.md", rules: Rules = RULES) -> Head | PostError:
    """Return the head or the error; any other exception fails the test."""
    try:
        return parse_head(Source(path=path, data=data), rules)
    except PostError as error:
        return error


def check(found: Head | PostError, expected: Expected) -> None:
    """Compare all but the body."""
    if isinstance(found, PostError):
        assert expected.error
        assert expected.error in found.problem.message
        assert (found.problem.line, found.problem.column) == expected.place
        assert found.problem.cure
        return
    assert not expected.error
    assert found.title == expected.title
    date = found.published.isoformat() if found.published else ""
    assert date == expected.date
    warnings = " ".join(map(str, found.warnings))
    assert expected.warning in warnings
    assert bool(warnings) == bool(expected.warning)
    assert "\ufeff" not in found.title + found.body


@pytest.mark.parametrize("number", CASES)
def test_each_odd_file_gives_what_its_author_expects(number: str) -> None:
    """One row of the table."""
    data, expected = CASES[number]
    found = read(data)
    check(found, expected)
    if isinstance(found, Head):
        assert found.body == expected.body


def test_the_synthetic_corpus_behaves_as_the_table(corpora: Path) -> None:
    """Files written by someone else for the same rows."""
    files = sorted((corpora / "odd-synthetic").glob("*.md"))
    assert len(files) == len(CASES)
    for file in files:
        check(read(file.read_bytes()), CASES[file.name[:2]][1])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("2021-01-01-cp949.md", "looks like CP949/EUC-KR"),
        ("2021-01-02-euc-kr.md", "looks like CP949/EUC-KR"),
        ("2021-01-03-utf8-bom.md", ""),
        ("2021-01-04-utf16le-bom.md", ""),
        ("2021-01-05-crlf.md", ""),
        ("2021-01-06-cr-only.md", ""),
        ("2021-01-07-nfd.md", ""),
        ("2021-01-09-truncated-utf8.md", "at offset 3117"),
        ("2021-01-10-huge.md", ""),
    ],
)
def test_a_post_saved_in_ten_ways_is_one_post(
    corpora: Path, name: str, error: str
) -> None:
    """The same title, tags and first line, or an error that names the encoding."""
    folder = corpora / "odd-derived"
    plain = read((folder / "2021-01-05-crlf.md").read_bytes(), name)
    found = read((folder / name).read_bytes(), name)
    if error:
        assert isinstance(found, PostError)
        assert error in found.problem.message
        return
    assert isinstance(found, Head)
    assert isinstance(plain, Head)
    assert (found.title, found.tags, found.slug) == (
        plain.title,
        plain.tags,
        plain.slug,
    )
    assert found.published is not None
    assert (found.body_line, found.body[:20]) == (plain.body_line, plain.body[:20])


def test_names_of_macos_and_linux_are_one(corpora: Path) -> None:
    """A file name in NFD has the slug of the one in NFC."""
    for file in (corpora / "odd-derived").glob("2021-01-08-*.md"):
        slugs = set()
        for form in ("NFC", "NFD"):
            found = read(file.read_bytes(), unicodedata.normalize(form, file.name))
            assert isinstance(found, Head)
            slugs.add(found.slug)
        assert slugs == {"한글파일이름"}


LIMITS = {
    "en-jekyll": 3,
    "odd-derived": 3,
    "odd-obsidian-kepano": 28,
    "odd-synthetic": 13,
}
"""Files that cannot be read, by folder: all others must give a head."""


def test_all_public_posts_give_a_head_or_a_named_error(corpora: Path) -> None:
    """No exception but PostError, and no post lost that could be read."""
    errors: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    for file in corpora.rglob("*"):
        folder, *rest = file.relative_to(corpora).parts
        if folder in FOLDERS_WITHOUT_POSTS or file.suffix.lower() not in EXTENSIONS:
            continue
        found = read(file.read_bytes(), unicodedata.normalize("NFC", "/".join(rest)))
        if isinstance(found, PostError):
            assert found.problem.cure
            errors[folder] += 1
        else:
            assert found.slug
            heads[folder] += 1
    assert errors == LIMITS
    assert sum(heads.values()) > 1000


# -- properties ------------------------------------------------------------------------

FENCES = st.sampled_from(
    [b"", b"---\n", b"+++\n", b"{", b'{"title": ', b"\xef\xbb\xbf---\n", b"\xff\xfe", b"\n--- \n"]
)  # fmt: skip
SIGNS = """--- +++ ... title: date: tags: draft: author: image: slug: lang: id: url: { } [ ]
" ' : , # & * ! | > % @ ` {{ }} &amp; = 2024-01-02 2024-13-45 true no 가 \\ < a. ../
a@b.kr ;"""
WORDS = st.sampled_from([*SIGNS.split(), *"\t\n\r\0\x85\u2028\u202e😀", "\r\n"])
BLOCKS = st.lists(WORDS | st.text(max_size=5), max_size=40).map(
    lambda words: " ".join(words).encode("utf-8", "replace")
)
ANYTHING = st.builds(
    lambda fence, block, body: fence + block + b"\n---\n" + body,
    FENCES,
    BLOCKS | st.binary(max_size=300),
    st.binary(max_size=50) | BLOCKS,
)


@given(data=ANYTHING, pelican=st.booleans())
def test_any_bytes_give_a_head_or_a_post_error(data: bytes, *, pelican: bool) -> None:
    """Nothing else is raised, and what is read is clean."""
    rules = Rules(
        site_url="https://a.kr/", language="ko", zone=SEOUL, pelican_header=pelican
    )
    found = read(data, "2024-01-02-a.md", rules)
    if isinstance(found, PostError):
        assert "\n" not in str(found)
        return
    lines = (found.title, found.subject, found.preheader, *found.tags)
    assert not any(sign in line for line in lines for sign in "\n\r\0\u2028\u202e")
    assert found.slug
    assert found.url_path.endswith("/")
    assert ".." not in found.url_path.split("/")
    (found.title + found.body + found.summary).encode()


LARGE = 64 * 1024
SEEDS = st.binary(min_size=1, max_size=12) | BLOCKS.filter(bool)


def seconds_of(data: bytes) -> float:
    """CPU seconds of reading `data`, without those of a tool that traces every line."""
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        started = time.process_time()
        read(data)
        return time.process_time() - started
    finally:
        sys.settrace(tracer)


@given(FENCES, SEEDS, SEEDS)
def test_64_kib_of_anything_take_less_than_half_a_second(
    fence: bytes, first: bytes, again: bytes
) -> None:
    """What repeats is what makes parsers slow."""
    data = fence + first + again * (LARGE // len(again))
    assert seconds_of(data[: LARGE - 5] + b"\n---\n") < 0.5


@pytest.mark.parametrize(
    "block",
    [
        "tags: '#" + " " * 60_000 + "x'",
        "tags: '#" + "\u00a0" * 30_000 + "x'",
        "tags: [" + "a," * 30_000 + "]",
        "author: '" + "a<a@" * 15_000 + "'",
        "title: '" + "&" * 60_000 + "'",
        "date: 2024-01-01" + " " * 60_000 + "x",
        "id: '" + "a" * 60_000 + "'",
        "url: '" + "/a" * 30_000 + "'",
        "title: x" + " #" * 30_000,
        "\n".join(f"titl{i}: x" for i in range(5000)),
        "\n".join(f"k{i}: &a{i} x" for i in range(4000)),
        "".join(f"{key}: [a] b\n" for key in ("title", "summary", "deck")) + "x: y: z",
    ],
)
def test_long_values_take_no_time(block: str) -> None:
    """No pattern of ours is quadratic; a busy machine is no reason to say so."""
    data = f"---\n{block}\n---\nb".encode()
    assert min(seconds_of(data) for _ in range(3)) < 0.5

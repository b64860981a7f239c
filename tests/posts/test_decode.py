"""Bytes become text without guessing: UTF-8 or a named fault, never mojibake."""

from __future__ import annotations

import pytest

from postroom.errors import PostError, Problem
from postroom.posts.decode import MAX_BYTES, SourceText, parse_text
from postroom.posts.post import Source

KOREAN = "---\ntitle: 안녕하세요\n---\n반갑습니다. 봄이 왔습니다.\n"


def decode(data: bytes, encoding: str = "utf-8") -> SourceText:
    """Decode as a file `a.md`."""
    return parse_text(Source(path="a.md", data=data), encoding)


def fault(data: bytes, encoding: str = "utf-8") -> Problem:
    """Return the problem that decoding raises."""
    with pytest.raises(PostError) as caught:
        decode(data, encoding)
    return caught.value.problem


@pytest.mark.parametrize(
    "data",
    [
        b"a\nb\n",
        b"a\r\nb\r\n",
        b"a\rb\r",
        b"\xef\xbb\xbfa\nb\n",
        "a\nb\n".encode("utf-16"),
        b"\xfe\xff" + "a\nb\n".encode("utf-16-be"),
    ],
    ids=["lf", "crlf", "cr", "bom", "utf-16-le", "utf-16-be"],
)
def test_line_ends_and_marks_make_no_difference(data: bytes) -> None:
    """Every way to save the same text gives the same text."""
    assert decode(data) == SourceText(path="a.md", text="a\nb\n", line=1)


def test_leading_blank_lines_are_counted() -> None:
    """The text begins with its first line, and knows which line of the file that is."""
    assert decode(b"\n \t\r\n\r---\n") == SourceText(path="a.md", text="---\n", line=4)
    assert decode(b"    code\n").text == "    code\n"


def test_control_characters_are_dropped() -> None:
    """NUL, C0, C1, stray byte order marks and noncharacters go; LF and TAB stay."""
    text = "a\0b\x08c\x80d\ufeffe\ufffef\uffffg\th\ni\x0cj"
    assert decode(text.encode()).text == "abcdefg\th\nij"


def test_invisible_characters_of_real_text_stay() -> None:
    """Joiners of emoji, no-break blanks and zero-width blanks belong to the text."""
    text = "👩\u200d👧 a\u00a0b\u200bc"
    assert decode(text.encode()).text == text


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr"])
def test_old_korean_files_are_recognised_but_not_guessed(encoding: str) -> None:
    """The error names offset, line, column and the setting that would read the file."""
    data = KOREAN.encode(encoding)
    problem = fault(data)
    assert (problem.line, problem.column) == (2, 8)
    assert problem.message == (
        "not UTF-8: byte 0xBE at offset 11; looks like CP949/EUC-KR"
    )
    assert '[posts] encoding = "cp949"' in problem.cure
    assert decode(data, encoding).text == KOREAN


def test_a_named_encoding_leaves_utf8_files_alone() -> None:
    """A folder half converted to UTF-8 is read right, both halves."""
    assert decode(KOREAN.encode(), "cp949").text == KOREAN


def test_a_cut_character_is_damage_not_another_encoding() -> None:
    """UTF-8 that ends inside a syllable is an error with the offset, without the hint."""
    data = KOREAN.encode().rstrip()[:-2]  # the full stop and a byte of the syllable
    problem = fault(data)
    assert problem.message.endswith(f"at offset {len(data) - 2}")
    assert "CP949" not in problem.message
    assert problem.line == 4


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"\xff\xfea", "utf-8", "begins like UTF-16"),
        ("안녕 hello there".encode("utf-16-le"), "utf-8", "UTF-16 without its"),
        (b"a\xff\xff", "cp949", "neither UTF-8 nor cp949"),
        (b"a\xff", "no-such", "is no encoding"),
        (b"a\xff", "hex", "is no encoding"),
        (b"x" * (MAX_BYTES + 1), "utf-8", "more than 1 MiB"),
    ],
    ids=["odd-utf-16", "no-mark", "not-cp949", "unknown", "no-text", "too-large"],
)
def test_what_cannot_be_decoded_is_a_post_error(
    data: bytes, encoding: str, message: str
) -> None:
    """Each has a message that names the fault and a cure."""
    problem = fault(data, encoding)
    assert message in problem.message
    assert problem.cure


def test_latin_files_get_no_korean_hint() -> None:
    """A German file in Latin-1 is not taken for Korean."""
    problem = fault("Grüße aus Köln".encode("latin-1"))
    assert "CP949" not in problem.message


def test_the_longest_file_passes() -> None:
    """A post of exactly one MiB is read."""
    assert len(decode(b"x" * MAX_BYTES).text) == MAX_BYTES

"""A compiled body is, decoded, the text with its values, whatever stands beside a hole."""

from __future__ import annotations

import base64
import quopri
from typing import TYPE_CHECKING

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import strategies as st

from postroom.errors import MessageUnsafeError
from postroom.mail.body import CompiledBody, PartText, check_lines, compile_part
from postroom.mail.compiled_base64 import Base64Part, encode_lines
from postroom.mail.compiled_quoted import QuotedPart, encode_quoted, smallest_quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES = 3
"""How many values each message has."""
TEXT = st.text(
    st.one_of(
        st.sampled_from("\r\n \t.=-Fromfx글가"),
        st.characters(codec="utf-8"),
    ),
    max_size=200,
) | st.sampled_from(
    [
        "",
        "a",
        "ab",
        "abc",
        "글",
        "From me",
        ".",
        "." * 80,
        "a" * 300,
        "= " * 60,
        "  ",
        "From " * 40,
        ("x" * 73 + ".") * 5,
        " " * 100,
        "é" * 60,
    ]
)
LINE = st.text(
    st.one_of(st.sampled_from(" .=Fromx글"), st.characters(codec="utf-8")), max_size=300
).map(lambda text: text.replace("\r", "").replace("\n", ""))
PIECES = st.lists(TEXT, min_size=1, max_size=8)
NUMBERS = st.lists(st.integers(0, VALUES - 1), min_size=8, max_size=8)
FILLING = st.lists(LINE.map(str.encode), min_size=VALUES, max_size=VALUES)


def crlf(text: str) -> bytes:
    """As it is encoded."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()


def woven(
    between: Sequence[bytes], holes: Sequence[int], values: Sequence[bytes]
) -> bytes:
    """Text and values, simply put together."""
    return between[0] + b"".join(
        values[hole] + text for hole, text in zip(holes, between[1:], strict=True)
    )


def filled(part: Base64Part | QuotedPart, values: Sequence[bytes]) -> bytes:
    """What the part writes."""
    pieces: list[bytes] = []
    part.fill(pieces, values)
    return b"".join(pieces)


@given(PIECES, NUMBERS, FILLING)
@example(["", "", "a", "ab", "", ""], [0, 1, 2, 0, 1, 2, 0, 1], [b"", b"x", b"yz"])
@example(["a", "b", "c", "d"], [0] * 8, [b"", b"", b""])
@example(["", ""], [0] * 8, [b"", b"", b""])
def test_base64_decodes_to_text_and_values(
    texts: list[str], numbers: list[int], values: list[bytes]
) -> None:
    """Padding stands at the end alone, lines have 76 characters at most, none is empty."""
    between, holes = [crlf(text) for text in texts], numbers[: len(texts) - 1]
    written = filled(Base64Part(between, holes, VALUES), values)
    whole = woven(between, holes, values)
    characters = written.replace(b"\r\n", b"")
    assert characters == base64.b64encode(whole)
    lines = written.removesuffix(b"\r\n").split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert all(lines) or not whole
    assert all(len(line) % 4 == 0 for line in lines)


@given(PIECES, NUMBERS, FILLING)
@example(["", "", "\r\n", " ", ""], [0] * 8, [b"", b"x", b"yz"])
@example(["From ", ".", "\r\n.", "\r\nFrom "], [0] * 8, [b" ", b".", b"From x"])
@example(["a ", " b"], [0] * 8, [b" ", b"", b""])
def test_quoted_printable_decodes_to_text_and_values(
    texts: list[str], numbers: list[int], values: list[bytes]
) -> None:
    """By the library's decoder; nothing on the way has a reason to change a line."""
    between, holes = [crlf(text) for text in texts], numbers[: len(texts) - 1]
    written = filled(QuotedPart(between, holes), values)
    assert quopri.decodestring(written) == woven(between, holes, values)
    assert len(written) >= smallest_quoted(woven(between, holes, values))
    check_lines(written)


@given(TEXT, TEXT, NUMBERS, FILLING)
def test_relaxed_canonicalisation_changes_nothing(
    text: str, html: str, numbers: list[int], values: list[bytes]
) -> None:
    """The hash of the body as it is, is the hash that a verifier computes."""
    texts = [
        PartText("text/plain", [text, html, text], numbers[:2]),
        PartText("text/html", [html, "", text, html], numbers[2:5]),
    ]
    pieces: list[bytes] = []
    body = CompiledBody(texts, "=_boundary", [b"value"] * VALUES)
    body.fill(pieces, values)
    written = b"".join(pieces)
    assert Relaxed.canonicalize_body(written) == written
    check_lines(written)
    assert written.endswith(b"--\r\n")
    assert b"".join(pieces[:2]) == body.begin


@given(TEXT, TEXT, NUMBERS)
def test_the_smaller_encoding_is_taken(
    text: str, html: str, numbers: list[int]
) -> None:
    """For values as they usually are."""
    typical = [b"123456.abcdefghijklmnopqrstuv"] * VALUES
    between, holes = [crlf(text), crlf(html)], numbers[:1]
    taken = compile_part(PartText("text/plain", [text, html], holes), typical)
    sizes = {
        Base64Part: len(filled(Base64Part(between, holes, VALUES), typical)),
        QuotedPart: len(filled(QuotedPart(between, holes), typical)),
    }
    assert sizes[type(taken)] == min(sizes.values())


def test_latin_text_with_many_dots_stays_quoted() -> None:
    """A dot at the start of a broken line is written as one, not a reason for base64."""
    text = "see https://blog.example/a.b.c.d/ . and . so on. " * 400
    part = compile_part(PartText("text/plain", [text], []), [])
    assert isinstance(part, QuotedPart)
    assert quopri.decodestring(filled(part, [])) == text.encode()
    assert len(filled(part, [])) < 1.06 * len(text)


@given(st.binary(max_size=400))
def test_any_octets_survive_quoted_printable(octets: bytes) -> None:
    """CRLF is a line end, a CR or LF alone is escaped like any control."""
    written = encode_quoted(octets)
    check_lines(written)
    assert quopri.decodestring(written) == octets


def test_quoted_lines_are_not_broken_without_need() -> None:
    """A value after a line end needs no soft break, and one before it neither."""
    part = QuotedPart([b"a\r\n", b"\r\nb", b"c ", b""], [0, 1, 2])
    values = [b"one", b"two", b"three"]
    assert filled(part, values) == b"a\r\none\r\nb=\r\ntwo=\r\nc=20=\r\nthree"


def test_base64_lines_are_those_of_everybody() -> None:
    """The text without a hole is as the library writes it."""
    octets = bytes(range(256)) * 3
    assert encode_lines(octets) == base64.encodebytes(octets).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        b".a",
        b"a\r\n.b",
        b"From a",
        b"a \r\n",
        b"a  b",
        b"a\tb",
        b"a\nb",
        b"a\rb",
        b"a\x80",
        b"a" * 77,
    ],
)
def test_a_line_that_could_be_changed_on_the_way_stops_the_letter(
    octets: bytes,
) -> None:
    """By dot-stuffing, by a signer's or a store's rules, or by a relay of old."""
    with pytest.raises(MessageUnsafeError):
        check_lines(octets)


def test_half_a_character_stops_the_letter() -> None:
    """A lone surrogate has no UTF-8."""
    with pytest.raises(MessageUnsafeError, match="half a character"):
        compile_part(PartText("text/plain", ["a\ud800"], []), [])

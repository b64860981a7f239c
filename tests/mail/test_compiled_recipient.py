"""The short way to a To field writes what the careful one does, or nothing."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import AddressError
from postroom.mail.compiled_header import check_header
from postroom.mail.header_text import (
    PLAIN_LETTERS,
    Mailbox,
    encode_words,
    render_mailbox,
    render_plain_mailbox,
)
from postroom.subscribers.address import parse_address, parse_name

COLUMN = len("To: ")
LETTER = re.compile(f"[{PLAIN_LETTERS}]")
NEARLY_NAMES = st.text(
    st.sampled_from(
        "aZ09 .,'\"\\()<>@=?_-글가ㄱ山カйé\u0301\u11a8\u3099\u3164\u200d\r\n\t"
    ),
    max_size=110,
) | st.text(max_size=40)
NEARLY_ADDRESSES = st.text(
    st.sampled_from("abcXY019.-_+~=@@@..가 \r\n<>"), max_size=80
) | st.from_regex(r"[a-z=~+_.-]{1,70}@([a-z0-9-]{1,66}\.){1,3}[a-z0-9-]{1,5}\n?")


@given(NEARLY_NAMES, NEARLY_ADDRESSES | st.just("minji@reader.example"))
def test_the_short_way_writes_what_the_careful_one_does(name: str, email: str) -> None:
    """Or it leaves them to the careful one, which may refuse."""
    short = render_plain_mailbox(name, email, COLUMN)
    try:
        mailbox = Mailbox(parse_name(name), parse_address(email))
    except AddressError:
        assert short is None
        return
    if short is not None:
        assert short == render_mailbox(mailbox, COLUMN)
        assert mailbox.address.email == email
        assert short.isascii()
        check_header(f"To: {short}\r\n".encode(), ("To",))


@pytest.mark.parametrize(
    "name",
    ["", "Kim Minji", "김민지", "김 민지", "山田 太郎", "Jürgen O'Neil-Łoś", "Ёлка",
     "J. Q. Public", "Public, John (Jr.)", "긴 이름 " * 9 + "끝"],
)  # fmt: skip
@pytest.mark.parametrize(
    "email",
    ["minji@reader.example", "a.b+c=d_e~f@a-b.c-d.example", "A@b.example",
     f"{'a' * 40}@{'b' * 15}.example"],
)  # fmt: skip
def test_the_usual_reader_is_on_the_short_way(name: str, email: str) -> None:
    """Else every message would pay for the careful one."""
    assert render_plain_mailbox(name, email, COLUMN) is not None


@pytest.mark.parametrize(
    "name",
    ["a\r\nBcc: x", "a\nb", " a", "a ", "a  b", '"', "a\\b", "=?utf-8?q?a?=", "a=b", "e\u0301",
     "가\u11a8", "か\u3099", "a\u200b", "\u202ea", "a\u3000b", "\ufdd0", "x" * 101, "😀"],
)  # fmt: skip
def test_the_unusual_reader_is_not(name: str) -> None:
    """Whatever could be read in two ways."""
    assert render_plain_mailbox(name, "minji@reader.example", COLUMN) is None


@pytest.mark.parametrize(
    "email",
    ["", "a", "a@b", "a@B.example", " a@b.example", "a@b.example\n", "a@b.example>", ".a@b.example",
     "a..b@c.example", "a.@b.example", "a@ab--c.example", "a@xn--3e0b707e.example", "a@-b.example",
     "a@b-.example", "a@b.c-d", "a@b.1", "김@b.example", "a@한국.example", '"a"@b.example', "a@[::1]",
     f"{'a' * 65}@b.example", f"a@{'b' * 64}.example", "a b@c.example", "a@b@c.example"],
)  # fmt: skip
def test_an_unusual_address_is_not(email: str) -> None:
    """One that is none, or that changes on its way to the wire."""
    assert render_plain_mailbox("Kim Minji", email, COLUMN) is None


def test_each_letter_of_the_short_way_is_one_that_nothing_changes() -> None:
    """Printable, no blank, NFC alone and beside any letter, never a combining mark."""
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if LETTER.fullmatch(c)]
    assert len(letters) > 30_000
    for letter in letters:
        assert letter.isprintable()
        assert not letter.isspace()
        assert letter not in '"\\='
        assert unicodedata.combining(letter) == 0
        for before in ("", "a", "가", "か", "E"):
            assert unicodedata.is_normalized("NFC", before + letter), ascii(letter)
    assert parse_name("".join(letters[:100])) == "".join(letters[:100])


@given(st.text(min_size=1, max_size=80), st.integers(4, 30))
def test_encoded_words_are_short_and_hold_whole_characters(
    text: str, column: int
) -> None:
    """RFC 2047 §2: 75 characters a word, 76 a line, each word decodes alone."""
    text = "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000) or "글"
    lines = encode_words(text, column).split("\r\n ")
    assert column + len(lines[0]) <= 76
    assert all(len(line) <= 75 for line in lines)
    from email.header import decode_header  # noqa: PLC0415 - only this test decodes words

    said = [decode_header(line) for line in lines]
    assert all(len(words) == 1 and words[0][1] == "utf-8" for words in said)
    assert "".join(words[0][0].decode() for words in said) == text

"""One boundary: what passes is safe on the wire, and one mailbox has one key."""

from __future__ import annotations

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postroom.errors import AddressError
from postroom.subscribers.address import (
    MAX_NAME,
    PLAIN,
    UNSAFE,
    parse_address,
    parse_name,
    parse_unusual_address,
)

ADDRESS_TEXT = st.text(
    "abAZ09.-_+@'\"= \tx김é한국\u0301\u202e\r\n\0<>[]:\ud800", max_size=30
)
PLAIN_LABEL = st.from_regex(r"[A-Za-z0-9-]{1,8}", fullmatch=True)
PLAIN_TEXT = st.builds(
    "{}@{}".format,
    st.from_regex(r"[A-Za-z0-9_+~=.-]{1,12}", fullmatch=True),
    st.lists(PLAIN_LABEL, min_size=1, max_size=4).map(".".join),
)


@pytest.mark.parametrize(
    ("text", "email", "key"),
    [
        ("kim@blog.kr", "kim@blog.kr", "kim@blog.kr"),
        (
            "  Kim.Lee+news@Blog.KR\u3000",
            "Kim.Lee+news@blog.kr",
            "kim.lee+news@blog.kr",
        ),
        ("o'hara@blog.kr", "o'hara@blog.kr", "o'hara@blog.kr"),
        ("김철수@blog.kr", "김철수@blog.kr", "김철수@blog.kr"),
        ("kim@한국.kr", "kim@xn--3e0b707e.kr", "kim@xn--3e0b707e.kr"),
        ("Info@blog.kr", "Info@blog.kr", "info@blog.kr"),
        ("a@b.museum", "a@b.museum", "a@b.museum"),
    ],
)
def test_wire_form_and_key(text: str, email: str, key: str) -> None:
    """The local part stays as typed, the domain becomes lower-case A-labels."""
    address = parse_address(text)
    assert (address.email, address.key) == (email, key)


@pytest.mark.parametrize(
    "spellings",
    [
        ["kim@blog.kr", "KIM@BLOG.KR", "Kim@Blog.kr", " kim@blog.kr"],
        [
            "andré@blog.kr",
            "ANDRÉ@blog.kr",
            "andre\u0301@blog.kr",
            "ANDRE\u0301@BLOG.KR",
        ],
        ["김@blog.kr", unicodedata.normalize("NFD", "김") + "@blog.kr"],
        ["kim@한국.kr", "kim@xn--3e0b707e.kr", "KIM@XN--3E0B707E.KR", "kim@한국。kr"],
        ["kim@bücher.example", "kim@BÜCHER.example", "kim@bu\u0308cher.example"],
        ["straße@blog.kr", "STRASSE@blog.kr"],
    ],
)
def test_one_mailbox_has_one_key(spellings: list[str]) -> None:
    """Case, NFC or NFD, and A-labels or U-labels make no second subscriber."""
    assert len({parse_address(text).key for text in spellings}) == 1


@pytest.mark.parametrize(
    "domain",
    [
        "mail.test",
        "example.com",
        "mail.example",
        "no.invalid",
        "host.local",
        "localhost",
    ],
)
def test_special_use_domains_are_taken(domain: str) -> None:
    """A trial, a test or an intranet may mail names that the public DNS has not."""
    assert parse_address(f"reader@{domain}").email == f"reader@{domain}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kim",
        "@blog.kr",
        "kim@",
        "kim@gmail",
        "kim@@blog.kr",
        "kim@blog..kr",
        ".kim@blog.kr",
        "kim.@blog.kr",
        "kim@-blog.kr",
        "kim@ab--c.kr",
        "kim@127.0.0.1",
        "kim@[127.0.0.1]",
        "kim@[IPv6:::1]",
        '"kim"@blog.kr',
        '"a\r\nb"@blog.kr',
        "Kim <kim@blog.kr>",
        "<kim@blog.kr>",
        "kim@blog.kr, lee@blog.kr",
        "kim @blog.kr",
        "kim＠blog.kr",
        "v@blog.kr>\r\nRCPT TO:<evil@blog.kr",
        "kim@blog.kr\n",
        "\rkim@blog.kr",
        "kim\0@blog.kr",
        "kim\x1b[2J@blog.kr",
        "kim\x85@blog.kr",
        "kim\u2028@blog.kr",
        "kim@blog.kr\u2029",
        "\u202ekim@blog.kr",
        "kim\u2066@blog.kr",
        "ki\u200bm@blog.kr",
        "\ufeffkim@blog.kr",
        "kim\ud800@blog.kr",
        "a" * 65 + "@blog.kr",
        "김" * 22 + "@blog.kr",
        "a@" + ".".join(["b" * 60] * 5) + ".kr",
        "a@" + "b" * 64 + ".kr",
        "a" * 1_000_000 + "@blog.kr",
    ],
)
def test_everything_else_is_refused_with_words(text: str) -> None:
    """The error shows the text made harmless, says what is wrong and how to write it."""
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 500
    assert caught.value.cure


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029])
def test_no_control_passes_anywhere(code: int) -> None:
    """C0, C1 and line separators are refused in front, inside and behind."""
    for text in (f"{chr(code)}a@b.kr", f"a{chr(code)}a@b.kr", f"a@b.kr{chr(code)}"):
        if chr(code) == "\t" and text.strip() == "a@b.kr":
            continue
        with pytest.raises(AddressError):
            parse_address(text)


def test_a_lost_character_is_refused() -> None:
    """U+FFFD says that an earlier program mangled the address."""
    with pytest.raises(AddressError, match="lost character"):
        parse_address("kim\ufffd@blog.kr")


def test_the_longest_address_passes() -> None:
    """64 octets before the @ and 254 in all are allowed, one more is not."""
    domain = ".".join(["b" * 61, "c" * 61, "d" * 62, "kr"])
    assert parse_address("a" * 64 + "@" + domain).email.count("a") == 64
    with pytest.raises(AddressError, match="254"):
        parse_address("a" * 64 + "@e" + domain)


@given(PLAIN_TEXT)
@example("a@b.kr")
@example("a@b-.kr")
@example("a@a--b.kr")
@example("a@b.xn--3e0b707e")
@example("a@b.k-r")
def test_the_fast_path_judges_as_the_library(text: str) -> None:
    """What the pattern accepts, email-validator accepts with the same result."""
    if PLAIN.fullmatch(text):
        assert parse_address(text) == parse_unusual_address(text)


@given(st.from_regex(PLAIN, fullmatch=True))
def test_the_fast_path_takes_nothing_the_library_refuses(text: str) -> None:
    """Whatever matches the pattern and passes is passed by email-validator too."""
    try:
        fast = parse_address(text)
    except AddressError:
        return
    assert fast == parse_unusual_address(text)


@given(ADDRESS_TEXT | st.text(max_size=40) | PLAIN_TEXT)
def test_what_passes_is_safe_and_stable(text: str) -> None:
    """No text raises anything but AddressError, and a result parses to itself."""
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert not UNSAFE.search(address.email)
    assert not set(' <>,"[]()\\') & set(address.email)
    assert address.email.count("@") == 1
    assert address.email.partition("@")[2].isascii()
    assert len(address.email.encode()) <= 254
    assert parse_address(address.email) == address
    assert parse_address(address.key).key == address.key
    assert unicodedata.is_normalized("NFC", address.email)
    assert address.needs_smtputf8 is not address.email.isascii()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("김철수", "김철수"),
        ("  Ann \t B. ", "Ann B."),
        ("Ann\r\nBcc: evil@x.kr", "Ann Bcc: evil@x.kr"),
        ("Ann\0\x1b[31mRed\x85X\u2028Y", "Ann [31mRed X Y"),
        ("\u202eevil\u202c\u2066x\u2069", "evilx"),
        ("Zoe\u0308", "Zoë"),
        ("a\ud800b", "ab"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("", ""),
    ],
)
def test_names_are_made_harmless(text: str, name: str) -> None:
    """A name keeps its letters and loses what could start a line or turn the text."""
    assert parse_name(text) == name


@given(st.text())
def test_any_name_is_one_bounded_line(text: str) -> None:
    """A parsed name has no control, no blank at its ends, and parses to itself."""
    name = parse_name(text)
    assert len(name) <= MAX_NAME
    assert not UNSAFE.search(name)
    assert name == name.strip()
    assert parse_name(name) == name


def test_plain_addresses_do_not_load_the_library() -> None:
    """A table of ordinary addresses is read without the cost of email-validator."""
    script = (
        "import sys; from postroom.subscribers.address import parse_address;"
        "parse_address('kim.lee@blog.kr'); sys.exit('email_validator' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

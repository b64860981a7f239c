"""What leaves the cleaning is legal in XML 1.0 and ASCII in addresses, and only that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from postroom.feeds.characters import (
    clean_language,
    clean_line,
    clean_text,
    clean_url,
)

ANY_TEXT = st.text(st.characters())


@given(ANY_TEXT)
def test_cleaned_text_survives_xml_unchanged(text: str) -> None:
    """What a reader parses is what was written, for any text whatever."""
    cleaned = clean_text(text)
    element = etree.Element("a")
    element.text = cleaned
    assert (etree.fromstring(etree.tostring(element)).text or "") == cleaned


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"])))
def test_good_text_is_left_alone(text: str) -> None:
    """Hangul, emoji, joiners and direction marks are not controls."""
    assert clean_text(text) == text


@given(ANY_TEXT)
def test_a_line_is_one_line(text: str) -> None:
    """No line end of any kind stays, and cleaning twice changes nothing."""
    line = clean_line(text)
    assert len(line.splitlines()) <= 1
    assert clean_line(line) == line


def test_line_ends_become_line_feeds_and_do_not_join_words() -> None:
    """CR LF, CR, NEL, U+2028 and form feed all part lines."""
    assert clean_text("a\r\nb\rc\x85d\u2028e\x0cf") == "a\nb\nc\nd\ne\nf"
    assert clean_line(" a\r\n b\u2028c\x00d ") == "a b cd"


@pytest.mark.parametrize(
    ("given_url", "clean"),
    [
        ("https://a.example/글/", "https://a.example/%EA%B8%80/"),
        ("https://a.example/%EA%B8%80/", "https://a.example/%EA%B8%80/"),
        ("https://a.example/50%/b c", "https://a.example/50%25/b%20c"),
        ("https://a.example/?q=1&r=2#top", "https://a.example/?q=1&r=2#top"),
        ("https://한글.kr:8080/", "https://xn--bj0bj06e.kr:8080/"),
        ("HTTPS://a.example/", "https://a.example/"),
        ('https://a.example/"><script>', "https://a.example/%22%3E%3Cscript%3E"),
        ('https://a"b.example/', ""),
        ("https://[/", ""),
        ("https://", ""),
        (f"https://{'가' * 70}.kr/", ""),
        ("javascript:alert(1)", ""),
        ("/relative/", ""),
        ("", ""),
    ],
)
def test_a_url_is_absolute_and_ascii_or_nothing(given_url: str, clean: str) -> None:
    """Non-ASCII is encoded once; what no reader could follow is dropped."""
    assert clean_url(given_url) == clean


@given(st.one_of(ANY_TEXT, ANY_TEXT.map("https://a.example/{}".format)))
def test_any_url_comes_out_printable_and_stays(text: str) -> None:
    """No text makes an address that is half clean, and cleaning twice changes nothing."""
    url = clean_url(text)
    assert url.isascii()
    assert not any(character <= " " or character == "\x7f" for character in url)
    assert clean_url(url) == url


def test_a_language_has_the_form_of_a_tag() -> None:
    """xml:lang with anything else is an error to validators."""
    assert [
        clean_language(tag) for tag in ("ko", "zh-Hant-TW", "ko_KR", "", "<b>")
    ] == [
        "ko",
        "zh-Hant-TW",
        "",
        "",
        "",
    ]

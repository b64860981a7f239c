"""Nothing that harms a letter passes, and nothing else is lost."""

from __future__ import annotations

import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.characters import clean_html, clean_line, clean_text
from postroom.mail.holes import HOLE_END, HOLE_START

DANGEROUS = "\u2028\u2029\ufeff\ufffe\uffff" + "".join(map(chr, range(0xFDD0, 0xFDF0)))
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(st.text())
def test_a_clean_line_has_no_controls(text: str) -> None:
    """No C0, C1, separators, surrogates, noncharacters or overrides of direction."""
    line = clean_line(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in line)
    assert not set(line) & set(DANGEROUS + OVERRIDES)
    assert clean_line(line) == line


def test_what_a_writer_needs_stays() -> None:
    """Typographic blanks, joiners of emoji, marks of direction."""
    kept = "가\u3000나\u00a0다 👨‍👩‍👧 א\u200f!"
    assert clean_line(kept) == kept
    assert clean_text("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd   e"


@pytest.mark.parametrize(
    "html",
    [
        HOLE_START,
        HOLE_END,
        "&#xFDD0;",
        "&#64976;",
        "&#x0000fdd1;",
        "&#0064977",
        "&#xFDD0",
        "&#1;",
        "&#xD800;",
        "&#x110000;",
        "&#99999999999999999999;",
        "\x80",
        "&#x9d;",
    ],
)
def test_no_spelling_of_a_control_or_a_hole_passes(html: str) -> None:
    """An HTML parser would turn the numbers into the characters."""
    assert clean_html(f"a{html} b") in {"a b", "a\ufffd b"}


@given(
    st.lists(
        st.sampled_from(["&#", "x", "FDD0", "64976", "1", ";", "\x00", HOLE_START])
    )
)
def test_nothing_joins_to_a_hole_when_something_is_taken_away(
    pieces: list[str],
) -> None:
    """`&#&#1;xFDD0;` must not become `&#xFDD0;`."""
    for html in ("".join(pieces), "&#&#1;xFDD0;"):
        assert HOLE_START not in unescape(clean_html(html))


def test_harmless_references_stay() -> None:
    """As they were written."""
    html = "&#39; &#x1F600; &amp; &lt;"
    assert clean_html(html) == html

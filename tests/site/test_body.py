"""What is wider than a phone scrolls by itself and can be reached by the keyboard."""

from __future__ import annotations

from postroom.site.body import build_body
from postroom.site.words import ENGLISH, KOREAN


def test_a_code_block_takes_focus_and_a_name() -> None:
    """It keeps what it had, and names are counted so that they differ."""
    html = build_body('<pre lang="py"><code>a</code></pre><pre>b</pre>', ENGLISH)
    assert html == (
        '<pre tabindex="0" role="group" aria-label="Code 1" lang="py"><code>a</code>'
        '</pre><pre tabindex="0" role="group" aria-label="Code 2">b</pre>'
    )


def test_a_table_gets_a_section_that_scrolls() -> None:
    """The table itself stays a table for screen readers."""
    assert build_body("<p>a</p><table><tr></tr></table>", KOREAN) == (
        '<p>a</p><section class="scroll" tabindex="0" aria-label="표 1">'
        "<table><tr></tr></table></section>"
    )


def test_a_table_in_a_cell_scrolls_with_the_outer_one() -> None:
    """Nested tables share one section."""
    inner = "<table><tr><td>x</td></tr></table>"
    html = build_body(f"<table><tr><td>{inner}</td></tr></table>", ENGLISH)
    assert html.count("<section") == html.count("</section>") == 1
    assert html.endswith("</table></section>")


def test_a_tag_inside_an_attribute_is_text() -> None:
    """An image described as `<table>` is no table."""
    html = '<p><img alt="a <table> and a <pre>" src="a.png"></p>'
    assert build_body(html, ENGLISH) == html


def test_a_body_without_either_is_left_alone() -> None:
    """Most posts have neither."""
    assert build_body("<p>a &lt; b</p>", ENGLISH) == "<p>a &lt; b</p>"

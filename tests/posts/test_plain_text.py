"""The text of a post reads well where there is no HTML."""

from __future__ import annotations

import pytest

from postroom.posts.flat_text import flatten, text_of
from postroom.posts.plain_text import render_text


def test_paragraphs_headings_and_rules_stand_apart() -> None:
    """One line each, a blank line between."""
    html = "<h2>제목</h2>\n<p>첫\n문단</p>\n<hr>\n<p>둘째<br>줄</p>\n"
    assert render_text(html) == "제목\n\n첫 문단\n\n* * *\n\n둘째\n줄"


def test_lists_keep_bullets_numbers_and_depth() -> None:
    """Nested lists are indented, a list may start anywhere."""
    html = '<ul><li>가<ol start="3"><li>나</li><li>다</li></ol></li><li>라</li></ul><p>끝</p>'
    assert render_text(html) == "- 가\n  3. 나\n  4. 다\n- 라\n\n끝"


def test_quotes_carry_their_sign_on_every_line() -> None:
    """Also on the blank line between two paragraphs, and at every depth."""
    html = "<p>앞</p><blockquote><p>가</p><p>나</p><blockquote><p>다</p></blockquote></blockquote>"
    assert render_text(html) == "앞\n\n> 가\n>\n> 나\n>\n> > 다"


def test_code_is_indented_and_untouched() -> None:
    """Blanks and line ends of code are its meaning."""
    html = '<p>코드</p><pre><code class="language-py">if x:\n\n    y = "&lt;a&gt;"\n</code></pre>'
    assert render_text(html) == '코드\n\n    if x:\n\n        y = "<a>"'


def test_links_are_numbered_once_for_each_address() -> None:
    """The same address keeps its number; an address shown as text needs none."""
    html = (
        '<p><a href="https://a.kr/?x=1&amp;y=2">하나</a>, <a href="https://b.kr">둘</a>, '
        '<a href="https://a.kr/?x=1&amp;y=2">다시</a>, <a href="https://c.kr">https://c.kr</a>, '
        '<a href="mailto:x@d.kr">x@d.kr</a></p>'
    )
    assert render_text(html) == (
        "하나 [1], 둘 [2], 다시 [1], https://c.kr, x@d.kr\n\n"
        "[1] https://a.kr/?x=1&y=2\n[2] https://b.kr"
    )


def test_tables_have_a_line_for_each_row() -> None:
    """Cells are parted by a bar, whatever blocks they hold."""
    html = (
        "<table><caption>표</caption><thead><tr><th>가</th><th>나</th></tr></thead>"
        "<tbody><tr><td>1</td><td><p>둘</p><p>셋</p></td></tr></tbody></table><p>끝</p>"
    )
    assert render_text(html).split("\n") == ["표", "가 | 나", "1 | 둘셋", "", "끝"]


def test_images_are_their_alternative_text() -> None:
    """An image without one is decoration."""
    assert render_text(
        '<p><img src="a" alt="고양이 &amp; 개"> <img src="b" alt=""></p>'
    ) == ("[고양이 & 개]")


def test_footnotes_are_marked_and_listed() -> None:
    """A note makes sense without a jump."""
    html = (
        '<p>본문<sup class="footnote-ref"><a href="https://a.kr/#fn-1">1</a></sup></p>'
        '<section class="footnotes"><ol><li id="fn-1"><p>주석 '
        '<a href="https://a.kr/#fnref-1" class="footnote-backref">↩</a></p></li></ol></section>'
    )
    assert render_text(html) == "본문[^1]\n\n[^1] 주석"


def test_readings_stand_in_brackets() -> None:
    """Ruby with or without parentheses of its own."""
    assert render_text("<p><ruby>漢<rt>한</rt></ruby></p>") == "漢(한)"
    assert (
        render_text("<p><ruby>漢<rp>(</rp><rt>한</rt><rp>)</rp></ruby></p>") == "漢(한)"
    )


def test_an_excerpt_shows_running_text_only() -> None:
    """Headings, code, figures, tables and notes are no summary."""
    html = (
        '<h2>제목</h2><p>하나 <code>x</code><sup class="footnote-ref">1</sup>.</p><pre>코드</pre>'
        "<figure>그림</figure><table><tr><td>표</td></tr></table><ul><li>둘</li><li>셋</li></ul>"
        '<p class="alert-title">참고</p><section class="footnotes"><p>주석</p></section><p>끝</p>'
    )
    assert flatten(html) == "하나 x. 둘 셋 끝"


def test_a_first_paragraph_that_repeats_the_title_is_left_out() -> None:
    """But a sentence that only begins with it stays."""
    assert (
        flatten("<p><strong>여름 노트</strong></p><p>본문</p>", title="여름  노트")
        == "본문"
    )
    assert flatten("<p>여름 노트는 본문</p>", title="여름 노트") == "여름 노트는 본문"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>값 $x_1$ 은</p>", "값 … 은"),
        ("<p>$$\\sum_i x$$</p><p>글</p>", "글"),
        ("<p>$5 and $10</p>", "$5 and $10"),
        ('<p>앞 {{ x }} {% y a="1" %} 뒤</p>', "앞 뒤"),
        ("<p>{ a: 1 } 그대로</p>", "{ a: 1 } 그대로"),
    ],
)
def test_an_excerpt_has_no_formulas_or_shortcodes(html: str, text: str) -> None:
    """They read as noise without a renderer."""
    assert flatten(html) == text


def test_a_title_is_all_text_of_its_heading() -> None:
    """Markup goes, entities are characters."""
    assert text_of("<em>R&amp;D</em> <code>x</code><br>둘") == "R&D x 둘"

"""A whole post is fitted to mail: nothing folded, nothing too wide, cut where it hurts least."""

from __future__ import annotations

import pytest

from postroom.mail.full_post import fit_post

LIMIT = 10_000


@pytest.mark.parametrize(
    ("html", "fitted"),
    [
        ("<h1>A</h1><h2>B</h2>", "<h2>A</h2><h3>B</h3>"),
        ('<h6 id="x">A</h6>', '<h6 id="x">A</h6>'),
        ("<hr><header>h1</header>", "<hr><header>h1</header>"),
        ("<details><summary>s</summary>", '<details open=""><summary>s</summary>'),
        ("<details open><p>", "<details open><p>"),
        (
            '<img src="a" srcset="b 2x" width="1200" height="630">',
            '<img src="a" width="536">',
        ),
        (
            '<img src="a" width="96" height="40">',
            '<img src="a" width="96" height="40">',
        ),
    ],
)
def test_html_is_fitted(html: str, fitted: str) -> None:
    """Headings one down, folded parts open, pictures no wider than the sheet."""
    assert fit_post(html, LIMIT) == (fitted, False)


def test_a_long_post_ends_before_a_heading() -> None:
    """Outermost blocks stay whole, and the octets stay below the limit."""
    section = "<h2>제목</h2>\n" + "<p>문단 하나.</p>\n" * 5
    body, cut = fit_post(section * 10, len(section.encode()) * 4 - 1)
    assert cut
    assert body.count("<h3>") == 3
    assert body.endswith("</p>\n")


def test_without_headings_it_ends_before_a_block() -> None:
    """And a heading far up does not throw the rest away."""
    body, cut = fit_post("<h2>a</h2>" + "<p>bb</p>" * 200, 1000)
    assert cut
    assert 900 < len(body) <= 1000
    assert body.endswith("</p>")


def test_blocks_within_blocks_are_not_torn() -> None:
    """A list of a thousand items is one block: all of it or nothing."""
    html = "<p>a</p><ul>" + '<li>b<br><img src="x" alt=""></li>' * 1000 + "</ul>"
    assert fit_post(html, 5000) == ("<p>a</p>", True)

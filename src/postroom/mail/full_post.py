"""The whole post inside a letter: sanitised HTML fitted to what mail clients can show."""

from __future__ import annotations

import re

from postroom.mail.characters import clean_html
from postroom.posts.highlight import highlight_code
from postroom.posts.tokens import HEADINGS, TOKEN

PICTURE_WIDTH = 536
"""Pixels: the sheet of 600 less its paddings; Word obeys the attribute alone."""
LOWEST_HEADING = 6

VOID = frozenset({"br", "col", "hr", "img", "input", "source", "track", "wbr"})

_HEADING = re.compile(r"<(/?)h([1-6])(?=[\s>])")
_DETAILS = re.compile(r"<details(?! open)(?=[\s>])")
_PICTURE = re.compile(r"<img\b[^<>]*>")
_NEWER_ATTRIBUTE = re.compile(r' (?:srcset|sizes|loading)="[^"]*"')
_WIDTH = re.compile(r' width="(\d{1,6})[^"]*"')
_HEIGHT = re.compile(r' height="[^"]*"')


def fit_post(html: str, limit: int) -> tuple[str, bool]:
    """Return sanitised `html` for a letter, and whether it had to be cut.

    Headings move one level down, as the post's title is an `h2` here; code gets its
    colours inline; folded parts are opened, since nothing can unfold them. The result
    has at most `limit` octets and ends before a heading where one is near.
    """
    html = highlight_code(clean_html(html), inline=True)
    html = _HEADING.sub(_lower_heading, html)
    html = _DETAILS.sub('<details open=""', html)
    html = _PICTURE.sub(_fit_picture, html)
    return _cut(html, limit)


def _lower_heading(tag: re.Match[str]) -> str:
    return f"<{tag[1]}h{min(int(tag[2]) + 1, LOWEST_HEADING)}"


def _fit_picture(tag: re.Match[str]) -> str:
    picture = _NEWER_ATTRIBUTE.sub("", tag[0])
    width = _WIDTH.search(picture)
    if width and int(width[1]) > PICTURE_WIDTH:
        picture = _HEIGHT.sub("", picture)
        picture = _WIDTH.sub(f' width="{PICTURE_WIDTH}"', picture)
    return picture


def _cut(html: str, limit: int) -> tuple[str, bool]:
    """Keep whole outermost blocks: up to the last heading that fits, else to the last."""
    if len(html.encode()) <= limit:
        return html, False
    depth = octets = 0
    heading = block = 0
    for token in TOKEN.finditer(html):
        closing, name = token[1], token[2]
        if octets > limit:
            break
        if not depth and name and not closing:
            block = token.start()
            heading = block if name in HEADINGS else heading
        if name and name not in VOID:
            depth += -1 if closing else 1
        octets += len(token[0].encode())
    # A heading far up would throw away most of what there is room for.
    end = heading if heading * 2 > block else block
    return html[:end], True

"""Sanitised HTML as running text on one line: what excerpts and titles are made of."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from postroom.posts.tokens import BLOCKS, HEADINGS, TOKEN, read_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = HEADINGS | frozenset(["pre", "figure", "table", "rt", "rp"])
LEFT_OUT_CLASSES = ("footnotes", "footnote-ref", "alert-title")
BLOCK_END = "\0"

SHORTCODE = re.compile(
    r"\{\{[^{}]*+\}\}|\{%(?:[^{}%]|%(?!\}))*+%\}|\{:[^{}\s][^{}]*+\}"
)
DISPLAY_MATHS = re.compile(r"\$\$[^$]++\$\$")
INLINE_MATHS = re.compile(r"\$(?=[^\s$])[^$\0\\_^={]*+[\\_^={][^$\0]*+(?<!\s)\$(?!\d)")


def flatten(html: str, *, title: str = "", length: int = 4000) -> str:
    """Return the running text of `html` on one line, about `length` characters of it.

    Without headings, code blocks, figures, tables, footnotes and shortcodes; a first
    paragraph that only repeats `title` is left out.
    """
    text = unescape("".join(_read_pieces(html, length)))
    blocks = [
        " ".join(block.split()) for block in _drop_notations(text).split(BLOCK_END)
    ]
    blocks = [block for block in blocks if block]
    if blocks and title and _fold(blocks[0]) == _fold(title):
        del blocks[0]
    return " ".join(blocks)


def _read_pieces(html: str, length: int) -> Iterator[str]:
    """Yield about `length` characters of text as escaped, with the ends of blocks."""
    size = depth = 0
    hidden = ""
    for closing, name, attributes, text in TOKEN.findall(html):
        if depth:  # within an element left out
            if name == hidden:
                depth += -1 if closing else 1
        elif name:
            yield BLOCK_END if name in BLOCKS else " " if name == "br" else ""
            if not closing and _is_left_out(name, attributes):
                hidden, depth = name, 1
        else:
            yield text
            size += len(text)
            if size > length:
                return


def text_of(html: str) -> str:
    """Return all text within `html` on one line: a title from a heading."""
    pieces = [token.text or " " * (token.name == "br") for token in read_tokens(html)]
    return " ".join(unescape("".join(pieces)).split())


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _drop_notations(text: str) -> str:
    if "$" in text:
        text = DISPLAY_MATHS.sub(" … ", text)
        text = INLINE_MATHS.sub("…", text)
        text = re.sub(r"\0\s*…\s*(?=\0)", BLOCK_END, text)
    if "{" in text:
        text = SHORTCODE.sub(" ", text)
    return text


def _is_left_out(name: str, attributes: str) -> bool:
    """Whether an excerpt shows nothing of an element; a block leaves its end."""
    return name in LEFT_OUT or any(
        f'"{other}"' in attributes for other in LEFT_OUT_CLASSES if attributes
    )

"""Sanitised HTML as running text on one line: what excerpts and titles are made of."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from postroom.posts.tokens import BLOCKS, HEADINGS, Token, read_tokens

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
    pieces: list[str] = []
    size = 0
    for token in _skip(read_tokens(html)):
        if not token.name:
            pieces.append(unescape(token.text))
            size += len(token.text)
        elif token.name in BLOCKS:
            pieces.append(BLOCK_END)
        elif token.name == "br":
            pieces.append(" ")
        if size > length:
            break
    blocks = _drop_notations("".join(pieces)).split(BLOCK_END)
    blocks = [" ".join(block.split()) for block in blocks]
    blocks = [block for block in blocks if block]
    if blocks and title and _fold(blocks[0]) == _fold(title):
        del blocks[0]
    return " ".join(blocks)


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


def _skip(tokens: Iterator[Token]) -> Iterator[Token]:
    """Yield what an excerpt may show; a block left out leaves its end."""
    for token in tokens:
        if not token.name or token.closing or not _is_left_out(token):
            yield token
            continue
        depth = 1
        for inner in tokens:
            if inner.name == token.name:
                depth += -1 if inner.closing else 1
            if not depth:
                break
        if token.name in BLOCKS:
            yield token


def _is_left_out(token: Token) -> bool:
    return token.name in LEFT_OUT or any(
        f'"{name}"' in token.attributes for name in LEFT_OUT_CLASSES
    )

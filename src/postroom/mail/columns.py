"""Display width: how many columns text takes, and where it may be cut (UAX #11, #29)."""

from __future__ import annotations

import regex
import wcwidth

GRAPHEME = regex.compile(r"\X")
ELLIPSIS = "…"


def columns_of(text: str) -> int:
    """Return the display width of one line: 2 for Hangul, Kana, Han, most emoji."""
    if text.isascii() and text.isprintable():
        return len(text)
    width = wcwidth.wcswidth(text)
    # -1 means a control character; cleaned text has none, so any bound will do.
    return width if width >= 0 else 2 * len(text)


def cut_to_columns(text: str, columns: int) -> str:
    """Return `text` if it fits, else its beginning and `…`.

    Ends at a blank if one is in the second half, else between grapheme clusters.
    """
    if columns_of(text) <= columns:
        return text
    room = columns - columns_of(ELLIPSIS)
    end = _end_within(text, room)
    if not text[end : end + 1].isspace():
        blank = text.rfind(" ", 0, end)
        if blank > 0 and columns_of(text[:blank]) * 2 >= room:
            end = blank
    return text[:end].rstrip(" ,.;:·-–—") + ELLIPSIS


def split_columns(text: str, columns: int) -> list[str]:
    """Return `text` in pieces of at most `columns`, never inside a cluster."""
    pieces = []
    while text:
        end = _end_within(text, columns) or len(GRAPHEME.match(text)[0])
        pieces.append(text[:end])
        text = text[end:]
    return pieces


def _end_within(text: str, room: int) -> int:
    """Return the index of the last cluster boundary within `room` columns."""
    end = width = 0
    for cluster in GRAPHEME.finditer(text):
        width += columns_of(cluster[0])
        if width > room:
            break
        end = cluster.end()
    return end

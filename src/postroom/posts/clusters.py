"""Grapheme clusters (UAX #29) in text of any script."""

from __future__ import annotations

import regex

JOINS_BEFORE = regex.compile(r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]")
PREPENDED = regex.compile(r"[\p{GCB=Prepend}]+$")
"""Signs that form one cluster with what stands before or after them."""


def end_of(text: str, count: int) -> int:
    """Return where the first `count` clusters of `text` end."""
    found = regex.match(rf"\X{{0,{count}}}", text)
    return found.end() if found else 0


def last_start(text: str) -> int:
    """Return where the last cluster of `text` begins."""
    last = 0
    for match in regex.finditer(r"\X", text):
        last = match.start()
    return last


def joins_before(text: str, place: int) -> bool:
    """Tell whether the sign at `place` forms one cluster with the one before it."""
    return JOINS_BEFORE.match(text, place) is not None


def without_prepended(text: str) -> str:
    """Return `text` without signs at its end that wait for one behind them."""
    kept: str = PREPENDED.sub("", text)
    return kept

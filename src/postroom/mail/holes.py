"""Holes: where a rendered letter waits for what is personal.

A hole is a word between two noncharacters. `characters` strips those from every value,
so no post can forge one, and they pass through the CSS inliner untouched, in `href` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import MessageUnsafeError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOLE_START = "\ufdd0"
HOLE_END = "\ufdd1"

UNSUBSCRIBE_HOLE = f"{HOLE_START}unsubscribe{HOLE_END}"
"""The subscriber's link to leave."""
PREFERENCES_HOLE = f"{HOLE_START}preferences{HOLE_END}"
"""The subscriber's link to change rhythm and topics."""


def fill_holes(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with every hole replaced; keys of `values` are holes.

    Raises MessageUnsafeError when a hole remains: an unfilled link is worse than no mail.
    """
    for hole, value in values.items():
        text = text.replace(hole, value)
    if HOLE_START in text or HOLE_END in text:
        raise MessageUnsafeError(
            "the letter has a hole that nothing fills",
            cure="restore templates/letter/ or use only the names it defines",
        )
    return text

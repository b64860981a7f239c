"""Holes: where a rendered letter waits for what is personal.

A hole is a word between two noncharacters. `characters` strips those from every value,
so no post can forge one, and they pass through the CSS inliner untouched, in `href` too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.errors import MessageUnsafeError

if TYPE_CHECKING:
    from collections.abc import Sequence

HOLE_START = "\ufdd0"
HOLE_END = "\ufdd1"

UNSUBSCRIBE_HOLE = f"{HOLE_START}unsubscribe{HOLE_END}"
"""The subscriber's link to leave."""
PREFERENCES_HOLE = f"{HOLE_START}preferences{HOLE_END}"
"""The subscriber's link to change rhythm and topics."""

_DAMAGED = re.compile(f"[{HOLE_START}{HOLE_END}]")
_HOLE = re.compile(f"({HOLE_START}[^{HOLE_START}{HOLE_END}]*{HOLE_END})")


def split_at_holes(text: str, holes: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return what stands around the holes of `text`, and which of `holes` each is.

    One piece more than holes. Raises MessageUnsafeError for a hole that is none of
    them: an unfilled link is worse than no mail.
    """
    pieces = _HOLE.split(text)
    between, found = pieces[::2], pieces[1::2]
    if not set(found).issubset(holes) or any(map(_DAMAGED.search, between)):
        raise MessageUnsafeError(
            "the letter has a hole that nothing fills",
            cure="restore templates/letter/ or use only the names it defines",
        )
    return between, [holes.index(hole) for hole in found]

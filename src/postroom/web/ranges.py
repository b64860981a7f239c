"""Parts of a file: the Range field (RFC 9110 §14), which podcast players live by."""

from __future__ import annotations

import re
from typing import NamedTuple

RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.IGNORECASE)
"""One range. Lists are passed over, which §14.2 allows, and the file is sent whole: players
ask for one, and many small ones are an old way to make a server work."""


class Span(NamedTuple):
    """The octets from `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many octets."""
        return self.stop - self.start


def parse_range(field: str | None, size: int) -> Span | None:
    """Return the span that is asked of a file of `size`; None when it is to be sent whole.

    An empty span is a range that the file does not have: the answer is 416.
    """
    found = RANGE.fullmatch(field.strip()) if field else None
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return Span(max(0, size - int(found[2])), size)
    start = int(found[1])
    if found[2] and int(found[2]) < start:
        return None
    stop = min(int(found[2]) + 1, size) if found[2] else size
    return Span(start, stop) if start < size else Span(0, 0)

"""Numbers that tell whether texts are still the same ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OCTETS = 8
"""Two of a hundred thousand meet by chance once in four billion sites."""


def fingerprint(parts: Iterable[str]) -> int:
    """Return a number of 64 bits that differs when one of the texts does.

    It and `hash` of a tuple of such numbers are the same in every process: only the
    hash of texts is salted.
    """
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(text))
        digest.update(text)
    return int.from_bytes(digest.digest()[:OCTETS], "big", signed=True)

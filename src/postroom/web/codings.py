"""Which content coding a client gets: Accept-Encoding (RFC 9110 §12.5.3)."""

from __future__ import annotations

import re
from functools import lru_cache

from postroom.files.compressed import Coding

MAX_FIELD = 512
"""Octets of a field that is read; browsers send 30."""
QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
ALIASES = {"x-gzip": Coding.GZIP.value}
IDENTITY = "identity"
UNNAMED_IDENTITY = 0.0005
"""What a client thinks of plain bytes when it does not say: less than of any coding it
names, since the least quality that can be written is 0.001."""


def choose_coding(field: str | None) -> Coding | None:
    """Return the coding that the client likes best; None for plain bytes.

    Without the field, with an empty one and where nothing is acceptable (`*;q=0`) the bytes
    are plain: §12.5.3 prefers that to an error, and every client can read them.
    """
    if not field or len(field) > MAX_FIELD:
        return None
    return _choose(field)


@lru_cache(maxsize=256)
def _choose(field: str) -> Coding | None:
    named = dict(_parse(item) for item in field.split(","))
    others = named.get("*", 0.0)
    plain = named.get(IDENTITY, UNNAMED_IDENTITY)
    best = max(Coding, key=lambda coding: named.get(coding, others))
    quality = named.get(best, others)
    return best if quality and quality >= plain else None


def _parse(item: str) -> tuple[str, float]:
    """Return a coding and its quality; one that is malformed is not acceptable."""
    name, semicolon, weight = item.partition(";")
    name = name.strip().lower()
    quality = 1.0
    if semicolon:
        found = QUALITY.fullmatch(weight.strip())
        quality = float(found[1]) if found else 0.0
    return ALIASES.get(name, name), quality

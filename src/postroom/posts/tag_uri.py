"""How a post's permanent id is written: a `tag:` URI (RFC 4151), or the author's IRI."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN_DIGITS = 16
"""Hex digits of a derived id: no two of ten thousand paths meet by chance."""
LONGER = 8
"""Digits added while an id is taken, as when an old name is used for a new post."""

IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`\x00-\x20\x7f\ud800-\udfff]+')
"""An absolute IRI (RFC 3987) as far as feeds care: a scheme and no space."""
SPECIFIC = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@/?-]")
"""What the last part of a tag URI may hold unescaped (RFC 4151 §2.1)."""
AUTHORITY = re.compile(r"[^\s:,]+,(\d{4}-\d{2}-\d{2})")
OURS = re.compile(
    rf"tag:({AUTHORITY.pattern}):(?:[0-9a-f]{{{TOKEN_DIGITS},64}}(?:-\d+)?|feed)"
)
"""An id that postroom derived: of a post, or of the feed itself."""


def own_id(text: str, authority: str) -> str:
    """Return an id that an author set as an IRI: as it is, or within our tag URI.

    `authority` is `host,YYYY-MM-DD`. Empty for an empty one.
    """
    if not text:
        return ""
    text = unicodedata.normalize("NFC", text.strip())
    if not text or IRI.fullmatch(text):
        return text
    escaped = "".join(
        chr(octet) if SPECIFIC.match(bytes([octet])) else f"%{octet:02X}"
        for octet in text.encode(errors="replace")
    )
    return f"tag:{authority}:{escaped}"


def derived_ids(path: str, authority: str) -> Iterator[str]:
    """Yield, without end, the ids a post at `path` may get: the first that is free.

    Derived from nothing but the path, so that a lost ledger gives the same ids to
    files that kept their names.
    """
    name = unicodedata.normalize("NFC", path).encode(errors="surrogateescape")
    token = hashlib.sha256(name).hexdigest()
    for length in range(TOKEN_DIGITS, len(token) + 1, LONGER):
        yield f"tag:{authority}:{token[:length]}"
    # The same name for the eighth post in turn: count on from the whole digest.
    number = 2
    while True:
        yield f"tag:{authority}:{token}-{number}"
        number += 1


def is_authority(text: str) -> bool:
    """Tell whether it is `host,YYYY-MM-DD` with a day that exists."""
    found = AUTHORITY.fullmatch(text)
    if not found:
        return False
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return False
    return True


def authority_of(id: str) -> str:
    """Return the authority of an id that postroom derived, or nothing."""
    found = OURS.fullmatch(id)
    return found[1] if found and is_authority(found[1]) else ""

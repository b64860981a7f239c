"""What the ledger knows of a post: its permanent id, and whether it was mailed.

Values only, and light: a run with nothing to do imports this; `identify` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class MailState(StrEnum):
    """Where a publication stands between folder and letters."""

    NEW = "new"
    """Seen by a build, not yet judged by a publish run."""
    NUMBERED = "numbered"
    """Has a publication number: offered to every subscriber whose mark is lower."""
    HELD = "held"
    """Waits for `publish --yes` (too many at once) or for the author (by hand)."""
    ARCHIVED = "archived"
    """Feeds and site only, never mailed: older than the ledger or than max_age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A post that was public once. `path` follows the file; `id` never changes."""

    path: str
    id: str
    digest: str
    """SHA-256 of the source when last seen, hex."""
    first_seen: datetime
    number: int | None = None
    mail: MailState = MailState.NEW
    reason: str = ""
    """Why it is held or archived, in words: `first run`, `max_age`, `max_new`, `by hand`, `email: false`."""

"""What a letter must know beside its posts: site, edition, and where its links point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from postroom.subscribers.subscriber import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSettings:
    """One variant of one edition, without its posts."""

    site_title: str
    site_url: str
    """Absolute, ends with `/`."""
    language: str
    """Of this variant: the words around the posts, dates, fonts, line breaking."""
    zone: tzinfo
    """Dates are read in it."""
    cadence: Cadence
    edition: str
    """The edition's key."""
    slot: datetime
    """Names the issue: `2026년 11월 넷째 주`."""
    author: str = ""
    """Who wrote the posts that name nobody."""
    postal_address: str = ""
    """Shown under the letter; line breaks are kept."""
    max_posts: int = 12
    """Posts with excerpts; the rest are titles."""
    view_url: str = ""
    """Of the letter on the web, absolute; empty when there is no such page."""
    feed_url: str = ""
    """Of the feed the footer offers, absolute; empty for none."""

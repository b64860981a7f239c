"""One feed model for all formats, in the words of RFC 4287."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.posts.post import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that belongs to an entry (RFC 4287 §4.2.7.2, rel=enclosure)."""

    url: str
    media_type: str
    length: int
    """Octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A post in a feed. Times are aware; URLs absolute; texts free of controls."""

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime
    summary: str
    """Plain text."""
    content: str | None
    """HTML with absolute URLs; None when the feed carries excerpts only."""
    authors: tuple[Person, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    image: str = ""
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed with its entries, newest first. `updated` is the newest entry's.

    `urls` maps a format's file name (`atom.xml`) to the feed's own address in that
    format (rel=self); `hub`, `prev_archive` and `next_url` are for WebSub and
    RFC 5005 and may be empty. `prev_archive` is an Atom document for every format;
    `next_url` is the next page in the format being written, so a caller who pages
    sets it for each.
    """

    id: str
    title: str
    subtitle: str
    home_url: str
    urls: dict[str, str]
    language: str
    updated: datetime
    authors: tuple[Person, ...] = ()
    entries: tuple[Entry, ...] = ()
    hub: str = ""
    prev_archive: str = ""
    next_url: str = ""

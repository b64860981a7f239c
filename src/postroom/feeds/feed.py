"""One feed model for all formats, in the words of RFC 4287."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.posts.post import Episode, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that belongs to an entry (RFC 4287 §4.2.7.2, rel=enclosure)."""

    url: str
    media_type: str
    length: int
    """Octets; 0: unknown."""
    duration: int = 0
    """Seconds; 0: unknown."""
    title: str = ""


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
    link: str = ""
    """What a link post is about: a page elsewhere. `url` stays the post's own."""
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Podcast:
    """What directories of podcasts ask of a feed (Apple's tags, Podcasting 2.0)."""

    category: str
    """Apple's: `Arts`, or `Arts > Books`."""
    explicit: bool = False
    author: str = ""
    """Empty: the feed's authors."""
    owner: str = ""
    email: str = ""
    """Of the owner: published, so that directories can ask whether the feed is theirs."""
    image: str = ""
    guid: str = ""
    """UUID for good; empty: made of the feed's address (`build_feed` does)."""
    locked: bool = False
    """Other hosts may not import it."""
    kind: str = ""
    """`episodic` or `serial`."""
    copyright: str = ""
    funding: str = ""
    """Address of a page that takes money, and `funding_text` what its link says."""
    funding_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed with its entries, newest first. `updated` is the newest change of one.

    `urls` maps a format's file name (`atom.xml`) to the feed's own address in that
    format (rel=self). What is empty is not written.
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
    """A WebSub hub."""
    archive: bool = False
    """This is an archive document, whose set of entries is for good (RFC 5005 §4)."""
    current: str = ""
    """The document with the newest entries, of which this one is a part."""
    prev_archive: str = ""
    """The archive document before this one: Atom, whatever the format."""
    next_archive: str = ""
    next_url: str = ""
    """The same as `prev_archive` for JSON Feed: its own document of older items."""
    stylesheet: str = ""
    """A style sheet (CSS) that browsers show Atom and RSS with."""
    podcast: Podcast | None = None

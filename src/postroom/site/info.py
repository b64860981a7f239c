"""What the pages must know of their site, and what they become: values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo


class FeedLink(NamedTuple):
    """A feed that lies beside the index."""

    title: str
    """What the format is called: `Atom`."""
    file_name: str
    """Relative to the output folder: `atom.xml`."""
    media_type: str


class FeedGroup(NamedTuple):
    """A part of the posts that has feeds of its own, in the formats of the site."""

    kind: str
    """What it is a part by: `language`, `author` or `topic`."""
    label: str
    """Of an author or a topic as written; a language in its own words."""
    path: str
    """Folder of its feeds, relative to the output, ends with `/`: `tags/rust/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteInfo:
    """What every page says about its site."""

    title: str
    url: str
    """Absolute, ends with `/`."""
    description: str
    language: str
    """BCP 47; the words around the posts are in it, or in English."""
    author: str
    zone: tzinfo
    """Dates are read in it."""
    feeds: tuple[tuple[str, str, str], ...] = ()
    """Each a `FeedLink`, or a plain tuple of the same three."""
    link_url: str = ""
    """Where the web part answers, ends with `/`; empty when nobody can sign up."""
    cadences: tuple[str, ...] = ("immediate", "daily", "weekly", "monthly")
    """Rhythms that the sign-up form offers."""
    cadence: str = "weekly"
    """The one that is chosen beforehand."""
    topic_feeds: bool = False
    """Whether every topic has the same feeds in its own folder."""
    feed_groups: tuple[FeedGroup, ...] = ()
    """Feeds of a part of the posts, in the order in which `follow/` lists each kind."""
    opml: str = ""
    """The list of all feeds, relative to the output: `feeds.opml`; empty without one."""


class PlannedFile(NamedTuple):
    """A file of the output folder before it is made."""

    path: str
    key: int
    """Of what it is made from: while it stays, so do the bytes."""
    make: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """A file of the output folder; `path` is relative to it, `/`-separated."""

    path: str
    data: bytes

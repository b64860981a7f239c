"""What a reader of foreign files hands over: one entry found, or one fault named."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from postroom.posts.post import Enclosure, Episode, Person


class Kind(StrEnum):
    """What a file or an address holds."""

    FEED = "feed"
    """RSS 0.9x, 1.0 or 2.0, Atom 0.3 or 1.0."""
    WORDPRESS = "wordpress"
    """A WordPress export (WXR)."""
    JSON = "json"
    """JSON Feed 1.0 or 1.1."""
    GHOST = "ghost"
    SUBSTACK = "substack"
    HTML = "html"
    """A folder or zip of HTML pages."""


class Text(StrEnum):
    """How the text of an entry is written."""

    HTML = "html"
    PLAIN = "plain"
    WORDPRESS = "wordpress"
    """As WordPress stores it: block comments or bare paragraphs, shortcodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One entry of a foreign file, its texts decoded, its markup still as it was."""

    line: int = 0
    """Of the file, from 1; 0: it has none that helps."""
    name: str = ""
    """Place in a file without lines that help: the member of a zip."""
    id: str = ""
    """Permanent id as the old feed has it."""
    title: str = ""
    published: datetime | None = None
    """Naive: in the site's zone."""
    updated: datetime | None = None
    slug: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()
    authors: tuple[Person, ...] = ()
    summary: str = ""
    """Plain text or HTML of the author's own excerpt."""
    image: str = ""
    image_alt: str = ""
    draft: bool = False
    page: bool = False
    """Outside the stream of posts: it gets no date."""
    visibility: str = ""
    """Who may read it, where that is not everybody."""
    url: str = ""
    """Absolute address of its old page."""
    link: str = ""
    """What a link post is about."""
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    text: str = ""
    form: Text = Text.HTML
    base: str = ""
    """Against which its relative addresses are resolved."""
    gallery: Mapping[str, str] = field(default_factory=dict)
    """WordPress: number of an attachment → its address."""
    notes: tuple[str, ...] = ()
    """What a person should know about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An entry, or a stretch of a file, that could not be read."""

    message: str
    line: int = 0
    name: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something about the whole file that a person should know; nothing is lost."""

    message: str
    line: int = 0
    name: str = ""


Step: TypeAlias = Found | Fault | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a file says of the whole feed."""

    title: str = ""
    url: str = ""
    """Of the site."""
    base: str = ""
    language: str = ""
    author: str = ""
    generator: str = ""
    next_url: str = ""
    """Of older entries: RFC 5005 prev-archive or next, JSON Feed next_url."""
    older_by_number: bool = False
    """WordPress: `?paged=2`."""

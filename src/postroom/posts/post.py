"""A post as a value: what the author wrote, ready for feed, page and letter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from postroom.errors import Problem


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of the posts folder: `path` is relative, `/`-separated, NFC."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this site reads its posts; part of the key of the render cache."""

    site_url: str
    """Absolute, ends with `/`."""
    language: str
    zone: tzinfo
    excerpt_length: int = 200
    encoding: str = "utf-8"
    """`cp949` or another only by an explicit setting (`[posts] encoding`)."""
    pelican_header: bool = False
    """Read a bare `Key: value` header (`[posts] pelican = true`)."""
    hard_breaks: bool = False
    permalink: str = ""
    """A pattern of `posts.permalink` when another program makes the pages, or empty."""
    media: bool = True
    """False: files that posts show are where those pages are (`[site] media`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMap:
    """Where things of the posts folder end up: the targets of relative links.

    Keys are paths as in `Source.path`; values are relative to the output folder:
    `posts/SLUG/` for a post, `media/PATH` for a file.
    """

    pages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author; the e-mail address is never published by default."""

    name: str
    email: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture by absolute URL."""

    url: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that belongs to a post: an episode's sound, a film, a paper."""

    url: str
    """In a Head as written, in a Post absolute."""
    media_type: str = ""
    """Empty in a Head: what the ending of its name says."""
    length: int = 0
    """Octets; 0: of the file `path`, or unknown."""
    duration: int = 0
    """Seconds; 0: unknown."""
    title: str = ""
    path: str = ""
    """Of the posts folder, when the file lies there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is said in an episode, as text (Podcasting 2.0)."""

    url: str
    media_type: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What podcast readers ask of a post with an enclosure."""

    number: int = 0
    """0: none."""
    season: int = 0
    """0: none."""
    kind: str = ""
    """`full`, `trailer`, `bonus`, or empty."""
    explicit: bool | None = None
    """None: as the whole podcast."""
    image: str = ""
    """Absolute URL in a Post, as written in a Head."""
    chapters: str = ""
    """URL of a JSON chapters file."""
    transcripts: tuple[Transcript, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The front matter of one source, typed, and its body still as Markdown."""

    path: str
    title: str
    """Empty when the front matter has none: the first H1 or the file name serves."""
    published: datetime | None
    """Aware; None makes it a page, never in feeds or mail."""
    updated: datetime | None
    expires: datetime | None
    draft: bool
    slug: str
    url_path: str
    """Relative to the output folder, ends with `/`: `posts/SLUG/` or `SLUG/`; where
    another program makes the pages a whole URL, empty for a page without one."""
    language: str
    tags: tuple[str, ...]
    authors: tuple[Person, ...]
    summary: str
    """The author's own summary as Markdown, or empty."""
    subject: str
    """The author's own subject for a letter that carries this post alone, or empty."""
    preheader: str
    image: str
    """As written: absolute, root-relative or relative; empty when there is none."""
    image_alt: str
    canonical_url: str
    id: str
    """An id the author set; overrides the stored one. Empty otherwise."""
    mailed: bool
    """False for `email: false` / `send: false`: feeds and site only."""
    body: str
    body_line: int
    """Line of the file (from 1) on which `body` begins."""
    link: str = ""
    """What a link post is about: an absolute URL, or empty."""
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the catalogue knows of a rendered post: all but its text."""

    path: str
    title: str
    published: datetime | None
    updated: datetime | None
    expires: datetime | None
    draft: bool
    slug: str
    url_path: str
    language: str
    tags: tuple[str, ...]
    authors: tuple[Person, ...]
    excerpt: str
    """Plain text, never cut inside a word or grapheme cluster, no markup."""
    image: Image | None
    subject: str
    preheader: str
    canonical_url: str
    id: str
    mailed: bool
    digest: str
    """SHA-256 of the source bytes, hex: recognises a renamed file."""
    files: tuple[str, ...] = ()
    """Files of the posts folder that the post shows or links: to be copied."""
    links: tuple[tuple[str, str], ...] = ()
    """Every site-map key the rendering asked for, with the answer (`""`: none)."""
    link: str = ""
    """What a link post is about: an absolute URL, or empty."""
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Card):
    """A card with its text. URLs in `html` are absolute, in `page_html` relative."""

    html: str
    """Sanitised, absolute URLs, `class="language-x"` on code: for feeds and letters."""
    page_html: str
    """The same for the post's own page: relative URLs, code coloured by classes."""
    text: str
    """Plain text of the whole post, paragraphs apart, for the text part."""


class Spine(NamedTuple):
    """What a run must know of every post at once; all else stays on its card.

    The names are those of `Card`, and mean the same; instants are kept as seconds since
    1970, which ten thousand of them make worth while.
    """

    path: str
    title: str
    published_at: float | None
    updated_at: float | None
    expires_at: float | None
    slug: str
    url_path: str
    language: str
    tags: tuple[str, ...]
    authors: tuple[Person, ...]
    canonical_url: str
    id: str
    mailed: bool
    digest: str
    files: tuple[str, ...]
    asks: bool
    """Whether its rendering asked the site map anything."""
    seen: int
    """Fingerprint of all that readers see of it."""
    listed: int
    """Fingerprint of what lists show of it."""
    named: int
    """Fingerprint of what its neighbours show of it."""

    @property
    def published(self) -> datetime | None:
        """In UTC."""
        return _moment(self.published_at)

    @property
    def updated(self) -> datetime | None:
        """In UTC."""
        return _moment(self.updated_at)

    @property
    def expires(self) -> datetime | None:
        """In UTC."""
        return _moment(self.expires_at)

    @property
    def draft(self) -> bool:
        """Drafts are not rendered."""
        return False

    def is_open(self, at: float) -> bool:
        """Whether it can be read then: as `visibility_of`, for ten thousand at once."""
        begun = self.published_at is None or self.published_at <= at
        return begun and (self.expires_at is None or self.expires_at > at)


def seconds_of(instant: datetime | None) -> float | None:
    """Return seconds since 1970, as spines keep instants."""
    return None if instant is None else (instant - EPOCH).total_seconds()


def _moment(seconds: float | None) -> datetime | None:
    """Return the instant; beyond the ends of the calendar, as zones make it, the end."""
    if seconds is None:
        return None
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return FIRST if seconds < 0 else LAST


class Visibility(StrEnum):
    """What a post is at one instant."""

    PUBLIC = "public"
    PAGE = "page"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"


def visibility_of(post: Head | Card | Spine, now: datetime) -> Visibility:
    """What `post` is at `now`; a draft stays one whatever its dates say."""
    if post.draft:
        return Visibility.DRAFT
    if post.expires is not None and post.expires <= now:
        return Visibility.EXPIRED
    if post.published is None:
        return Visibility.PAGE
    if post.published > now:
        return Visibility.SCHEDULED
    return Visibility.PUBLIC

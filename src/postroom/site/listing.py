"""A post as pages list it, and a long list cut into pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.site.address import quote_path
from postroom.site.topics import topics_of
from postroom.site.words import (
    direction_of,
    format_date,
    format_day,
    language_attributes,
    local_time,
    words_attributes,
    words_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from markupsafe import Markup

    from postroom.posts.post import Card, Spine
    from postroom.site.info import SiteInfo
    from postroom.site.topics import Topic

POSTS_PER_PAGE = 10
"""With excerpts about four screens of a phone, and some 5 KB on the wire."""

BIDI_CONTROLS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the direction of what follows (UAX 9 §2), also of text not theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicLink:
    """A topic under a post; `path` is an address relative to the site."""

    label: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A day as pages show it, in the site's language and time zone."""

    year: int
    iso: str
    """For `datetime`: `2024-11-02`."""
    date: str
    day: str
    """Without the year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A post in a list; attributes are ready for a tag, empty where nothing differs."""

    post: Card
    title: str
    path: str
    """An address relative to the site, ends with `/`."""
    excerpt: str
    language: Markup
    """Attributes of its title and text."""
    published: Moment | None
    topics: tuple[TopicLink, ...]
    more: str
    more_label: str
    more_language: Markup
    """Attributes of those two, inside an element with `language`."""
    arrow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A post where only its name is shown; the attributes are those of `Item`."""

    title: str
    path: str
    language: Markup
    published: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One page of a long list; `newer` and `older` are paths of its neighbours."""

    number: int
    """Counted from the oldest page, 1; the list's first page has none, 0."""
    path: str
    """Of the file, relative to the output folder."""
    posts: tuple[Spine, ...]
    newer: str | None
    older: str | None


def build_item(post: Card, site: SiteInfo, topics: Mapping[str, Topic]) -> Item:
    """Return `post` as lists show it; its own words are in its own language."""
    words = words_for(post.language or site.language)
    title = title_of(post)
    return Item(
        post=post,
        title=title,
        path=quote_path(post.url_path),
        excerpt=post.excerpt,
        language=language_attributes(post.language, site.language),
        published=build_moment(post.published, site),
        topics=tuple(
            TopicLink(label=topic.label, path=quote_path(topic.path))
            for topic in topics_of(post, topics)
        ),
        more=words.read_more,
        more_label=words.read_more_of.format(title=title),
        more_language=words_attributes(words, post.language or site.language),
        arrow="←" if direction_of(words.language) == "rtl" else "→",
    )


def build_title(post: Spine, site: SiteInfo) -> Title:
    """Return `post` as its neighbours and the archive show it."""
    return Title(
        title=title_of(post),
        path=quote_path(post.url_path),
        language=language_attributes(post.language, site.language),
        published=build_moment(post.published, site),
    )


def build_moment(instant: datetime | None, site: SiteInfo) -> Moment | None:
    """Return the day of `instant` in the site's zone; None for a page without one."""
    if instant is None:
        return None
    local = local_time(instant, site.zone)
    return Moment(
        year=local.year,
        iso=local.date().isoformat(),
        date=format_date(instant, site.language, site.zone),
        day=format_day(instant, site.language, site.zone),
    )


def title_of(post: Card | Spine) -> str:
    """Return the title, or what else tells the post from others."""
    return post.title.strip() or post.slug or post.path


def plain_line(text: str) -> str:
    """Return `text` for a place without markup, where no element ends its direction."""
    return " ".join(BIDI_CONTROLS.sub("", text).split())


def cut_into_chunks(
    posts: Sequence[Spine], folder: str, size: int = POSTS_PER_PAGE
) -> Iterator[Chunk]:
    """Yield the pages of a list, newest first; it begins at `folder`, an empty one too.

    Pages are numbered from the oldest post on, so that a new post changes the first page
    and, once in `size` posts, makes one more: a first page holds up to twice as many.
    """
    full = max(0, len(posts) // size - 1)  # pages behind the first one
    first = len(posts) - full * size
    yield Chunk(
        number=0,
        path=f"{folder}index.html",
        posts=tuple(posts[:first]),
        newer=None,
        older=_chunk_folder(folder, full) if full else None,
    )
    for number in range(full, 0, -1):
        start = len(posts) - number * size
        yield Chunk(
            number=number,
            path=f"{_chunk_folder(folder, number)}index.html",
            posts=tuple(posts[start : start + size]),
            newer=_chunk_folder(folder, number + 1) if number < full else folder,
            older=_chunk_folder(folder, number - 1) if number > 1 else None,
        )


def _chunk_folder(folder: str, number: int) -> str:
    return f"{folder}page/{number}/"

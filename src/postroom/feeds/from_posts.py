"""Posts become a feed: selection, order, dates, and the cleaning no format repeats.

Nothing an author writes may cost readers the whole feed, so every text leaves here
legal in XML 1.0, every address absolute and in ASCII, every date one that RFC 3339
and RFC 822 can write. What cannot be mended is left out of its entry, not the entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from postroom.feeds.characters import (
    clean_language,
    clean_line,
    clean_text,
    clean_url,
)
from postroom.feeds.feed import Entry, Feed
from postroom.feeds.formats import FORMATS
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from postroom.posts.post import Post

# A "name" that is an address would publish it; `@kim@mastodon.example` is a name.
_BARE_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """What a feed is called, where it will be and what it carries."""

    id: str
    """Permanent: an IRI that outlives title, address and domain (RFC 4287 §4.2.6)."""
    title: str
    site_url: str
    """Absolute, ends with `/`."""
    started: datetime
    """What a feed without entries calls its last update; any fixed instant."""
    subtitle: str = ""
    path: str = ""
    """Folder of the feed's files and of the page it is the feed of, relative to
    `site_url`: `tags/TAG/`, or empty for the main feed."""
    language: str = ""
    author: str = ""
    """Who wrote the posts that name nobody."""
    zone: tzinfo = UTC
    """Dates are written in it."""
    limit: int = 50
    full: bool = True
    """Content beside the summary; False publishes excerpts only."""
    formats: tuple[str, ...] = tuple(FORMATS)
    """Names of `FORMATS` that will be published."""
    hub: str = ""
    """A WebSub hub, or empty."""


def build_feed(
    posts: Sequence[Post], ids: Mapping[str, str], settings: FeedSettings
) -> Feed:
    """Return the feed of the newest `settings.limit` posts.

    `posts` are public, in any order; one without a date is a page and left out.
    `ids` maps a post's path to its permanent id; KeyError when one is missing.
    """
    entries = [
        _build_entry(post, post.published, ids[post.path], settings)
        for post in posts
        if post.published is not None
    ]
    entries.sort(key=lambda entry: (entry.published, entry.id), reverse=True)
    kept = tuple(entries[: settings.limit])
    home_url = clean_url(settings.site_url + settings.path)
    title = clean_line(settings.title) or home_url
    started = _writable(settings.started, settings.zone)
    return Feed(
        id=clean_line(settings.id),
        title=title,
        subtitle=clean_line(settings.subtitle),
        home_url=home_url,
        urls={
            file_name: home_url + file_name
            for file_name in (FORMATS[name].file_name for name in settings.formats)
        },
        language=clean_language(settings.language),
        updated=max((entry.updated for entry in kept), default=started),
        # Atom wants an author (RFC 4287 §4.1.1): a site without one speaks for itself.
        authors=_named([Person(name=settings.author)]) or (Person(name=title),),
        entries=kept,
        hub=clean_url(settings.hub),
    )


def _build_entry(
    post: Post, published: datetime, id: str, settings: FeedSettings
) -> Entry:
    first = _writable(published, settings.zone)
    last = _writable(post.updated, settings.zone) if post.updated else first
    own_url = clean_url(settings.site_url + post.url_path)
    url = clean_url(post.canonical_url) or own_url
    title = clean_line(post.title) or clean_line(post.slug) or url
    content = clean_text(post.html).strip() if settings.full else ""
    return Entry(
        id=clean_line(id) or url,
        url=url,
        title=title,
        published=first,
        updated=max(first, last),
        # A post of one picture has no excerpt; readers and RSS want a text.
        summary=clean_text(post.excerpt).strip() or title,
        content=content or None,
        authors=_named(post.authors) or _named([Person(name=settings.author)]),
        tags=tuple(dict.fromkeys(filter(None, map(clean_line, post.tags)))),
        language=clean_language(post.language),
        image=clean_url(post.image.url) if post.image else "",
    )


def _writable(moment: datetime, zone: tzinfo) -> datetime:
    """Return `moment` in `zone` in whole seconds, with an offset in whole minutes.

    Both date formats write offsets as hours and minutes; Seoul before 1908 was at
    +08:27:52, so such a date goes out in UTC. At the ends of the calendar there is no
    room for a conversion: the date stays and the offset goes.
    """
    moment = moment.replace(microsecond=0)
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=zone)
    try:
        local = moment.astimezone(zone)
        offset = local.utcoffset()
        return moment.astimezone(UTC) if offset and offset.seconds % 60 else local
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _named(people: Iterable[Person]) -> tuple[Person, ...]:
    """Return those with a name, without their e-mail addresses."""
    cleaned = [
        Person(name=clean_line(person.name), url=clean_url(person.url))
        for person in people
    ]
    return tuple(
        person
        for person in dict.fromkeys(cleaned)
        if person.name and not _BARE_EMAIL.fullmatch(person.name)
    )

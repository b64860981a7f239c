"""Posts become a feed: selection, order, dates, and the cleaning no format repeats.

Nothing an author writes may cost readers the whole feed, so every text leaves here
legal in XML 1.0, every address absolute and in ASCII, every date one that RFC 3339
and RFC 822 can write. What cannot be mended is left out of its entry, not the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from postroom.feeds.archive_names import name_documents
from postroom.feeds.attached import build_enclosures, build_episode
from postroom.feeds.characters import (
    clean_language,
    clean_line,
    clean_text,
    clean_url,
)
from postroom.feeds.feed import Entry, Feed
from postroom.feeds.formats import FORMATS
from postroom.feeds.moments import newest_first, writable
from postroom.feeds.people import named_people
from postroom.feeds.podcast import build_podcast
from postroom.posts.permalink import page_url
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from postroom.feeds.feed import Enclosure, Podcast
    from postroom.posts.post import Post

NONE: Mapping[str, int] = MappingProxyType({})


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
    stylesheet: str = ""
    """Address of a CSS file, or empty."""
    podcast: Podcast | None = None
    """None: no podcast, though entries may have enclosures."""
    archive: str = ""
    """Name of the newest closed archive document (`archive.newest_closed`), or empty."""


def build_feed(
    posts: Sequence[Post],
    ids: Mapping[str, str],
    settings: FeedSettings,
    file_sizes: Mapping[str, int] = NONE,
    delays: Mapping[str, int] = NONE,
) -> Feed:
    """Return the feed of the newest `settings.limit` posts.

    `posts` are public, in any order; one without a date is a page and left out.
    `ids` maps a post's path to its permanent id; KeyError when one is missing.
    `file_sizes` maps paths of the posts folder to octets, for enclosures that lie there,
    `delays` is what `distinct.plan_delays` says.
    """
    chosen = newest_first(posts, ids, settings.zone)[: settings.limit]
    entries = tuple(
        _build_entry(
            post,
            published,
            own_id,
            settings,
            build_enclosures(post.enclosures, file_sizes),
            timedelta(seconds=delays.get(post.path, 0)),
        )
        for published, own_id, post in chosen
    )
    home_url = clean_url(settings.site_url + settings.path)
    title = clean_line(settings.title) or home_url
    older = name_documents(settings.archive, settings.formats)
    site_url = clean_url(settings.site_url)
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
        updated=max(
            (entry.updated for entry in entries),
            default=writable(settings.started, settings.zone),
        ),
        # Atom wants an author (RFC 4287 §4.1.1): a site without one speaks for itself.
        authors=named_people([Person(name=settings.author)]) or (Person(name=title),),
        entries=entries,
        hub=clean_url(settings.hub),
        prev_archive=site_url + older["atom"] if "atom" in older else "",
        next_url=site_url + older["json"] if "json" in older else "",
        stylesheet=clean_url(settings.stylesheet),
        podcast=build_podcast(settings.podcast, home_url + FORMATS["rss"].file_name),
    )


def _build_entry(
    post: Post,
    published: datetime,
    id: str,
    settings: FeedSettings,
    enclosures: tuple[Enclosure, ...],
    delay: timedelta,
) -> Entry:
    last = writable(post.updated, settings.zone) if post.updated else published
    own_url = clean_url(page_url(post, settings.site_url))
    url = clean_url(post.canonical_url) or own_url
    title = clean_line(post.title) or clean_line(post.slug) or url
    content = clean_text(post.html).strip() if settings.full else ""
    return Entry(
        id=clean_line(id) or url,
        url=url,
        title=title,
        published=published,
        updated=_later(max(published, last), delay),
        # A post of one picture has no excerpt; readers and RSS want a text.
        summary=clean_text(post.excerpt).strip() or title,
        content=content or None,
        authors=named_people(post.authors)
        or named_people([Person(name=settings.author)]),
        tags=tuple(dict.fromkeys(filter(None, map(clean_line, post.tags)))),
        language=clean_language(post.language),
        image=clean_url(post.image.url) if post.image else "",
        link=clean_url(post.link),
        enclosures=enclosures,
        episode=build_episode(post.episode),
    )


def _later(moment: datetime, delay: timedelta) -> datetime:
    try:
        return moment + delay
    except OverflowError:  # the last second of the calendar
        return moment

"""Archives: the whole history of a site in documents that stay as they are (RFC 5005 §4).

The posts of a month, in the site's time zone, make a document; a month of more posts
than a feed holds makes several, filled from its oldest post on: `2026-03`, `2026-03-2`.
All but the newest document are closed: no newer post changes one, or its links, and
an edit rewrites just the document it is in. The newest is open and grows with the
blog; it holds no more posts than the main feed, so the main feed and the closed
documents together are the whole, and `prev-archive` leads from one to the next.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from postroom.feeds.archive_names import name_documents
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import NONE, build_feed
from postroom.feeds.moments import end_of_month, second_of, writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from postroom.feeds.feed import Feed
    from postroom.feeds.from_posts import FeedSettings
    from postroom.feeds.moments import Dated
    from postroom.posts.post import Post


class ArchivePlan(NamedTuple):
    """An archive document before it is made."""

    name: str
    """`2026-03`, or `2026-03-2` for the second part of a long month."""
    paths: tuple[str, ...]
    """Of its posts, newest first."""
    older: str
    """Name of the document before it; empty for the oldest."""
    newer: str
    """Name of the document after it; empty for the newest, which is open."""

    @property
    def closed(self) -> bool:
        """Whether no newer post can come into it."""
        return bool(self.newer)


def plan_archives(
    order: Sequence[Dated], *, limit: int, zone: tzinfo
) -> tuple[ArchivePlan, ...]:
    """Return the archive documents of all public posts, newest first.

    `order` are those with a date as `order_posts` returns them.

    `limit` is the main feed's: no document has more entries, so each stays as far
    below the 5,000,000 octets that validators read as the main feed does. A site
    whose posts fill one document has none: the main feed is the whole. The clock
    plays no part.
    """
    months = groupby(_months(order, zone), key=itemgetter(0))
    parts = [
        part
        for month, group in months
        for part in _parts(month, [path for _, path in group], limit)
    ]
    if len(parts) == 1:
        return ()
    names = ["", *(name for name, _ in parts), ""]
    plans = [
        ArchivePlan(
            name=name,
            paths=tuple(reversed(paths)),
            older=names[place],
            newer=names[place + 2],
        )
        for place, (name, paths) in enumerate(parts)
    ]
    return tuple(reversed(plans))


def newest_closed(plans: Sequence[ArchivePlan]) -> str:
    """Return the name of the document that the main feed points at, or nothing."""
    return next((plan.name for plan in plans if plan.closed), "")


def build_archive(
    posts: Sequence[Post],
    ids: Mapping[str, str],
    settings: FeedSettings,
    plan: ArchivePlan,
    file_sizes: Mapping[str, int] = NONE,
    delays: Mapping[str, int] = NONE,
) -> Feed:
    """Return the document of `plan`: `posts` are those at its paths.

    `settings` are the main feed's: all documents of a feed have its id and title. It
    announces no hub, because nobody subscribes to an archive.
    """
    own = replace(settings, limit=len(posts), hub="", archive=plan.older)
    feed = build_feed(posts, ids, own, file_sizes, delays)
    main = next(
        (feed.urls[FORMATS[name].file_name] for name in ("atom", "rss", "json")
         if name in settings.formats),
        "",
    )  # fmt: skip
    newer = name_documents(plan.newer, settings.formats).get("atom", "")
    return replace(
        feed,
        urls={
            FORMATS[name].file_name: feed.home_url + path
            for name, path in name_documents(plan.name, settings.formats).items()
        },
        archive=plan.closed,
        current=main,
        next_archive=newer and feed.home_url + newer,
    )


def _months(order: Sequence[Dated], zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield month and path of each post, oldest first."""
    month, end = "", -inf
    for post in reversed(order):
        if second_of(post) >= end and post.published is not None:
            moment = writable(post.published, zone)
            month, end = f"{moment.year:04d}-{moment.month:02d}", end_of_month(moment)
        yield month, post.path


def _parts(month: str, paths: list[str], limit: int) -> Iterator[tuple[str, list[str]]]:
    """Yield name and posts of each part of a month, oldest first."""
    for part, start in enumerate(range(0, len(paths), limit), 1):
        name = month if part == 1 else f"{month}-{part}"
        yield name, paths[start : start + limit]

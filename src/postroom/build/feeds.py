"""Write the feeds whose posts changed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.fingerprint import fingerprint
from postroom.site.info import PlannedFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.build.library import Library
    from postroom.build.output import Printer
    from postroom.config.sections import Config
    from postroom.store.values import Facts


def write_feeds(
    printer: Printer,
    config: Config,
    library: Library,
    facts: Facts,
    ids: Mapping[str, str],
    base: int,
) -> None:
    """Write each feed that `feeds.formats` names."""
    settings = FeedSettings(
        id=f"tag:{facts.authority}:feed",
        title=config.site.title,
        subtitle=config.site.description,
        site_url=config.site.url,
        language=config.site.language,
        author=config.site.author,
        limit=config.feeds.limit,
        full=config.feeds.content == "full",
        formats=config.feeds.formats,
        started=_started(facts),
        zone=config.site.timezone,
    )
    chosen = [post for post in library.posts if post.path in ids][: settings.limit]
    key = hash(
        (
            base,
            fingerprint(ids[post.path] for post in chosen),
            *(post.seen for post in chosen),
        )
    )
    kept = {}

    def make(name: str) -> bytes:
        if not kept:
            posts = [library.post(post.path) for post in chosen]
            kept[0] = build_feed(posts, ids, settings)
        return FORMATS[name].render(kept[0])

    plans = [
        PlannedFile(FORMATS[name].file_name, key, partial(make, name))
        for name in config.feeds.formats
    ]
    printer.put(plans, library.reopen)


def _started(facts: Facts) -> datetime:
    """The age of a feed without entries: the day of the ledger's authority."""
    day = facts.authority.rpartition(",")[2]
    return datetime.fromisoformat(day).replace(tzinfo=UTC)

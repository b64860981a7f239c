"""Write what readers see: feeds, pages, and the files that posts show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.collection import MEDIA
from postroom.site.pages import SiteInfo, build_pages
from postroom.site.theme import build_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2

    from postroom.build.library import Library
    from postroom.config.sections import Config
    from postroom.files.folder import Folder
    from postroom.files.output import Output
    from postroom.store.values import Facts


def write_feeds(
    output: Output,
    config: Config,
    library: Library,
    facts: Facts,
    ids: Mapping[str, str],
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
    posts = [post for post in library.posts if post.path in ids]
    feed = build_feed(posts, ids, settings)
    for name in config.feeds.formats:
        output.write(FORMATS[name].file_name, FORMATS[name].render(feed))


def _started(facts: Facts) -> datetime:
    """The age of a feed without entries: the day of the ledger's authority."""
    day = facts.authority.rpartition(",")[2]
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def write_pages(
    output: Output, config: Config, library: Library, loader: jinja2.BaseLoader
) -> None:
    """Write index, posts, topics, archive, follow and the style sheet."""
    info = SiteInfo(
        title=config.site.title,
        url=config.site.url,
        description=config.site.description,
        language=config.site.language,
        author=config.site.author,
        zone=config.site.timezone,
        feeds=tuple(
            (item.title, item.file_name, item.media_type)
            for item in (FORMATS[name] for name in config.feeds.formats)
        ),
        link_url=config.web.url,
        cadences=config.digest.cadences(),
        cadence=config.digest.default,
    )
    environment = build_environment(loader)
    for page in build_pages(info, library.posts, library.pages, environment):
        output.write(page.path, page.data)


def copy_media(output: Output, folder: Folder, library: Library) -> None:
    """Copy the files beside posts that a shown post refers to."""
    wanted = {path for post in library.posts + library.pages for path in post.files}
    for path in sorted(wanted & folder.files.keys()):
        output.copy(MEDIA + path, folder.disk_path(path))

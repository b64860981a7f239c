"""Write the feeds whose posts changed: the site's, each group's, archives, their list."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from postroom.feeds.archive import (
    ArchivePlan,
    build_archive,
    newest_closed,
    plan_archives,
)
from postroom.feeds.archive_names import name_documents
from postroom.feeds.choice import (
    FeedKind,
    FeedPlan,
    Group,
    group_authors,
    group_languages,
    group_settings,
    plan_feeds,
)
from postroom.feeds.distinct import plan_delays
from postroom.feeds.feed import Feed, Podcast
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.feeds.moments import order_posts
from postroom.feeds.opml import FILE_NAME, ListedFeed, opml_xml
from postroom.posts.fingerprint import fingerprint
from postroom.site.follow import FEED_STYLE
from postroom.site.info import FeedGroup, PlannedFile
from postroom.site.topics import gather_topics
from postroom.site.words import name_of_language, words_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from postroom.build.library import Library
    from postroom.config.sections import Config
    from postroom.files.folder import Folder
    from postroom.posts.post import Post, Spine
    from postroom.store.values import Facts


class Feeds(NamedTuple):
    """Every feed of the site before it is made."""

    plans: tuple[FeedPlan, ...]
    """The site's, then one for each group."""
    archives: tuple[ArchivePlan, ...]
    closed: str
    """Name of the newest archive document that is closed."""
    ids: Mapping[str, str]
    """By path."""
    delays: Mapping[str, int]
    """See `feeds.distinct`."""
    whole: bool = True

    def holding(self, paths: frozenset[str]) -> Feeds:
        """Return those alone that one of these posts is in."""
        return self._replace(
            plans=tuple(p for p in self.plans if not paths.isdisjoint(p.paths)),
            archives=tuple(a for a in self.archives if not paths.isdisjoint(a.paths)),
            whole=False,
        )

    def groups(self) -> tuple[FeedGroup, ...]:
        """Return the groups as the page on how to follow lists them."""
        return tuple(
            FeedGroup(plan.kind, _label(plan), plan.folder) for plan in self.plans[1:]
        )


def plan_all_feeds(config: Config, library: Library, ids: Mapping[str, str]) -> Feeds:
    """Decide which feeds there are, and who is in each."""
    posts = [post for post in library.posts if post.path in ids]
    order, limit = order_posts(posts, ids), config.feeds.limit
    archived = config.feeds.archive and config.feeds.formats
    zone = config.site.timezone
    archives = plan_archives(order, limit=limit, zone=zone) if archived else ()
    return Feeds(
        plans=plan_feeds(order, limit=limit, groups=dict(_groups(config, posts))),
        archives=archives,
        closed=newest_closed(archives),
        ids=ids,
        delays=plan_delays({post.path: _second(post) for post in posts}, ids),
    )


def _second(post: Spine) -> int:
    """Return the second of the last change."""
    return floor(
        max(post.published_at or 0.0, post.updated_at or post.published_at or 0.0)
    )


def _groups(
    config: Config, posts: Sequence[Spine]
) -> Iterator[tuple[FeedKind, Sequence[Group]]]:
    wanted = config.feeds.groups if config.feeds.formats else ()
    if "languages" in wanted:
        yield FeedKind.LANGUAGE, group_languages(posts)
    if "authors" in wanted:
        yield FeedKind.AUTHOR, group_authors(posts, config.site.author)
    if "topics" in wanted:
        _, topics = gather_topics(posts)
        yield (
            FeedKind.TOPIC,
            [
                Group(topic.label, topic.path, [post.path for post in topic.posts])
                for topic in topics
            ],
        )


def plan_feed_files(
    config: Config,
    library: Library,
    folder: Folder,
    feeds: Feeds,
    facts: Facts,
    base: int,
) -> Iterator[PlannedFile]:
    """Yield each feed document, each archive document, and `feeds.opml`."""
    desk = _Desk(
        settings=_settings(config, facts, feeds.closed),
        library=library,
        sizes={path: stamp.size for path, stamp in folder.files.items()},
        ids=feeds.ids,
        delays=feeds.delays,
        spines={post.path: post for post in library.posts},
        base=base,
    )
    for plan in feeds.plans:
        yield from desk.feed_files(plan)
    for archive in feeds.archives:
        yield from desk.archive_files(archive)
    if config.feeds.formats and feeds.whole:
        yield _list_file(config, feeds, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What all feeds of a run are made with."""

    settings: FeedSettings
    """The site's feed."""
    library: Library
    sizes: Mapping[str, int]
    ids: Mapping[str, str]
    delays: Mapping[str, int]
    spines: Mapping[str, Spine]
    base: int
    made: dict[str, Feed] = field(default_factory=dict)
    """The last feed, by name: its formats are written one after the other."""

    def feed_files(self, plan: FeedPlan) -> Iterator[PlannedFile]:
        key = self._key(plan.paths, plan.folder, plan.label, self.settings.archive)
        for name in self.settings.formats:
            path = f"{plan.folder}{FORMATS[name].file_name}"
            yield PlannedFile(path, key, partial(self._make_feed, plan, name))

    def archive_files(self, plan: ArchivePlan) -> Iterator[PlannedFile]:
        key = self._key(plan.paths, plan.name, plan.older, plan.newer)
        documents = name_documents(plan.name, self.settings.formats)
        for name, path in documents.items():
            yield PlannedFile(path, key, partial(self._make_archive, plan, name))

    def _key(self, paths: Sequence[str], *texts: str) -> int:
        spines = [self.spines[path] for path in paths]
        sizes = (self.sizes.get(file, 0) for post in spines for file in post.files)
        own = (self.settings.id, *texts)
        names = fingerprint((*own, *(self.ids[path] for path in paths)))
        delays = (self.delays.get(path, 0) for path in paths)
        seen = (post.seen for post in spines)
        return hash((self.base, names, *seen, *delays, *sizes))

    def _make_feed(self, plan: FeedPlan, name: str) -> bytes:
        feed = self.made.get(plan.folder)
        if feed is None:
            posts = self._posts(plan.paths)
            settings = group_settings(self.settings, plan, _label(plan))
            feed = build_feed(posts, self.ids, settings, self.sizes, self.delays)
            self._keep(plan.folder, feed)
        form = FORMATS[name]
        # feedgen writes what most people read, our own writer what sites have by the
        # hundred; tests hold them against each other.
        return form.stream(feed) if plan.folder else form.render(feed)

    def _make_archive(self, plan: ArchivePlan, name: str) -> bytes:
        feed = self.made.get(plan.name)
        if feed is None:
            posts = self._posts(plan.paths)
            own = (self.ids, self.settings, plan, self.sizes, self.delays)
            feed = build_archive(posts, *own)
            self._keep(plan.name, feed)
        return FORMATS[name].stream(feed)

    def _keep(self, name: str, feed: Feed) -> None:
        self.made.clear()
        self.made[name] = feed

    def _posts(self, paths: Sequence[str]) -> list[Post]:
        return [self.library.post(path) for path in paths]


def _settings(config: Config, facts: Facts, archive: str) -> FeedSettings:
    return FeedSettings(
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
        hub=config.feeds.hub,
        stylesheet=config.site.url + FEED_STYLE if config.site.pages else "",
        podcast=_podcast(config),
        archive=archive,
    )


def _started(facts: Facts) -> datetime:
    """The age of a feed without entries: the day of the ledger's authority."""
    day = facts.authority.rpartition(",")[2]
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def _podcast(config: Config) -> Podcast | None:
    section = config.podcast
    if not section.category:
        return None
    return Podcast(
        category=section.category,
        explicit=section.explicit,
        author=section.author or config.site.author,
        owner=section.owner,
        email=section.email,
        image=section.image,
        guid=section.guid,
        locked=section.locked,
        kind=section.kind,
        copyright=section.copyright,
        funding=section.funding,
        funding_text=section.funding_text,
    )


def _list_file(config: Config, feeds: Feeds, base: int) -> PlannedFile:
    """Plan `feeds.opml`: one format of each feed, Atom where there is a choice."""
    site, words = config.site, words_for(config.site.language)
    headings = {
        FeedKind.SITE: "",
        FeedKind.LANGUAGE: words.by_language,
        FeedKind.AUTHOR: words.by_author,
        FeedKind.TOPIC: words.by_topic,
    }
    file_name = FORMATS[config.feeds.formats[0]].file_name
    has_page = {FeedKind.TOPIC} if site.pages else set()
    listed = [
        ListedFeed(
            title=f"{_label(plan)} · {site.title}" if plan.label else site.title,
            xml_url=f"{site.url}{plan.folder}{file_name}",
            html_url=site.url + (plan.folder if plan.kind in has_page else ""),
            kind=headings[plan.kind],
        )
        for plan in feeds.plans
    ]
    key = hash((base, fingerprint(text for feed in listed for text in feed)))
    return PlannedFile(FILE_NAME, key, partial(opml_xml, site.title, listed))


def _label(plan: FeedPlan) -> str:
    is_language = plan.kind is FeedKind.LANGUAGE
    return name_of_language(plan.label) if is_language else plan.label

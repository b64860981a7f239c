"""Read every post of the folder, through the cache: parse, settle addresses, render.

One faulty post is a problem of its own and never stops the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from postroom.build.crew import share_out
from postroom.build.record import stamp_of
from postroom.errors import PostError, Problem
from postroom.files.folder import read_source
from postroom.files.package import PACKAGE
from postroom.posts.cached import (
    build_spine,
    dump_card,
    links_hold,
    load_card,
    load_post,
)
from postroom.posts.collection import build_site_map, settle_addresses
from postroom.posts.fingerprint import fingerprint
from postroom.posts.post import (
    Head,
    Rules,
    Source,
    Spine,
    Visibility,
    seconds_of,
    visibility_of,
)
from postroom.store.rendered import Body, CacheDamagedError, RenderCache, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, tzinfo

    from postroom.config.sections import Config
    from postroom.files.folder import Folder
    from postroom.posts.post import Card, Post, SiteMap

CACHE_NAME = "rendered.db"
NO_STAMP = (-1, -1, -1)
"""No file has it: it is read again, and its content decides."""


def rules_of(config: Config) -> Rules:
    """How this site reads its posts."""
    return Rules(
        site_url=config.site.url,
        language=config.site.language,
        zone=config.site.timezone,
        excerpt_length=config.excerpt.length,
        encoding=config.posts.encoding,
        pelican_header=config.posts.pelican,
        hard_breaks=config.posts.hard_breaks,
        permalink=config.posts.permalink,
        media=config.site.media,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Everything the folder holds at one instant. `posts` are newest first.

    Spines are at hand; cards and texts come from the cache, until `close`. Reading them
    raises CacheDamagedError.
    """

    posts: tuple[Spine, ...]
    """Public and dated."""
    pages: tuple[Spine, ...]
    scheduled: tuple[Spine, ...]
    drafts: tuple[Head, ...]
    present: frozenset[str]
    """Paths of all files of the folder that are posts, drafts and faulty ones too."""
    changed: frozenset[str]
    """Those rendered anew, and those gone since the last time."""
    only_texts: bool
    """Nothing changed but texts that no list shows: every other page stays."""
    unheard: bool
    """Whether others were rendered anew before, of which the ledger has not heard."""
    problems: tuple[Problem, ...]
    """Posts that could not be published."""
    until: datetime | None
    """The next instant at which a post appears or expires."""
    zone: tzinfo
    """Of the site."""
    cache: RenderCache
    cards: dict[str, Card] = field(default_factory=dict)
    """Read so far."""

    def card(self, path: str) -> Card:
        """Return the card of a post."""
        card = self.cards.get(path)
        if card is None:
            card = self.cards[path] = _read_card(self.cache, path)
        return card

    def page_html(self, path: str) -> str:
        """Return the text of a post for its own page."""
        return self.cache.body(path).page_html

    def post(self, path: str) -> Post:
        """Return a post with its text."""
        body = self.cache.body(path)
        card = self.cache.card(path)
        try:
            return load_post(
                card, html=body.html, page_html=body.page_html, plain=body.text
            )
        except ValueError as error:
            raise self.cache.spoil(str(error)) from None

    def warnings(self) -> tuple[Problem, ...]:
        """What is not what it seems, in every post: reads all cards."""
        rendered = (*self.posts, *self.pages, *self.scheduled)
        found = [*settle_addresses((*rendered, *self.drafts), self.zone).warnings]
        for draft in self.drafts:
            found.extend(draft.warnings)
        for spine in rendered:
            found.extend(self.card(spine.path).warnings)
        return tuple(sorted(found, key=lambda p: (p.path, p.line)))

    @property
    def prepare(self) -> Callable[[], None] | None:
        """What a fork calls before it reads from here; None: it cannot."""
        return self.cache.reopen if self.cache.is_shared else None

    def close(self) -> None:
        """Give the cache back."""
        self.cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_library(
    config: Config,
    folder: Folder,
    now: datetime,
    *,
    trusted: int = 0,
    fresh: bool = False,
) -> Library:
    """Read and render what changed, take the rest from the cache beside the ledger.

    A file changed after `trusted` (nanoseconds of the file system's clock) may change
    again and look the same: it is read again the next time. `fresh` throws the cache
    away, for when it was found damaged.
    """
    rules = rules_of(config)
    key = hashlib.sha256(repr((stamp_of(PACKAGE), rules)).encode()).hexdigest()
    config.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = config.state_folder / CACHE_NAME
    if fresh:
        place.unlink(missing_ok=True)
    for _ in range(2):  # a damaged one is removed, and made anew
        cache = RenderCache(place, key)
        try:
            return _read(cache, folder, rules, now, trusted)
        except CacheDamagedError:
            cache.close()
    return _read(RenderCache(None, key), folder, rules, now, trusted)


def _read(
    cache: RenderCache, folder: Folder, rules: Rules, now: datetime, trusted: int
) -> Library:
    reading = _Reading(cache, folder, rules, now, trusted)
    reading.read_all()
    paths = reading.settle()
    files = folder.files if rules.media else ()
    site_map = build_site_map(reading.found.values(), paths, files, now)
    reading.renew_links(site_map)
    reading.render_all(paths, site_map)
    gone = reading.gone()
    cache.forget(gone)
    if reading.changed or gone:
        cache.keep_unheard(unheard=True)
    cache.commit()
    return _sort_out(reading, gone)


def _read_card(cache: RenderCache, path: str) -> Card:
    try:
        return load_card(cache.card(path))
    except ValueError as error:
        raise cache.spoil(str(error)) from None


class _Reading:
    """The state of one pass over the folder."""

    def __init__(
        self,
        cache: RenderCache,
        folder: Folder,
        rules: Rules,
        now: datetime,
        trusted: int,
    ) -> None:
        self.cache = cache
        self.folder = folder
        self.rules = rules
        self.now = now
        self.trusted = trusted
        self.kept: dict[str, Spine] = {}
        self.found: dict[str, Head | Spine] = {}
        self.digests: dict[str, str] = {}
        """Of the heads."""
        self.changed: set[str] = set()
        self.unheard = False
        self.moved = False
        """Whether a post came, or more of one changed than its text."""
        self.problems: list[Problem] = list(folder.problems)

    def read_all(self) -> None:
        """Take posts from the cache when their files are the same, else parse heads."""
        kept = self.cache.spines()
        for path, stamp in self.folder.posts.items():
            known = kept.get(path)
            if known and known[0] == stamp:
                self.found[path] = known[1]
            else:
                self._read(path, known[1] if known else None)
        self.kept = {path: spine for path, (_, spine) in kept.items()}
        self.unheard = self.cache.unheard()

    def _read(self, path: str, kept: Spine | None) -> None:
        try:
            source = read_source(self.folder, path)
            digest = hashlib.sha256(source.data).hexdigest()
            if kept and kept.digest == digest:
                self.found[path] = kept
                self.cache.restamp(path, self._stamp(path))
            else:
                self._parse(source, digest)
        except PostError as error:
            self.problems.append(error.problem)

    def _stamp(self, path: str) -> tuple[int, int, int]:
        stamp = self.folder.posts[path]
        newest = max(stamp.modified_ns, stamp.changed_ns)
        return stamp if newest < self.trusted else NO_STAMP

    def _parse(self, source: Source, digest: str) -> None:
        from postroom.posts.head import parse_head  # noqa: PLC0415 - yaml, frontmatter: only for what changed

        head = parse_head(source, self.rules)
        self.digests[source.path] = digest
        self.found[source.path] = head

    def settle(self) -> Mapping[str, str]:
        """Return the address of each post; where nothing moved, those of last time."""
        if self._nothing_moved():
            return {path: self.kept[path].url_path for path in self.found}
        paths = settle_addresses(self.found.values(), self.rules.zone).paths
        for path, found in list(self.found.items()):
            if isinstance(found, Spine) and found.url_path != paths[path]:
                self._parse_again(path)
        return paths

    def _nothing_moved(self) -> bool:
        """Whether the posts are those of last time, with the same names and dates."""
        if self.found.keys() != self.kept.keys():
            return False
        return all(
            found.slug == self.kept[path].slug
            and (not self.rules.permalink or found.url_path == self.kept[path].url_path)
            and seconds_of(found.published) == self.kept[path].published_at
            for path, found in self.found.items()
            if isinstance(found, Head)
        )

    def renew_links(self, site_map: SiteMap) -> None:
        """Read again every post one of whose links would now lead elsewhere."""
        key = fingerprint(
            "\x1f".join(texts)
            for part in (site_map.pages, site_map.files)
            for texts in (part.keys(), part.values())
        )
        if key == self.cache.map_key():
            return
        for path, found in list(self.found.items()):
            asks = isinstance(found, Spine) and found.asks
            if asks and not links_hold(_read_card(self.cache, path), site_map):
                self._parse_again(path)
        self.cache.keep_map_key(key)

    def _parse_again(self, path: str) -> None:
        try:
            source = read_source(self.folder, path)
            self._parse(source, hashlib.sha256(source.data).hexdigest())
        except PostError as error:
            self.problems.append(error.problem)
            del self.found[path]

    def gone(self) -> set[str]:
        """Those that were posts, and are no longer, or not now."""
        there = {path for path, found in self.found.items() if isinstance(found, Spine)}
        return self.kept.keys() - there

    def render_all(self, paths: Mapping[str, str], site_map: SiteMap) -> None:
        """Make posts of the heads; drafts stay heads."""
        heads = [
            replace(found, url_path=paths[path])
            for path, found in self.found.items()
            if isinstance(found, Head)
            and visibility_of(found, self.now) is not Visibility.DRAFT
        ]

        def render(head: Head) -> Rendered | Problem:
            return _rendered(head, self.rules, site_map, self.digests[head.path])

        for made in share_out(heads, render, prepare=_nothing):
            if isinstance(made, Problem):
                self.problems.append(made)
                del self.found[made.path]
            else:
                path = made.spine.path
                self.moved = self.moved or not self._is_text_alone(made.spine)
                self.found[path] = made.spine
                self.cache.keep(made._replace(stamp=self._stamp(path)))
                self.changed.add(path)

    def _is_text_alone(self, spine: Spine) -> bool:
        kept = self.kept.get(spine.path)
        return kept is not None and spine == kept._replace(
            digest=spine.digest, asks=spine.asks, seen=spine.seen
        )


def _nothing() -> None:
    """Rendering needs nothing that a fork has not."""


def _rendered(
    head: Head, rules: Rules, site_map: SiteMap, digest: str
) -> Rendered | Problem:
    from postroom.posts.render import build_post  # noqa: PLC0415 - comrak, nh3, lxml: only for what changed

    try:
        post = build_post(head, rules, site_map, digest)
    except PostError as error:
        return error.problem
    card = dump_card(post)
    return Rendered(
        spine=build_spine(post, card),
        stamp=NO_STAMP,
        card=card,
        body=Body(post.html, post.page_html, post.text),
    )


def _sort_out(reading: _Reading, gone: Iterable[str]) -> Library:
    posts, pages, scheduled = [], [], []
    drafts: list[Head] = []
    changes = []
    now = reading.now.timestamp()
    for found in reading.found.values():
        if isinstance(found, Head):
            drafts.append(found)
        elif found.expires_at is None or found.expires_at > now:
            if found.expires_at is not None:
                changes.append(found.expires)
            if found.published_at is None:
                pages.append(found)
            elif found.published_at > now:
                scheduled.append(found)
                changes.append(found.published)
            else:
                posts.append(found)
    return Library(
        posts=tuple(sorted(posts, key=_newness, reverse=True)),
        pages=tuple(sorted(pages, key=lambda post: post.path)),
        scheduled=tuple(sorted(scheduled, key=_newness)),
        drafts=tuple(drafts),
        present=frozenset(reading.folder.posts),
        changed=frozenset({*reading.changed, *gone}),
        only_texts=not (reading.moved or gone),
        unheard=reading.unheard,
        problems=tuple(sorted(reading.problems, key=lambda p: (p.path, p.line))),
        until=min(
            (instant for instant in changes if instant is not None), default=None
        ),
        zone=reading.rules.zone,
        cache=reading.cache,
    )


def _newness(post: Spine) -> tuple[float, str]:
    """Newest last; among equals the path decides, so that the order never flickers."""
    return (post.published_at or 0.0, post.path)

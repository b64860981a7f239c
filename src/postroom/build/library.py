"""Read every post of the folder, through the cache: parse, settle addresses, render.

One faulty post is a problem of its own and never stops the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.build.record import stamp_of
from postroom.errors import PostError, Problem
from postroom.files.folder import read_source
from postroom.files.package import PACKAGE
from postroom.posts.cached import dump_post, links_hold, load_post
from postroom.posts.collection import Addresses, build_site_map, settle_addresses
from postroom.posts.post import Head, Post, Rules, Source, Visibility, visibility_of
from postroom.store.rendered import RenderCache, Rendered

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.files.folder import Folder
    from postroom.posts.post import SiteMap

CACHE_NAME = "rendered.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Everything the folder holds at one instant. `posts` are newest first."""

    posts: tuple[Post, ...]
    """Public and dated."""
    pages: tuple[Post, ...]
    scheduled: tuple[Post, ...]
    drafts: int
    present: frozenset[str]
    """Paths of all files of the folder that are posts, drafts and faulty ones too."""
    problems: tuple[Problem, ...]
    """Posts that could not be published."""
    warnings: tuple[Problem, ...]
    until: datetime | None
    """The next instant at which a post appears or expires."""


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
    )


def read_library(config: Config, folder: Folder, now: datetime) -> Library:
    """Read and render what changed, take the rest from the cache beside the ledger."""
    rules = rules_of(config)
    key = hashlib.sha256(repr((stamp_of(PACKAGE), rules)).encode()).hexdigest()
    config.state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with RenderCache(config.state_folder / CACHE_NAME, key) as cache:
        reading = _Reading(folder=folder, rules=rules, cached=cache.rows())
        for path in folder.posts:
            reading.read(path)
        addresses = settle_addresses(reading.read_posts())
        site_map = build_site_map(reading.read_posts(), addresses, folder.files, now)
        for path in list(reading.found):
            reading.render(path, addresses, site_map, now)
        cache.keep(reading.fresh, reading.cached.keys() - folder.posts.keys())
    return _sort_out(reading, addresses, now)


class _Reading:
    """The state of one pass over the folder."""

    def __init__(
        self, *, folder: Folder, rules: Rules, cached: dict[str, Rendered]
    ) -> None:
        self.folder = folder
        self.rules = rules
        self.cached = cached
        self.found: dict[str, Head | Post] = {}
        self.digests: dict[str, str] = {}
        self.fresh: list[Rendered] = []
        self.problems: list[Problem] = list(folder.problems)

    def read_posts(self) -> list[Head | Post]:
        return list(self.found.values())

    def read(self, path: str) -> None:
        """Take a post from the cache when its file is the same, else parse its head."""
        kept, stamp = self.cached.get(path), self.folder.posts[path]
        if kept and kept.stamp == stamp and self._take(kept):
            return
        try:
            source = read_source(self.folder, path)
            digest = hashlib.sha256(source.data).hexdigest()
            if kept and kept.digest == digest and self._take(kept):
                self._keep(path, digest, kept.post)
                return
            self._parse(source, digest)
        except PostError as error:
            self.problems.append(error.problem)

    def render(
        self, path: str, addresses: Addresses, site_map: SiteMap, now: datetime
    ) -> None:
        """Make a Post of what is still a Head, or no longer right; drafts stay heads."""
        from postroom.posts.render import build_post  # noqa: PLC0415 - comrak, nh3, lxml: only for what changed

        found = self.found[path]
        address = addresses.paths[path]
        try:
            if isinstance(found, Post):
                if found.url_path == address and links_hold(found, site_map):
                    return
                found = self._parse(read_source(self.folder, path), self.digests[path])
            if visibility_of(found, now) is Visibility.DRAFT:
                return
            head = replace(found, url_path=address)
            post = build_post(head, self.rules, site_map, self.digests[path])
        except PostError as error:
            self.problems.append(error.problem)
            del self.found[path]
            return
        self.found[path] = post
        self._keep(path, post.digest, dump_post(post))

    def _take(self, kept: Rendered) -> bool:
        try:
            self.found[kept.path] = load_post(kept.post)
        except ValueError:  # a damaged cache costs a rendering, nothing else
            return False
        self.digests[kept.path] = kept.digest
        return True

    def _parse(self, source: Source, digest: str) -> Head:
        from postroom.posts.head import parse_head  # noqa: PLC0415 - yaml, frontmatter: only for what changed

        head = parse_head(source, self.rules)
        self.digests[source.path] = digest
        self.found[source.path] = head
        return head

    def _keep(self, path: str, digest: str, post: str) -> None:
        stamp = self.folder.posts[path]
        self.fresh.append(Rendered(path=path, stamp=stamp, digest=digest, post=post))


def _sort_out(reading: _Reading, addresses: Addresses, now: datetime) -> Library:
    groups: dict[Visibility, list[Post]] = {kind: [] for kind in Visibility}
    drafts = 0
    warnings = list(addresses.warnings)
    for found in reading.found.values():
        warnings.extend(found.warnings)
        if isinstance(found, Post):
            groups[visibility_of(found, now)].append(found)
        else:
            drafts += 1
    shown = groups[Visibility.PUBLIC] + groups[Visibility.PAGE]
    changes = [post.published for post in groups[Visibility.SCHEDULED]]
    changes += [post.expires for post in shown]
    return Library(
        posts=tuple(sorted(groups[Visibility.PUBLIC], key=_newness, reverse=True)),
        pages=tuple(sorted(groups[Visibility.PAGE], key=lambda post: post.path)),
        scheduled=tuple(sorted(groups[Visibility.SCHEDULED], key=_newness)),
        drafts=drafts,
        present=frozenset(reading.folder.posts),
        problems=tuple(sorted(reading.problems, key=lambda p: (p.path, p.line))),
        warnings=tuple(sorted(warnings, key=lambda p: (p.path, p.line))),
        until=min(
            (instant for instant in changes if instant is not None), default=None
        ),
    )


def _newness(post: Post) -> tuple[float, str]:
    """Newest last; among equals the path decides, so that the order never flickers."""
    return (post.published.timestamp() if post.published else 0.0, post.path)

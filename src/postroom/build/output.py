"""Write what readers see, as far as it changed: pages, feeds, and files that posts show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.build.crew import share_out
from postroom.feeds.formats import FORMATS
from postroom.feeds.opml import FILE_NAME as OPML
from postroom.files.package import compiled_templates
from postroom.posts.collection import MEDIA
from postroom.site.info import FeedGroup, PlannedFile, SiteInfo
from postroom.site.pages import plan_pages
from postroom.site.theme import build_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import jinja2

    from postroom.build.library import Library
    from postroom.config.sections import Config
    from postroom.files.folder import Folder, Stamp
    from postroom.files.output import Output
    from postroom.store.rendered import RenderCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Writes planned files, but not those that the last run made from the same."""

    output: Output
    keys: Mapping[str, int]
    """Of the last run, by path."""
    sizes: Mapping[str, int]
    """Of the last run, by path."""
    made: dict[str, int] = field(default_factory=dict)
    """Of this run."""

    def put(self, plans: Iterable[PlannedFile], prepare: Callable[[], None]) -> None:
        """See that the files are there; `prepare` is called in each process that makes some."""
        wanted = []
        keys, sizes, made, keep = self.keys, self.sizes, self.made, self.output.keep
        for planned in plans:
            path, key, _ = planned
            made[path] = key
            if keys.get(path) != key or not keep(path, sizes.get(path, -1)):
                wanted.append(planned)

        def write(planned: PlannedFile) -> tuple[str, int, bool]:
            data = planned.make()
            return planned.path, len(data), self.output.put(planned.path, data)

        for path, size, written in share_out(wanted, write, prepare=prepare):
            self.output.note(path, size, written=written)

    def copy(self, path: str, source: Path, stamp: Stamp) -> None:
        """See that a copy of a file of the posts folder is there."""
        if not self._holds(path, hash(tuple(stamp)), stamp.size):
            self.output.copy(path, source)

    def _holds(self, path: str, key: int, size: int) -> bool:
        self.made[path] = key
        return self.keys.get(path) == key and self.output.keep(path, size)

    def keep_keys(self, cache: RenderCache) -> None:
        """Note for the next run what the files were made from; call it once all are."""
        changed = {
            path: key for path, key in self.made.items() if self.keys.get(path) != key
        }
        cache.keep_outputs(changed, self.keys.keys() - self.made.keys())
        cache.commit()


def write_pages(
    printer: Printer,
    config: Config,
    library: Library,
    groups: tuple[FeedGroup, ...],
    loader: jinja2.BaseLoader,
    base: int,
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
        topic_feeds="topics" in config.feeds.groups,
        feed_groups=groups,
        opml=OPML if config.feeds.formats else "",
    )
    compiled = compiled_templates(config.state_folder)
    environment = build_environment(loader, compiled)
    printer.put(plan_pages(info, library, environment, base), library.reopen)


def copy_media(printer: Printer, folder: Folder, library: Library) -> None:
    """Copy the files beside posts that a shown post refers to."""
    wanted = {path for post in (*library.posts, *library.pages) for path in post.files}
    for path in sorted(wanted & folder.files.keys()):
        printer.copy(MEDIA + path, folder.disk_path(path), folder.files[path])

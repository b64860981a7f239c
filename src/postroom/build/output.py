"""Write what readers see, as far as it changed: pages, feeds, and files that posts show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.build.crew import share_out
from postroom.build.record import are_there
from postroom.feeds.formats import FORMATS
from postroom.feeds.opml import FILE_NAME as OPML
from postroom.files.package import compiled_templates, template_loader
from postroom.posts.collection import MEDIA
from postroom.site.info import FeedGroup, PlannedFile, SiteInfo
from postroom.site.pages import plan_pages
from postroom.site.theme import build_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from postroom.build.library import Library
    from postroom.config.sections import Config
    from postroom.files.folder import Folder, Stamp
    from postroom.files.output import Output
    from postroom.store.rendered import RenderCache


PACKED = (".gz", ".br")
"""Endings of compressed forms, in the order of `compressed.compress`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Writes planned files, but not those that the last run made from the same."""

    output: Output
    keys: Mapping[str, int]
    """Of the last run, by path."""
    sizes: Mapping[str, int]
    """Of the last run, by path."""
    packed: bool = False
    """Text is written in gzip and Brotli as well."""
    made: dict[str, int] = field(default_factory=dict)
    """Of this run."""

    def keep_all(self) -> bool:
        """Leave alone all that the last run put there; False when some of it is gone."""
        whole = self.keys.keys() == self.sizes.keys()
        if not (whole and are_there(self.output.root, self.sizes)):
            return False
        self.made.update(self.keys)
        self.output.sizes.update(self.sizes)
        return True

    def put(
        self, plans: Iterable[PlannedFile], prepare: Callable[[], None] | None
    ) -> None:
        """See that the files are there; `prepare` as in `crew.share_out`."""
        wanted = []
        keys, sizes, made, keep = self.keys, self.sizes, self.made, self.output.keep
        for planned in plans:
            path, key, _ = planned
            made[path] = key
            held = keys.get(path) == key and keep(path, sizes.get(path, -1))
            if not (held and self._holds_packed(path, key)):
                wanted.append(planned)
        for forms in share_out(wanted, self._make, prepare=prepare):
            for path, key, size, written in forms:
                made[path] = key
                self.output.note(path, size, written=written)

    def _holds_packed(self, path: str, key: int) -> bool:
        """Whether its compressed forms, where it has some, are there as well."""
        if not self.packed:
            return True
        for name in (path + ending for ending in PACKED):
            if name in self.keys:
                self.made[name] = key
                if self.keys[name] != key:
                    return False
                if not self.output.keep(name, self.sizes.get(name, -1)):
                    return False
        return True

    def _make(self, planned: PlannedFile) -> list[tuple[str, int, int, bool]]:
        """Write a file, and its compressed forms, in this process or another."""
        path, key, make = planned
        data = make()
        forms = [(path, data)]
        if self.packed:
            from postroom.files.compressed import MIN_BYTES, compress, is_compressible  # noqa: PLC0415 - brotli, for sites that ask for it

            if len(data) >= MIN_BYTES and is_compressible(path):
                names = (path + ending for ending in PACKED)
                forms += zip(names, compress(data), strict=True)
        elif not self.sizes:  # nobody knows what a lost run has left here
            for ending in PACKED:
                self.output.remove(path + ending)
        return [
            (name, key, len(form), self.output.put(name, form)) for name, form in forms
        ]

    def copy(self, path: str, source: Path, stamp: Stamp) -> bool:
        """See that a copy of a file of the posts folder is there; whether it was not."""
        key = self.made[path] = hash(tuple(stamp))
        if self.keys.get(path) == key and self.output.keep(path, stamp.size):
            return False
        self.output.copy(path, source)
        return True

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
    base: int,
    only: frozenset[str] | None,
) -> None:
    """Write index, posts, topics, archive, follow and the style sheet.

    With `only`, the pages of those posts alone.
    """
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
    loader = template_loader(config.templates_folder)
    environment = build_environment(loader, compiled)
    plans = plan_pages(info, library, environment, base, only)
    printer.put(plans, library.prepare)


def copy_media(printer: Printer, folder: Folder, library: Library) -> int:
    """Copy the files beside posts that a shown post refers to; return how many."""
    wanted = {path for post in (*library.posts, *library.pages) for path in post.files}
    return sum(
        printer.copy(MEDIA + path, folder.disk_path(path), folder.files[path])
        for path in sorted(wanted & folder.files.keys())
    )

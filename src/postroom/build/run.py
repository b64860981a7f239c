"""One build: read the folder, give new posts their ids, write feeds and pages.

A build that finds nothing changed since the last one writes nothing and reads no post.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from postroom.build.record import (
    FILE_NAME,
    RACY_NS,
    Counts,
    Record,
    base_of,
    dump_record,
    inputs_of,
    is_racy,
    read_record,
    stamp_of,
    still_true,
)
from postroom.files.folder import walk_folder
from postroom.files.output import Output, write_whole
from postroom.files.package import PACKAGE, template_loader
from postroom.posts.slug import is_post_path

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.build.library import Library
    from postroom.config.sections import Config
    from postroom.errors import Problem
    from postroom.files.folder import Folder
    from postroom.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build found and did."""

    counts: Counts
    problems: tuple[Problem, ...]
    written: int
    unchanged: int


def build(
    config: Config, store: Store, now: datetime, *, started_ns: int, dry: bool = False
) -> Built:
    """Bring the output folder up to date; with `dry` only count what would be written.

    `started_ns` is the run's start by the file system's clock.
    """
    folder = walk_folder(config.posts_folder, is_post_path)
    base = base_of(config, stamp_of(PACKAGE))
    inputs = inputs_of(folder, base)
    last = read_record(config.state_folder)
    if last and still_true(last, inputs, now, config.output_folder):
        return Built(
            counts=last.counts,
            problems=last.problems,
            written=0,
            unchanged=len(last.sizes),
        )
    site = _Site(config, store, folder, now, base)
    output = Output(root=config.output_folder, dry=dry)
    record = _build(site, output, last, started_ns)
    if not dry:
        if is_racy(folder, started_ns):
            inputs = ""
        record = replace(record, inputs=inputs)
        write_whole(config.state_folder / FILE_NAME, dump_record(record))
    return Built(
        counts=record.counts,
        problems=record.problems,
        written=output.written,
        unchanged=output.unchanged,
    )


class _Site(NamedTuple):
    """What a build goes by."""

    config: Config
    store: Store
    folder: Folder
    now: datetime
    base: int


def _build(site: _Site, output: Output, last: Record | None, started_ns: int) -> Record:
    """Read and write; once more from the start where the cache was damaged."""
    from postroom.build.library import read_library  # noqa: PLC0415 - an idle run reads no post
    from postroom.store.rendered import CacheDamagedError  # noqa: PLC0415 - as above

    trusted = started_ns - RACY_NS
    for fresh in (False, True):
        with read_library(
            site.config, site.folder, site.now, trusted=trusted, fresh=fresh
        ) as library:
            try:
                return _write(site, library, output, last)
            except CacheDamagedError:
                if fresh:
                    raise
                output.forget()
    raise AssertionError  # the second try returned or raised


def _write(
    site: _Site, library: Library, output: Output, last: Record | None
) -> Record:
    """Give ids, then write: files first, pages next, feeds last, so no link is early."""
    from postroom.build.feeds import write_feeds  # noqa: PLC0415 - only for what changed
    from postroom.build.output import Printer, copy_media, write_pages  # noqa: PLC0415 - jinja2

    config, store = site.config, site.store
    ids, problems = give_ids(store, library, site.now)
    printer = Printer(
        output=output,
        keys=library.cache.outputs(),
        sizes=last.sizes if last else {},
    )
    copy_media(printer, site.folder, library)
    loader = template_loader(config.templates_folder)
    write_pages(printer, config, library, loader, site.base)
    write_feeds(printer, config, library, store.facts(), ids, site.base)
    for path in sorted(printer.sizes.keys() - output.sizes.keys()):
        output.remove(path)
    if not output.dry:
        printer.keep_keys(library.cache)
    return Record(
        inputs="",
        until=library.until,
        counts=Counts(
            published=len(library.posts),
            drafts=len(library.drafts),
            scheduled=len(library.scheduled),
            pages=len(library.pages),
        ),
        problems=(*library.problems, *problems),
        sizes=output.sizes,
    )


def give_ids(
    store: Store, library: Library, now: datetime
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Give ids to posts that are new, and return the id of each by its path."""
    from postroom.posts.identify import (  # noqa: PLC0415 - only for what changed
        find_id_problems,
        plan_publications,
    )

    known = store.publications()
    seen = (library.posts, known, store.facts().authority, now, library.present)
    changes = plan_publications(*seen)
    store.record_publications(changes)
    by_id = {item.id: item for item in (*known, *changes)}
    ids = {item.path: item.id for item in by_id.values()}
    return ids, find_id_problems(*seen)


def read_posts(config: Config, now: datetime) -> Library:
    """Read every post through the cache, without writing any output; close it after."""
    from postroom.build.library import read_library  # noqa: PLC0415 - an idle run reads no post

    folder = walk_folder(config.posts_folder, is_post_path)
    return read_library(config, folder, now)

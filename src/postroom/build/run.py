"""One build: read the folder, give new posts their ids, write feeds and pages.

A build that finds nothing changed since the last one writes nothing and reads no post.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.build.record import (
    FILE_NAME,
    Counts,
    Record,
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
    library: Library | None
    """None when nothing changed and no post was read."""


def build(
    config: Config, store: Store, now: datetime, *, started_ns: int, dry: bool = False
) -> Built:
    """Bring the output folder up to date; with `dry` only count what would be written.

    `started_ns` is the run's start by the file system's clock.
    """
    folder = walk_folder(config.posts_folder, is_post_path)
    inputs = inputs_of(folder, config, stamp_of(PACKAGE))
    last = read_record(config.state_folder)
    if last and still_true(last, inputs, now, config.output_folder):
        return Built(
            counts=last.counts,
            problems=last.problems,
            written=0,
            unchanged=len(last.sizes),
            library=None,
        )
    library = read_posts(config, now, folder)
    output = Output(root=config.output_folder, dry=dry)
    problems = (*library.problems, *_write(config, store, library, output, folder, now))
    for path in sorted(last.sizes.keys() - output.sizes.keys()) if last else ():
        output.remove(path)
    counts = Counts(
        published=len(library.posts),
        drafts=library.drafts,
        scheduled=len(library.scheduled),
        pages=len(library.pages),
    )
    if not dry:
        record = Record(
            inputs="" if is_racy(folder, started_ns) else inputs,
            until=library.until,
            counts=counts,
            problems=problems,
            sizes=output.sizes,
        )
        write_whole(config.state_folder / FILE_NAME, dump_record(record))
    return Built(
        counts=counts,
        problems=problems,
        written=output.written,
        unchanged=output.unchanged,
        library=library,
    )


def read_posts(config: Config, now: datetime, folder: Folder | None = None) -> Library:
    """Read every post through the cache, without writing any output."""
    from postroom.build.library import read_library  # noqa: PLC0415 - an idle run reads no post

    folder = folder or walk_folder(config.posts_folder, is_post_path)
    return read_library(config, folder, now)


def _write(
    config: Config,
    store: Store,
    library: Library,
    output: Output,
    folder: Folder,
    now: datetime,
) -> tuple[Problem, ...]:
    """Give ids, then write: files first, pages next, feeds last, so no link is early."""
    from postroom.build.output import copy_media, write_feeds, write_pages  # noqa: PLC0415 - jinja2, feedgen
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
    copy_media(output, folder, library)
    write_pages(output, config, library, template_loader(config.templates_folder))
    write_feeds(output, config, library, store.facts(), ids)
    return find_id_problems(*seen)

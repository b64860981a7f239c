"""One build: read the folder, give new posts their ids, write feeds and pages.

A build that finds nothing changed since the last one writes nothing and reads no post.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
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
from postroom.files.package import PACKAGE
from postroom.posts.exclude import build_post_test

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
    folder = walk_folder(config.posts_folder, build_post_test(config.posts.exclude))
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

    read = partial(read_library, site.config, site.folder, site.now)
    trusted = started_ns - RACY_NS
    try:
        with read(trusted=trusted) as library:
            return _write(site, library, output, last)
    except CacheDamagedError:
        output.forget()
        with read(trusted=trusted, fresh=True) as library:
            return _write(site, library, output, last)


def _write(
    site: _Site, library: Library, output: Output, last: Record | None
) -> Record:
    """Give ids, then write: files first, pages next, feeds last, so no link is early."""
    from postroom.build.feeds import plan_all_feeds, plan_feed_files  # noqa: PLC0415 - only for what changed
    from postroom.build.output import Printer, copy_media, write_pages  # noqa: PLC0415 - jinja2

    config, store = site.config, site.store
    ids, problems = give_ids(store, library, site.now)
    library.cache.keep_unheard(unheard=False)
    printer = Printer(
        output=output,
        keys=library.cache.outputs(),
        sizes=last.sizes if last else {},
        packed=config.output.precompress,
    )
    copied = copy_media(printer, site.folder, library)
    few = not copied and _only_texts(site, library, last) and printer.keep_all()
    feeds = plan_all_feeds(config, library, ids)
    if config.site.pages:
        only = library.changed if few else None
        write_pages(printer, config, library, feeds.groups(), site.base, only)
    wanted = feeds.holding(library.changed) if few else feeds
    desk = (library, site.folder, wanted, store.facts(), site.base)
    printer.put(plan_feed_files(config, *desk), library.prepare)
    for path in sorted(printer.sizes.keys() - output.sizes.keys()):
        output.remove(path)
    if few:
        output.unchanged = len(output.sizes) - output.written
    if not output.dry:
        printer.keep_keys(library.cache)
    return Record(
        inputs="",
        base=site.base,
        until=library.until,
        counts=_count(library),
        problems=(*library.problems, *problems),
        sizes=output.sizes,
    )


def _only_texts(site: _Site, library: Library, last: Record | None) -> bool:
    """Whether nothing differs from the last build but texts that no list shows."""
    if last is None or library.unheard or not library.only_texts:
        return False
    return (last.base, last.counts) == (site.base, _count(library))


def _count(library: Library) -> Counts:
    return Counts(
        published=len(library.posts),
        drafts=len(library.drafts),
        scheduled=len(library.scheduled),
        pages=len(library.pages),
    )


def give_ids(
    store: Store, library: Library, now: datetime
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Give ids to posts that are new, and return the id of each by its path.

    Where only texts changed since the ledger last heard of them, a short way will do.
    """
    from postroom.posts.identify import (  # noqa: PLC0415 - only for what changed
        only_contents_changed,
        plan_ids,
        renew_digests,
    )

    authority, ids = store.facts().authority, store.publication_ids()
    # With all that set an id: then there are no problems either.
    changed = [
        post for post in library.posts if post.id or post.path in library.changed
    ]
    paths = [post.path for post in library.posts]
    if not library.unheard and only_contents_changed(changed, paths, ids, authority):
        there = store.publications_at(post.path for post in changed)
        store.record_publications(renew_digests(changed, there))
        return ids, ()
    known = store.publications()
    plan = plan_ids(library.posts, known, authority, now, library.present)
    store.record_publications(plan.publications)
    return store.publication_ids(), plan.problems


def read_posts(config: Config, now: datetime) -> Library:
    """Read every post through the cache, without writing any output; close it after."""
    from postroom.build.library import read_library  # noqa: PLC0415 - an idle run reads no post

    folder = walk_folder(config.posts_folder, build_post_test(config.posts.exclude))
    return read_library(config, folder, now)

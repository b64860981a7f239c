"""`postroom posts adopt|export|import`: keep permanent ids when files or ledgers go.

Each holds the site's lock: a run that numbers posts meanwhile would undo it.
"""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postroom.build.record import FILE_NAME, dump_record, read_record
from postroom.cli.shell import (
    dry_option,
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import LedgerMissingError
from postroom.files.folder import read_source, walk_folder
from postroom.files.lock import hold_lock
from postroom.files.output import write_whole
from postroom.posts.exclude import build_post_test
from postroom.publish import copied_site, open_site
from postroom.store.seal import LedgerState, ledger_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from postroom.cli.id_sources import Sources
    from postroom.config.sections import Config
    from postroom.posts.adoption import Adoption
    from postroom.posts.id_import import ImportPlan
    from postroom.posts.id_table import KnownId
    from postroom.publish import World
    from postroom.store.base import Store

STANDARD_OUTPUT = "-"
NAMED = 5
"""Ids without a post that are named; `posts list` has them all."""


@contextmanager
def _writing(
    config: Config, world: World, *, dry: bool
) -> Iterator[tuple[Config, Store]]:
    """Give the site and its ledger to change, or copies that leave no trace."""
    with ExitStack() as stack:
        if dry:
            config = stack.enter_context(copied_site(config))
        lock = config.state_folder / "lock"
        stack.enter_context(hold_lock(lock, world.owner.pid, world.clock()))
        yield config, stack.enter_context(open_site(config, world, anew=True))


def _forget_build(config: Config) -> None:
    """Let the next build look at everything: the same files have other ids now."""
    if record := read_record(config.state_folder):
        place = config.state_folder / FILE_NAME
        write_whole(place, dump_record(replace(record, inputs="", base=0)))


# -- adopt ---------------------------------------------------------------------


@click.command("adopt")
@site_option
@json_option
@dry_option
@click.option("--yes", is_flag=True, help="Also when NEW was numbered already.")
@click.argument("old")
@click.argument("new")
def adopt(
    folder: str | None, old: str, new: str, *, as_json: bool, dry: bool, yes: bool
) -> None:
    """Give the id of OLD to NEW: one post, renamed and edited between two runs.

    OLD is the path of a file that is gone, or an id; NEW the path of a file that is
    there. What NEW had meanwhile as a new post is given up.
    """
    from postroom.posts.adoption import plan_adoption  # noqa: PLC0415 - only here

    config, world = read_site(folder), read_world()
    with _writing(config, world, dry=dry) as (site, store):
        files = walk_folder(site.posts_folder, build_post_test(config.posts.exclude))
        known = store.publications()
        old = _post_path(old, site, {item.path for item in known})
        new = _post_path(new, site, files.posts)
        digest = ""
        if new in files.posts:
            digest = hashlib.sha256(read_source(files, new).data).hexdigest()
        adoption = plan_adoption(old, new, digest, known, files.posts, yes=yes)
        _forget_build(site)
        store.amend_publications(adoption.changes())
    _tell_adoption(adoption, as_json=as_json, dry=dry)


def _post_path(text: str, config: Config, paths: Collection[str]) -> str:
    """Return the path in the posts folder that a person, or a shell, may write so."""
    text = unicodedata.normalize("NFC", text)
    if text in paths:
        return text
    root = config.posts_folder.resolve()
    for base in (Path.cwd(), config.root):
        place = (base / text).resolve()
        if place.is_relative_to(root):
            inside = unicodedata.normalize("NFC", place.relative_to(root).as_posix())
            if inside in paths:
                return inside
    return text


def _tell_adoption(adoption: Adoption, *, as_json: bool, dry: bool) -> None:
    adopted, given_up = adoption
    if as_json:
        print_json(
            {
                "path": adopted.path,
                "id": adopted.id,
                "number": adopted.number,
                "mail": adopted.mail,
                "given_up": given_up.id if given_up else None,
            }
        )
        return
    verb = "would have" if dry else "has"
    click.echo(f"{adopted.path}: {verb} the id {adopted.id}")
    if given_up:
        click.echo(f"given up: {given_up.id}, which no post will ever get")
    if not dry:
        click.echo("the next build renews the feeds")


# -- export and import ---------------------------------------------------------


@click.command("export")
@site_option
@click.argument("table", metavar="[FILE|-]", default=STANDARD_OUTPUT)
def export(folder: str | None, table: str) -> None:
    """Write every id as JSON lines: keep them where the ledger is not."""
    from postroom.posts.id_table import render_id_table  # noqa: PLC0415 - only here

    config = read_site(folder)
    if ledger_state(config.database_path) is LedgerState.ABSENT:
        raise LedgerMissingError(
            f"{config.database_path}: no ledger, so there are no ids; nothing was written",
            cure="run `postroom publish` to make it, or docs/ids.md if it was lost",
        )
    with open_site(config, read_world()) as store:
        lines = render_id_table(store.publications(), store.facts().authority)
        data = "".join(lines).encode()
    if table == STANDARD_OUTPUT:
        sys.stdout.buffer.write(data)
    else:
        write_whole(Path(table).absolute(), data)


@click.command("import")
@site_option
@json_option
@dry_option
@click.option("--yes", is_flag=True, help="Also change ids that posts have here.")
@click.argument("names", nargs=-1, required=True, metavar="FILE|FOLDER|-...")
def import_(
    folder: str | None, names: tuple[str, ...], *, as_json: bool, dry: bool, yes: bool
) -> None:
    """Bring ids back: from an export, from our feeds, or from the output folder.

    Posts that get their ids by it count as published: they are not mailed.
    """
    from postroom.cli.id_sources import read_sources  # noqa: PLC0415 - lxml

    config, world = read_site(folder), read_world()
    sources = read_sources(names)
    plan = None
    if not sources.is_empty():
        with _writing(config, world, dry=dry) as (site, store):
            plan = _plan_import(site, store, sources, world, yes=yes)
            _forget_build(site)
            store.amend_publications(plan.publications, authority=plan.authority)
    sys.exit(_tell_import(plan, sources, as_json=as_json))


def _plan_import(
    config: Config, store: Store, sources: Sources, world: World, *, yes: bool
) -> ImportPlan:
    from postroom.posts.id_import import plan_import  # noqa: PLC0415 - only here

    facts, now = store.facts(), world.clock()
    matched = _match_entries(config, sources, facts.authority, world)
    return plan_import(
        (*sources.table.rows, *matched),
        store.publications(),
        now,
        authorities=(facts.authority, sources.authority),
        yes=yes,
    )


def _match_entries(
    config: Config, sources: Sources, authority: str, world: World
) -> tuple[KnownId, ...]:
    """Find the posts of the folder that entries of feeds are about."""
    if not sources.entries:
        return ()
    from postroom.build.run import read_posts  # noqa: PLC0415 - only for feeds
    from postroom.posts.id_import import match_entries  # noqa: PLC0415 - only for feeds

    with read_posts(config, world.clock()) as library:
        return match_entries(
            sources.entries,
            (*library.posts, *library.scheduled, *library.drafts),
            library.present,
            config.site.url,
            sources.authority or authority,
        )


def _tell_import(plan: ImportPlan | None, sources: Sources, *, as_json: bool) -> int:
    """Say what became of it; return the exit code."""
    problems = [*sources.problems, *(plan.problems if plan else ())]
    for problem in problems:
        click.echo(str(problem), err=True)
    unmatched = plan.unmatched if plan else ()
    if as_json:
        print_json(
            {
                "recorded": plan.recorded if plan else 0,
                "unchanged": plan.unchanged if plan else 0,
                "without_post": list(unmatched),
                "authority": plan.authority if plan else "",
                "problems": [
                    {"path": item.path, "line": item.line, "message": item.message}
                    for item in problems
                ],
            }
        )
        return 1 if problems else 0
    click.echo(
        f"{plan.recorded if plan else 0} ids recorded, "
        f"{plan.unchanged if plan else 0} known already, {len(problems)} problems"
    )
    if unmatched:
        names = ", ".join(unmatched[:NAMED])
        rest = f" and {len(unmatched) - NAMED} more" if len(unmatched) > NAMED else ""
        click.echo(
            f"{len(unmatched)} match no post: {names}{rest}\n"
            "`postroom posts adopt ID FILE` gives one to its post"
        )
    return 1 if problems else 0

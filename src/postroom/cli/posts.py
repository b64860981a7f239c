"""`postroom posts`: ids and mail state of posts, and holding one back by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from postroom.cli.ids import adopt, export, import_
from postroom.cli.shell import (
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import ConfigError
from postroom.files.folder import walk_folder
from postroom.posts.publication import MailState, Publication
from postroom.posts.slug import is_post_path
from postroom.publish import open_site

if TYPE_CHECKING:
    from datetime import tzinfo

HEADS = ("MAIL", "FIRST SEEN", "FILE", "ID", "PATH")


@click.group("posts")
def command() -> None:
    """Ids, numbers and mail state of posts."""


command.add_command(adopt)
command.add_command(export)
command.add_command(import_)


@command.command("list")
@site_option
@json_option
def list_(folder: str | None, *, as_json: bool) -> None:
    """List every post that was public once, with its permanent id."""
    config = read_site(folder)
    present = walk_folder(config.posts_folder, is_post_path).posts
    with open_site(config, read_world()) as store:
        items = store.publications()
    if not as_json:
        _print_table(items, set(present), config.site.timezone)
        return
    for item in items:
        print_json(
            {
                "path": item.path,
                "id": item.id,
                "number": item.number,
                "mail": item.mail,
                "reason": item.reason,
                "first_seen": item.first_seen.isoformat(),
                "present": item.path in present,
            }
        )


def _print_table(items: list[Publication], present: set[str], zone: tzinfo) -> None:
    """Print columns; the path comes last, because Korean is as wide as it likes."""
    rows = [
        (
            _state(item),
            f"{item.first_seen.astimezone(zone):%Y-%m-%d}",
            "there" if item.path in present else "gone",
            item.id,
            item.path or "-",
        )
        for item in items
    ]
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    for row in (HEADS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _state(item: Publication) -> str:
    if item.number is not None:
        return f"number {item.number}"
    return f"{item.mail}: {item.reason}" if item.reason else str(item.mail)


@command.command("hold")
@site_option
@click.option("--release", is_flag=True, help="Let them go out with the next run.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def hold(folder: str | None, *, release: bool, paths: tuple[str, ...]) -> None:
    """Keep posts out of letters: those not yet numbered, by their path in the folder.

    Posts that `digest.max_new` held wait for `publish --yes` or for this command.
    """
    config = read_site(folder)
    with open_site(config, read_world()) as store:
        known = {item.path: item for item in store.publications() if item.path}
        changes = [_changed(known.get(path), path, release=release) for path in paths]
        store.record_publications(changes)


def _changed(item: Publication | None, path: str, *, release: bool) -> Publication:
    if item is None:
        raise ConfigError(
            f"{path}: no such publication",
            cure="`postroom posts list` shows them; run `postroom build` after writing a post",
        )
    if item.number is not None:
        raise ConfigError(
            f"{path}: has number {item.number} already", cure="it is being mailed"
        )
    if release:
        return replace(item, mail=MailState.NEW, reason="")
    return replace(item, mail=MailState.HELD, reason="by hand")

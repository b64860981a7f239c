"""`postroom posts`: ids and mail state of posts, and holding one back by hand."""

from __future__ import annotations

from dataclasses import replace

import click

from postroom.cli.shell import (
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import ConfigError
from postroom.posts.publication import MailState, Publication
from postroom.publish import open_site


@click.group("posts")
def command() -> None:
    """Ids, numbers and mail state of posts."""


@command.command("list")
@site_option
@json_option
def list_(folder: str | None, *, as_json: bool) -> None:
    """List every post that was public once, with its permanent id."""
    config = read_site(folder)
    with open_site(config, read_world()) as store:
        for item in store.publications():
            if as_json:
                print_json(
                    {
                        "path": item.path,
                        "id": item.id,
                        "number": item.number,
                        "mail": item.mail,
                        "reason": item.reason,
                    }
                )
            else:
                click.echo(f"{_state(item):<22}  {item.path}  {item.id}")


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
        known = {item.path: item for item in store.publications()}
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

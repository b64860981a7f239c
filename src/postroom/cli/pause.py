"""`postroom pause`: send nothing more of an edition."""

from __future__ import annotations

import click

from postroom.cli.edition import find_edition
from postroom.cli.shell import (
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.publish import open_site

ALL = "all"


@click.command("pause")
@site_option
@json_option
@click.argument("edition", metavar="EDITION|all")
def command(folder: str | None, *, as_json: bool, edition: str) -> None:
    """Send nothing more of an edition, or of all under way, until `postroom resume`.

    A run that sends right now finishes what it has claimed. Resumed later than
    `mail.max_retry` after it was frozen, an edition expires instead of going out.
    """
    config, world = read_site(folder), read_world()
    with open_site(config, world) as store:
        if edition == ALL:
            expire = world.clock() - config.mail.max_retry
            keys = [
                item.key
                for item in store.editions()
                if not item.paused and item.frozen_at >= expire
            ]
        else:
            keys = [find_edition(store, edition).key]
        for key in keys:
            tell(key, paused=True, changed=store.pause(key, paused=True), json=as_json)
    if not keys and not as_json:
        click.echo("no edition is under way")


def tell(key: str, *, paused: bool, changed: bool, json: bool) -> None:
    """Say what was done to one edition."""
    if json:
        print_json({"edition": key, "paused": paused, "changed": changed})
    elif paused:
        click.echo(f"{key}: {'paused' if changed else 'was paused already'}")
    else:
        click.echo(
            f"{key}: {'goes on with the next run' if changed else 'was not paused'}"
        )

"""`postroom resume`: an edition that was paused goes on."""

from __future__ import annotations

import click

from postroom.cli.edition import find_edition, paused_editions
from postroom.cli.pause import ALL, tell
from postroom.cli.shell import json_option, read_site, read_world, site_option
from postroom.publish import open_site


@click.command("resume")
@site_option
@json_option
@click.argument("edition", metavar="EDITION|all")
def command(folder: str | None, *, as_json: bool, edition: str) -> None:
    """Let an edition go on that `postroom pause` stopped, or all of them."""
    with open_site(read_site(folder), read_world()) as store:
        if edition == ALL:
            keys = sorted(paused_editions(store))
        else:
            keys = [find_edition(store, edition).key]
        for key in keys:
            changed = store.pause(key, paused=False)
            tell(key, paused=False, changed=changed, json=as_json)
    if not keys and not as_json:
        click.echo("no edition is paused")

"""`postroom deliveries`: the ledger, row by row."""

from __future__ import annotations

import click

from postroom.cli.shell import (
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.mail.outcome import DeliveryState
from postroom.publish import open_site


@click.group("deliveries")
def command() -> None:
    """The ledger: what became of each message."""


@command.command("list")
@site_option
@json_option
@click.option("--edition", default="", metavar="KEY", help="Of one edition only.")
@click.option(
    "--state", type=click.Choice([*map(str, DeliveryState)]), help="In one state only."
)
def list_(
    folder: str | None, *, as_json: bool, edition: str, state: str | None
) -> None:
    """List deliveries by edition and address."""
    config = read_site(folder)
    chosen = DeliveryState(state) if state else None
    with open_site(config, read_world()) as store:
        for row in store.deliveries(edition=edition, state=chosen):
            if as_json:
                print_json(
                    {
                        "edition": row.edition,
                        "email": row.email,
                        "state": row.state,
                        "attempts": row.attempts,
                        "message_id": row.message_id,
                        "reply": row.reply,
                    }
                )
                continue
            retry = ""
            if row.retry_at is not None:
                local = row.retry_at.astimezone(config.site.timezone)
                retry = f"  next try {local:%Y-%m-%d %H:%M}"
            click.echo(
                f"{row.edition}  {row.state:<8}  {row.email or '(erased)'}{retry}  {row.reply}".rstrip()
            )

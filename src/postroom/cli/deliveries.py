"""`postroom deliveries`: the ledger, row by row, and what people or logs know better."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postroom.cli.edition import find_edition, paused_editions
from postroom.cli.shell import (
    dry_option,
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import AddressError, ConfigError
from postroom.mail.outcome import OPEN_STATES, DeliveryState
from postroom.publish import open_site
from postroom.subscribers.address import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from postroom.config.sections import Config
    from postroom.mail.mail_log import Proof
    from postroom.publish import World
    from postroom.store.base import Store
    from postroom.store.values import Delivery

NEEDS_A_PERSON = 1
STANDARD_INPUT = "-"
ERASED = "(erased)"
DECISIONS = {
    "accepted": DeliveryState.ACCEPTED,
    "failed": DeliveryState.FAILED,
    "resend": DeliveryState.QUEUED,
}
MAX_LINE = 8192
"""Octets; Postfix writes no longer ones, and a file without line ends is no log."""


@click.group("deliveries")
def command() -> None:
    """The ledger: what became of each message."""


# -- list ---------------------------------------------------------------------


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
        paused = paused_editions(store)
        for row in store.deliveries(edition=edition, state=chosen):
            waits = row.edition in paused and row.state in OPEN_STATES
            if as_json:
                print_json(_face(row, paused=waits))
            else:
                click.echo(_line(row, config.site.timezone, paused=waits))


def _face(row: Delivery, *, paused: bool) -> dict[str, object]:
    return {
        "edition": row.edition,
        "email": row.email,
        "state": row.state,
        "paused": paused,
        "attempts": row.attempts,
        "message_id": row.message_id,
        "retry_at": _iso(row.retry_at),
        "updated_at": _iso(row.updated_at),
        "reply": row.reply,
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _line(row: Delivery, zone: tzinfo, *, paused: bool) -> str:
    notes = ["  paused"] if paused else []
    if row.retry_at is not None:
        notes.append(f"  next try {row.retry_at.astimezone(zone):%Y-%m-%d %H:%M}")
    email = row.email or "(erased)"
    return (
        f"{row.edition}  {row.state:<8}  {email}{''.join(notes)}  {row.reply}".rstrip()
    )


# -- resolve ------------------------------------------------------------------


@command.command("resolve")
@site_option
@json_option
@dry_option
@click.option(
    "--as",
    "decision",
    type=click.Choice([*DECISIONS]),
    required=True,
    help="What became of them; resend queues them again.",
)
@click.option("--all", "everyone", is_flag=True, help="All that are unknown in it.")
@click.option("--reason", default="", metavar="TEXT", help="Kept in the ledger.")
@click.argument("edition")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
def resolve(  # noqa: PLR0913 - one argument an option
    folder: str | None,
    *,
    as_json: bool,
    dry: bool,
    decision: str,
    everyone: bool,
    reason: str,
    edition: str,
    addresses: tuple[str, ...],
) -> None:
    """Decide deliveries of an edition whose fate is unknown.

    The ledger cannot know; a reader, a bounce or the relay's log may. Addresses that are
    not unknown are named, the others are decided all the same.
    """
    if everyone == bool(addresses):
        raise ConfigError(
            "say whom: addresses, or --all, and not both",
            cure="`postroom deliveries list --state unknown` shows them",
        )
    reply = f"by hand: {reason}" if reason else "by hand"
    would = "would be " if dry else ""
    with open_site(read_site(folder), read_world()) as store:
        key = find_edition(store, edition).key
        found, others = _unknown_ones(store, key, addresses)
        if found and not dry:
            meant = None if everyone else found
            found = store.resolve(key, meant, DECISIONS[decision], reply)
    if as_json:
        face = {"edition": key, "as": decision, "decided": found, "not_unknown": others}
        print_json(face)
    else:
        for email in found:
            click.echo(f"{email or ERASED}: {would}{_told(decision)}")
        if everyone and not found:
            click.echo(f"{key}: nothing is unknown")
    for address in others:
        click.echo(f"{address}: not unknown in {key}", err=True)
    sys.exit(NEEDS_A_PERSON if others else 0)


def _told(decision: str) -> str:
    return "queued again" if decision == "resend" else decision


def _unknown_ones(
    store: Store, edition: str, addresses: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The unknown rows that are meant, as the ledger writes them, and who has none.

    Without addresses all of them. Upper and lower case do not matter.
    """
    rows = store.deliveries(edition=edition, state=DeliveryState.UNKNOWN)
    unknown = [row.email for row in rows]
    if not addresses:
        return unknown, []
    by_key = {parse_address(email).key: email for email in unknown if email}
    found: dict[str, None] = {}
    others = []
    for address in addresses:
        try:
            email = by_key[parse_address(address).key]
        except (AddressError, KeyError):
            others.append(address)
        else:
            found[email] = None
    return list(found), others


# -- reconcile ----------------------------------------------------------------


@command.command("reconcile")
@site_option
@json_option
@dry_option
@click.argument("logs", nargs=-1, required=True, metavar="MAILLOG|-...")
def reconcile(
    folder: str | None, *, as_json: bool, dry: bool, logs: tuple[str, ...]
) -> None:
    """Decide unknown deliveries by the relay's Postfix log; `-` reads standard input.

    Several files, plain or .gz, oldest first, up to the last attempt. What Postfix took
    is accepted, what it refused failed, what it refused for now is queued again. A
    message that the logs do not prove stays unknown.
    """
    from postroom.mail.mail_log import parse_mail_log  # noqa: PLC0415 - only here

    config, world = read_site(folder), read_world()
    with open_site(config, world) as store:
        unknown = [*store.deliveries(state=DeliveryState.UNKNOWN)]
        named = _by_message_id(store, config, world, unknown)
        proofs = parse_mail_log(_lines(logs), named) if named else {}
        decided = [
            (named[message_id], proof)
            for message_id, proof in proofs.items()
            if dry or _settle(store, named[message_id], proof)
        ]
    left = len(unknown) - len(decided)
    if as_json:
        print_json(
            {
                "unknown": len(unknown),
                "left": left,
                "decided": [_proof_face(row, proof) for row, proof in decided],
            }
        )
    else:
        _tell_proofs(decided, left, dry=dry)
    sys.exit(NEEDS_A_PERSON if left else 0)


def _by_message_id(
    store: Store, config: Config, world: World, rows: Sequence[Delivery]
) -> dict[str, Delivery]:
    """Those that can be looked for in a log and then named to the ledger."""
    from postroom.compose.message_ids import find_message_id  # noqa: PLC0415 - only here
    from postroom.files.secret import read_secret  # noqa: PLC0415 - as above

    secret = read_secret(config.secret_path, world.token) if rows else b""
    named = {
        find_message_id(row, store, config, secret): row for row in rows if row.email
    }
    named.pop("", None)
    return named


def _settle(store: Store, row: Delivery, proof: Proof) -> bool:
    reply = f"postfix log: {proof.queue_id}: {proof.words}"
    return bool(store.resolve(row.edition, [row.email], proof.state, reply))


def _proof_face(row: Delivery, proof: Proof) -> dict[str, str]:
    return {
        "edition": row.edition,
        "email": row.email,
        "state": proof.state,
        "queue_id": proof.queue_id,
        "log": proof.words,
    }


def _tell_proofs(
    decided: Sequence[tuple[Delivery, Proof]], left: int, *, dry: bool
) -> None:
    would = "would be " if dry else ""
    for row, proof in decided:
        click.echo(
            f"{row.edition}  {row.email}  {would}{proof.state}  "
            f"{proof.queue_id}: {proof.words}"
        )
    if not decided and not left:
        click.echo("nothing is unknown")
        return
    click.echo(
        f"{len(decided)} {would}decided; {left} stay unknown"
        + (": these logs prove nothing about them" if left else "")
    )


def _lines(logs: Sequence[str]) -> Iterator[str]:
    """The lines of all logs, one file after the other; ConfigError for what is no log."""
    import gzip  # noqa: PLC0415 - only here
    import zlib  # noqa: PLC0415 - with gzip

    for path in logs:
        try:
            if path == STANDARD_INPUT:
                yield from _lines_of(sys.stdin.buffer.readline)
            elif path.endswith(".gz"):
                with gzip.open(path) as packed:
                    yield from _lines_of(packed.readline)
            else:
                with Path(path).open("rb") as file:
                    yield from _lines_of(file.readline)
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(
                f"{path}: cannot be read: {getattr(error, 'strerror', '') or error}",
                cure="nothing was decided; name a log that can",
            ) from None


def _lines_of(readline: Callable[[int], bytes]) -> Iterator[str]:
    while line := readline(MAX_LINE):
        yield line.decode("utf-8", "replace")

"""`postroom subscribers`: who receives letters, one by one or as tables."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postroom.cli.shell import (
    dry_option,
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import ConfigError, Problem, UnknownSubscriberError
from postroom.publish import copied_site, open_site
from postroom.subscribers.address import parse_address, parse_name
from postroom.subscribers.subscriber import Cadence, Consent, SubscriberChange
from postroom.subscribers.topics import build_topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postroom.store.values import Saved

STANDARD_INPUT = "-"


@click.group("subscribers")
def command() -> None:
    """Who receives letters."""


def _settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a subscriber chose."""
    for option in reversed(
        (
            click.option("--name", help="Display name."),
            click.option(
                "--cadence", type=click.Choice([*map(str, Cadence)]), help="Rhythm."
            ),
            click.option(
                "--topic",
                "topics",
                multiple=True,
                help='A tag; repeat it. "" means all.',
            ),
            click.option("--language", help="Of the letters: ko, en."),
            click.option("--confirmed", is_flag=True, help="Consent was given before."),
        )
    ):
        function = option(function)
    return function


def _change(
    address: str,
    *,
    name: str | None,
    cadence: str | None,
    topics: tuple[str, ...],
    language: str | None,
    consent: Consent | None,
) -> SubscriberChange:
    parsed = parse_address(address)
    return SubscriberChange(
        email=parsed.email,
        key=parsed.key,
        name=None if name is None else parse_name(name),
        consent=consent,
        cadence=Cadence(cadence) if cadence else None,
        topics=build_topics(topics) if topics else None,
        language=None if language is None else parse_name(language),
    )


@command.command("add")
@site_option
@_settings
@click.argument("address")
def add(folder: str | None, address: str, *, confirmed: bool, **chosen: Any) -> None:
    """Add one subscriber; of a known address, change what the options name."""
    consent = Consent.CONFIRMED if confirmed else None
    _save(folder, _change(address, consent=consent, **chosen))


@command.command("set")
@site_option
@_settings
@click.option(
    "--consent", type=click.Choice([*map(str, Consent)]), help="What the person said."
)
@click.argument("address")
def set_(
    folder: str | None,
    address: str,
    *,
    confirmed: bool,
    consent: str | None,
    **chosen: Any,
) -> None:
    """Change what the options name of one subscriber."""
    said = Consent(consent) if consent else Consent.CONFIRMED if confirmed else None
    change = _change(address, consent=said, **chosen)
    with open_site(read_site(folder), read_world()) as store:
        known = store.subscriber(change.key)
    if known is None:
        raise UnknownSubscriberError(
            f"{change.email}: no such subscriber",
            cure="add it with `subscribers add`",
        )
    _save(folder, replace(change, email=known.email))


def _save(folder: str | None, change: SubscriberChange) -> None:
    config, world = read_site(folder), read_world()
    with open_site(config, world) as store:
        saved = store.save_subscribers(
            [change], world.clock(), cadence=config.digest.default, by_hand=True
        )
    if saved.suppressed:
        raise ConfigError(f"{change.email}: may not be mailed again")


@command.command("import")
@site_option
@json_option
@dry_option
@click.option("--confirmed", is_flag=True, help="Rows without consent gave it before.")
@click.argument("table", metavar="FILE|-")
def import_(
    folder: str | None, table: str, *, as_json: bool, dry: bool, confirmed: bool
) -> None:
    """Add and change subscribers from a CSV file: ours, or another service's export.

    A row of a known address changes what it names. Every refused row is named with its
    line; the others count.
    """
    from postroom.subscribers.table.read import read_table  # noqa: PLC0415 - csv, only here

    config, world = read_site(folder), read_world()
    problems: list[Problem] = []
    data = _read(table)

    def good_rows() -> Iterator[SubscriberChange]:
        for row in read_table(data, path=table, confirmed=confirmed):
            if isinstance(row, Problem):
                problems.append(row)
            else:
                yield row

    with ExitStack() as stack:
        site = stack.enter_context(copied_site(config)) if dry else config
        store = stack.enter_context(open_site(site, world))
        saved = store.save_subscribers(
            good_rows(), world.clock(), cadence=config.digest.default
        )
    _tell_import(saved, problems, table, as_json=as_json)
    sys.exit(1 if problems else 0)


def _tell_import(
    saved: Saved, problems: list[Problem], table: str, *, as_json: bool
) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)
    if as_json:
        print_json(
            {
                "added": saved.added,
                "changed": saved.changed,
                "unchanged": saved.unchanged,
                "suppressed": list(saved.suppressed),
                "problems": [
                    {"path": item.path, "line": item.line, "message": item.message}
                    for item in problems
                ],
            }
        )
        return
    click.echo(
        f"{table}: {saved.added} added, {saved.changed} changed, {saved.unchanged} unchanged, "
        f"{len(saved.suppressed)} left alone, {len(problems)} refused"
    )


def _read(table: str) -> bytes:
    if table == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(table).read_bytes()
    except OSError as error:
        raise ConfigError(f"{table}: {error.strerror}") from None


@command.command("export")
@site_option
@click.argument("table", metavar="[FILE|-]", default=STANDARD_INPUT)
def export(folder: str | None, table: str) -> None:
    """Write every subscriber as CSV; no cell can become a formula in a spreadsheet."""
    from postroom.subscribers.table.render import render_table  # noqa: PLC0415 - only here

    config = read_site(folder)
    with open_site(config, read_world()) as store:
        text = render_table(store.subscribers())
        if table == STANDARD_INPUT:
            for line in text:
                sys.stdout.buffer.write(line.encode())
            return
        try:
            with Path(table).open("w", encoding="utf-8", newline="") as file:
                file.writelines(text)
        except OSError as error:
            raise ConfigError(f"{table}: {error.strerror}") from None


@command.command("list")
@site_option
@json_option
def list_(folder: str | None, *, as_json: bool) -> None:
    """List every subscriber by address."""
    config = read_site(folder)
    with open_site(config, read_world()) as store:
        for item in store.subscribers():
            if as_json:
                print_json(
                    {
                        "email": item.email,
                        "consent": item.consent,
                        "cadence": item.cadence,
                        "topics": list(item.topics),
                        "language": item.language,
                        "mark": item.mark,
                    }
                )
            else:
                topics = ";".join(item.topics) or "all topics"
                click.echo(
                    f"{item.email}  {item.consent}  {item.cadence}  {topics}  {item.language}".rstrip()
                )


@command.command("erase")
@site_option
@click.argument("address")
def erase(folder: str | None, address: str) -> None:
    """Forget a person; only a keyed hash stays, so that no import brings them back."""
    parsed = parse_address(address)
    config, world = read_site(folder), read_world()
    with open_site(config, world) as store:
        if not store.erase(parsed.key, world.clock()):
            raise UnknownSubscriberError(f"{parsed.email}: no such subscriber")

"""`postroom publish`: the cron command; silent when all is well."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from postroom.cli.report import print_faults, print_summary, report_json
from postroom.cli.shell import (
    dry_option,
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.publish import Options, publish

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command("publish")
@site_option
@json_option
@dry_option
@click.option("--now", metavar="TIME", help="The run's whole clock (ISO 8601).")
@click.option("--yes", is_flag=True, help="Send also what the guards hold back.")
@click.option("--no-mail", is_flag=True, help="Feeds and pages only.")
@click.option(
    "--summary", is_flag=True, help="Say what was done, also without a terminal."
)
@click.option(
    "--accept-rollback",
    is_flag=True,
    help="The database came back from a copy: go on from there.",
)
def command(  # noqa: PLR0913 - one argument an option
    folder: str | None,
    *,
    as_json: bool,
    dry: bool,
    now: str | None,
    yes: bool,
    no_mail: bool,
    summary: bool,
    accept_rollback: bool,
) -> None:
    """Feeds, pages, due editions, delivery and retries. Put this into cron.

    Run it as often as you like: it does what is due and has not been done. A second
    one at the same time exits 75 without a word.
    """
    config = read_site(folder)
    options = Options(
        yes=yes,
        mail=not no_mail,
        dry=dry,
        accept_rollback=accept_rollback,
        progress=_progress() if sys.stderr.isatty() and not as_json else None,
    )
    report = publish(config, read_world(now), options)
    if as_json:
        print_json(report_json(report))
    elif summary or dry or sys.stdout.isatty():
        print_summary(config, report, dry=dry)
    sys.exit(print_faults(report))


def _progress() -> Callable[[int, int], None]:
    """Return what draws a bar; nothing is imported before the first letter goes out."""
    bar = None
    task = None

    def show(decided: int, total: int) -> None:
        nonlocal bar, task
        if bar is None:
            from rich.console import Console  # noqa: PLC0415 - 51 ms, on a terminal only
            from rich.progress import Progress  # noqa: PLC0415 - as above

            bar = Progress(console=Console(stderr=True), transient=True)
            task = bar.add_task("letters", total=total)
            bar.start()
        assert task is not None  # noqa: S101 - set together with bar
        bar.update(task, completed=decided, total=total)
        if decided >= total:
            bar.stop()

    return show

"""How a run is told: to a person, to cron (silence when all is well), and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from postroom.cli.shell import read_world
from postroom.errors import RelayRefusedError
from postroom.mail.outcome import DeliveryState
from postroom.publish import open_site

if TYPE_CHECKING:
    from postroom.config.sections import Config
    from postroom.delivery.settings import Delivered
    from postroom.publish import Report
    from postroom.websub.run import Fault, Told

NEEDS_A_PERSON = 1
TRY_AGAIN = 75
WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
MAX_NAMED = 20
"""Failed recipients named one by one; the rest are counted, `deliveries list` has all."""


def report_json(report: Report) -> dict[str, Any]:
    """The stable machine-readable face of `build --json` and `publish --json`."""
    built = report.built
    face: dict[str, Any] = {
        "posts": {
            "published": built.counts.published,
            "drafts": built.counts.drafts,
            "scheduled": built.counts.scheduled,
            "pages": built.counts.pages,
            "problems": [
                {"path": item.path, "line": item.line, "message": item.message}
                for item in built.problems
            ],
        },
        "files": {"written": built.written, "unchanged": built.unchanged},
    }
    if report.told is not None:
        face["pings"] = _pings_json(report.told)
    if report.composed is not None:
        face["editions"] = [
            {
                "key": edition.key,
                "cadence": edition.cadence,
                "posts": len(edition.posts),
                "audience": edition.audience,
            }
            for edition in report.composed.editions
        ]
        face["deliveries"] = {
            state: count for state, count in report.deliveries.items() if count
        }
    return face


def _pings_json(told: Told) -> dict[str, Any]:
    return {
        "hub": told.hub,
        "acknowledged": told.acknowledged,
        "waiting": told.waiting,
        "failed": [
            {"feed": feed, "reply": fault.words}
            for fault in told.faults
            for feed in fault.feeds
        ],
    }


def print_faults(report: Report) -> int:
    """Name on stderr what needs a person; return the exit code."""
    code = 0
    for problem in report.built.problems:
        click.echo(str(problem), err=True)
        code = NEEDS_A_PERSON
    if report.composed and report.composed.held:
        click.echo(f"postroom: {report.composed.notice}", err=True)
        code = NEEDS_A_PERSON
    if report.told and report.told.faults:
        for fault in report.told.faults:
            click.echo(f"postroom: {_fault_text(report.told.hub, fault)}", err=True)
        code = NEEDS_A_PERSON
    if report.delivered is not None:
        undelivered = _print_undelivered(report, report.delivered)
        code = _print_relays(report.delivered) or code or undelivered
    return code


def _fault_text(hub: str, fault: Fault) -> str:
    """What a hub did not take, on one line."""
    more = len(fault.feeds) - 1
    feeds = fault.feeds[0] + (f" and {more} more" if more else "")
    if fault.given_up:
        return (
            f"{hub} could not be told of {feeds} for days, and will not be until they"
            f" change: {fault.words}"
        )
    return (
        f"{hub} refuses {feeds}: {fault.words} (see [feeds] hub; it is told again when"
        " the feed changes)"
    )


def _print_undelivered(report: Report, delivered: Delivered) -> int:
    for email, reply in delivered.failures[:MAX_NAMED]:
        click.echo(f"not accepted: {email}: {reply}", err=True)
    failed = delivered.counts.get(DeliveryState.FAILED, 0)
    expired = delivered.counts.get(DeliveryState.EXPIRED, 0)
    if failed + expired:
        click.echo(
            f"postroom: {failed} failed, {expired} expired; see `postroom deliveries list`",
            err=True,
        )
    stopped = delivered.stopped and report.deliveries.get(DeliveryState.QUEUED)
    if stopped:
        click.echo(
            "postroom: stopped by a signal; the rest goes with the next run", err=True
        )
    if failed + expired:
        return NEEDS_A_PERSON
    return TRY_AGAIN if stopped else 0


def _print_relays(delivered: Delivered) -> int:
    """What relays did not do; one that is merely away, while others are there, is weather."""
    code = 0
    for trouble in delivered.troubles:
        click.echo(f"postroom: {trouble}; the other relays did its work", err=True)
        if isinstance(trouble, RelayRefusedError):
            code = trouble.exit_code
    if delivered.fault is not None:
        click.echo(f"postroom: {delivered.fault}", err=True)
        code = delivered.fault.exit_code
    return code


def print_summary(config: Config, report: Report, *, dry: bool) -> None:
    """Tell a person what happened, and where things lie."""
    counts = report.built.counts
    output = config.output_folder
    would = "would be " if dry else ""
    click.echo(
        f"posts    {counts.published} published, {counts.scheduled} scheduled, "
        f"{counts.drafts} drafts, {counts.pages} pages"
    )
    click.echo(
        f"files    {report.built.written} {would}written, {report.built.unchanged} unchanged"
    )
    if config.site.pages:
        click.echo(f"pages    {output / 'index.html'}")
    feeds = [name for name in FEED_FILES if (output / name).exists()]
    click.echo(f"feeds    {', '.join(str(output / name) for name in feeds)}")
    if report.told:
        _print_told(report.told)
    if report.composed is None:
        return
    for edition in report.composed.editions:
        click.echo(
            f"edition  {edition.key}: {len(edition.posts)} posts to {edition.audience} subscribers"
        )
    if report.composed.notice and not report.composed.held:
        click.echo(f"note     {report.composed.notice}")
    told = ", ".join(
        f"{count} {state}" for state, count in report.deliveries.items() if count
    )
    click.echo(f"letters  {told or 'none due'}")
    if not dry and (paused := _waiting_in_paused(config, report)):
        click.echo(f"note     paused: {', '.join(paused)} (`postroom resume` goes on)")
    if config.mail.transport == "outbox" and config.outbox_folder.exists():
        click.echo(
            f"outbox   {config.outbox_folder} (open the .eml files in a mail program)"
        )


def _print_told(told: Told) -> None:
    waiting = f", {told.waiting} for a later run" if told.waiting else ""
    why = f" ({told.words})" if told.words else ""
    click.echo(f"hub      {told.acknowledged} feeds told{waiting}{why}")


def _waiting_in_paused(config: Config, report: Report) -> list[str]:
    """The paused editions that letters of this report wait in."""
    waiting = [state for state in WAITING if report.deliveries.get(state)]
    if not waiting:
        return []
    from postroom.cli.edition import paused_editions  # noqa: PLC0415 - for a person only

    with open_site(config, read_world()) as store:
        return [
            key
            for key in sorted(paused_editions(store))
            if any(
                next(store.deliveries(edition=key, state=state), None)
                for state in waiting
            )
        ]


FEED_FILES = ("atom.xml", "rss.xml", "feed.json")

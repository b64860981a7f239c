"""`postroom build`: write feeds and pages, send nothing."""

from __future__ import annotations

import sys

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


@click.command("build")
@site_option
@json_option
@dry_option
@click.option("--now", metavar="TIME", help="Build as of then (ISO 8601).")
def command(folder: str | None, *, as_json: bool, dry: bool, now: str | None) -> None:
    """Write feeds and pages; send nothing."""
    config = read_site(folder)
    report = publish(config, read_world(now), Options(mail=False, ping=False, dry=dry))
    if as_json:
        print_json(report_json(report))
    elif dry or sys.stdout.isatty():
        print_summary(config, report, dry=dry)
    sys.exit(print_faults(report))

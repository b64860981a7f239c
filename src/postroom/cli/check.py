"""`postroom check`: every post that has a fault, or is not what it seems."""

from __future__ import annotations

import sys

import click

from postroom.build.run import read_posts
from postroom.cli.shell import (
    json_option,
    print_json,
    read_site,
    read_world,
    site_option,
)
from postroom.errors import Problem


@click.command("check")
@site_option
@json_option
def command(folder: str | None, *, as_json: bool) -> None:
    """Name every post that has a fault or is not what it seems.

    Exits 1 when a post cannot be published; warnings alone exit 0.
    """
    config = read_site(folder)
    with read_posts(config, read_world().clock()) as library:
        warnings = library.warnings()
    pages = [
        Problem(
            path=page.path,
            message="has no date, so it is a page: never in feeds or letters",
            cure="give it a date: if it is a post",
        )
        for page in library.pages
    ]
    found = [("error", item) for item in library.problems]
    found += [("warning", item) for item in warnings]
    found += [("note", item) for item in pages]
    for kind, item in sorted(found, key=lambda pair: (pair[1].path, pair[1].line)):
        if as_json:
            print_json(
                {
                    "kind": kind,
                    "path": item.path,
                    "line": item.line,
                    "column": item.column,
                    "message": item.message,
                    "cure": item.cure,
                }
            )
        else:
            click.echo(f"{item} [{kind}]")
    sys.exit(1 if library.problems else 0)

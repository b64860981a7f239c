"""`postroom import`: a feed, or another publisher's export, becomes posts."""

from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postroom.cli.shell import (
    dry_option,
    json_option,
    print_json,
    read_site,
    site_option,
)
from postroom.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.importing.run import Options, Outcome

KINDS = ("feed", "wordpress", "json", "ghost", "substack", "html")
"""Of importing/found.py, which an import of ours here would load for `--help`."""


CHOICES = (
    click.option(
        "--format",
        "kind",
        type=click.Choice(KINDS),
        help="What it is (default: told by its content).",
    ),
    click.option(
        "--to",
        metavar="FOLDER",
        help="Where posts go (default: the posts folder).",
    ),
    click.option(
        "--site",
        "old_site",
        default="",
        metavar="URL",
        help="Address of the old site: Ghost and Substack exports do not say it.",
    ),
    click.option("--since", metavar="DATE", help="Only entries from this day on."),
    click.option(
        "--all",
        "follow",
        is_flag=True,
        help="Of a feed's address: older pages too.",
    ),
    click.option(
        "--images",
        "pictures",
        is_flag=True,
        help="Fetch pictures and store them beside the posts.",
    ),
    click.option(
        "--allow-private",
        is_flag=True,
        help="Pictures and pages may lie on private addresses.",
    ),
    click.option(
        "--bundle",
        "bundles",
        is_flag=True,
        help="A folder for each post: NAME/index.md.",
    ),
    click.option(
        "--canonical",
        is_flag=True,
        help="Name the old page as the original (canonical_url).",
    ),
    click.option(
        "--mail",
        is_flag=True,
        help="Leave out `email: false`: recent posts may go into letters.",
    ),
    click.option(
        "--overwrite",
        is_flag=True,
        help="Write posts anew that are there already.",
    ),
)
"""What is imported, and how."""


def _choices(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(CHOICES):
        function = option(function)
    return function


@click.command("import")
@site_option
@json_option
@dry_option
@_choices
@click.argument("source", metavar="FILE|FOLDER|URL|-")
def command(
    folder: str | None, source: str, *, as_json: bool, dry: bool, **chosen: Any
) -> None:
    """Turn a feed or an export into posts: RSS, Atom, JSON Feed, WordPress, Ghost, Substack, HTML.

    Nothing that is there is overwritten; the same import twice writes nothing. Each fault
    is named with its place and costs its own entry only; the exit code is then 1.
    """
    from postroom.build.library import rules_of  # noqa: PLC0415 - Markdown and YAML, only here
    from postroom.importing.run import Importer, Outcome  # noqa: PLC0415 - lxml, only here

    config = read_site(folder)
    importer = Importer(
        rules=rules_of(config), options=_options(config, dry=dry, **chosen)
    )
    counts: dict[str, int] = {}
    problems = 0
    for step in importer.run(source, sys.stdin.buffer):
        if isinstance(step, Outcome):
            counts[step.state] = counts.get(step.state, 0) + 1
            _tell(step, as_json=as_json, dry=dry)
        elif isinstance(step, Problem):
            problems += 1
            click.echo(f"{step} [error]", err=True)
        else:
            click.echo(f"{source}: {step.message} [note]", err=True)
    if not as_json:
        _tell_end(source, counts, problems, dry=dry, mail=chosen["mail"])
    sys.exit(1 if problems else 0)


def _options(
    config: Config,
    *,
    dry: bool,
    kind: str | None,
    to: str | None,
    old_site: str,
    since: str | None,
    **flags: bool,
) -> Options:
    from postroom.importing.fields import Choices  # noqa: PLC0415 - lxml, only here
    from postroom.importing.found import Kind  # noqa: PLC0415 - with the others
    from postroom.importing.run import Options  # noqa: PLC0415 - with the others
    from postroom.importing.texts import web_url  # noqa: PLC0415 - with the others

    if old_site and not web_url(old_site):
        raise ConfigError(
            f"--site {old_site}: no web address", cure="begin with https://"
        )
    return Options(
        folder=Path(to).absolute() if to else config.posts_folder,
        kind=Kind(kind) if kind else None,
        site=old_site.rstrip("/"),
        since=_parse_since(since, config) if since else None,
        dry=dry,
        choices=Choices(
            language=config.site.language,
            mail=flags.pop("mail"),
            canonical=flags.pop("canonical"),
        ),
        **flags,
    )


def _parse_since(text: str, config: Config) -> datetime:
    from postroom.posts.dates import HOW, parse_date  # noqa: PLC0415 - only with --since

    try:
        return parse_date(text, config.site.timezone).astimezone(UTC)
    except ValueError as error:
        raise ConfigError(f"--since {text}: {error}", cure=HOW) from None


def _tell(outcome: Outcome, *, as_json: bool, dry: bool) -> None:
    """Print one entry: all of them for programs and dry runs, else what is not usual."""
    for note in outcome.notes:
        click.echo(f"{note} [warning]", err=True)
    found = outcome.found
    if as_json:
        print_json(
            {
                "state": outcome.state,
                "path": outcome.path,
                "id": outcome.id,
                "title": found.title,
                "date": found.published.isoformat() if found.published else "",
                "draft": found.draft,
                "url": found.url,
                "line": found.line,
                "images": outcome.pictures,
                "notes": [note.message for note in outcome.notes],
            }
        )
    elif dry or outcome.state not in {"written", "older"}:
        click.echo(f"{outcome.state:<9}  {outcome.path or '-'}  {found.title}")


WORDS = {
    "written": "written",
    "rewritten": "written anew",
    "there": "there already",
    "twice": "twice in the source",
    "older": "too old",
}


def _tell_end(
    source: str, counts: dict[str, int], problems: int, *, dry: bool, mail: bool
) -> None:
    said = [f"{number} {WORDS[state]}" for state, number in sorted(counts.items())]
    said = [
        *(said or ["no entries"]),
        *([f"{problems} with a fault"] if problems else []),
    ]
    click.echo(
        f"{source}: {', '.join(said)}"
        + (" (dry run: nothing was written)" if dry else "")
    )
    if counts.get("written") and not mail:
        click.echo(
            "They stay out of letters (`email: false`); --mail leaves that line out."
        )

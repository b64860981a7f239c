"""`postroom init`: a new site, or the settings for a blog that exists."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from postroom.cli.shell import read_world
from postroom.errors import ConfigError
from postroom.starting.findings import Kind
from postroom.starting.run import Start, Wishes, plan_blog, plan_site, write_start
from postroom.starting.sample import is_korean

AUTO = "auto"
KINDS = ", ".join(Kind)


@click.command("init")
@click.argument("target", metavar="[DIR]", required=False)
@click.option(
    "--from",
    "program",
    metavar="[PROGRAM]",
    is_flag=False,
    flag_value=AUTO,
    help=f"Read the settings of a blog that exists: {KINDS}; alone, find out which.",
)
@click.option("--to", "home", metavar="DIR", help="Where postroom.toml goes.")
@click.option("--posts", metavar="DIR", help="The folder of posts, below the blog.")
@click.option("--title", help="Of the site.")
@click.option("--url", help="Where the site is read.")
@click.option("--language", help="Of the posts: ko, en, …")
@click.option("--timezone", help="Of dates without an offset: Asia/Seoul.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--dry-run", "dry", is_flag=True, help="Print postroom.toml only.")
def command(  # noqa: PLR0913 - one parameter an option
    target: str | None,
    *,
    program: str | None,
    home: str | None,
    posts: str | None,
    title: str | None,
    url: str | None,
    language: str | None,
    timezone: str | None,
    yes: bool,
    dry: bool,
) -> None:
    """Make a new site, or write the settings for a blog that exists.

    No file is written over. What is not named is asked on a terminal: title, address
    and language; with --yes, or without a terminal, defaults serve.
    """
    program, target = _untangle(program, target)
    root = Path(target or _outer() or ".")
    wishes = Wishes(
        title=title or "",
        url=url or "",
        language=language or "",
        timezone=timezone or "",
        posts=posts or "",
        home=Path(home) if home else None,
    )
    asks = sys.stdin.isatty() and not yes and not dry
    if program is None:
        start = _new_site(root, wishes, asks=asks)
    else:
        start = plan_blog(root, None if program == AUTO else Kind(program), wishes)
    if dry:
        click.echo(start.files[0][1], nl=False)
        for line in start.said:
            click.echo(f"postroom: {line}", err=True)
        return
    write_start(start)
    _say(start, root)


def _untangle(program: str | None, target: str | None) -> tuple[str | None, str | None]:
    """`--from DIR` names no program but the folder."""
    if program is None or program == AUTO or program in list(Kind):
        return program, target
    if target is None and Path(program).is_dir():
        return AUTO, program
    raise ConfigError(f"--from {program}: no such program", cure=f"there are {KINDS}")


def _outer() -> str:
    """What `-C DIR` before the command names."""
    return str((click.get_current_context().find_root().obj or {}).get("folder") or "")


def _new_site(root: Path, wishes: Wishes, *, asks: bool) -> Start:
    language = wishes.language or _system_language()
    title, url = wishes.title, wishes.url
    if asks:
        plan_site(
            root, wishes, read_world().clock().date()
        )  # refusals come before questions
        default = "나의 블로그" if is_korean(language) else "My blog"
        title = title or click.prompt("Title", default=default)
        url = url or click.prompt("Address", default="https://blog.example/")
        if not wishes.language:
            language = click.prompt("Language", default=language)
    zone = wishes.timezone or _system_zone(language)
    day = read_world().clock().astimezone(ZoneInfo(zone)).date()
    filled = Wishes(
        title=title,
        url=url,
        language=language,
        timezone=zone,
        posts=wishes.posts,
        home=wishes.home,
    )
    return plan_site(root, filled, day)


def _system_language() -> str:
    """`ko` or `en`, by the locale of the environment."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "ko" if is_korean(value.replace("_", "-")) else "en"
    return "en"


def _system_zone(language: str) -> str:
    """The zone of this machine if it has a name, else Seoul for Korean, else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    place = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    for zone in (named, place):
        try:
            if zone and ZoneInfo(zone).key not in {"UTC", "Etc/UTC"}:
                return zone
        except (KeyError, OSError, ValueError):
            continue
    return "Asia/Seoul" if is_korean(language) else "UTC"


def _say(start: Start, root: Path) -> None:
    """Name the files, what was seen and what was not, and the next command."""
    for path, _ in start.files:
        click.echo(f"wrote {path}")
    for line in start.said:
        click.echo(line)
    here = start.home.resolve() == Path.cwd()
    named = "" if here else f" -C {start.home}"
    click.echo(f"next: postroom{named} check, then postroom{named} build")

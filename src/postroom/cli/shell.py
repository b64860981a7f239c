"""What a command takes from the world: the site, the clock, the dice, the machine."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postroom.config.reading import find_root, read_config
from postroom.errors import ConfigError
from postroom.publish import World
from postroom.store.values import Owner

if TYPE_CHECKING:
    from postroom.config.sections import Config

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


# `-C DIR` may stand before or behind the command's name.
site_option = click.option(
    "-C", "folder", metavar="DIR", help="The site's folder (default: search upwards)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
dry_option = click.option(
    "--dry-run", "dry", is_flag=True, help="Change and send nothing."
)


def read_site(folder: str | None) -> Config:
    """Find and read the site named by `-C`, here or before the command, or around us."""
    outer = (click.get_current_context().find_root().obj or {}).get("folder")
    named = folder or outer
    root = Path(named).absolute() if named else find_root(Path.cwd())
    return read_config(root, os.environ)


def read_world(now: str | None = None) -> World:
    """Return clock, dice and machine; `now` is the text of `--now`."""
    simulated = parse_now(now) if now else None

    def clock() -> datetime:
        return simulated or datetime.now(UTC)

    return World(
        clock=clock,
        environ=os.environ,
        token=os.urandom,
        random=_random,
        owner=Owner(host=os.uname().nodename, boot_id=_boot_id(), pid=os.getpid()),
    )


def _random() -> float:
    import random  # noqa: PLC0415 - 5 ms, and only back-off needs it

    return random.random()  # noqa: S311 - spreads retries, guards nothing


def parse_now(text: str) -> datetime:
    """Parse `--now`: ISO 8601 with an offset, or UTC without one."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--now {text!r} is no time", cure="write 2026-11-23T08:00:00+09:00"
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def print_json(value: object) -> None:
    """Print one object on one line; Korean stays readable."""
    click.echo(json.dumps(value, ensure_ascii=False))

"""Cron starts postroom every minute: what an idle run imports is fixed here.

Times flicker, lists do not; `make bench` prints the time.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.stage import Site, make_site, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "aiosmtplib", "asyncio", "comrak", "css_inline", "email.message", "email_validator",
    "feedgen", "frontmatter", "importlib.metadata", "jinja2", "lxml", "nh3", "pygments",
    "regex", "rich", "ssl", "yaml",
}  # fmt: skip
NOW = "2026-11-24T12:00:00+09:00"


def imported(site: Site, *words: str) -> set[str]:
    """Names of all modules that a command imports."""
    ran = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "postroom",
            "-C",
            str(site.root),
            *words,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=unmeasured(),
    )
    lines = [
        line for line in ran.stderr.splitlines() if line.startswith("import time:")
    ]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.fixture
def idle(tmp_path: Path) -> Site:
    """A site on which everything is done."""
    site = make_site(tmp_path / "site")
    site.essay("2026-11-01", "글")
    site.subscribe("minji@reader.example")
    site.publish(NOW)
    site.publish(NOW)
    return site


def test_an_idle_publish_imports_nothing_heavy(idle: Site) -> None:
    """Templates, feeds, mail and Markdown are for runs that have something to do."""
    assert not imported(idle, "publish", "--now", NOW) & HEAVY


@pytest.mark.parametrize("words", [("--version",), ("--help",)])
def test_help_imports_no_command(idle: Site, words: tuple[str, ...]) -> None:
    """Not even the database."""
    names = imported(idle, *words)
    assert not names & (HEAVY | {"sqlite3", "postroom.config", "postroom.publish"})

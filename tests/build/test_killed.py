"""A build that was killed anywhere, with all its workers at work, is made good by the next."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from postroom.build.crew import ENOUGH
from tests.stage import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-11-24T12:00:00+09:00"
KILLS = int(os.environ.get("POSTROOM_BUILD_KILLS", "6"))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Enough posts to be shared out, which link to each other."""
    made = make_site(tmp_path / "site")
    for number in range(ENOUGH + 100):
        other = f"{(number * 7) % (ENOUGH + 100):04}.md"
        made.post(
            f"{number:04}.md",
            f"---\ntitle: 글 {number}\ndate: 2026-{number % 10 + 1:02}-{number % 28 + 1:02}\n"
            f"tags: [t{number % 5}]\n---\n\n편지를 쓴다. [다른 글]({other})\n",
        )
    return made


def build(site: Site) -> subprocess.Popen[bytes]:
    """Start a build."""
    words = ["-m", "postroom", "-C", str(site.root), "build", "--now", NOW]
    return subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)


def output(site: Site) -> dict[str, bytes]:
    """Every file of the output folder."""
    public = site.root / "public"
    return {
        path.relative_to(public).as_posix(): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
    }


def test_it_ends_as_if_nobody_had_killed_it(site: Site) -> None:
    """Ids, pages and feeds are those of a build in peace; nothing half-written stays."""
    moments = random.Random(11)  # noqa: S311 - any moments will do
    started = time.monotonic()
    with build(site) as first:
        assert first.wait() == 0
    whole = time.monotonic() - started
    expected = output(site)
    for kill in range(KILLS):
        for name in ("rendered.db", "build.json"):
            (site.root / "state" / name).unlink(missing_ok=True)
        if kill % 2:  # from an empty folder
            for path in (site.root / "public").rglob("*.html"):
                path.unlink()
        with build(site) as run:
            time.sleep(moments.uniform(0.05, whole))
            run.send_signal(signal.SIGKILL)
        end = time.monotonic() + 30
        while (
            last := build(site)
        ).wait() == 75:  # a worker holds the lock a moment more
            assert time.monotonic() < end
            time.sleep(0.05)
        with last:
            assert last.returncode == 0
        assert output(site) == expected


def test_where_no_cache_can_be_kept_one_process_does_it_all(site: Site) -> None:
    """Others could not read what it has in memory; the output is the same."""
    with build(site) as first:
        assert first.wait() == 0
    expected = output(site)
    state = site.root / "state"
    for path in state.glob("rendered.db*"):
        path.unlink()
    (state / "build.json").unlink()
    (state / "rendered.db").mkdir()
    for path in (site.root / "public").rglob("*.html"):
        path.unlink()
    with build(site) as run:
        assert run.wait() == 0
    assert output(site) == expected

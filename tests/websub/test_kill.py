"""kill -9 anywhere in `publish`: a ping may be repeated, and none is ever lost.

Real runs of the command line are killed by the hub while they wait for its answer, and by
`strace` at single system calls from the first feed written to the end. After the next run
that ends by itself, the hub has been told of every feed that changed, with its final
bytes live at that moment.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.stage import Site, unmeasured
from tests.websub.hub import Hub, reply, reset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW = "2026-11-24T12:00:00+09:00"
LATER = "2026-11-24T14:00:00+09:00"
CALLS = "rename,fsync,fdatasync,pwrite64,sendto,recvfrom"
"""What changes something, here or at the hub."""
LINE = re.compile(r"^(?:\d+ +)?(?P<name>[a-z0-9_]+)\((?P<rest>.*)$")
POINTS = 3
"""Of the calls of each name, evenly; `POSTROOM_KILLS` sets another number."""


def arguments(site: Site, *words: str) -> list[str]:
    """The command line of a run without letters, which come after the pings."""
    command = [sys.executable, "-m", "postroom", "-C", str(site.root)]
    return [*command, "publish", "--now", NOW, "--no-mail", *words]


def run(command: Sequence[str]) -> int:
    """Run to its end and return the exit code."""
    return subprocess.run(
        command, check=False, timeout=60, capture_output=True, env=unmeasured()
    ).returncode


def digests(site: Site) -> dict[str, str]:
    """What is live of each feed: path → SHA-256."""
    public = site.root / "public"
    return {
        str(file.relative_to(public)): hashlib.sha256(file.read_bytes()).hexdigest()
        for name in ("atom.xml", "rss.xml", "feed.json")
        for file in public.rglob(name)
    }


@pytest.fixture
def told(site: Site, hub: Hub) -> Site:
    """A site whose feeds the hub knows, and a new post in it."""
    site.publish(NOW)
    hub.seen.clear()
    site.essay("2026-11-20", "셋째 글", "여행", "새것")
    return site


def check(site: Site, hub: Hub, before: dict[str, str]) -> None:
    """Run once more, to the end: the hub knows all that changed."""
    site.run("publish", "--now", LATER)
    heard = {(seen.path, seen.live) for seen in hub.seen}
    changed = {item for item in digests(site).items() if item not in before.items()}
    assert len(changed) == 9
    assert changed <= heard, changed - heard
    hub.seen.clear()
    site.run("publish", "--now", LATER)
    assert hub.paths() == []


@pytest.mark.parametrize("moment", ["asked", "answered"])
@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_run_that_is_killed_at_the_hub_loses_no_ping(
    told: Site, hub: Hub, number: int, moment: str
) -> None:
    """Killed by the hub at its first, second and last ping, before or after its answer."""
    before = digests(told)
    process = subprocess.Popen(arguments(told), env=unmeasured())

    def kill(count: int) -> None:
        if count == number:
            process.kill()

    if moment == "asked":
        hub.before = kill
    else:
        hub.after = kill
    # The answer to the last one may be the end of the run.
    assert process.wait(60) in {-signal.SIGKILL, 0 if number == len(hub.seen) else -9}
    hub.before = hub.after = lambda _: None

    check(told, hub, before)


def traced(site: Site, folder: Path) -> list[tuple[str, int]]:
    """The calls of one whole run from its first feed on: name, and the how many-th."""
    log = folder / "calls"
    trace = ["strace", "-qq", "-o", str(log), "-e", f"trace={CALLS}"]
    assert run([*trace, *arguments(site)]) == 0
    counts: dict[str, int] = {}
    found = []
    begun = False
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        name = match["name"]
        counts[name] = counts.get(name, 0) + 1
        begun = begun or (name == "rename" and "atom.xml" in match["rest"])
        if begun:
            found.append((name, counts[name]))
    return found


def chosen(calls: list[tuple[str, int]], points: int) -> list[tuple[str, int]]:
    """Of the calls of each name the first, the last, and some between them."""
    found = []
    for name in sorted({name for name, _ in calls}):
        own = [call for call in calls if call[0] == name]
        step = max((len(own) - 1) / max(points - 1, 1), 1)
        found += [own[round(n * step)] for n in range(min(points, len(own)))]
    return found


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_run_that_is_killed_at_any_call_loses_no_ping(
    told: Site, hub: Hub, tmp_path: Path
) -> None:
    """While feeds, the build's record, the ledger and the hub's socket are written."""
    before = digests(told)
    kept = tmp_path / "kept"
    shutil.copytree(told.root, kept)
    calls = traced(told, tmp_path)
    assert {"rename", "fdatasync", "sendto"} <= {name for name, _ in calls}
    points = int(os.environ.get("POSTROOM_KILLS", "0")) or POINTS

    for name, count in chosen(calls, points):
        shutil.rmtree(told.root)
        shutil.copytree(kept, told.root)
        hub.seen.clear()
        inject = f"inject={name}:signal=SIGKILL:when={count}"
        faults = ["-o", os.devnull, "-e", f"trace={name}", "-e", inject]
        code = run(["strace", "-qq", *faults, *arguments(told)])
        assert code == -signal.SIGKILL, (name, count)
        check(told, hub, before)


def test_many_kills_in_a_row_lose_no_ping(told: Site, hub: Hub) -> None:
    """With the post edited in between, and the hub away for a time."""
    before = digests(told)
    for round_ in range(6):
        told.essay("2026-11-20", "셋째 글", "여행", "새것", f"판{round_}")
        hub.answer = reset if round_ == 3 else reply("202 Accepted")
        process = subprocess.Popen(arguments(told), env=unmeasured())
        limit = len(hub.seen) + round_ // 2 + 1

        def kill(count: int, process: subprocess.Popen[bytes] = process) -> None:
            if count == limit:  # noqa: B023 - the run ends before the next one
                process.kill()

        hub.before = kill
        process.wait(60)
    hub.before = lambda _: None
    hub.answer = reply("202 Accepted")
    told.essay("2026-11-20", "셋째 글", "여행", "새것")
    check(told, hub, before)

"""The groups of trials by name, each a function of folder, number and seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.kill import calls, clocks, crowd, ends, forks
from tests.kill.trials import READERS, Tally, Trials, staged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.kill.trials import Stage

    Group = Callable[[Path, int, int], Tally]


def _deaths(kind: str) -> Group:
    return _staged(lambda stage, kills, seed: Trials(stage, kind, seed).run(kills))


def _staged(run: Callable[[Stage, int, int], Tally], readers: int = READERS) -> Group:
    def group(folder: Path, number: int, seed: int) -> Tally:
        with staged(folder, readers) as stage:
            began, used = time.monotonic(), forks.cpu_seconds()
            tally = run(stage, number, seed)
            tally.seconds = time.monotonic() - began
            tally.cpu = forks.cpu_seconds() - used
            return tally

    return group


def _publishers(count: int) -> Group:
    return _staged(
        lambda stage, rounds, _: crowd.publish_together(stage, count, rounds)
    )


GROUPS: dict[str, Group] = {
    "named": _deaths("named"),
    "moments": _deaths("moments"),
    "lines": _deaths("lines"),
    "power": _deaths("power"),
    "calls": _staged(calls.kill_everywhere, calls.READERS),
    "faults": _staged(calls.fail_everywhere, calls.READERS),
    "two": _publishers(2),
    "eight": _publishers(8),
    "fifty": _publishers(50),
    "sleepers": _staged(
        lambda stage, rounds, _: crowd.sleep_past_leases(stage, rounds)
    ),
    "signals": _staged(lambda stage, rounds, _: ends.end_by_signals(stage, rounds)),
    "clocks": _staged(lambda stage, number, _: clocks.step_clocks(stage, number)),
}

"""The kill tests without end: every system call, ten thousand kills, fifty publishers.

Not part of the normal run: `POSTROOM_TORTURE` is how many kills there are in all, besides
those at system calls; `POSTROOM_SEED` chooses other ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.kill.harness import faketime, have_strace, run_group

KILLS = int(os.environ.get("POSTROOM_TORTURE", "0"))
SEED = int(os.environ.get("POSTROOM_SEED", "1"))
HOURS = 12 * 3600.0
SHARES = {"named": 0.5, "moments": 0.3, "power": 0.1, "lines": 0.1}
PARTS = 5
"""Of each share, so that several processes can work."""


TOLD = (
    "trials",
    "kills",
    "lost",
    "duplicates",
    "unknown",
    "arrived",
    "seconds",
    "cpu",
    "exits",
)

Tell = Callable[[str, object], None]


def tell(record: Tell, figures: dict[str, Any]) -> None:
    """Have `conftest` print the figures of a group."""
    for name in TOLD:
        value = figures[name]
        record(name, round(value) if isinstance(value, float) else value)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", SHARES)
def test_kills(kind: str, part: int, record_property: Tell) -> None:
    """Nobody is lost."""
    kills = int(KILLS * SHARES[kind] / PARTS) + 1
    figures = run_group(kind, kills, SEED * 1000 + part, HOURS)
    tell(record_property, figures)
    assert figures["lost"] == 0


@pytest.mark.skipif(not have_strace(), reason="needs strace")
@pytest.mark.parametrize("group", ["calls", "faults"])
def test_every_system_call(group: str, record_property: Tell) -> None:
    """Each one that changes anything, on five sites."""
    tell(record_property, run_group(group, 0, timeout=HOURS))


@pytest.mark.parametrize(
    ("group", "rounds"),
    [("two", 200), ("eight", 50), ("fifty", 20), ("sleepers", 12), ("signals", 10)],
)
def test_others(group: str, rounds: int, record_property: Tell) -> None:
    """Crowds, sleepers and signals, over and over."""
    figures = run_group(group, rounds, SEED, HOURS)
    tell(record_property, figures)
    assert figures["duplicates"] == 0


@pytest.mark.skipif(faketime() is None, reason="needs libfaketime")
def test_every_step_of_the_clock(record_property: Tell) -> None:
    """Before, during and after a run, killed or not, set right again or not."""
    figures = run_group("clocks", 0, timeout=HOURS)
    tell(record_property, figures)
    assert figures["lost"] == 0

"""A run that dies, or whose disk fails, at a system call: a sample, evenly spread.

`make torture` tries every one of them.
"""

from __future__ import annotations

import pytest

from tests.kill.harness import have_strace, run_group

pytestmark = pytest.mark.skipif(not have_strace(), reason="needs strace")


def test_a_run_killed_at_a_system_call_loses_nobody() -> None:
    """Whatever the operating system has seen of it by then."""
    figures = run_group("calls", 40)
    assert figures["kills"] >= 36, "calls that were never reached"


def test_a_run_whose_disk_fails_stops_and_says_so() -> None:
    """Full or broken: nothing more is claimed, nobody is lost, the next run finishes."""
    figures = run_group("faults", 28)
    assert sum(figures["exits"].values()) == 28
    assert figures["exits"].get("0", 0) < 10

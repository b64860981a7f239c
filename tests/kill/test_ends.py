"""A run that is asked to end: once in order, twice at once; hung up on, it just dies."""

from __future__ import annotations

from tests.kill.harness import run_group


def test_a_signal_ends_a_run() -> None:
    """After SIGTERM or SIGINT what is on the wire is on record and the rest is queued."""
    figures = run_group("signals", 2)
    assert figures["duplicates"] == 0
    assert figures["trials"] == 12

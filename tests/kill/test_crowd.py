"""Several publishers of one site: one works, the others leave it alone."""

from __future__ import annotations

import pytest

from tests.kill.harness import run_group


@pytest.mark.parametrize(("publishers", "rounds"), [("two", 9), ("eight", 3)])
def test_publishers_at_once_send_once(publishers: str, rounds: int) -> None:
    """The losers exit 75 without a word, and nobody gets two."""
    figures = run_group(publishers, rounds)
    assert figures["duplicates"] == 0
    assert figures["exits"]["75"] >= rounds // 2


def test_a_run_that_slept_past_its_lease_sends_nothing_more() -> None:
    """Another host has taken over: nobody gets two, and its ledger is not written over."""
    figures = run_group("sleepers", 2)
    assert figures["duplicates"] == 0

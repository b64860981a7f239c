"""kill -9 anywhere in `publish`, then run again: the ledger is true.

Nobody is skipped. With `hold` nobody gets two; with `resend` at most the one message
that was on the wire of each connection goes out again. The ledger is whole and its
conservation holds after every single kill, readers' pages are what they would have
been, and what is not known for sure is named. `trials` has the variants of site and
relay, `judge` the rules. `POSTROOM_KILLS` is how many kills there are of each kind.
"""

from __future__ import annotations

import os

import pytest

from tests.kill.harness import run_group

KILLS = int(os.environ.get("POSTROOM_KILLS", "0"))


PLACES = {
    f"{side} {place}"
    for place in (
        "claim",
        "freeze",
        "recover",
        "end_run",
        "the dot",
        "replies",
        "outcome",
        "intent",
        "journal write",
        "journal sync",
        "journal restart",
        "replace of journal",
        "unlink of journal",
        "the commit of freeze",
        "the commit of recover",
        "the commit of claim",
        "the commit of record_results",
        "writing a letter",
        "showing a letter",
    )
    for side in ("before", "after")
} | {"within a journal write", "within a body", "between body and dot"}
"""Where it hurts most; `named` finds them, and many more, by running once."""


@pytest.mark.parametrize(
    ("kind", "kills"), [("named", 150), ("moments", 100), ("lines", 32)]
)
def test_a_killed_run_loses_nobody(kind: str, kills: int) -> None:
    """At named places between any two steps, at random moments, at any line of code."""
    figures = run_group(kind, KILLS or kills)
    assert figures["kills"] >= (KILLS or kills)
    assert figures["lost"] == 0
    if kind == "named":
        assert set(figures["hits"]) >= PLACES


def test_a_power_cut_loses_nobody() -> None:
    """What was not on the disk is gone, the machine has booted anew: doubt, not loss."""
    figures = run_group("power", KILLS or 24)
    assert figures["kills"] >= (KILLS or 24)
    assert figures["lost"] == 0

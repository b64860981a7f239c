"""Several publishers at once, and one that sleeps past its lease."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from postroom.delivery import dispatch, settings
from tests.kill import forks
from tests.kill.judge import Terms, delivery_of, look, rows
from tests.kill.scene import Variant
from tests.kill.trials import Tally, words_at

if TYPE_CHECKING:
    from tests.kill.forks import Child
    from tests.kill.trials import Stage

CROWDED = (
    Variant(milliseconds=1.0),
    Variant(transport="outbox", policy="resend"),
    Variant(policy="resend", durability="power", connections=8),
)
SLOW = (
    Variant(milliseconds=20.0, durability="power"),
    Variant(milliseconds=20.0),
)
LEASE = 1
RESERVE = 0.3
"""Seconds; a claim of so short a lease is fresh for the rest of it."""
LOCKED = 75


def publish_together(stage: Stage, publishers: int, rounds: int) -> Tally:
    """So many publishers begin at the same moment, a few rounds of it."""
    tally = Tally()
    for number in range(rounds):
        variant = CROWDED[number % len(CROWDED)]
        site = stage.site(variant)
        wait_on, let_go = os.pipe()
        children = [
            forks.start(site, words_at(0), lambda: os.read(wait_on, 1))  # noqa: B023 - forked at once
            for _ in range(publishers)
        ]
        os.write(let_go, b"x" * publishers)
        ends = [child.wait() for child in children]
        os.close(wait_on)
        os.close(let_go)
        losers = [end for end in ends if end.code == LOCKED]
        problems = [f"a loser said {end.err}" for end in losers if end.err]
        if any(not end.is_clean or end.code not in {0, LOCKED} for end in ends):
            problems.append(f"ended with {[end.code for end in ends]}: {ends}")
        if len(losers) == publishers:
            problems.append("nobody won")
        verdict = stage.judge(site, Terms(variant=variant, kills=0))
        verdict.problems = problems + verdict.problems
        tally.add(verdict, 0, f"{publishers} publishers, {variant} {site.root.name}")
        for end in ends:
            tally.ended(end.code)
    return tally


def sleep_past_leases(stage: Stage, rounds: int) -> Tally:
    """A run stops for longer than its lease while another host takes over; then it wakes."""
    tally = Tally()
    for number in range(rounds):
        variant = SLOW[number % len(SLOW)]
        site = stage.site(variant)
        sleeper = forks.start(site, words_at(0), lambda: _short_leases("sleeper"))
        wait_for_taken(stage, sleeper, 1 + number * 5)
        sleeper.send(signal.SIGSTOP)
        time.sleep(LEASE + 0.1)
        # As on a file system where locks do not work, or are of one host only.
        (site.root / "state" / "lock").unlink()
        other = forks.run(site, words_at(0), lambda: _short_leases("other"))
        before = {delivery_of(row): row for row in rows(site)}
        sleeper.send(signal.SIGCONT)
        woken = sleeper.wait()
        after = {delivery_of(row): row for row in rows(site)}
        problems = look(site)
        if other.code or not other.is_clean or not woken.is_clean:
            problems.append(f"ended badly: {other} {woken}")
        if before != after:
            problems.append(f"written over: {before} {after}")
        # To another host a journal that may not be on the disk yet proves nothing.
        bound = len(stage.scene.readers)
        terms = Terms(variant=variant, kills=1, bound=bound, may_forget_ids=True)
        verdict = stage.judge(site, terms)
        verdict.problems = problems + verdict.problems
        tally.add(verdict, 0, f"sleeper {number} {site.root.name}")
        tally.ended(woken.code)
    return tally


def wait_for_taken(stage: Stage, child: Child, messages: int) -> None:
    """Wait until the relay has taken so many, or the child has ended."""
    while stage.relay.ask("XTAKEN") < messages and not child.is_over(0.001):
        pass


def _short_leases(host: str) -> None:
    """In the child: another machine's name, and leases that run out at once."""
    setattr(os, "uname", lambda: SimpleNamespace(nodename=host))  # noqa: B010 - see mypy
    settings.VERDICT_RESERVE = RESERVE
    setattr(dispatch, "VERDICT_RESERVE", RESERVE)  # noqa: B010 - see mypy
    defaults = settings.DeliverySettings.__init__.__kwdefaults__
    assert defaults
    defaults["lease"] = LEASE

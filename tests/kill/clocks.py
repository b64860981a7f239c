"""Steps of the clock before, during and after a run, by libfaketime.

The process that runs this group was started by `harness`: it and its children read
the clock through a file that holds an offset.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from postroom.store.sqlite.store import open_store
from tests.kill import forks
from tests.kill.crowd import wait_for_taken
from tests.kill.judge import Terms, Verdict, look
from tests.kill.scene import NOW, Variant
from tests.kill.trials import Tally

if TYPE_CHECKING:
    from tests.kill.trials import Stage
    from tests.stage import Site

CLOCK = "FAKETIME_TIMESTAMP_FILE"
DAY = timedelta(days=1)
STEPS = (
    timedelta(hours=-1),
    -DAY,
    20 * 365 * DAY,
    DAY,
    timedelta(hours=1),
    -30 * DAY,
    32 * DAY,
    12 * 365 * DAY,
)
"""The last one is beyond January 2038."""
LATER = timedelta(minutes=20)
EDITIONS = 3
MAX_AGE, MAX_RETRY = 30 * DAY, 3 * DAY
"""Of posts and of letters, as configured by default."""


class Case(NamedTuple):
    """One step of the clock."""

    step: timedelta
    messages: int
    """So many were taken when it happens; 0: before the run."""
    kill: bool
    """The run dies at that moment."""
    back: bool
    """The clock is right again afterwards."""
    policy: str


def cases() -> list[Case]:
    """Every step at every moment: in the middle, before, near the end, with a kill."""
    found = []
    for messages, kill in ((8, False), (0, False), (4, True), (20, False), (12, True)):
        for number, step in enumerate(STEPS):
            policy = ("hold", "resend")[number % 2]
            # What is queued for a slot waits while the clock is before it.
            waits = step < timedelta(0) and (kill or not messages)
            back = waits or not messages or (number + messages // 4) % 2 == 0
            found.append(Case(step, messages, kill, back, policy))
    return found


def step_clocks(stage: Stage, number: int) -> Tally:
    """The first so many cases; 0: all."""
    tally = Tally()
    for case in cases()[: number or None]:
        _try(stage, case, tally)
    return tally


def _set(offset: timedelta) -> None:
    """Set everybody's clock to so long after `NOW`, from this moment on."""
    path = Path(os.environ[CLOCK])
    fresh = path.with_name("clock.new")
    seconds = offset.total_seconds() + _to_now()
    fresh.write_text(f"{seconds:+.0f}\n", encoding="ascii")
    fresh.replace(path)
    shown = time.time()  # noqa: TID251 - the clock is what is tested
    wanted = datetime.fromisoformat(NOW).timestamp() + offset.total_seconds()
    assert abs(shown - wanted) < 10, (shown, wanted)


def _to_now() -> float:
    """Seconds from the real clock to `NOW`; the monotonic one stands in for it."""
    return datetime.fromisoformat(NOW).timestamp() - REAL_AT_ZERO - time.monotonic()


def _real_at_zero() -> float:
    """The real time when the monotonic clock was 0; the offset is 0 at the start."""
    return time.time() - time.monotonic()  # noqa: TID251 - as above


REAL_AT_ZERO = _real_at_zero()


def _try(stage: Stage, case: Case, tally: Tally) -> None:
    variant = Variant(policy=case.policy, milliseconds=4.0)
    site = stage.site(variant)
    _set(timedelta(0) if case.messages else case.step)
    child = forks.start(site, ["publish"])
    if case.messages:
        wait_for_taken(stage, child, case.messages)
        if case.kill:
            child.send(signal.SIGKILL)
        _set(case.step)
    ended = child.wait()
    problems = look(site)
    if not ended.killed and (ended.code not in {0, 1} or not ended.is_clean):
        problems.append(f"ended with {ended.code}: {ended.err}")
    moments = [case.step + LATER, case.step + 2 * LATER]
    if case.back:
        moments += [3 * LATER, DAY + LATER]
    for moment in moments:
        _set(moment)
        later = forks.run(site, ["publish"])
        if later.code not in {0, 1} or not later.is_clean:
            problems.append(f"at {moment} ended with {later.code}: {later.err}")
    _judge(stage, site, case, tally, problems, int(ended.killed))


def _judge(
    stage: Stage, site: Site, case: Case, tally: Tally, problems: list[str], kills: int
) -> None:
    _set(timedelta(0))
    far = case.messages == 0 and case.step > MAX_AGE
    with open_store(site.root / "state" / "postroom.db") as store:
        keys = [edition.key for edition in store.editions()]
    if len(keys) != (0 if far else EDITIONS):
        problems.append(f"not the editions there should be: {keys}")
    if far:
        # Posts first seen so late are old ones: nobody is mailed an archive.
        problems += [f"sent: {one}" for one in stage.taken(site, Variant())]
        verdict = Verdict()
    else:
        terms = Terms(
            variant=Variant(policy=case.policy),
            kills=kills,
            may_expire=case.step > MAX_RETRY,
            same_pages=case.back,
        )
        verdict = stage.judge(site, terms)
    verdict.problems = problems + verdict.problems
    tally.add(verdict, kills, f"{case} {site.root.name}")
    tally.hits["expired"] = tally.hits.get("expired", 0) + verdict.expired

"""Signals that ask a run to end: once in order, twice at once, and the terminal's."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

from postroom.mail.outcome import DeliveryState
from tests.kill import forks
from tests.kill.crowd import wait_for_taken
from tests.kill.judge import Terms, look, rows
from tests.kill.scene import Variant
from tests.kill.trials import Tally, words_at

if TYPE_CHECKING:
    from tests.kill.forks import Ended
    from tests.kill.trials import Stage
    from tests.stage import Site

TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
SLOW = Variant(milliseconds=150.0)
BETWEEN = 0.04
"""Seconds between two signals: sooner, and the system would make one of them."""


class Case(NamedTuple):
    """Signals, one after the other, and the exit codes that may follow."""

    signals: tuple[signal.Signals, ...]
    codes: frozenset[int]
    in_order: bool


CASES = (
    Case((TERM,), frozenset({75}), in_order=True),
    Case((INT,), frozenset({75}), in_order=True),
    Case((TERM, TERM), frozenset({-TERM}), in_order=False),
    Case((INT, INT), frozenset({130}), in_order=False),
    Case((TERM, INT), frozenset({130}), in_order=False),
    Case((HUP,), frozenset({-HUP}), in_order=False),
)


def end_by_signals(stage: Stage, rounds: int) -> Tally:
    """Each case so many times, at different moments of the run."""
    tally = Tally()
    for number in range(rounds):
        for case in CASES:
            site = stage.site(SLOW)
            ended = _signalled(stage, site, case, messages=1 + number * 3 % 9)
            problems = look(site) + _wrong_end(ended, case)
            if case.in_order:
                problems += _not_in_order(stage, site)
            problems += stage.finish(site, SLOW, 1)
            verdict = stage.judge(
                site, Terms(variant=SLOW, kills=int(not case.in_order))
            )
            verdict.problems = problems + verdict.problems
            names = "+".join(one.name for one in case.signals)
            tally.add(verdict, 0, f"{names} {number} {site.root.name}")
            key = f"{names}: exit code {ended.code}"
            tally.hits[key] = tally.hits.get(key, 0) + 1
    return tally


def _signalled(stage: Stage, site: Site, case: Case, messages: int) -> Ended:
    child = forks.start(site, words_at(0), _as_from_a_shell)
    wait_for_taken(stage, child, messages)
    for one in case.signals:
        child.send(one)
        child.is_over(BETWEEN)
    return child.wait()


def _as_from_a_shell() -> None:
    """Signals do what they do for a command that a person starts."""
    signal.signal(INT, signal.default_int_handler)
    signal.signal(TERM, signal.SIG_DFL)
    signal.signal(HUP, signal.SIG_DFL)


def _wrong_end(ended: Ended, case: Case) -> list[str]:
    clean = ended.is_clean or not case.in_order
    if ended.code in case.codes and clean:
        return []
    return [f"ended with {ended.code}, not {set(case.codes)}: {ended.err}"]


def _not_in_order(stage: Stage, site: Site) -> list[str]:
    """What is wrong where all that was on the wire should be on record."""
    stage.relay.settle()
    deliveries = rows(site)
    problems = [
        f"left in state {row.state}: {row.email}"
        for row in deliveries
        if row.state not in {DeliveryState.ACCEPTED, DeliveryState.QUEUED}
    ]
    accepted = {row.email for row in deliveries if row.state is DeliveryState.ACCEPTED}
    taken = {recipient for recipient, _ in stage.relay.taken()}
    if accepted != taken:
        problems.append(f"accepted {accepted}, but taken {taken}")
    if len(accepted) == len(deliveries):
        problems.append("it did not end early at all")
    return problems

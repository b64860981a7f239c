"""Outcomes become results for the ledger, counts for people, and at times a warning."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from postroom.errors import PostroomError, RelayRefusedError
from postroom.mail.outcome import DeliveryState, Outcome, Phase, is_policy
from postroom.mail.retry import plan_retry
from postroom.store.values import Result

if TYPE_CHECKING:
    from postroom.delivery.ledger import Ledger
    from postroom.delivery.settings import DeliverySettings, Progress
    from postroom.delivery.work import Work
    from postroom.mail.outcome import Reply

STREAK_LIMIT = 10
"""So many refusals about us without one acceptance are our fault: spare the others."""
FAILURES_NAMED = 100
"""Failed recipients that a run names; the ledger has all of them."""


class Tally:
    """Records and counts outcomes; `fault` is set when going on would do harm."""

    def __init__(
        self,
        settings: DeliverySettings,
        ledger: Ledger,
        progress: Progress | None,
        total: int,
    ) -> None:
        self.counts: Counter[DeliveryState] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.fault: PostroomError | None = None
        self._settings = settings
        self._ledger = ledger
        self._progress = progress
        self._total = total
        self._streak = 0

    def settle(self, work: Work, outcome: Outcome) -> None:
        """Record what became of `work`; only the first word about it counts."""
        if work.settled:
            return
        work.settled = True
        retry_at = None
        if outcome.state is DeliveryState.DEFERRED:
            attempts, jitter = work.claim.attempts + 1, self._settings.random()
            retry_at = plan_retry(self._settings.clock(), attempts, jitter)
        self._ledger.record(
            work, Result(work.claim, outcome, retry_at, work.message_id)
        )
        if outcome.state is not DeliveryState.QUEUED:
            self._count(work, outcome)

    def give_back(self, work: Work) -> None:
        """Queue `work` again; nothing was sent, and the attempt does not count."""
        state = DeliveryState.QUEUED
        self.settle(work, Outcome(state=state, phase=Phase.CONNECT, reply=None))

    def _count(self, work: Work, outcome: Outcome) -> None:
        self.counts[outcome.state] += 1
        if outcome.state is DeliveryState.ACCEPTED:
            self._streak = 0
        elif outcome.state is DeliveryState.FAILED:
            self._note_failure(work, outcome.reply)
        if self._progress:
            decided = self.counts.total()
            self._progress(decided, max(decided, self._total))

    def _note_failure(self, work: Work, reply: Reply | None) -> None:
        if len(self.failures) < FAILURES_NAMED:
            self.failures.append((work.claim.email, str(reply or "")))
        if work.obstacle or (reply and is_policy(reply)):
            self._streak += 1
        if self._streak < STREAK_LIMIT or self.fault:
            return
        if work.obstacle:
            self.fault = PostroomError(
                f"{self._streak} letters in a row failed, the last one with us:"
                f" {work.obstacle}",
                cure="mend that, then run again; those already failed stay failed",
            )
        else:
            self.fault = RelayRefusedError(
                f"{self._streak} letters in a row were refused on policy: {reply}",
                cure="check the login, SPF, DKIM and DMARC of mail.from, then run again",
            )

"""What the lanes of a run share: the claims that wait, the pace, and how it all ends."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from postroom.delivery.domains import Domains
from postroom.delivery.outlet import may_take
from postroom.delivery.settings import VERDICT_RESERVE
from postroom.mail.outcome import internal_outcome

if TYPE_CHECKING:
    from postroom.delivery.ledger import Ledger
    from postroom.delivery.outlet import Outlet
    from postroom.delivery.press import Press
    from postroom.delivery.settings import DeliverySettings
    from postroom.delivery.tally import Tally
    from postroom.delivery.work import Work
    from postroom.errors import PostroomError

BATCH = 1000
"""Deliveries per claim: one commit, under a tenth of a second of work at full speed."""
LOW = 2
"""When less than one in so many of a batch still waits, the next claim begins: it may
take two flushes of the disk, and the lanes are to have work for as long."""
BATCH_SECONDS = 30.0
"""With a rate limit a batch is no more than this much work."""
PARKED = 500
"""Messages that wait for their domain's turn; with so many, no others are begun."""


class Dispatch:
    """Gives works to lanes until there are none or `stop` is called."""

    def __init__(
        self,
        settings: DeliverySettings,
        ledger: Ledger,
        tally: Tally,
        press: Press,
        outlets: list[Outlet],
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.tally = tally
        self.press = press
        self.outlets = outlets
        self.lanes: list[asyncio.Task[None]] = []
        self.stopping = False
        """Whether nothing more is to be begun."""
        self._fault: PostroomError | None = None
        self._waiting: deque[Work] = deque()
        self._domains = Domains(settings.domain_rate, settings.domain_rates)
        self._under_way = 0
        """Taken by a lane and neither settled nor put back."""
        self._claiming: asyncio.Task[None] | None = None
        self._exhausted = False
        """The ledger had nothing the last time it was asked, and got nothing back since."""
        self._gave_back = False
        """Something, since the ledger was asked."""
        self._error: Exception | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._batch = self._affordable()
        self._unlimited = not (
            len(outlets) > 1
            or outlets[0].transport.rate
            or settings.domain_rate
            or settings.domain_rates
        )
        """Nobody has to wait for a turn."""
        press.wake = self.wake

    # -- how it ends ---------------------------------------------------------------

    @property
    def fault(self) -> PostroomError | None:
        """Why the run ended before its work did; ask once all lanes have ended."""
        fault = self._fault or self.tally.fault
        gone = [outlet.out for outlet in self.outlets if outlet.out]
        if not fault and len(gone) == len(self.outlets):
            return gone[-1]
        return fault

    def stop(self, fault: PostroomError | None = None) -> None:
        """Begin nothing more; what is on the wire has `grace` seconds for its verdict."""
        self._fault = self._fault or fault
        if not self.stopping:
            self.stopping = True
            loop = asyncio.get_running_loop()
            for lane in self.lanes:
                loop.call_later(self.settings.grace, lane.cancel)
            self.wake()

    def retire(self, outlet: Outlet, trouble: PostroomError) -> None:
        """An outlet takes no more; others, or the standbys, have its share."""
        outlet.out = outlet.out or trouble
        self.wake()

    async def finish(self) -> None:
        """Queue again what no lane took, and put everything on record.

        Raises what the ledger raised.
        """
        if self._claiming:
            await asyncio.wait({self._claiming})
        left = [*self._waiting, *self._domains.drain(), *await self.press.close()]
        for work in left:
            self.tally.give_back(work)
        await self.ledger.settle()
        if self._error:
            raise self._error

    # -- what a lane asks ----------------------------------------------------------

    def take(self, outlet: Outlet) -> Work | None:
        """The next message that `outlet` may send at this moment."""
        if self.stopping or outlet.out:
            return None
        if self._unlimited:
            work = self._compose_next()
            if work is not None:
                self._under_way += 1
            return work
        now = time.monotonic()
        if outlet.delay(now) or not may_take(outlet, self.outlets, now):
            return None
        work = self._pop(now)
        if work is None:
            return None
        outlet.start(now)
        self._under_way += 1
        if len(self.outlets) > 1:
            self.wake()  # it may be another outlet's turn now
        return work

    def done(self) -> None:
        """A work is settled; the last one lets the waiting lanes end."""
        self._under_way -= 1
        if not self._under_way:
            self.wake()

    def put_back(self, work: Work) -> None:
        """Leave `work` to the next lane that asks, or at the end to the next run."""
        self._under_way -= 1
        self._waiting.appendleft(work)
        self.wake()

    async def until_change(self, outlet: Outlet) -> bool:
        """Wait until asking again may help; False: there is nothing more to do."""
        if self._is_over(outlet):
            return False
        await self._change(self._seconds_to_turn(outlet))
        return not self._is_over(outlet)

    async def pause(self, outlet: Outlet, seconds: float) -> None:
        """Sleep, but no longer than there is something to do."""
        end = time.monotonic() + seconds
        while not self._is_over(outlet) and (left := end - time.monotonic()) > 0:
            await self._change(left)

    async def _change(self, seconds: float) -> None:
        """Wait until somebody wakes the lanes, and no longer than this; 0 is no limit."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(seconds, self.wake) if seconds else None
        try:
            await waiter
        finally:
            if timer:
                timer.cancel()

    def wake(self) -> None:
        """Let every waiting lane ask again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    @staticmethod
    def now() -> float:
        """Seconds of the clock that rates and limits go by."""
        return time.monotonic()

    def is_fresh(self, work: Work) -> bool:
        """Whether enough of the lease is left to wait for a verdict."""
        age = time.monotonic() - work.claimed_at
        return age < self.settings.lease - VERDICT_RESERVE

    # -- claims --------------------------------------------------------------------

    def _is_over(self, outlet: Outlet) -> bool:
        return self.stopping or outlet.out is not None or self._is_finished()

    def _is_finished(self) -> bool:
        return (
            self._exhausted
            and not self._under_way
            and not self._domains.count
            and not self._waiting
            and self.press.is_empty
        )

    def _affordable(self) -> int:
        """How many to claim at once: no more than the rates let go in a while."""
        rates = [outlet.transport.rate for outlet in self.outlets]
        lanes = sum(outlet.transport.connections for outlet in self.outlets)
        if not all(rates):
            return BATCH
        return max(lanes, min(BATCH, int(sum(rates) * BATCH_SECONDS)))

    def _pop(self, now: float) -> Work | None:
        """The next composed work whose domain has its turn."""
        work = self._domains.pop(now, self._keeps)
        while work is None and self._domains.count < PARKED and not self.stopping:
            work = self._compose_next()
            if work is None:
                break
            if not self._domains.admits(work, now):
                work = None
        return work

    def _compose_next(self) -> Work | None:
        if len(self._waiting) * LOW < self._batch:
            self._claim_soon()
        while True:
            work = self.press.take(self._waiting)
            if work is None:
                return None
            if work.obstacle:
                self.tally.settle(work, internal_outcome(work.obstacle))
                if self.tally.fault:
                    self.stop()
                    return None
            elif self._keeps(work):
                return work

    def _keeps(self, work: Work) -> bool:
        """Whether `work` can still leave; if not, it is claimed anew."""
        if self.is_fresh(work):
            return True
        self.tally.give_back(work)
        self._gave_back = True
        self._exhausted = False
        self._claim_soon()
        return False

    def _seconds_to_turn(self, outlet: Outlet) -> float:
        """How long until a rate lets something go; 0: only a change will."""
        now = time.monotonic()
        delays = [outlet.delay(now), self._domains.seconds_to_turn(now)]
        return min((delay for delay in delays if delay), default=0.0)

    def _claim_soon(self) -> None:
        idle = self._claiming is None or self._claiming.done()
        if idle and not self.stopping and not self._exhausted:
            self._claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        self._gave_back = False
        try:
            works = await self.ledger.claim(self._batch)
        except Exception as error:  # noqa: BLE001 - raised by `finish`
            self._error = error
            self.stop()
            return
        # Those over whom the relay breaks off must not keep it from those behind them.
        works.sort(key=_was_tried)
        self._waiting.extend(works)
        self._exhausted = not (works or self._gave_back)
        self.wake()


def _was_tried(work: Work) -> bool:
    return work.claim.attempts > 0

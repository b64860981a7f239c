"""What the lanes of a run share: the claims that wait, the pace, and how it all ends."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from postroom.delivery.settings import VERDICT_RESERVE

if TYPE_CHECKING:
    from postroom.delivery.ledger import Ledger, Work
    from postroom.delivery.settings import DeliverySettings
    from postroom.delivery.tally import Tally
    from postroom.errors import PostroomError

BATCH = 64
"""Deliveries per claim: one commit for them, and 64 messages of 40 KB are 2.6 MB."""
BATCH_SECONDS = 30.0
"""With a rate limit a batch is no more than this much work."""


class Dispatch:
    """Hands claims to `connections` lanes until there are none or `stop` is called."""

    def __init__(
        self, settings: DeliverySettings, ledger: Ledger, tally: Tally, connections: int
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.tally = tally
        self.connections = connections
        self.lanes: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._fault: PostroomError | None = None
        self._away: list[PostroomError] = []
        self._waiting: deque[Work] = deque()
        self._claiming = asyncio.Lock()
        self._next_turn = 0.0

    @property
    def stopping(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._stopping.is_set()

    @property
    def fault(self) -> PostroomError | None:
        """Why the run ended before its work did; ask once all lanes have ended."""
        if self._away and (self._waiting or len(self._away) == self.connections):
            return self._fault or self.tally.fault or self._away[-1]
        return self._fault or self.tally.fault

    def stop(self, fault: PostroomError | None = None) -> None:
        """Begin nothing more; what is on the wire has `grace` seconds for its verdict."""
        self._fault = self._fault or fault
        if not self.stopping:
            self._stopping.set()
            loop = asyncio.get_running_loop()
            for lane in self.lanes:
                loop.call_later(self.settings.grace, lane.cancel)

    def give_up(self, trouble: PostroomError) -> None:
        """One lane ends for `trouble`; a fault of the run only if work is left over."""
        self._away.append(trouble)

    async def take(self) -> Work | None:
        """The next claim with its message; None when there is no more to do."""
        async with self._claiming:
            while self._waiting and not self.is_fresh(self._waiting[0]):
                self.tally.give_back(self._waiting.popleft())
            if not self._waiting and not self.stopping:
                await self.ledger.settle()  # what was given back can be claimed again
                self._waiting.extend(await self.ledger.claim(self._limit()))
            if self.stopping or not self._waiting:
                return None
            return self._waiting.popleft()

    def _limit(self) -> int:
        if not self.settings.rate:
            return BATCH
        affordable = int(self.settings.rate * BATCH_SECONDS)
        return max(self.connections, min(BATCH, affordable))

    def is_fresh(self, work: Work) -> bool:
        """Whether enough of the lease is left to wait for a verdict."""
        age = time.monotonic() - work.claimed_at
        return age < self.settings.lease - VERDICT_RESERVE

    def put_back(self, work: Work) -> None:
        """Leave unsettled `work` to the other lanes, or at the end to the next run."""
        if not work.settled:
            self._waiting.appendleft(work)

    def give_back_all(self) -> None:
        """Queue again what no lane took."""
        for work in self._waiting:
            self.tally.give_back(work)

    async def turn(self) -> None:
        """Wait for the next moment that the rate allows, or until the run stops."""
        if self.settings.rate:
            now = time.monotonic()
            mine = max(self._next_turn, now)
            self._next_turn = mine + 1.0 / self.settings.rate
            await self.pause(mine - now)

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the run stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

"""The store in a thread of its own, and the journal between its commits.

An intent, and with it every outcome gathered since the last one, is on record in one
write before its dot leaves; SQLite gets the outcomes in groups, later. A lane's former
outcome is always written before, or with, its next intent, so that a killed run leaves
at most one delivery per connection in doubt.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from postroom.delivery.work import Work
from postroom.mail.outcome import DeliveryState
from postroom.store.values import Durability

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor
    from datetime import datetime

    from postroom.delivery.settings import DeliverySettings
    from postroom.store.base import Journal, Store
    from postroom.store.values import Claimed, Result

T = TypeVar("T")

GROUP = 500
GROUP_SECONDS = 0.05
"""Outcomes go to SQLite when so many wait, or after so long: one commit for all."""
JOURNAL_LIMIT = 4 * 1024 * 1024
"""Octets (about 20,000 messages) after which the journal begins again."""


class Ledger:
    """What a run asks of its store, from the event loop; `thread` has one worker.

    An error of the store or the journal ends it: every later question raises the same.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        settings: DeliverySettings,
        thread: Executor,
    ) -> None:
        self._store = store
        self._journal = journal
        self._settings = settings
        self._thread = thread
        self.passed_over: Counter[DeliveryState] = Counter()
        """Skipped or expired while claiming."""
        self._under_way: dict[Work, None] = {}
        """Intended, no outcome yet."""
        self._unwritten: list[Result] = []
        """Not in the journal yet."""
        self._results: list[Result] = []
        """Not in SQLite yet, nor on their way there."""
        self._given_back = False
        """Whether some of these can be claimed again once they are there."""
        self._recorded = 0
        self._committed = 0
        """Outcomes taken in all, and of these in SQLite."""
        self._asked: list[tuple[Work, asyncio.Future[bool]]] = []
        """Intents that wait for the disk."""
        self._syncer: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fault: Exception | None = None

    async def open_deliveries(self) -> int:
        """How many deliveries are open, whatever their state."""
        return sum((await self._call(self._store.open_deliveries)).values())

    async def claim(self, limit: int) -> list[Work]:
        """Claim up to `limit` deliveries, all that was given back among them."""
        if self._given_back:
            self._given_back = False
            await self.settle()
        now = self._settings.clock()
        claimed_at = time.monotonic()
        decode = await self._call(self._claim, limit, now)
        claims, passed_over = decode()
        self.passed_over.update(passed_over)
        return [Work(claim, claimed_at) for claim in claims]

    def intend(self, work: Work) -> bool | Awaitable[bool]:
        """Put on record that `work` is handed over from now on; see `smtp.base.Feed`."""
        if self._fault:
            raise self._fault
        if self._settings.durability is Durability.POWER:
            return self._intend_on_disk(work)
        self._write([work])
        return True

    def record(self, work: Work, result: Result) -> None:
        """Take an outcome: to the journal with the next intent, to SQLite in a group."""
        self._under_way.pop(work, None)
        self._unwritten.append(result)
        if result.outcome.state is DeliveryState.QUEUED:
            self._given_back = True
        self._results.append(result)
        self._recorded += 1
        if len(self._results) >= GROUP:
            self._commit_soon()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GROUP_SECONDS, self._commit_soon)

    async def settle(self) -> None:
        """Return once everything recorded until now is in SQLite."""
        wanted = self._recorded
        while self._committed < wanted and not self._fault:
            await self._commit_soon()
        if self._fault:
            raise self._fault

    # -- the journal ---------------------------------------------------------------

    def _write(self, works: list[Work]) -> None:
        """Outcomes gathered and these intents, in one write."""
        intents = [(work.claim, work.message.message_id) for work in works]
        try:
            self._journal.write(self._unwritten, intents)
        except Exception as error:
            self._fault = error
            raise
        self._unwritten.clear()
        for work in works:
            self._under_way[work] = None

    async def _intend_on_disk(self, work: Work) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append((work, answer))
        if self._syncer is None or self._syncer.done():
            self._syncer = asyncio.create_task(self._sync())
        return await answer

    async def _sync(self) -> None:
        """One flush of the disk serves all who ask while the last one is under way."""
        while self._asked:
            asked = [one for one in self._asked if not one[1].done()]
            self._asked = []
            try:
                self._write([work for work, _ in asked])
                await asyncio.to_thread(self._journal.sync)
            except Exception as error:  # noqa: BLE001 - handed to everyone who waits
                self._fault = self._fault or error
                for _, answer in asked + self._asked:
                    if not answer.done():
                        answer.set_exception(error)
                return
            for _, answer in asked:
                if not answer.done():  # else the lane was cancelled meanwhile
                    answer.set_result(True)

    def _shorten_journal(self) -> None:
        if self._journal.octets > JOURNAL_LIMIT:
            intents = [
                (work.claim, work.message.message_id) for work in self._under_way
            ]
            self._journal.restart(self._results, intents)
            self._unwritten.clear()

    # -- the store -----------------------------------------------------------------

    def _call(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, function, *arguments)

    def _claim(self, limit: int, now: datetime) -> Callable[[], Claimed]:
        return self._store.begin_claim(
            self._settings.run,
            limit,
            now,
            lease=self._settings.lease,
            expire=now - self._settings.max_retry,
        )

    def _commit_soon(self) -> Awaitable[None]:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._commit())
        return self._writer

    async def _commit(self) -> None:
        """Commit what has gathered, and what gathers meanwhile if that is due, too."""
        try:
            while self._results and not self._fault:
                results, self._results = self._results, []
                # Rows are made here: a thread that needed the interpreter, too, would
                # have to be waited for at every system call of this one.
                await self._call(self._store.begin_results(results))
                if not self._results:
                    self._unwritten.clear()  # SQLite has them all
                self._committed += len(results)
                self._shorten_journal()
                if self._timer and len(self._results) < GROUP:
                    return  # which are not due yet
        except Exception as error:  # noqa: BLE001 - raised to everyone who asks later
            self._fault = self._fault or error

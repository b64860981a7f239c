"""The store in a thread of its own; one commit serves all who wait.

What the lanes ask for while the thread commits gathers, and goes into the next commit
together. A lane's former result is always written before, or with, its next intent, so
that a killed run leaves at most one delivery per connection in doubt.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Executor

    from postroom.delivery.settings import Compose, DeliverySettings
    from postroom.mail.message import Message
    from postroom.mail.outcome import DeliveryState
    from postroom.store.base import Claim, Result, Store

    Asked = tuple[Claim, str, asyncio.Future[bool]]
    """An intent, its Message-ID, and where the answer goes."""

T = TypeVar("T")

GROUP = 50
GROUP_SECONDS = 0.05
"""Results wait for the next intent, so many others, or so long, and then are written."""


@dataclass(slots=True, kw_only=True)
class Work:
    """A claim with its message, or with the reason why there is none."""

    claim: Claim
    message: Message | None = None
    obstacle: str = ""
    claimed_at: float
    """By the monotonic clock, before the store was asked."""
    breaks: int = 0
    """How often the relay broke off over this recipient."""
    settled: bool = False


class Ledger:
    """What a run asks of its store, from the event loop; `thread` has one worker.

    An error of the store ends it: every later question raises the same error.
    """

    def __init__(
        self,
        store: Store,
        compose: Compose,
        settings: DeliverySettings,
        thread: Executor,
    ) -> None:
        self._store = store
        self._compose = compose
        self._settings = settings
        self._thread = thread
        self.passed_over: Counter[DeliveryState] = Counter()
        """Skipped or expired while claiming."""
        self._intents: list[Asked] = []
        self._results: list[Result] = []
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fault: Exception | None = None

    async def open_deliveries(self) -> int:
        """How many deliveries are open, whatever their state."""
        return sum((await self._call(self._store.open_deliveries)).values())

    async def claim(self, limit: int) -> list[Work]:
        """Claim up to `limit` deliveries and compose their messages."""
        self._raise_fault()
        return await self._call(self._claim, limit)

    async def intend(self, claim: Claim, message_id: str) -> bool:
        """Return once the intent is durable; False where the claim is stale."""
        self._raise_fault()
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._intents.append((claim, message_id, answer))
        self._write_soon()
        return await answer

    def record(self, result: Result) -> None:
        """Write a result with the next intents, or by itself in a moment."""
        self._results.append(result)
        if len(self._results) >= GROUP:
            self._write_soon()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GROUP_SECONDS, self._write_soon)

    async def settle(self) -> None:
        """Return once everything is written."""
        self._write_soon()
        if self._writer:
            await self._writer
        self._raise_fault()

    def _call(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, function, *arguments)

    def _raise_fault(self) -> None:
        if self._fault:
            raise self._fault

    def _write_soon(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Commit what has gathered, again and again until nothing has.

        Results first: a lane's next intent must not outlive its former result.
        """
        while (self._intents or self._results) and not self._fault:
            intents, self._intents = self._intents, []
            results, self._results = self._results, []
            asked = [(claim, message_id) for claim, message_id, _ in intents]
            try:
                answers = await self._call(self._store.record, results, asked)
            except Exception as error:  # noqa: BLE001 - handed to everyone who waits
                self._fault = error
                self._fail(intents + self._intents, error)
                return
            for (_, _, answer), granted in zip(intents, answers, strict=True):
                if not answer.done():  # else the lane was cancelled meanwhile
                    answer.set_result(granted)

    def _fail(self, intents: Sequence[Asked], error: Exception) -> None:
        for _, _, answer in intents:
            if not answer.done():
                answer.set_exception(error)

    # -- in the store's thread ---------------------------------------------------

    def _claim(self, limit: int) -> list[Work]:
        now = self._settings.clock()
        claimed_at = time.monotonic()
        claims, passed_over = self._store.claim(
            self._settings.run,
            limit,
            now,
            lease=self._settings.lease,
            expire=now - self._settings.max_retry,
        )
        self.passed_over.update(passed_over)
        return [self._prepare(claim, claimed_at) for claim in claims]

    def _prepare(self, claim: Claim, claimed_at: float) -> Work:
        work = Work(claim=claim, claimed_at=claimed_at)
        try:
            work.message = self._compose(claim)
        except Exception as error:  # noqa: BLE001 - one bad letter must not stop the others
            work.obstacle = str(error) or type(error).__name__
        return work

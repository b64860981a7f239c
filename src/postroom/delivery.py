"""One delivery run: claim, compose, hand over, record; as many sessions as allowed.

    feeder ──► queue (bounded) ──► sessions ──► recorder ──► ledger
    claims and composes            one message   intents and results of all
    in the ledger's thread         at a time     who wait, in one commit

The store is called from one thread only. A message's intent is durable before the
session may send what makes the receiver take responsibility; its result is durable
before the run ends. Whatever kills the run leaves rows that `Store.recover` settles.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from postroom.errors import PostroomError, RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState, Outcome, Phase, internal_outcome
from postroom.mail.retry import plan_retry
from postroom.store.base import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import datetime, timedelta

    from postroom.mail.message import Message
    from postroom.smtp.base import Session, Transport
    from postroom.store.base import Claim, Store

T = TypeVar("T")

LEASE_SECONDS = 1800
"""Longer than the longest verdict (600 s) and everything before it in one session."""
CLAIMED_AT_ONCE = 50
"""What a crash can leave `claimed`; one commit for so many costs each next to nothing."""
GRACE_SECONDS = 30.0
"""What is on the wire may finish when the run is told to stop."""
RECONNECTS = (0.2, 1.0, 3.0)
"""Seconds before each try to reach a relay again; then the run leaves it to the next."""
MAX_GIVEN_BACK = 20
"""Deliveries in a row that the relay would not judge: it is away, whatever it says."""
MAX_FAILURES_NAMED = 100
"""Failed recipients kept for the report; the ledger has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What a run is told: whose it is, its clock and dice, how fast and how long."""

    run: int
    clock: Callable[[], datetime]
    random: Callable[[], float]
    max_retry: timedelta
    """Editions frozen longer ago expire."""
    rate: float = 0.0
    """Messages a second over all sessions; 0 is no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a run decided. `fault` ended it early: the relay is away, or refuses us."""

    counts: dict[DeliveryState, int]
    failures: tuple[tuple[str, str], ...]
    """(address, words), at most `MAX_FAILURES_NAMED`."""
    fault: PostroomError | None
    stopped: bool
    """A signal ended it early."""


def deliver(
    store: Store,
    transport: Transport,
    compose: Callable[[Claim], Message],
    settings: DeliverySettings,
    progress: Callable[[int, int], None] | None = None,
) -> Delivered:
    """Hand over everything that is queued, or deferred and due.

    `compose` is called in the store's thread; what it raises fails that one delivery.
    Raises what the store raises: nothing more is handed over then.
    """
    return asyncio.run(_Run(store, transport, compose, settings, progress).deliver())


class _Run:
    """The state of one run; everything but the store's thread is one event loop."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        compose: Callable[[Claim], Message],
        settings: DeliverySettings,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.store = store
        self.transport = transport
        self.compose = compose
        self.settings = settings
        self.progress = progress
        self.recorder = _Recorder(store)
        self.tasks: asyncio.Queue[_Task | None] = asyncio.Queue(
            maxsize=2 * transport.connections
        )
        self.pace = _Pace(settings.rate)
        self.stop = asyncio.Event()
        self.counts: Counter[DeliveryState] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.fault: PostroomError | None = None
        self.signalled = False
        self.total = 0
        self.given_back = 0

    async def deliver(self) -> Delivered:
        """Feed and send until nothing is due, a fault ends it, or a signal does."""
        waiting = await self.recorder.call(self.store.open_deliveries)
        self.total = sum(waiting.values())
        try:
            with self._signals():
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._feed())
                    for _ in range(self.transport.connections):
                        group.create_task(self._work())
                await self.recorder.finish()
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        finally:
            self.recorder.close()
        return Delivered(
            counts=dict(self.counts),
            failures=tuple(self.failures),
            fault=self.fault,
            stopped=self.signalled,
        )

    # -- claiming ------------------------------------------------------------------

    async def _feed(self) -> None:
        """Claim and compose ahead of the sessions, as far as the queue holds."""
        while not self.stop.is_set():
            claimed = await self.recorder.call(self._claim)
            if not claimed:
                break
            for task in claimed:
                await self.tasks.put(task)
        for _ in range(self.transport.connections):
            await self.tasks.put(None)

    def _claim(self) -> list[_Task]:
        """In the store's thread: claims, each with its message or why there is none."""
        now = self.settings.clock()
        claims = self.store.claim(
            self.settings.run,
            CLAIMED_AT_ONCE,
            now,
            lease=LEASE_SECONDS,
            expire=now - self.settings.max_retry,
        )
        return [self._composed(claim) for claim in claims]

    def _composed(self, claim: Claim) -> _Task:
        try:
            return _Task(claim=claim, message=self.compose(claim))
        except Exception as error:  # noqa: BLE001 - one bad delivery never stops the others
            why = str(error) if isinstance(error, PostroomError) else repr(error)
            return _Task(claim=claim, failed=internal_outcome(why))

    # -- sending -------------------------------------------------------------------

    async def _work(self) -> None:
        """One connection: take tasks until there are no more; after a fault give back."""
        session: Session | None = None
        try:
            while (task := await self.tasks.get()) is not None:
                session = await self._attempt(task, session)
        finally:
            await self._dropped(session)

    async def _attempt(self, task: _Task, session: Session | None) -> Session | None:
        """Try one delivery and record what became of it; return the session to go on with."""
        outcome = task.failed or GIVEN_BACK
        if task.message is not None and not self.stop.is_set():
            try:
                if session is None:
                    session = await self._connect()
                await self.pace.wait(self.stop)
                if not self.stop.is_set():
                    outcome = await session.send(task.message, self._intend(task))
            except RelayAwayError as error:
                await self._dropped(session)
                session = None
                self._count_given_back(error)
            except RelayRefusedError as error:
                await self._dropped(session)
                session = None
                self._end(error)
            else:
                self._note_progress(outcome)
        self._record(task.claim, outcome)
        return session

    async def _dropped(self, session: Session | None) -> None:
        """Close what a fault left; the task's outcome stays `GIVEN_BACK`."""
        if session is not None:
            with suppress(PostroomError, OSError):
                await session.close()

    async def _connect(self) -> Session:
        """Open a session; a relay that is away is tried a few times."""
        for seconds in RECONNECTS:
            try:
                return await self.transport.open()
            except RelayAwayError:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), seconds)
                    break
        try:
            return await self.transport.open()
        except RelayAwayError as error:
            self._end(error)
            raise

    def _intend(self, task: _Task) -> Callable[[], Awaitable[bool]]:
        message = task.message
        assert message is not None  # noqa: S101 - only composed tasks are sent

        async def intend() -> bool:
            return await self.recorder.intend(task.claim, message.message_id)

        return intend

    # -- results -------------------------------------------------------------------

    def _record(self, claim: Claim, outcome: Outcome) -> None:
        retry_at = None
        if outcome.state is DeliveryState.DEFERRED:
            retry_at = plan_retry(
                self.settings.clock(), claim.attempts + 1, self.settings.random()
            )
        self.recorder.record(Result(claim=claim, outcome=outcome, retry_at=retry_at))
        if outcome.state is DeliveryState.QUEUED:
            return
        self.counts[outcome.state] += 1
        if (
            outcome.state is DeliveryState.FAILED
            and len(self.failures) < MAX_FAILURES_NAMED
        ):
            self.failures.append((claim.email, str(outcome.reply or "")))
        if self.progress is not None:
            self.progress(sum(self.counts.values()), self.total)

    def _note_progress(self, outcome: Outcome) -> None:
        """A verdict shows that the relay works; none in a row shows that it does not."""
        if outcome.state is not DeliveryState.QUEUED:
            self.given_back = 0
            return
        words = str(outcome.reply or "no reply")
        self._count_given_back(
            RelayAwayError(
                f"the relay judges no letter: {words}",
                cure="it is tried again with the next run",
            )
        )

    def _count_given_back(self, error: PostroomError) -> None:
        self.given_back += 1
        if self.given_back >= MAX_GIVEN_BACK:
            self._end(error)

    def _end(self, fault: PostroomError) -> None:
        self.fault = self.fault or fault
        self.stop.set()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT: finish what is on the wire; a second one ends at once."""
        loop = asyncio.get_running_loop()
        watched = []
        with suppress(
            ValueError, RuntimeError
        ):  # not the main thread: the caller's matter
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._on_signal, number)
                watched.append(number)
        try:
            yield
        finally:
            for number in watched:
                loop.remove_signal_handler(number)

    def _on_signal(self, number: int) -> None:
        self.signalled = True
        self.stop.set()
        asyncio.get_running_loop().remove_signal_handler(number)


GIVEN_BACK = Outcome(state=DeliveryState.QUEUED, phase=Phase.CONNECT, reply=None)
"""The attempt did not happen, or was judged by nobody: it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A claim with its message, or with why there is none."""

    claim: Claim
    message: Message | None = None
    failed: Outcome | None = None


class _Pace:
    """At most `rate` messages a second, shared by all sessions."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._next = 0.0

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait for this message's turn, or for the end of the run."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._gap
        if turn > now:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), turn - now)


class _Recorder:
    """The one way to the store: a single thread, and one commit for all who wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._intents: list[tuple[Claim, str, asyncio.Future[bool]]] = []
        self._results: list[Result] = []
        self._writing: asyncio.Task[None] | None = None

    async def call(self, function: Callable[[], T]) -> T:
        """Call the store in its thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function)

    async def intend(self, claim: Claim, message_id: str) -> bool:
        """Return, once the intent is durable, whether the claim still holds."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._intents.append((claim, message_id, answer))
        self._wake()
        return await answer

    def record(self, result: Result) -> None:
        """Write a result soon: before any later intent, and before the run ends."""
        self._results.append(result)
        self._wake()

    async def finish(self) -> None:
        """Return when everything is written; raise what the store raised."""
        while self._writing is not None:
            await self._writing

    def close(self) -> None:
        """Give the thread back."""
        self._thread.shutdown()

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Write what waits, as long as something does: whoever comes meanwhile is next."""
        intents: list[tuple[Claim, str, asyncio.Future[bool]]] = []
        try:
            while self._intents or self._results:
                intents, self._intents = self._intents, []
                results, self._results = self._results, []
                pairs = [(claim, message_id) for claim, message_id, _ in intents]
                answers = await self.call(partial(self._commit, pairs, results))
                for (_, _, waiting), answer in zip(intents, answers, strict=True):
                    if not waiting.done():
                        waiting.set_result(answer)
        except BaseException as error:
            for _, _, waiting in [*intents, *self._intents]:
                if not waiting.done():
                    waiting.set_exception(error)
            raise
        self._writing = None

    def _commit(
        self, intents: list[tuple[Claim, str]], results: list[Result]
    ) -> list[bool]:
        if results:
            self._store.record_results(results)
        return self._store.record_intents(intents) if intents else []

"""The delivery run: what is queued or due goes to the relay, verdicts into the ledger.

    claim ─► compose ─► [lane: MAIL RCPT DATA ─► intent durable ─► dot ─► verdict] ─► result

Several lanes (one connection each) send at once. One thread does all the store's work:
what the lanes ask for while it commits waits together for the next commit, so that one
flush of the disk serves all of them. A lane's former result is always written before,
or with, its next intent; so a killed run leaves at most one delivery per connection in
doubt. Nothing here decides what a reply means: that is `mail.outcome`.

The caller has begun the run and recovered what earlier ones left. The first SIGTERM or
SIGINT ends the run in order, the second at once.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import PostroomError, RelayAwayError, RelayRefusedError
from postroom.mail.outcome import (
    DeliveryState,
    Outcome,
    Phase,
    Reply,
    internal_outcome,
    is_policy,
)
from postroom.mail.retry import plan_retry
from postroom.store.base import Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from typing import TypeVar

    from postroom.mail.message import Message
    from postroom.smtp.base import Session, Transport
    from postroom.store.base import Claim, Store

    Compose = Callable[[Claim], Message]
    Progress = Callable[[int, int], None]
    T = TypeVar("T")

BATCH = 64
"""Deliveries per claim: one commit for them, and 64 messages of 40 KB are 2.6 MB."""
BATCH_SECONDS = 30.0
"""With a rate limit a batch is no more than this much work."""
LEASE_SECONDS = 1800
"""How long a claim is ours: a batch's wait, a slow transaction and its verdict."""
VERDICT_RESERVE = 660.0
"""Of the lease; no dot leaves later, for a verdict may take 600 s (RFC 5321 §4.5.3.2.6)."""
GROUP = 50
GROUP_SECONDS = 0.05
"""Results wait for the next intent, so many others, or so long, and then are written."""
BACK_OFF = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each new connection of a lane that gets nowhere; then it gives up."""
GRACE_SECONDS = 30.0
"""How long a stopped run waits for verdicts under way."""
TWICE = 2
"""A relay that breaks off so often over one recipient does not like that recipient."""
STREAK_LIMIT = 10
"""So many refusals about us without one acceptance are our fault: spare the others."""
FAILURES_NAMED = 100
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What a run is told; `clock` may be simulated, leases go by the real one."""

    run: int
    clock: Callable[[], datetime]
    random: Callable[[], float]
    """0 to 1, for the random part of retries."""
    max_retry: timedelta
    """Editions frozen longer ago than this expire."""
    rate: float = 0.0
    """Messages a second over all connections; 0 is no limit."""
    lease: int = LEASE_SECONDS
    """Seconds; more than `VERDICT_RESERVE`."""
    grace: float = GRACE_SECONDS
    back_off: tuple[float, ...] = BACK_OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a run decided. Conservation is the store's to check (`unbalanced`)."""

    counts: Mapping[DeliveryState, int]
    """Deliveries by the state this run put them into, `queued` left out."""
    failures: tuple[tuple[str, str], ...] = ()
    """(address, reply) of the first failed ones."""
    fault: PostroomError | None = None
    """Why the run ended before its work did; the rest is queued still."""
    stopped: bool = False
    """Whether a signal ended it."""


def deliver(
    store: Store,
    transport: Transport,
    compose: Compose,
    settings: DeliverySettings,
    progress: Progress | None = None,
) -> Delivered:
    """Hand over everything that is queued, or deferred and due; return what became of it.

    `compose` makes a claim's message; it is called in the store's thread and may read
    the store. What it raises fails that one delivery. `progress` is called with
    (decided so far, in all). Errors of the store end the run at once and are raised;
    what was under way then is recovered by the next run.
    """
    if settings.lease <= VERDICT_RESERVE:
        raise ValueError(f"a lease must be longer than {VERDICT_RESERVE:g} s")
    return asyncio.run(_run(store, transport, compose, settings, progress))


async def _run(
    store: Store,
    transport: Transport,
    compose: Compose,
    settings: DeliverySettings,
    progress: Progress | None,
) -> Delivered:
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as thread:
        ledger = _Ledger(store, compose, settings, thread)
        tally = _Tally(settings, ledger, progress)
        tally.total = await ledger.call(_queued, store)
        run = _Run(transport, settings, ledger, tally)
        with run.stopped_by_signals():
            await run.to_the_end()
    return tally.delivered(run)


def _queued(store: Store) -> int:
    return store.open_deliveries().get(DeliveryState.QUEUED, 0)


@dataclass(slots=True, kw_only=True)
class _Work:
    """A claim with its message, or with the reason why there is none."""

    claim: Claim
    message: Message | None
    obstacle: str = ""
    claimed_at: float
    """By the monotonic clock, before the store was asked."""
    breaks: int = 0
    """How often the relay broke off over this recipient."""
    settled: bool = False


class _Ledger:
    """The store in a thread of its own; one commit serves all who wait."""

    def __init__(
        self,
        store: Store,
        compose: Compose,
        settings: DeliverySettings,
        thread: ThreadPoolExecutor,
    ) -> None:
        self._store = store
        self._compose = compose
        self._settings = settings
        self._thread = thread
        self.passed_over: Counter[DeliveryState] = Counter()
        """Skipped or expired while claiming."""
        self._intents: list[tuple[Claim, str, asyncio.Future[bool]]] = []
        self._results: list[Result] = []
        self._writer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def call(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Run `function` in the store's thread."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, function, *arguments)

    async def claim(self, limit: int) -> list[_Work]:
        """Claim up to `limit` deliveries and compose their messages."""
        return await self.call(self._claim, limit)

    async def intend(self, claim: Claim, message_id: str) -> bool:
        """Return once the intent is durable; False where the claim is stale."""
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
        """Return once everything is written; raise what the store raised."""
        self._write_soon()
        if self._writer:
            await self._writer

    def _write_soon(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._writer is None or (
            self._writer.done() and not self._writer.exception()
        ):
            self._writer = asyncio.create_task(self._write())
        elif self._writer.done():
            self._refuse(self._intents, self._writer.exception())

    async def _write(self) -> None:
        """Commit what has gathered, again and again until nothing has.

        Results first: a lane's next intent must not outlive its former result.
        """
        while self._intents or self._results:
            intents, self._intents = self._intents, []
            results, self._results = self._results, []
            asked = [(claim, message_id) for claim, message_id, _ in intents]
            try:
                answers = await self.call(self._store.record, results, asked)
            except BaseException as error:
                self._refuse(intents + self._intents, error)
                raise
            for (_, _, answer), granted in zip(intents, answers, strict=True):
                if not answer.done():
                    answer.set_result(granted)

    def _refuse(
        self,
        intents: Sequence[tuple[Claim, str, asyncio.Future[bool]]],
        error: BaseException | None,
    ) -> None:
        for _, _, answer in intents:
            if not answer.done():
                answer.set_exception(error or RuntimeError("the ledger was closed"))

    # -- in the store's thread ---------------------------------------------------

    def _claim(self, limit: int) -> list[_Work]:
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

    def _prepare(self, claim: Claim, claimed_at: float) -> _Work:
        try:
            message = self._compose(claim)
        except Exception as error:  # noqa: BLE001 - one bad letter must not stop the others
            return _Work(
                claim=claim,
                message=None,
                obstacle=str(error) or type(error).__name__,
                claimed_at=claimed_at,
            )
        return _Work(claim=claim, message=message, claimed_at=claimed_at)


class _Tally:
    """Turns outcomes into results, counts them, and notices when it is our own fault."""

    def __init__(
        self, settings: DeliverySettings, ledger: _Ledger, progress: Progress | None
    ) -> None:
        self.total = 0
        self.fault: PostroomError | None = None
        self._settings = settings
        self._ledger = ledger
        self._progress = progress
        self._counts: Counter[DeliveryState] = Counter()
        self._failures: list[tuple[str, str]] = []
        self._streak = 0

    def settle(self, work: _Work, outcome: Outcome) -> None:
        """Record what became of `work`; only the first word counts."""
        if work.settled:
            return
        work.settled = True
        retry_at = None
        if outcome.state is DeliveryState.DEFERRED:
            attempts = work.claim.attempts + 1
            retry_at = plan_retry(
                self._settings.clock(), attempts, self._settings.random()
            )
        self._ledger.record(
            Result(claim=work.claim, outcome=outcome, retry_at=retry_at)
        )
        if outcome.state is not DeliveryState.QUEUED:
            self._count(work, outcome)

    def _count(self, work: _Work, outcome: Outcome) -> None:
        self._counts[outcome.state] += 1
        if outcome.state is DeliveryState.ACCEPTED:
            self._streak = 0
        elif outcome.state is DeliveryState.FAILED:
            self._note_failure(work, outcome.reply)
        if self._progress:
            decided = self._counts.total()
            self._progress(decided, max(decided, self.total))

    def _note_failure(self, work: _Work, reply: Reply | None) -> None:
        if len(self._failures) < FAILURES_NAMED:
            self._failures.append((work.claim.email, str(reply or "")))
        if work.message is not None and not (reply and is_policy(reply)):
            return
        self._streak += 1
        if self._streak < STREAK_LIMIT or self.fault:
            return
        if work.message is None:
            self.fault = PostroomError(
                f"{self._streak} letters in a row could not be made: {work.obstacle}",
                cure="mend that, then run again; those already failed stay failed",
            )
        else:
            self.fault = RelayRefusedError(
                f"{self._streak} letters in a row were refused on policy: {reply}",
                cure="check the login, SPF, DKIM and DMARC of mail.from, then run again",
            )

    def delivered(self, run: _Run) -> Delivered:
        """Sum up."""
        return Delivered(
            counts=dict(self._counts + self._ledger.passed_over),
            failures=tuple(self._failures),
            fault=self.fault or run.fault,
            stopped=run.stopped,
        )


class _Run:
    """Lanes, the claims that wait for them, and how all of it ends."""

    def __init__(
        self,
        transport: Transport,
        settings: DeliverySettings,
        ledger: _Ledger,
        tally: _Tally,
    ) -> None:
        self.transport = transport
        self.settings = settings
        self.ledger = ledger
        self.tally = tally
        self.fault: PostroomError | None = None
        self.stopped = False
        self.stopping = asyncio.Event()
        self._trouble: RelayAwayError | None = None
        self._waiting: deque[_Work] = deque()
        self._claiming = asyncio.Lock()
        self._turn = 0.0
        self._lanes: list[asyncio.Task[None]] = []

    async def to_the_end(self) -> None:
        """Send until nothing is left, or something stops the run; give back the rest."""
        self._lanes = [
            asyncio.create_task(_Lane(self).run())
            for _ in range(self.transport.connections)
        ]
        ended = await asyncio.gather(*self._lanes, return_exceptions=True)
        for end in ended:
            if isinstance(end, Exception):
                raise end
        if self._waiting:
            self.fault = self.fault or self._trouble
        for work in self._waiting:
            self.give_back(work)
        await self.ledger.settle()

    def stop(self, fault: PostroomError | None = None) -> None:
        """Take nothing more; what is on the wire has `grace` seconds for its verdict."""
        if not self.stopping.is_set():
            self.stopping.set()
            loop = asyncio.get_running_loop()
            for lane in self._lanes:
                loop.call_later(self.settings.grace, lane.cancel)
        self.fault = self.fault or fault

    def give_up(self, trouble: RelayAwayError) -> None:
        """A lane gets nowhere; that is the run's end only if no other one does."""
        self._trouble = trouble

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """Within: the first SIGTERM or SIGINT stops the run, the second the process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        former = {number: signal.getsignal(number) for number in SIGNALS}

        def first() -> None:
            self.stopped = True
            self.stop()
            for number in SIGNALS:
                loop.remove_signal_handler(number)

        for number in SIGNALS:
            loop.add_signal_handler(number, first)
        try:
            yield
        finally:
            for number, action in former.items():
                loop.remove_signal_handler(number)
                signal.signal(number, action)

    # -- what the lanes ask for ----------------------------------------------------

    async def take(self) -> _Work | None:
        """The next claim with its message; None when there is no more to do."""
        async with self._claiming:
            while self._waiting and not self.is_fresh(self._waiting[0]):
                self.give_back(self._waiting.popleft())
            if not self._waiting and not self.stopping.is_set():
                self._waiting.extend(await self.ledger.claim(self._limit()))
            if self.stopping.is_set() or not self._waiting:
                return None
            return self._waiting.popleft()

    def _limit(self) -> int:
        if not self.settings.rate:
            return BATCH
        affordable = int(self.settings.rate * BATCH_SECONDS)
        return max(self.transport.connections, min(BATCH, affordable))

    def is_fresh(self, work: _Work) -> bool:
        """Whether enough of the lease is left to wait for a verdict."""
        age = time.monotonic() - work.claimed_at
        return age < self.settings.lease - VERDICT_RESERVE

    def put_back(self, work: _Work) -> None:
        """Leave `work` to the other lanes, or at the end to the next run."""
        if not work.settled:
            self._waiting.appendleft(work)

    def give_back(self, work: _Work) -> None:
        """Queue `work` again; nothing was sent, and the attempt does not count."""
        outcome = Outcome(state=DeliveryState.QUEUED, phase=Phase.CONNECT, reply=None)
        self.tally.settle(work, outcome)

    async def turn(self) -> None:
        """Wait for the next moment that the rate allows, or until the run stops."""
        if self.settings.rate:
            now = time.monotonic()
            self._turn = max(self._turn, now)
            seconds = self._turn - now
            self._turn += 1.0 / self.settings.rate
            await self.pause(seconds)

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the run stops."""
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            pass


class _Lane:
    """One connection at a time, renewed when it breaks; ends when it gets nowhere."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._session: Session | None = None
        self._tries = 0
        """New connections since the relay last said anything about a recipient."""

    async def run(self) -> None:
        """Deal with one claim after the other."""
        try:
            while (work := await self._run.take()) is not None:
                try:
                    if not await self._deal_with(work):
                        break
                finally:
                    self._run.put_back(work)
                if self._run.tally.fault:
                    self._run.stop()
        except BaseException:
            self._run.stop()
            raise
        finally:
            await self._drop()

    async def _deal_with(self, work: _Work) -> bool:
        """Send `work`, over new connections if need be; False when the lane is at its end."""
        if work.message is None:
            self._run.tally.settle(work, internal_outcome(work.obstacle))
            return True
        await self._run.turn()
        while not work.settled and not self._run.stopping.is_set():
            try:
                trouble = await self._attempt(work, work.message)
            except RelayAwayError as error:
                trouble = error
            except RelayRefusedError as error:
                self._run.stop(error)
                return False
            if trouble and not await self._renew(trouble):
                return False
        return True

    async def _attempt(self, work: _Work, message: Message) -> RelayAwayError | None:
        """Try once. Returns None when `work` is settled, else what is wrong."""
        if self._session is None:
            self._session = await self._run.transport.open()
        intent = _Intent(self._run, work, message.message_id)
        try:
            outcome = await self._session.send(message, intent)
        except BaseException:
            if intent.asked:  # the dot may be out, or was certainly never sent
                state = (
                    DeliveryState.UNKNOWN if intent.granted else DeliveryState.DEFERRED
                )
                self._settle(work, Outcome(state=state, phase=Phase.DOT, reply=None))
            raise
        if intent.refused:
            await self._drop()
            self._run.give_back(work)
            return None
        if outcome.state is not DeliveryState.QUEUED:
            self._tries = 0
            self._settle(work, outcome)
            return None
        return self._relay_trouble(work, outcome)

    def _settle(self, work: _Work, outcome: Outcome) -> None:
        self._run.tally.settle(work, outcome)

    def _relay_trouble(self, work: _Work, outcome: Outcome) -> RelayAwayError:
        """Blame the relay; but over one recipient only once, lest it hold up all others."""
        if outcome.phase in {Phase.RCPT, Phase.DATA}:
            work.breaks += 1
        if work.breaks >= TWICE:
            self._settle(
                work,
                Outcome(
                    state=DeliveryState.DEFERRED,
                    phase=outcome.phase,
                    reply=outcome.reply,
                ),
            )
        return RelayAwayError(
            f"the relay takes nothing now, at {outcome.phase.upper()}: {outcome.reply}",
            cure="it is tried again with the next run",
        )

    async def _renew(self, trouble: RelayAwayError) -> bool:
        """Close what is left and wait; False when enough was tried."""
        await self._drop()
        if self._tries >= len(self._run.settings.back_off):
            self._run.give_up(trouble)
            return False
        await self._run.pause(self._run.settings.back_off[self._tries])
        self._tries += 1
        return True

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            await session.close()


class _Intent:
    """What a session awaits before the dot; remembers how that went."""

    def __init__(self, run: _Run, work: _Work, message_id: str) -> None:
        self._run = run
        self._work = work
        self._message_id = message_id
        self.asked = False
        self.granted = False
        self.refused = False

    async def __call__(self) -> bool:
        """Make the intent durable; False where the claim is stale or too old."""
        if self._run.is_fresh(self._work):
            self.asked = True
            self.granted = await self._run.ledger.intend(
                self._work.claim, self._message_id
            )
        self.refused = not self.granted
        return self.granted

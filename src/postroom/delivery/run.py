"""One delivery run, from the first claim to the last result.

    claim ─► compose ─► [lane: MAIL RCPT DATA ─► intent ─► dot ─► verdict] ─► result

`press` makes messages, `lane` sends, `ledger` writes, `dispatch` is what the lanes
share, `outlet` is how one relay is doing, `tally` counts. What a reply means is decided
in `mail.outcome`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from postroom.delivery.dispatch import Dispatch
from postroom.delivery.lane import start_lanes
from postroom.delivery.ledger import Ledger
from postroom.delivery.outlet import Outlet
from postroom.delivery.press import Press
from postroom.delivery.settings import Delivered
from postroom.delivery.tally import Tally
from postroom.errors import RelayAwayError
from postroom.mail.outcome import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

    from postroom.delivery.settings import Compose, DeliverySettings, Progress
    from postroom.mail.message import Message
    from postroom.mail.outcome import Outcome
    from postroom.smtp.base import Transport
    from postroom.store.base import Journal, Store

T = TypeVar("T")

YOUNG_OBJECTS = 50_000
"""New objects between two looks of the garbage collector at them; 700 is usual."""
TRIAL_SECONDS = 660.0
"""For one letter outside the ledger: the longest verdict, and what comes before it."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def deliver(
    store: Store,
    transports: Sequence[Transport],
    compose: Compose,
    settings: DeliverySettings,
    progress: Progress | None = None,
) -> Delivered:
    """Hand over everything that is queued, or deferred and due; return what became of it.

    The caller has begun the run and recovered what earlier ones left. What `compose`
    raises fails that one delivery. Errors of the store end the run at once and are
    raised; what was under way then is for the next run to recover. The first SIGTERM or
    SIGINT ends the run in order, the second at once.
    """
    journal = store.open_journal(settings.run, settings.durability)
    try:
        return _run(_deliver(store, journal, transports, compose, settings, progress))
    finally:
        journal.close()


def deliver_one(
    transport: Transport, message: Message, *, seconds: float = TRIAL_SECONDS
) -> Outcome:
    """Hand over one message that no ledger knows, and return the outcome.

    Raises RelayAwayError or RelayRefusedError.
    """
    return _run(_deliver_one(transport, message, seconds))


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - it is not made for every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _run(main: Coroutine[None, None, T]) -> T:
    """Run to the end, on uvloop where there is one: it halves what sending costs.

    Few objects of a run refer to each other in circles, but many are made: the
    collector would look through the young ones at every dozen messages.
    """
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS, *usual[1:])
    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            return runner.run(main)
    finally:
        gc.set_threshold(*usual)


async def _deliver_one(
    transport: Transport, message: Message, seconds: float
) -> Outcome:
    trial = Trial(message)
    try:
        async with asyncio.timeout(seconds):
            session = await transport.open()
            try:
                await session.run(trial)
            finally:
                await session.close()
    except TimeoutError:
        raise RelayAwayError(
            f"{transport.name}: no end of it within {seconds:g} s", cure="try again"
        ) from None
    except RelayAwayError:
        if trial.outcome is None or trial.outcome.state is DeliveryState.QUEUED:
            raise
    if trial.outcome is None:
        raise RelayAwayError(f"{transport.name}: not a word", cure="try again")
    return trial.outcome


class Trial:
    """The feed of one message, which is its own parcel; the contract is `smtp.base.Feed`."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.outcome: Outcome | None = None
        self._left: list[Trial] = [self]

    def take(self) -> Trial | None:
        """The message, once."""
        return self._left.pop() if self._left else None

    async def wait(self) -> Trial | None:
        """There is no other to wait for."""
        return self.take()

    def intend(self, parcel: Trial) -> bool:
        """No ledger has to know."""
        return True

    def settle(self, parcel: Trial, outcome: Outcome) -> None:
        """Keep the outcome."""
        self.outcome = self.outcome or outcome


async def _deliver(
    store: Store,
    journal: Journal,
    transports: Sequence[Transport],
    compose: Compose,
    settings: DeliverySettings,
    progress: Progress | None,
) -> Delivered:
    stopped = False
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as thread:
        ledger = Ledger(store, journal, settings, thread)
        tally = Tally(settings, ledger, progress, await ledger.open_deliveries())
        outlets = [Outlet(transport) for transport in transports]
        dispatch = Dispatch(settings, ledger, tally, Press(compose), outlets)

        def stop() -> None:
            nonlocal stopped
            stopped = True
            dispatch.stop()

        with _at_first_signal(stop):
            await _send_all(dispatch)
    fault = dispatch.fault
    return Delivered(
        counts=dict(tally.counts + ledger.passed_over),
        failures=tuple(tally.failures),
        fault=fault,
        troubles=tuple(
            outlet.trouble
            for outlet in outlets
            if outlet.trouble and outlet.trouble is not fault
        ),
        stopped=stopped,
    )


async def _send_all(dispatch: Dispatch) -> None:
    """Send until nothing is left or the run stops; then everything is on record."""
    start_lanes(dispatch, asyncio.get_running_loop())
    ended = await asyncio.gather(*dispatch.lanes, return_exceptions=True)
    errors = [end for end in ended if isinstance(end, Exception)]
    if errors:
        raise errors[0]
    await dispatch.finish()


@contextmanager
def _at_first_signal(stop: Callable[[], None]) -> Iterator[None]:
    """Within: the first signal calls `stop`, the second does what it did before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python tells only the main thread about signals
        return
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, action in former.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, action)

    def first() -> None:
        restore()
        stop()

    for number in SIGNALS:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        restore()

"""One delivery run, from the first claim to the last result.

    claim ─► compose ─► [lane: MAIL RCPT DATA ─► intent durable ─► dot ─► verdict] ─► result

`lane` sends, `ledger` writes, `dispatch` is what the lanes share, `tally` counts. What a
reply means is decided in `mail.outcome`.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from postroom.delivery.dispatch import Dispatch
from postroom.delivery.lane import Lane
from postroom.delivery.ledger import Ledger
from postroom.delivery.settings import Delivered
from postroom.delivery.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postroom.delivery.settings import Compose, DeliverySettings, Progress
    from postroom.smtp.base import Transport
    from postroom.store.base import Store

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def deliver(
    store: Store,
    transport: Transport,
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
    return asyncio.run(_deliver(store, transport, compose, settings, progress))


async def _deliver(
    store: Store,
    transport: Transport,
    compose: Compose,
    settings: DeliverySettings,
    progress: Progress | None,
) -> Delivered:
    stopped = False
    with ThreadPoolExecutor(1, thread_name_prefix="ledger") as thread:
        ledger = Ledger(store, compose, settings, thread)
        tally = Tally(settings, ledger, progress, await ledger.open_deliveries())
        dispatch = Dispatch(settings, ledger, tally, transport.connections)

        def stop() -> None:
            nonlocal stopped
            stopped = True
            dispatch.stop()

        with _at_first_signal(stop):
            await _send_all(dispatch, transport)
    return Delivered(
        counts=dict(tally.counts + ledger.passed_over),
        failures=tuple(tally.failures),
        fault=dispatch.fault,
        stopped=stopped,
    )


async def _send_all(dispatch: Dispatch, transport: Transport) -> None:
    """Send until nothing is left or the run stops; then everything is on record."""
    dispatch.lanes = [
        asyncio.create_task(Lane(dispatch, transport).run())
        for _ in range(dispatch.connections)
    ]
    ended = await asyncio.gather(*dispatch.lanes, return_exceptions=True)
    dispatch.give_back_all()
    errors = [end for end in ended if isinstance(end, Exception)]
    if errors:
        raise errors[0]
    await dispatch.ledger.settle()


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

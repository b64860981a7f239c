"""A signal ends a run in order: what is on the wire is finished, the rest is queued again."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from postroom.store.values import UnknownPolicy
from tests.delivery.run_of import (
    FAST,
    addresses,
    emails_in,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.delivery.sending import Task, started
from tests.delivery.servers import WatchingServer
from tests.fault_server import FaultServer, serving
from tests.stage import free_port
from tests.store.scenes import states

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.base import Store

ACCEPTED, QUEUED, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
)
PATIENT = replace(FAST, verdict=5)


def signal_after(seconds: float, number: int = signal.SIGTERM) -> None:
    """Send ourselves a signal a little later."""
    threading.Timer(seconds, os.kill, (os.getpid(), number)).start()


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "stepwise"])
def test_what_is_on_the_wire_is_finished(store: Store, *, pipelining: bool) -> None:
    """Its verdict takes half a second; the letter already announced behind it may follow."""
    letters_for(store, *readers(40))
    server = FaultServer(seconds=0.5, pipelining=pipelining)
    with serving(server):
        signal_after(0.25)
        delivered = run_of(store, relay(server.port, timeouts=PATIENT))
    assert delivered.stopped
    assert delivered.fault is None
    on_the_wire = 2
    assert on_the_wire <= len(server.taken) <= 2 * on_the_wire
    assert delivered.counts == {ACCEPTED: len(server.taken)}
    assert emails_in(store, ACCEPTED) == sorted(server.taken)
    assert emails_in(store, QUEUED) == sorted({*addresses(40)} - {*server.taken})
    assert {row.attempts for row in store.deliveries(state=QUEUED)} == {0}


def test_after_the_grace_exactly_what_had_its_dot_is_unknown(store: Store) -> None:
    """The ledger names those that the server may have, and no others."""

    def block(recipient: str, body: bytes) -> None:
        if len(server.taken) >= 10:
            held.append(recipient)
            server.seconds = 60.0

    held: list[str] = []
    letters_for(store, *readers(30))
    with serving(WatchingServer(notice=block)) as server:
        signal_after(0.6)
        began = time.monotonic()
        delivered = run_of(
            store, relay(server.port, timeouts=replace(FAST, verdict=60)), grace=0.3
        )
        assert time.monotonic() - began < 3
    taken = {*server.taken}
    doubtful = {*emails_in(store, UNKNOWN)}
    assert delivered.counts[UNKNOWN] == len(doubtful) <= 2
    assert {*emails_in(store, ACCEPTED)} <= taken
    assert taken <= {*emails_in(store, ACCEPTED)} | doubtful
    assert emails_in(store, QUEUED) == sorted(
        {*addresses(30)} - {*emails_in(store, ACCEPTED)} - doubtful
    )


def test_a_signal_while_nothing_gets_through_ends_it_too(store: Store) -> None:
    """In the middle of a back-off."""
    letters_for(store, *readers(5))
    signal_after(0.2)
    began = time.monotonic()
    delivered = run_of(store, relay(free_port()), back_off=(30.0, 30.0))
    assert time.monotonic() - began < 2
    assert delivered.stopped
    assert set(states(store).values()) == {QUEUED}


def test_a_signal_while_a_rate_holds_everything_up_ends_it_too(store: Store) -> None:
    """Nobody waits for the next turn."""
    letters_for(store, *readers(5))
    with serving(FaultServer()) as server:
        signal_after(0.3)
        began = time.monotonic()
        delivered = run_of(store, relay(server.port, rate=0.05))
        assert time.monotonic() - began < 2
    assert delivered.counts == {ACCEPTED: 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(
    store: Store, tmp_path: Path, number: signal.Signals
) -> None:
    """As safe as a kill: the next run finds what is in doubt, and sends the rest."""
    letters_for(store, *readers(30))
    ledger = tmp_path / "state" / "postroom.db"
    with serving(FaultServer(seconds=30.0)) as server:
        with started(Task(ledger=str(ledger), port=server.port, verdict=60)) as child:
            time.sleep(0.5)
            child.send_signal(number)
            time.sleep(0.3)
            assert child.poll() is None
            child.send_signal(number)
            began = time.monotonic()
            code = child.wait(10)
            assert time.monotonic() - began < 2
        assert code == -number
        server.seconds = 0.0
        run_of(store, relay(server.port), policy=UnknownPolicy.HOLD)
        doubtful = emails_in(store, UNKNOWN)
    assert 1 <= len(doubtful) <= 4
    assert len(server.taken) == len(set(server.taken))
    assert emails_in(store, ACCEPTED) == sorted({*addresses(30)} - {*doubtful})

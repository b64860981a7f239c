"""Letters that take long to sign are signed ahead in threads: few at a time, none lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from postroom.delivery import press
from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import (
    addresses,
    compose,
    emails_in,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.fault_server import FaultServer, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from postroom.delivery.settings import Compose
    from postroom.mail.message import Message
    from postroom.store.base import Store
    from postroom.store.values import Claim

ACCEPTED, FAILED, QUEUED = (
    DeliveryState.ACCEPTED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
)
CONNECTIONS = 3


class Draft:
    """A letter whose signature takes a moment, in whichever thread."""

    def __init__(self, message: Message, before: Callable[[Message], None]) -> None:
        self._message = message
        self._before = before

    def sign(self) -> Message:
        """Take the moment; `before` may raise."""
        self._before(self._message)
        time.sleep(0.001)
        return self._message


def drafting(before: Callable[[Message], None]) -> Compose:
    """A compose that leaves the signing to threads."""
    return lambda claim: Draft(compose(claim), before)


def test_all_are_signed_in_threads_and_arrive_once(store: Store) -> None:
    """In none but the threads for it, of which there are few."""
    threads: Counter[str] = Counter()
    letters_for(store, *readers(300))
    with serving(FaultServer()) as server:
        delivered = run_of(
            store,
            relay(server.port, connections=CONNECTIONS),
            compose=drafting(
                lambda message: threads.update([threading.current_thread().name])
            ),
        )
    assert delivered.counts == {ACCEPTED: 300}
    assert sorted(server.taken) == addresses(300)
    assert threads.total() == 300
    assert all(name.startswith("signer") for name in threads)
    assert len(threads) <= press.MOST_THREADS
    assert not [t for t in threading.enumerate() if t.name.startswith("signer")]


def test_few_are_made_ahead_and_their_order_is_kept_roughly(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making and taking there are never more than `AHEAD`, and who is on the wire."""
    monkeypatch.setattr(press, "AHEAD", 24)
    monkeypatch.setattr(press, "CHUNK", 8)
    made: list[str] = []
    outstanding: list[int] = []

    def drafted(claim: Claim) -> Draft:
        made.append(claim.email)
        outstanding.append(len(made) - len(server.taken))
        return Draft(compose(claim), lambda message: None)

    letters_for(store, *readers(300))
    with serving(FaultServer(seconds=0.002)) as server:
        run_of(store, relay(server.port, connections=CONNECTIONS), compose=drafted)
    assert len(server.taken) == 300
    assert max(outstanding) <= 24 + 2 * CONNECTIONS
    assert made == addresses(300)
    late = [abs(made.index(email) - at) for at, email in enumerate(server.taken)]
    assert max(late) <= 24 + 2 * CONNECTIONS


def test_a_letter_that_cannot_be_signed_fails_alone(store: Store) -> None:
    """Its reason is kept as ours; those signed beside it go out."""

    def refuse(message: Message) -> None:
        if message.recipient.startswith("reader040"):
            raise ValueError("no key for this one")

    letters_for(store, *readers(80))
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port), compose=drafting(refuse))
    assert delivered.counts == {ACCEPTED: 79, FAILED: 1}
    assert delivered.fault is None
    (row,) = store.deliveries(state=FAILED)
    assert row.email == "reader040@mail.example"
    assert "internal: no key for this one" in row.reply
    assert row.email not in server.taken


def test_a_key_that_signs_nothing_does_not_fail_a_whole_edition(store: Store) -> None:
    """Letter after letter without a signature: the run ends, the rest stays queued."""

    def refuse(message: Message) -> None:
        raise ValueError("the key is gone")

    letters_for(store, *readers(200))
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port), compose=drafting(refuse))
    assert "the key is gone" in str(delivered.fault)
    assert delivered.counts[FAILED] < 20
    assert len(emails_in(store, QUEUED)) == 200 - delivered.counts[FAILED]
    assert server.taken == []


def test_a_run_stopped_while_signing_loses_nothing(store: Store) -> None:
    """What was signed, being signed or waiting is queued again; the next run does it."""
    signed: Counter[str] = Counter()

    def stop_half_way(message: Message) -> None:
        signed[message.recipient] += 1
        if len(signed) == 100:
            os.kill(os.getpid(), signal.SIGTERM)

    letters_for(store, *readers(200))
    with serving(FaultServer(seconds=0.002)) as server:
        delivered = run_of(store, relay(server.port), compose=drafting(stop_half_way))
        assert delivered.stopped
        assert delivered.counts == {ACCEPTED: len(server.taken)}
        assert emails_in(store, ACCEPTED) == sorted(server.taken)
        assert len(emails_in(store, QUEUED)) == 200 - len(server.taken) > 0
        assert {row.attempts for row in store.deliveries(state=QUEUED)} == {0}
        run_of(store, relay(server.port), compose=drafting(lambda message: None))
    assert sorted(server.taken) == addresses(200)


def test_signed_and_unsigned_letters_go_out_together(store: Store) -> None:
    """An edition may have variants of both kinds."""

    def mixed(claim: Claim) -> Message | Draft:
        made = compose(claim)
        return made if claim.subscriber_id % 3 else Draft(made, lambda message: None)

    letters_for(store, *readers(120))
    with serving(FaultServer()) as server:
        delivered = run_of(
            store, relay(server.port, connections=CONNECTIONS), compose=mixed
        )
    assert delivered.counts == {ACCEPTED: 120}
    assert sorted(server.taken) == addresses(120)

"""How fast, and over how many connections: as the relay, the domains and we ourselves wish."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from postroom.delivery import dispatch
from postroom.delivery.outlet import START
from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import (
    addresses,
    compose,
    letters_for,
    letters_to,
    readers,
    relay,
    run_of,
)
from tests.delivery.servers import TimingServer, WatchingServer, sampling
from tests.fault_server import FaultServer, serving
from tests.stage import free_port

if TYPE_CHECKING:
    from postroom.mail.message import Message
    from postroom.store.base import Store
    from postroom.store.values import Claim

ACCEPTED = DeliveryState.ACCEPTED
LATENESS = 0.3
"""Seconds that a busy machine may add."""


# -- connections ---------------------------------------------------------------


def test_a_relay_that_allows_two_connections_gets_all_letters_over_two(
    store: Store,
) -> None:
    """The lanes it turns away give up after a few tries; it is no fault."""
    letters_for(store, *readers(200))
    with serving(FaultServer(seconds=0.004, limit=2)) as server:
        delivered = run_of(store, relay(server.port, connections=8))
    assert delivered.fault is None
    assert delivered.counts == {ACCEPTED: 200}
    assert sorted(server.taken) == addresses(200)
    tries = 1 + 2
    assert server.connections <= 2 + 8 * tries


def test_a_run_ends_when_the_relay_is_away_however_many_lanes_wait(
    store: Store,
) -> None:
    """More connections are allowed than are tried to begin with."""
    letters_for(store, *readers(30))
    began = time.monotonic()
    delivered = run_of(store, relay(free_port(), connections=4 * START))
    assert time.monotonic() - began < 3
    assert isinstance(delivered.fault, RelayAwayError)
    assert delivered.counts == {}


def test_success_opens_more_connections(store: Store) -> None:
    """From a few at the start to all that are allowed."""
    letters_for(store, *readers(300))
    with serving(FaultServer(seconds=0.01)) as server:
        with sampling(server) as seen:
            run_of(store, relay(server.port, connections=12))
    assert max(seen[:5]) <= START
    assert max(seen) == 12
    assert sorted(server.taken) == addresses(300)


@pytest.mark.parametrize("words", ["450-4.7.1", "421-4.7.0"])
def test_complaints_close_connections(store: Store, words: str) -> None:
    """4.7.x and 421 ask for less: half as many go on."""
    letters_for(store, *(f"f.dot.{words}.{number}" for number in range(60)))
    with serving(FaultServer(seconds=0.03)) as server:
        with sampling(server) as seen:
            delivered = run_of(
                store, relay(server.port, connections=4), back_off=(0.0,) * 20
            )
    assert delivered.counts == {DeliveryState.DEFERRED: 60}
    assert max(seen) == 4
    assert max(seen[len(seen) // 2 :]) <= 2


# -- rates ---------------------------------------------------------------------


def test_a_rate_is_kept_exactly_over_all_connections(store: Store) -> None:
    """Twenty letters at fifty a second: nineteen intervals, and little more."""
    letters_for(store, *readers(20))
    server = TimingServer()
    with serving(server):
        began = time.monotonic()
        run_of(store, relay(server.port, connections=4, rate=50.0))
    assert len(server.taken) == 20
    assert 19 / 50 <= server.last() - began <= 19 / 50 + LATENESS


def test_a_high_rate_is_reached(store: Store) -> None:
    """Timers that are a millisecond late do not halve it."""
    letters_for(store, *readers(400))
    server = TimingServer()
    with serving(server):
        began = time.monotonic()
        run_of(store, relay(server.port, connections=4, rate=800.0))
    assert 399 / 800 <= server.last() - began <= 399 / 800 + LATENESS


def test_a_slow_domain_does_not_hold_up_the_others(store: Store) -> None:
    """Its letters wait for their turn; those queued after them do not."""
    slow = [f"reader{number:02}@slow.example" for number in range(10)]
    fast = [f"reader{number:02}@fast.example" for number in range(50)]
    letters_to(store, *slow, *fast)
    server = TimingServer()
    with serving(server):
        began = time.monotonic()
        delivered = run_of(
            store, relay(server.port), domain_rates={"slow.example": 20.0}
        )
    assert delivered.counts == {ACCEPTED: 60}
    assert sorted(server.taken) == sorted(slow + fast)
    assert 9 / 20 <= server.last("slow.example") - began <= 9 / 20 + LATENESS
    assert server.last("fast.example") - began < 9 / 20


def test_a_rate_for_each_domain_has_exceptions(store: Store) -> None:
    """Every domain has its own turn; 0 lifts the limit for one; case does not matter."""
    each = {
        domain: [f"reader{number:02}@{domain}" for number in range(9)]
        for domain in ("one.example", "two.example", "free.example")
    }
    letters_to(store, *(email for emails in each.values() for email in emails))
    server = TimingServer()
    with serving(server):
        began = time.monotonic()
        run_of(
            store,
            relay(server.port),
            domain_rate=20.0,
            domain_rates={"free.example": 0.0},
        )
    assert len(server.taken) == 27
    for domain in ("one.example", "two.example"):
        assert 8 / 20 <= server.last(domain) - began <= 8 / 20 + LATENESS
    assert server.last("free.example") - began < 8 / 20


def test_few_letters_are_made_for_a_domain_that_has_to_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With so many parked no others are begun: memory has a bound, and all arrive."""
    monkeypatch.setattr(dispatch, "PARKED", 40)
    slow = [f"reader{number:03}@slow.example" for number in range(600)]
    fast = [f"reader{number:03}@fast.example" for number in range(50)]
    letters_to(store, *slow, *fast)
    outstanding: list[int] = []
    made: list[str] = []

    def counted(claim: Claim) -> Message:
        made.append(claim.email)
        outstanding.append(len(made) - len(server.taken))
        return compose(claim)

    with serving(FaultServer()) as server:
        delivered = run_of(
            store,
            relay(server.port),
            compose=counted,
            domain_rates={"slow.example": 1200.0},
        )
    assert delivered.counts == {ACCEPTED: 650}
    assert sorted(server.taken) == sorted(slow + fast)
    assert len(made) == 650
    assert max(outstanding) <= 40 + 2 * 2 + 1


def test_a_run_that_stops_does_not_wait_for_a_slow_domain(store: Store) -> None:
    """What is parked is queued again."""

    def refuse(recipient: str, body: bytes) -> None:
        server.faults["MAIL"] = ["550-5.7.1"] * 10

    letters_to(store, *(f"reader{number:02}@slow.example" for number in range(20)))
    with serving(WatchingServer(notice=refuse)) as server:
        began = time.monotonic()
        delivered = run_of(
            store,
            relay(server.port, connections=1),
            domain_rates={"slow.example": 2.0},
        )
    assert time.monotonic() - began < 2
    assert isinstance(delivered.fault, RelayRefusedError)
    assert delivered.counts == {ACCEPTED: 1}
    assert len(list(store.deliveries(state=DeliveryState.QUEUED))) == 19

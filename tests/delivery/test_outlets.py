"""Several relays: each has its share, and what one cannot do the others do."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme

from postroom.delivery.outlet import (
    LATE,
    SHRINK_SECONDS,
    START,
    Outlet,
    may_take,
)
from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState
from postroom.smtp.connect import Timeouts
from tests.delivery.run_of import addresses, letters_for, readers, relay, run_of
from tests.delivery.servers import WatchingServer
from tests.fault_server import FaultServer, serving
from tests.stage import free_port
from tests.store.scenes import states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postroom.store.base import Store

ACCEPTED, QUEUED = DeliveryState.ACCEPTED, DeliveryState.QUEUED
SLACK = 4
"""Two connections of two relays hold a message each while it is another one's turn."""
HASTY = Timeouts(step=0.3, open=0.3, command=1, data=1, verdict=1, quit=0.3)


def outlet(*, connections: int = 8, weight: int = 1, rate: float = 0.0) -> Outlet:
    """An outlet nobody has used yet."""
    return Outlet(relay(1, connections=connections, weight=weight, rate=rate))


def admitted(outlet: Outlet) -> list[int]:
    """The lanes that may work."""
    return [n for n in range(outlet.transport.connections) if outlet.admits(n)]


@contextmanager
def mute() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


# -- one outlet's connections and pace -----------------------------------------


def test_an_outlet_begins_with_few_connections_and_grows_by_success() -> None:
    """One more for as many acceptances as there are, up to what is allowed."""
    grown = outlet(connections=START + 2)
    assert admitted(grown) == list(range(START))
    for expected in (START + 1, START + 2):
        for _ in range(expected):
            grown.grow()
        assert len(admitted(grown)) == expected
    for _ in range(100):
        grown.grow()
    assert len(admitted(grown)) == START + 2


def test_complaints_halve_it_once_a_second_down_to_one() -> None:
    """Several connections hear the same complaint at once."""
    shrunk = outlet()
    shrunk.shrink(100.0)
    shrunk.shrink(100.0 + SHRINK_SECONDS / 2)
    assert len(admitted(shrunk)) == START // 2
    for second in range(1, 9):
        shrunk.shrink(100.0 + second)
    assert admitted(shrunk) == [0]


def test_a_lane_that_gave_up_leaves_its_place_to_the_next() -> None:
    """Else an outlet with one connection left would wait for a lane that has ended."""
    left = outlet(connections=4)
    left.hear()
    assert not left.give_up(0, 0)
    assert admitted(left) == [0, 1, 2, 3][:4]
    assert len([lane for lane in admitted(left) if lane]) == 3
    left.shrink(1.0)
    assert [lane for lane in admitted(left) if lane] == [1]
    assert not left.give_up(1, 0)
    assert [lane for lane in admitted(left) if lane > 1] == [2]


def test_an_outlet_is_lost_when_no_connection_gets_anywhere() -> None:
    """Those it never admitted are not tried in vain; while one works, it is not lost."""
    away = outlet(connections=20)
    assert [away.give_up(lane, 0) for lane in range(START)] == [False] * 4 + [True]
    working = outlet(connections=3)
    working.connected = 1
    assert not working.give_up(1, 0)
    assert not working.give_up(2, 0)
    assert not working.grow()
    working.connected = 0
    assert working.give_up(0, 0)


def test_an_outlet_is_not_lost_while_another_connection_is_being_made() -> None:
    """It may have been slowed down to one: what that one then gets done counts."""
    hoping = outlet(connections=3)
    hoping.shrink(1.0)
    hoping.opening = 1
    assert not hoping.give_up(0, 0)
    hoping.opening, hoping.connected = 0, 1
    hoping.hear()
    assert hoping.grow()
    assert [lane for lane in admitted(hoping) if lane] == [1, 2]


def test_an_acceptance_on_an_outlet_that_is_lost_is_an_acceptance() -> None:
    """A session may still be there whose lane nobody counted on."""
    lost = outlet(connections=2)
    assert not lost.give_up(0, 0)
    assert lost.give_up(1, 0)
    assert not lost.grow()
    shut = outlet(connections=3)
    shut.shrink(1.0)
    assert shut.give_up(0, 0)
    assert shut.grow()


def test_an_outlets_rate_makes_up_for_late_timers_but_saves_nothing() -> None:
    """A late start does not move the next; after a rest there is no burst."""
    paced = outlet(rate=100.0)
    paced.start(10.0)
    assert paced.delay(10.0) == pytest.approx(0.01)
    paced.start(10.01 + LATE / 2)
    assert paced.delay(10.01) == pytest.approx(0.01)
    paced.start(20.0)
    assert paced.delay(20.0) == pytest.approx(0.01)


def test_the_least_served_is_next_unless_it_cannot() -> None:
    """Out, failing or held up by its rate: then the others go on without it."""
    first, second = outlet(), outlet(weight=2, rate=1.0)
    both = [first, second]
    assert may_take(first, both, 0.0)
    first.start(0.0)
    assert not may_take(first, both, 0.0)
    assert may_take(second, both, 0.0)
    second.start(0.0)
    assert may_take(first, both, 0.5)
    assert not may_take(first, both, 1.5)
    second.failing = RelayAwayError("just now")
    assert may_take(first, both, 1.5)
    second.failing = None
    second.out = RelayAwayError("gone")
    assert may_take(first, both, 1.5)


# -- several relays ------------------------------------------------------------


def test_relays_share_the_letters_by_weight(store: Store) -> None:
    """Two to one, whichever is quicker."""
    letters_for(store, *readers(300))
    with serving(FaultServer(seconds=0.001)) as one, serving(FaultServer()) as two:
        delivered = run_of(store, relay(one.port, weight=2), relay(two.port))
    assert delivered.counts == {ACCEPTED: 300}
    assert delivered.fault is None
    assert delivered.troubles == ()
    assert sorted(one.taken + two.taken) == addresses(300)
    assert len(one.taken) == pytest.approx(200, abs=SLACK)


def test_a_standby_is_left_alone_while_others_work(store: Store) -> None:
    """It is not even connected to."""
    letters_for(store, *readers(50))
    with serving(FaultServer()) as main, serving(FaultServer()) as standby:
        run_of(store, relay(main.port), relay(standby.port, weight=0))
    assert len(main.taken) == 50
    assert standby.connections == 0


def test_a_standby_is_left_alone_while_one_of_the_others_works(store: Store) -> None:
    """Also when another one is out."""
    letters_for(store, *readers(40))
    with serving(FaultServer()) as other, serving(FaultServer()) as standby:
        delivered = run_of(
            store,
            relay(free_port()),
            relay(other.port),
            relay(standby.port, weight=0),
        )
    assert delivered.counts == {ACCEPTED: 40}
    assert len(other.taken) == 40
    assert standby.connections == 0
    assert len(delivered.troubles) == 1


def test_a_standby_takes_over_when_all_others_are_out(store: Store) -> None:
    """Both go in the middle of the run; the standby takes the rest, nothing goes twice."""

    def closes(recipient: str, body: bytes) -> None:
        if len(one.taken) + len(two.taken) == 30:
            for server in (one, two):
                server.greeting = "421 4.3.2 closed for today"
                server.faults["MAIL"] = ["421-4.3.2"] * 20

    one, two = WatchingServer(notice=closes), WatchingServer(notice=closes)
    letters_for(store, *readers(100))
    with serving(one), serving(two), serving(FaultServer()) as standby:
        delivered = run_of(
            store,
            relay(one.port),
            relay(two.port),
            relay(standby.port, weight=0),
        )
    assert delivered.fault is None
    assert delivered.counts == {ACCEPTED: 100}
    assert len(delivered.troubles) == 2
    assert 30 < len(one.taken + two.taken) < 40
    assert sorted(one.taken + two.taken + standby.taken) == addresses(100)


def test_a_relay_that_is_away_is_named_and_done_without(store: Store) -> None:
    """Whether it refuses the connection, or takes it and says nothing."""
    letters_for(store, *readers(60))
    with serving(FaultServer()) as server, mute() as port:
        away = [relay(free_port()), relay(port, timeouts=HASTY)]
        began = time.monotonic()
        delivered = run_of(store, *away, relay(server.port))
        took = time.monotonic() - began
    assert delivered.counts == {ACCEPTED: 60}
    assert sorted(server.taken) == addresses(60)
    assert delivered.fault is None
    assert all(isinstance(trouble, RelayAwayError) for trouble in delivered.troubles)
    assert {str(trouble).partition(": ")[0] for trouble in delivered.troubles} == {
        transport.name for transport in away
    }
    assert took < 4


def test_a_relay_in_trouble_is_not_waited_for(store: Store) -> None:
    """Its share is sent by the other one at once, and the run does not outlast that."""
    letters_for(store, *readers(100))
    away = relay(free_port())
    with serving(FaultServer()) as server:
        began = time.monotonic()
        delivered = run_of(store, away, relay(server.port), back_off=(5.0,))
        assert time.monotonic() - began < 3
    assert delivered.counts == {ACCEPTED: 100}
    assert len(server.taken) == 100
    assert [str(trouble).startswith(away.name) for trouble in delivered.troubles] == [
        True
    ]


def test_a_relay_that_refuses_the_login_is_named_and_done_without(
    store: Store, tmp_path: Path
) -> None:
    """It is asked once for each connection at most, and gets no letter."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    letters_for(store, *readers(60))
    strict = FaultServer(tls=context, auth="535 5.7.8 who are you?")
    with serving(strict), serving(FaultServer()) as server:
        delivered = run_of(
            store,
            relay(
                strict.port,
                tls="implicit",
                ca_file=str(tmp_path / "authority.pem"),
                username="letters",
                password="wrong",
            ),
            relay(server.port),
        )
    assert delivered.counts == {ACCEPTED: 60}
    assert delivered.fault is None
    (trouble,) = delivered.troubles
    assert isinstance(trouble, RelayRefusedError)
    assert "535 5.7.8" in str(trouble)
    assert strict.taken == []
    assert sum(command.startswith("AUTH") for command in strict.commands) <= 2


def test_a_relay_that_refuses_our_letters_is_done_without(store: Store) -> None:
    """Those it refused at MAIL are not marked: the other relay takes them."""
    letters_for(store, *readers(60))
    with serving(FaultServer()) as strict, serving(FaultServer()) as server:
        strict.faults["MAIL"] = ["550-5.7.1"] * 10
        delivered = run_of(store, relay(strict.port), relay(server.port))
    assert delivered.counts == {ACCEPTED: 60}
    assert isinstance(delivered.troubles[0], RelayRefusedError)
    assert strict.taken == []


def test_a_relay_with_a_rate_is_not_waited_for(store: Store) -> None:
    """It has what it may have, and the other one the rest, at once."""
    letters_for(store, *readers(100))
    with serving(FaultServer()) as slow, serving(FaultServer()) as server:
        began = time.monotonic()
        delivered = run_of(store, relay(slow.port, rate=10.0), relay(server.port))
        took = time.monotonic() - began
    assert delivered.counts == {ACCEPTED: 100}
    assert took < 2
    assert 1 <= len(slow.taken) <= 2 + 10 * took


def test_nobody_is_marked_when_all_relays_are_out(store: Store) -> None:
    """One is away, one refuses us, the standby is busy: everything stays queued."""
    letters_for(store, *readers(30))
    with (
        serving(FaultServer(greeting="554 5.7.1 not you")) as strict,
        serving(FaultServer(greeting="421 4.3.2 too busy")) as busy,
    ):
        delivered = run_of(
            store,
            relay(free_port(), connections=8),
            relay(strict.port),
            relay(busy.port, weight=0),
        )
    assert isinstance(delivered.fault, RelayAwayError | RelayRefusedError)
    assert len(delivered.troubles) == 2
    assert delivered.counts == {}
    assert set(states(store).values()) == {QUEUED}
    assert {row.attempts for row in store.deliveries()} == {0}

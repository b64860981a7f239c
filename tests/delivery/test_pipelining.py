"""Messages share connections and writes, and yet each is judged by its own replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import (
    addresses,
    compose_named,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.fault_server import FaultServer, serving
from tests.store.scenes import states

if TYPE_CHECKING:
    from postroom.store.base import Store

ACCEPTED, DEFERRED, FAILED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
)
UNKNOWN = DeliveryState.UNKNOWN


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "stepwise"])
@pytest.mark.parametrize("connections", [1, 4])
def test_every_letter_arrives_once_and_as_it_was(
    store: Store, *, connections: int, pipelining: bool
) -> None:
    """Two hundred of them; the ledger has the Message-ID that the server has."""
    letters_for(store, *readers(200))
    with serving(FaultServer(pipelining=pipelining)) as server:
        delivered = run_of(
            store, relay(server.port, connections=connections), compose=compose_named
        )
    assert delivered.counts == {ACCEPTED: 200}
    assert delivered.fault is None
    assert sorted(server.taken) == addresses(200)
    assert server.connections <= connections
    assert server.commands.count("DATA") == 200
    arrived = dict(zip(server.taken, server.bodies, strict=True))
    for row in store.deliveries():
        head = f"Message-ID: {row.message_id}\r\nTo: {row.email}\r\n"
        assert arrived[row.email].startswith(head.encode())
        assert (row.state, row.attempts) == (ACCEPTED, 1)


@pytest.mark.parametrize(
    ("fault", "state", "connections"),
    [
        ("rcpt.550-5.1.1", FAILED, 1),
        ("rcpt.450-4.2.1", DEFERRED, 1),
        ("rcpt.drop", DEFERRED, 3),
        ("data.451-4.3.0", DEFERRED, 1),
        ("data.drop", DEFERRED, 3),
        ("dot.451-4.3.0", DEFERRED, 1),
        ("dot.552-5.3.4", FAILED, 1),
        ("dot.421-4.3.2", DEFERRED, 2),
        ("dot.drop", UNKNOWN, 2),
        ("dot.taken", UNKNOWN, 2),
        ("dot.garbage", UNKNOWN, 2),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "stepwise"])
def test_a_letter_in_trouble_harms_no_neighbour(
    store: Store,
    fault: str,
    state: DeliveryState,
    connections: int,
    *,
    pipelining: bool,
) -> None:
    """Those around it arrive at the first attempt; a refusal costs no connection."""
    bad = f"f.{fault}.1"
    letters_for(store, "a1", "a2", "a3", bad, "z1", "z2", "z3")
    with serving(FaultServer(pipelining=pipelining)) as server:
        run_of(store, relay(server.port, connections=1), back_off=(0.0,) * 3)
    good = ["a1", "a2", "a3", "z1", "z2", "z3"]
    assert states(store) == dict.fromkeys(good, ACCEPTED) | {bad: state}
    taken = [recipient.partition("@")[0] for recipient in server.taken]
    assert [name for name in taken if name != bad] == good
    assert taken.count(bad) == (1 if fault == "dot.taken" else 0)
    assert {row.attempts for row in store.deliveries()} == {1}
    assert server.connections == connections

"""No dot leaves before its intent is on record, nor when its claim has grown too old."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from postroom.delivery import dispatch
from postroom.delivery.settings import LEASE_SECONDS
from postroom.errors import RelayAwayError
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path
from postroom.store.entries import opening, read_journal
from postroom.store.values import Durability
from tests.delivery.run_of import (
    FAST,
    compose_named,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.delivery.servers import WatchingServer
from tests.fault_server import FaultServer, serving
from tests.store.scenes import creation, states

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.base import Store
    from postroom.store.entries import Entry


def journaled(folder: Path) -> list[Entry]:
    """What the journal of the first run says, while it is under way."""
    path = journal_path(folder / "state" / "postroom.db", 1)
    return read_journal(path, opening(creation().ledger_id, 1)).entries


@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
@pytest.mark.parametrize("connections", [1, 4])
def test_the_journal_names_a_letter_before_the_server_can_have_it(
    store: Store, tmp_path: Path, durability: Durability, connections: int
) -> None:
    """Looked up in the file, by the server, the moment it has the dot.

    And no more intents are open than there are connections: a verdict is in the file
    before, or with, the next intent on its connection.
    """

    def look(recipient: str, body: bytes) -> None:
        last = {entry.subscriber_id: entry for entry in journaled(tmp_path)}
        intents = [
            entry.message_id
            for entry in last.values()
            if entry.state is DeliveryState.HANDING
        ]
        named.append(body.split(b"\r\n")[0].decode().partition(" ")[2] in intents)
        open_.append(len(intents))

    named: list[bool] = []
    open_: list[int] = []
    letters_for(store, *readers(60))
    with serving(WatchingServer(notice=look)) as server:
        delivered = run_of(
            store,
            relay(server.port, connections=connections),
            compose=compose_named,
            durability=durability,
        )
    assert delivered.counts == {DeliveryState.ACCEPTED: 60}
    assert named == [True] * 60
    assert max(open_) <= connections
    assert not list((tmp_path / "state").glob("*.journal"))


def test_a_claim_that_grew_old_under_way_is_not_handed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 354 came too late for a verdict within the lease: the dot stays here."""
    monkeypatch.setattr(dispatch, "VERDICT_RESERVE", LEASE_SECONDS - 0.4)
    letters_for(store, "f.data.tardy.1")
    with serving(FaultServer()) as server:
        patient = replace(FAST, data=2)  # longer than the fault
        delivered = run_of(store, relay(server.port, timeouts=patient, connections=1))
    assert server.commands.count("DATA") >= 2
    assert server.taken == []
    assert isinstance(delivered.fault, RelayAwayError)
    assert delivered.counts == {}
    (row,) = store.deliveries()
    assert (row.state, row.attempts) == (DeliveryState.QUEUED, 0)


def test_claims_that_grew_old_in_the_queue_are_claimed_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cost no connection, whether they waited for the relay or for their domain."""
    monkeypatch.setattr(dispatch, "VERDICT_RESERVE", LEASE_SECONDS - 0.15)
    letters_for(store, *readers(20))
    with serving(FaultServer()) as server:
        delivered = run_of(
            store, relay(server.port), domain_rates={"mail.example": 50.0}
        )
    assert delivered.counts == {DeliveryState.ACCEPTED: 20}
    assert len(server.taken) == len(set(server.taken)) == 20
    assert server.connections <= 2
    assert set(states(store).values()) == {DeliveryState.ACCEPTED}


def test_what_grew_old_while_others_were_claimed_is_claimed_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that began before they were given back, and found nothing, is not the last."""
    monkeypatch.setattr(dispatch, "VERDICT_RESERVE", LEASE_SECONDS - 0.6)
    begin_claim = store.begin_claim

    def slowly(*arguments: Any, **settings: Any) -> Any:
        claimed = begin_claim(*arguments, **settings)
        time.sleep(0.4)
        return claimed

    monkeypatch.setattr(store, "begin_claim", slowly)
    letters_for(store, *readers(16))
    with serving(FaultServer()) as server:
        delivered = run_of(
            store, relay(server.port), domain_rates={"mail.example": 50.0}
        )
    assert delivered.counts == {DeliveryState.ACCEPTED: 16}
    assert len(server.taken) == 16

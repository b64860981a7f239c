"""A run serves every edition that has something to send, new or left over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import letters_for, readers, relay, run_of
from tests.fault_server import FaultServer, serving
from tests.store.scenes import NOW, freeze, number_posts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from postroom.store.base import Store

ACCEPTED, DEFERRED = DeliveryState.ACCEPTED, DeliveryState.DEFERRED


def clock_at(minutes: float) -> tuple[datetime, Callable[[], datetime]]:
    """An instant, and a clock that stands at it."""
    now = NOW + timedelta(minutes=minutes)
    return now, lambda: now


def states_of(store: Store, edition: str) -> dict[str, DeliveryState]:
    """By the name before the @."""
    return {
        row.email.partition("@")[0]: row.state
        for row in store.deliveries(edition=edition)
    }


def test_a_deferred_letter_is_retried_beside_a_new_edition(store: Store) -> None:
    """Not before it is due; the new edition does not wait for it, nor it for that."""
    names = [*readers(8), "f.rcpt.grey.1", "f.rcpt.grey.2"]
    letters_for(store, *names)
    with serving(FaultServer()) as server:
        run_of(store, relay(server.port))
        first = dict.fromkeys(names, ACCEPTED)
        first |= {"f.rcpt.grey.1": DEFERRED, "f.rcpt.grey.2": DEFERRED}
        assert states_of(store, "weekly-1") == first

        now, clock = clock_at(1)
        number_posts(store, 2)
        freeze(store, "weekly-2", posts=(2,), now=now)
        run_of(store, relay(server.port), clock=clock)
        assert states_of(store, "weekly-2") == dict.fromkeys(names, ACCEPTED)
        assert states_of(store, "weekly-1") == first

        now, clock = clock_at(6)
        number_posts(store, 3)
        freeze(store, "weekly-3", posts=(3,), now=now)
        delivered = run_of(store, relay(server.port), clock=clock)
        assert delivered.counts == {ACCEPTED: 12}
        assert states_of(store, "weekly-3") == dict.fromkeys(names, ACCEPTED)
        assert states_of(store, "weekly-1") == dict.fromkeys(names, ACCEPTED)
    assert sorted(server.taken) == sorted(f"{name}@mail.example" for name in names * 3)


def test_two_editions_go_out_in_one_run(store: Store) -> None:
    """The older one first; nobody gets one twice."""
    letters_for(store, *readers(30))
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port, connections=1))
    assert delivered.counts == {ACCEPTED: 60}
    assert sorted(server.taken[:30]) == sorted(server.taken[30:])


def test_a_paused_edition_waits_and_holds_up_no_other(store: Store) -> None:
    """Until it goes on."""
    letters_for(store, *readers(10))
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))
    store.pause("weekly-1", paused=True)
    with serving(FaultServer()) as server:
        run_of(store, relay(server.port))
        assert set(states_of(store, "weekly-1").values()) == {DeliveryState.QUEUED}
        assert set(states_of(store, "weekly-2").values()) == {ACCEPTED}
        store.pause("weekly-1", paused=False)
        run_of(store, relay(server.port))
    assert set(states_of(store, "weekly-1").values()) == {ACCEPTED}
    assert len(server.taken) == 20


def test_a_run_of_many_batches_claims_them_all(store: Store) -> None:
    """More readers than one claim takes."""
    letters_for(store, *(f"reader{number:04}" for number in range(2300)))
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port, connections=4))
    assert delivered.counts == {ACCEPTED: 2300}
    assert len(set(server.taken)) == len(server.taken) == 2300

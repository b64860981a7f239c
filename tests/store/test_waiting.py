"""Claims of editions that wait: for their slot, for their operator, for the next try."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.errors import UnknownEditionError
from postroom.mail.outcome import DeliveryState
from postroom.subscribers.subscriber import Cadence, Consent
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    frozen,
    number_posts,
    reader,
    result,
    set_consent,
    states,
    subscribe,
)

if TYPE_CHECKING:
    from postroom.store.base import Store

LATER = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=30)
ACCEPTED, DEFERRED, QUEUED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.QUEUED,
)


def two_editions(store: Store, *names: str) -> int:
    """`weekly-1` and `weekly-2` for the same readers; returns a run."""
    run = frozen(store, *names)
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))
    return run


def test_an_edition_waits_for_its_slot(store: Store) -> None:
    """Frozen ahead of it, nothing of it is claimed before, and all of it then."""
    subscribe(store, "a", "b")
    number_posts(store, 1)
    assert freeze(store, slot=LATER) == 2
    assert store.last_slots() == {Cadence.WEEKLY: LATER}
    run = store.begin_run(OWNER, NOW)

    assert claim(store, run, now=LATER - timedelta(milliseconds=1)) == []
    assert len(claim(store, run, now=LATER)) == 2


def test_a_letter_is_dated_with_its_slot_or_its_freezing(store: Store) -> None:
    """The later of the two."""
    subscribe(store, "a")
    number_posts(store, 1, 2)
    freeze(store, "weekly-1", posts=(1,), slot=NOW - timedelta(hours=1))
    freeze(store, "weekly-2", posts=(2,), slot=LATER)
    run = store.begin_run(OWNER, NOW)

    dates = [found.dated for found in claim(store, run, now=LATER)]

    assert dates == [NOW, LATER]


def test_nothing_of_a_paused_edition_is_claimed(store: Store) -> None:
    """Neither queued nor due; the other edition goes on, and so does it when resumed."""
    run = two_editions(store, "a", "b")
    (first,) = claim(store, run, 1)
    store.record_results([result(first, DEFERRED, retry_at=NOW)])

    assert store.pause("weekly-1", paused=True)
    assert {found.edition for found in claim(store, run, now=LATER)} == {"weekly-2"}
    assert claim(store, run, now=LATER) == []

    assert store.pause("weekly-1", paused=False)
    again = claim(store, run, now=LATER)
    assert [found.email[0] for found in again] == ["b", "a"]


def test_a_pause_is_told_and_can_be_repeated(store: Store) -> None:
    """Whether it changed anything, and which editions are paused."""
    two_editions(store, "a")

    assert store.pause("weekly-2", paused=True)
    assert not store.pause("weekly-2", paused=True)
    paused = {edition.key: edition.paused for edition in store.editions()}
    assert paused == {"weekly-1": False, "weekly-2": True}
    assert store.pause("weekly-2", paused=False)
    assert not store.pause("weekly-2", paused=False)


def test_an_edition_that_is_not_there_is_named(store: Store) -> None:
    """By every method that asks for one."""
    for ask in (
        lambda: store.pause("weekly-9", paused=True),
        lambda: store.resolve("weekly-9", None, ACCEPTED, "by hand"),
        lambda: store.queued_after("weekly-9", 0, 1),
    ):
        with pytest.raises(UnknownEditionError, match="weekly-9"):
            ask()


def test_due_ones_come_in_the_order_of_their_time(store: Store) -> None:
    """Within an edition, and no more than were asked for."""
    run = frozen(store, *"abcd")
    for delay, one in zip((3, 1, 2, 9), claim(store, run), strict=True):
        retry_at = NOW + timedelta(minutes=delay)
        store.record_results([result(one, DEFERRED, retry_at=retry_at)])
    now = NOW + timedelta(minutes=5)

    assert [found.email[0] for found in claim(store, run, 2, now=now)] == ["b", "c"]
    assert [found.email[0] for found in claim(store, run, 2, now=now)] == ["a"]
    assert claim(store, run, 2, now=now) == []


def test_due_ones_at_the_same_moment_are_told_apart(store: Store) -> None:
    """A limit in the middle of them takes neither more nor the same again."""
    run = frozen(store, *"abcde")
    store.record_results(
        [result(one, DEFERRED, retry_at=LATER) for one in claim(store, run)]
    )
    set_consent(store, "b", Consent.UNSUBSCRIBED)

    taken = [claim(store, run, 2, now=LATER) for _ in range(3)]

    assert [[found.email[0] for found in some] for some in taken] == [
        ["a", "c"], ["d", "e"], [],
    ]  # fmt: skip
    assert states(store)["b"] is DeliveryState.SKIPPED


def test_a_claim_goes_on_with_the_next_edition(store: Store) -> None:
    """Until there are enough, passing over who left and what expired."""
    run = two_editions(store, *"abc")
    set_consent(store, "a", Consent.UNSUBSCRIBED)

    claims, passed = store.claim(run, 3, NOW, lease=60, expire=LONG_AGO)

    assert [(one.edition[-1], one.email[0]) for one in claims] == [
        ("1", "b"), ("1", "c"), ("2", "b"),
    ]  # fmt: skip
    assert passed == {DeliveryState.SKIPPED: 2}
    assert [one.email[0] for one in claim(store, run)] == ["c"]


def test_who_left_an_expired_edition_is_skipped_and_the_others_expire(
    store: Store,
) -> None:
    """The reason that is theirs counts first."""
    run = frozen(store, *"abc")
    set_consent(store, "a", Consent.SUPPRESSED)

    later = NOW + timedelta(seconds=1)
    claims, passed = store.claim(run, 1, NOW, lease=60, expire=later)

    assert claims == []
    assert passed == {DeliveryState.SKIPPED: 1, DeliveryState.EXPIRED: 2}
    assert store.open_deliveries()[QUEUED] == 0


def test_scattered_rows_are_claimed_and_nothing_between_them(store: Store) -> None:
    """A range with decided rows in it leaves those as they are."""
    run = frozen(store, *"abcdef")
    taken = claim(store, run)
    store.record_results(
        [
            result(one, QUEUED if number % 3 == 0 else ACCEPTED)
            for number, one in enumerate(taken)
        ]
    )

    again = claim(store, run)

    assert [(one.email[0], one.epoch) for one in again] == [("a", 2), ("d", 2)]
    assert list(states(store).values()).count(ACCEPTED) == 4


def test_what_is_queued_can_be_looked_at_ahead(store: Store) -> None:
    """Page by page in order, paused or before its slot, without claiming anything."""
    subscribe(store, *"abcde")
    number_posts(store, 1)
    freeze(store, slot=LATER)
    store.pause("weekly-1", paused=True)
    set_consent(store, "b", Consent.UNSUBSCRIBED)

    pages = []
    last = 0
    while page := store.queued_after("weekly-1", last, 2):
        pages.append([one.email[0] for one in page])
        assert {(one.epoch, one.dated) for one in page} == {(0, LATER)}
        last = page[-1].subscriber_id

    assert pages == [["a", "c"], ["d", "e"]]
    assert set(states(store).values()) == {QUEUED}


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names)
def test_any_name_is_claimed_as_it_is(store: Store, name: str) -> None:
    """Quotes, controls and NUL included."""
    change = reader("bo")
    store.save_subscribers([change], NOW, cadence=Cadence.WEEKLY, by_hand=True)
    store._connection.execute("UPDATE subscriber SET name = ?", (name,))  # type: ignore[attr-defined]  # SQLite
    number = store.facts().counter + 1
    number_posts(store, number)
    freeze(store, f"weekly-{number}", posts=(number,))
    run = store.begin_run(OWNER, NOW)

    (taken,) = claim(store, run)

    assert taken.name == name
    store.record_results([result(taken, ACCEPTED)])

"""Decisions by hand: only what is unknown is decided, and the reason is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from postroom.store.values import UnknownPolicy
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    frozen,
    number_posts,
    result,
    states,
)

if TYPE_CHECKING:
    from postroom.store.base import Store

ACCEPTED, FAILED, QUEUED, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
)


def doubtful(store: Store) -> int:
    """`a`, `b` and `c` are unknown, `d` was accepted, `e` waits; returns the run."""
    run = frozen(store, *"abcde")
    taken = claim(store, run, 4)
    store.record_results(
        [result(one, UNKNOWN, message_id=f"<{one.email[0]}@x>") for one in taken[:3]]
        + [result(taken[3], ACCEPTED)]
    )
    return run


@pytest.mark.parametrize("state", [ACCEPTED, FAILED, QUEUED])
def test_the_named_ones_are_decided(store: Store, state: DeliveryState) -> None:
    """Those that are unknown, and the others as they were; the Message-ID stays."""
    doubtful(store)
    asked = ["c@mail.example", "a@mail.example", "d@mail.example", "no@x"]

    found = store.resolve("weekly-1", asked, state, "by hand: seen")

    assert sorted(found) == ["a@mail.example", "c@mail.example"]
    assert states(store) == {
        "a": state, "b": UNKNOWN, "c": state, "d": ACCEPTED, "e": QUEUED,
    }  # fmt: skip
    rows = {row.email[0]: row for row in store.deliveries()}
    assert (rows["a"].reply, rows["a"].message_id) == ("by hand: seen", "<a@x>")
    assert (rows["d"].reply, rows["b"].reply) == ("", "")
    assert store.unbalanced(everything=True) == []


def test_all_of_an_edition_are_decided(store: Store) -> None:
    """And none of another one."""
    run = doubtful(store)
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))
    others = [one for one in claim(store, run) if one.edition == "weekly-2"]
    store.record_results([result(one, UNKNOWN) for one in others])

    found = store.resolve("weekly-1", None, ACCEPTED, "by hand")

    assert len(found) == 3
    assert store.resolve("weekly-1", None, ACCEPTED, "by hand") == []
    assert store.open_deliveries()[UNKNOWN] == len(others) == 5


def test_one_that_was_erased_is_decided_with_all_the_others(store: Store) -> None:
    """It has no address to be named by."""
    doubtful(store)
    store.erase("b@mail.example", NOW)

    assert "" in store.resolve("weekly-1", None, FAILED, "by hand")
    assert store.open_deliveries()[UNKNOWN] == 0


def test_one_queued_by_hand_is_claimed_like_any_other(store: Store) -> None:
    """With a newer fence; unknown once more, it is not sent a third time by itself."""
    run = doubtful(store)
    store.resolve("weekly-1", ["a@mail.example"], QUEUED, "by hand")

    first, *_ = claim(store, run)
    assert (first.email[0], first.epoch, first.attempts) == ("a", 2, 1)
    store.record_results([result(first, UNKNOWN)])
    store.recover(store.begin_run(OWNER, NOW), NOW, UnknownPolicy.RESEND)

    assert states(store)["a"] is UNKNOWN
    assert states(store)["b"] is QUEUED


@pytest.mark.parametrize(
    "state", sorted(set(DeliveryState) - {ACCEPTED, FAILED, QUEUED})
)
def test_what_cannot_follow_is_a_bug(store: Store, state: DeliveryState) -> None:
    """Nothing is changed."""
    doubtful(store)

    with pytest.raises(ValueError, match=f"cannot become {state}"):
        store.resolve("weekly-1", None, state, "by hand")

    assert store.open_deliveries()[UNKNOWN] == 3


def test_an_edition_with_something_queued_again_is_counted_again(store: Store) -> None:
    """It was found whole once; rows that vanish after that are still missed."""
    run = doubtful(store)
    (last,) = claim(store, run)
    store.record_results([result(last, ACCEPTED)])
    assert store.unbalanced() == []
    store.resolve("weekly-1", None, ACCEPTED, "by hand")

    store._connection.execute("DELETE FROM delivery WHERE email LIKE 'a%'")  # type: ignore[attr-defined]  # SQLite

    assert store.unbalanced() == ["weekly-1"]

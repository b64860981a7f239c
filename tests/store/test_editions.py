"""Slots and editions: freezing is one step, and nobody is offered a number twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.digests.edition import AudienceGroup, EditionPlan, VariantPlan
from postroom.mail.outcome import DeliveryState
from postroom.subscribers.subscriber import Cadence, Consent
from tests.store.scenes import (
    LETTER,
    NOW,
    freeze,
    letters,
    number_posts,
    plan,
    reader,
    set_consent,
    states,
    subscribe,
)

if TYPE_CHECKING:
    from postroom.store.base import Store
    from postroom.store.sqlite.store import SqliteStore

HOUR = timedelta(hours=1)


def mark_of(store: Store, name: str) -> int:
    """The highest number a reader was offered."""
    found = store.subscriber(f"{name}@mail.example")
    assert found is not None
    return found.mark


def test_the_last_slot_of_a_cadence_never_goes_back(store: Store) -> None:
    """A run with an earlier clock does not open a slot again."""
    store.pass_slot(Cadence.DAILY, NOW, 0)
    store.pass_slot(Cadence.DAILY, NOW - HOUR, 0)
    store.pass_slot(Cadence.WEEKLY, NOW + HOUR, 0)

    assert store.last_slots() == {Cadence.DAILY: NOW, Cadence.WEEKLY: NOW + HOUR}


def test_passing_a_slot_moves_the_marks_of_its_cadence_alone(store: Store) -> None:
    """And never down: posts that nobody wanted are not offered later."""
    subscribe(store, "weekly")
    subscribe(store, "daily", cadence=Cadence.DAILY)
    store.save_subscribers(
        [reader("pending", consent=Consent.PENDING)], NOW, cadence=Cadence.WEEKLY
    )

    store.pass_slot(Cadence.WEEKLY, NOW, 5)
    store.pass_slot(Cadence.WEEKLY, NOW, 3)

    assert [mark_of(store, name) for name in ("weekly", "daily", "pending")] == [
        5,
        0,
        0,
    ]


def test_an_audience_is_grouped_by_language_topics_and_mark(store: Store) -> None:
    """Only the confirmed of the cadence; topics are a set, in no order of their own."""
    store.save_subscribers(
        [
            reader("a", topics=("글", "code"), language="ko"),
            reader("b", topics=("code", "글", "code"), language="ko"),
            reader("c"),
            reader("d", consent=Consent.PENDING),
            reader("e", cadence=Cadence.DAILY),
        ],
        NOW,
        cadence=Cadence.WEEKLY,
    )
    number_posts(store, 4)
    subscribe(store, "f")

    groups = store.audience(Cadence.WEEKLY)

    assert sorted(groups, key=lambda group: (group.language, group.mark)) == [
        AudienceGroup(language="", topics=(), mark=0, count=1),
        AudienceGroup(language="", topics=(), mark=4, count=1),
        AudienceGroup(language="ko", topics=("code", "글"), mark=0, count=2),
    ]


def test_freezing_stores_edition_letters_and_a_queued_delivery_each(
    store: Store,
) -> None:
    """The audience is the number of rows, and the slot is dealt with."""
    subscribe(store, "bo", "kim")
    number_posts(store, 1, 2)
    before = store.facts().serial
    slot = NOW - HOUR
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY), posts=(2, 1), slot=slot)

    assert store.freeze(edition, letters(edition), NOW) == 2

    assert states(store) == {"bo": DeliveryState.QUEUED, "kim": DeliveryState.QUEUED}
    (stored,) = store.editions()
    assert (stored.key, stored.cadence) == ("weekly-1", Cadence.WEEKLY)
    assert (stored.slot, stored.frozen_at) == (slot, NOW)
    assert (stored.posts, stored.audience) == ((2, 1), 2)
    assert store.letters("weekly-1") == {1: LETTER}
    assert store.last_slots() == {Cadence.WEEKLY: slot}
    assert store.facts().serial > before
    assert store.unbalanced(everything=True) == []


def test_freezing_a_key_again_changes_nothing(store: Store) -> None:
    """A run killed after its freeze repeats it without effect, newer readers or not."""
    subscribe(store, "bo")
    number_posts(store, 1)
    freeze(store)
    facts = store.facts()
    subscribe(store, "kim")
    edition = plan(
        "weekly-1", store.audience(Cadence.WEEKLY), posts=(9,), slot=NOW + HOUR
    )

    assert store.freeze(edition, {1: replace(LETTER, subject="other")}, NOW) == 0

    assert states(store) == {"bo": DeliveryState.QUEUED}
    assert store.letters("weekly-1") == {1: LETTER}
    assert (store.facts(), store.last_slots()) == (facts, {Cadence.WEEKLY: NOW})
    assert mark_of(store, "kim") == 1


def test_marks_move_with_the_freeze_so_that_a_number_comes_once(store: Store) -> None:
    """Whoever changes rhythm afterwards is not offered the same post again."""
    subscribe(store, "bo")
    number_posts(store, 1)
    freeze(store)

    store.save_subscribers(
        [reader("bo", cadence=Cadence.DAILY)], NOW, cadence=Cadence.WEEKLY
    )

    assert [group.mark for group in store.audience(Cadence.DAILY)] == [1]


def test_marks_of_readers_without_a_matching_post_move_too(store: Store) -> None:
    """A change of topics a year later brings no year of old posts."""
    subscribe(store, "bo")
    store.save_subscribers(
        [reader("kim", topics=("garden",))], NOW, cadence=Cadence.WEEKLY
    )
    number_posts(store, 1)
    everyone = [group for group in store.audience(Cadence.WEEKLY) if not group.topics]
    edition = plan("weekly-1", everyone)

    assert store.freeze(edition, letters(edition), NOW) == 1

    assert states(store) == {"bo": DeliveryState.QUEUED}
    assert (mark_of(store, "bo"), mark_of(store, "kim")) == (1, 1)


def test_who_leaves_between_plan_and_freeze_gets_nothing(store: Store) -> None:
    """The audience is who is in the groups at the moment of the freeze."""
    subscribe(store, "bo", "kim")
    number_posts(store, 1)
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY))
    set_consent(store, "kim", Consent.UNSUBSCRIBED)

    assert store.freeze(edition, letters(edition), NOW) == 1

    assert states(store) == {"bo": DeliveryState.QUEUED}
    assert [found.audience for found in store.editions()] == [1]


def test_an_edition_nobody_is_left_for_is_not_stored(store: Store) -> None:
    """Its slot counts as dealt with all the same."""
    subscribe(store, "bo")
    number_posts(store, 1)
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY))
    set_consent(store, "bo", Consent.UNSUBSCRIBED)

    assert store.freeze(edition, letters(edition), NOW) == 0

    assert list(store.editions()) == []
    assert store.letters("weekly-1") == {}
    assert store.last_slots() == {Cadence.WEEKLY: NOW}


def test_who_changes_topics_between_plan_and_freeze_loses_no_post(
    store: Store,
) -> None:
    """They are in no group of the plan, so their mark stays and they come next time."""
    subscribe(store, "bo", "kim")
    number_posts(store, 1)
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY))
    store.save_subscribers(
        [reader("kim", topics=("essay",))], NOW + HOUR, cadence=Cadence.WEEKLY
    )

    store.freeze(edition, letters(edition), NOW)

    assert states(store) == {"bo": DeliveryState.QUEUED}
    assert (mark_of(store, "bo"), mark_of(store, "kim")) == (1, 0)


def test_who_changes_into_another_group_gets_its_variant_once(store: Store) -> None:
    """Received is received, however late the change: the mark moves with it."""
    subscribe(store, "bo", "kim")
    save_topics = [reader("kim", topics=("essay",))]
    store.save_subscribers(save_topics, NOW, cadence=Cadence.WEEKLY)
    number_posts(store, 1)
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY))
    store.save_subscribers(
        [reader("kim", topics=())], NOW + HOUR, cadence=Cadence.WEEKLY
    )

    assert store.freeze(edition, letters(edition), NOW) == 2

    assert (mark_of(store, "bo"), mark_of(store, "kim")) == (1, 1)


def test_who_comes_to_a_cadence_after_its_slot_loses_no_post(store: Store) -> None:
    """Passing a slot over is only for those who had that cadence then."""
    subscribe(store, "bo")
    number_posts(store, 1)
    store.save_subscribers(
        [reader("bo", cadence=Cadence.DAILY)], NOW + HOUR, cadence=Cadence.WEEKLY
    )

    store.pass_slot(Cadence.DAILY, NOW, 1)
    assert mark_of(store, "bo") == 0

    store.pass_slot(Cadence.DAILY, NOW + HOUR, 1)
    assert mark_of(store, "bo") == 1


def test_each_group_gets_its_variant(store: Store) -> None:
    """By language here; the claim carries the variant's number."""
    store.save_subscribers(
        [reader("bo", language="en"), reader("kim", language="ko")],
        NOW,
        cadence=Cadence.WEEKLY,
    )
    number_posts(store, 1)
    groups = {group.language: group for group in store.audience(Cadence.WEEKLY)}
    edition = EditionPlan(
        key="weekly-1",
        cadence=Cadence.WEEKLY,
        slot=NOW,
        mark=1,
        variants=tuple(
            VariantPlan(number=n, language=code, posts=(1,), groups=(groups[code],))
            for n, code in ((1, "ko"), (2, "en"))
        ),
    )
    english = replace(LETTER, language="en", subject="This week's post")

    assert store.freeze(edition, {1: LETTER, 2: english}, NOW) == 2

    claims = store.claim(1, 10, NOW, lease=60, expire=NOW).claims
    assert {claim.email: claim.variant for claim in claims} == {
        "bo@mail.example": 2,
        "kim@mail.example": 1,
    }
    assert store.letters("weekly-1") == {1: LETTER, 2: english}


def test_who_changed_since_the_plan_gets_no_other_marks_posts(store: Store) -> None:
    """A variant is for one mark: it may hold posts that another has seen."""
    subscribe(store, "bo")
    number_posts(store, 1)
    subscribe(store, "kim")
    number_posts(store, 2)
    behind = [group for group in store.audience(Cadence.WEEKLY) if group.mark == 0]
    edition = plan("weekly-1", behind, posts=(2, 1))

    assert store.freeze(edition, letters(edition), NOW) == 1

    assert states(store) == {"bo": DeliveryState.QUEUED}


def test_a_group_in_two_variants_is_refused(store: Store) -> None:
    """Its subscribers would have to get two letters; nothing is stored."""
    subscribe(store, "bo")
    number_posts(store, 1)
    one = plan("weekly-1", store.audience(Cadence.WEEKLY))
    two = replace(one, variants=(one.variants[0], replace(one.variants[0], number=2)))

    with pytest.raises(ValueError, match="more than one variant"):
        store.freeze(two, {1: LETTER, 2: LETTER}, NOW)

    assert list(store.editions()) == []


def test_a_variant_without_a_letter_is_refused(store: Store) -> None:
    """Before anything is written."""
    subscribe(store, "bo")
    number_posts(store, 1)
    edition = plan("weekly-1", store.audience(Cadence.WEEKLY))

    with pytest.raises(ValueError, match="no letter for variants"):
        store.freeze(edition, {}, NOW)

    assert store.last_slots() == {}


def test_editions_come_newest_first(store: Store) -> None:
    """Whatever their keys."""
    subscribe(store, "bo")
    number_posts(store, 1, 2)
    freeze(store, "weekly-b", posts=(1,))
    freeze(store, "weekly-a", posts=(2,))

    assert [edition.key for edition in store.editions()] == ["weekly-a", "weekly-b"]


def test_batches_are_ranges_of_five_hundred(store: SqliteStore) -> None:
    """Numbered along the subscribers, the last one shorter."""
    subscribe(store, *(f"r{number:04}" for number in range(1_201)))
    number_posts(store, 1)

    assert freeze(store) == 1_201

    batches = store._connection.execute(
        "SELECT batch, count(*), max(subscriber) - min(subscriber) FROM delivery"
        " GROUP BY batch ORDER BY batch"
    ).fetchall()
    assert batches == [(0, 500, 499), (1, 500, 499), (2, 201, 200)]


def test_a_lost_row_unbalances_the_ledger(store: SqliteStore) -> None:
    """The edition is named as long as it does not add up."""
    subscribe(store, "bo", "kim")
    number_posts(store, 1)
    freeze(store)
    store._connection.execute("DELETE FROM delivery WHERE email LIKE 'kim%'")

    assert store.unbalanced() == ["weekly-1"]
    assert store.unbalanced() == ["weekly-1"]
    assert store.unbalanced(everything=True) == ["weekly-1"]


def test_an_edition_that_is_done_and_whole_is_counted_once_more(
    store: SqliteStore,
) -> None:
    """So an idle run counts nothing; a loss after that is for the full count."""
    subscribe(store, "bo")
    number_posts(store, 1)
    freeze(store)
    set_consent(store, "bo", Consent.UNSUBSCRIBED)
    assert store.claim(1, 10, NOW, lease=60, expire=NOW).claims == []
    assert store.unbalanced() == []
    store._connection.execute("DELETE FROM delivery")

    assert store.unbalanced() == []
    assert store.unbalanced(everything=True) == ["weekly-1"]

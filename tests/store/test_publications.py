"""Facts, publications and runs: ids and numbers are kept, the counter only grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.errors import LedgerDamagedError
from postroom.mail.outcome import DeliveryState
from postroom.posts.publication import MailState
from postroom.store.beside import journal_path
from postroom.store.values import Pending, UnknownPolicy
from postroom.subscribers.subscriber import Cadence
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    frozen,
    hand_over,
    journal_of,
    number_posts,
    publication,
    result,
    subscribe,
)

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.store.base import Store
    from postroom.store.sqlite.store import SqliteStore

NOTHING = Pending(new_publications=False, immediate=False, deliveries=False)


def test_a_new_store_knows_what_it_was_made_with(store: Store) -> None:
    """Authority and id are those of the creation; nothing was counted yet."""
    facts = store.facts()

    assert facts.authority == "blog.example,2026-11-01"
    assert facts.ledger_id == "5f2c"
    assert (facts.serial, facts.counter, facts.published_before) == (0, 0, False)


def test_publications_come_back_as_recorded(store: Store) -> None:
    """Every field survives, in order of number, the unnumbered last by first_seen."""
    late = replace(publication(None, name="late"), first_seen=NOW + timedelta(days=2))
    early = replace(
        publication(None, name="새 글"), reason="max_new", mail=MailState.HELD
    )
    second, first = publication(2), publication(1)

    store.record_publications([late, second, early, first])

    assert store.publications() == [first, second, early, late]


def test_a_publication_is_updated_by_its_id(store: Store) -> None:
    """A renamed and numbered post keeps its id and stays one row."""
    seen = publication(None, name="a")
    store.record_publications([seen])
    after = replace(seen, path="posts/b.md", number=1, mail=MailState.NUMBERED)

    store.record_publications([after])

    assert store.publications() == [after]


def test_numbers_raise_the_counter_and_the_serial(store: Store) -> None:
    """A batch with a higher number is a change that a copy from before does not have."""
    number_posts(store, 1, 2, 3)
    facts = store.facts()
    assert (facts.counter, facts.serial) == (3, 1)

    number_posts(store, 2)

    assert store.facts() == facts


def test_recording_nothing_changes_nothing(store: Store) -> None:
    """An empty batch is not even a transaction."""
    store.record_publications([])

    assert store.publications() == []


def test_a_number_is_never_given_twice(store: Store) -> None:
    """Two publications with one number are refused whole."""
    number_posts(store, 1)

    with pytest.raises(LedgerDamagedError, match="number"):
        store.record_publications([publication(2), publication(1, name="other")])

    assert [p.number for p in store.publications()] == [1]
    assert store.facts().counter == 1


def test_a_run_that_ended_makes_the_ledger_a_used_one(store: Store) -> None:
    """`published_before` turns true at the end of the first run, not at its start."""
    run = store.begin_run(OWNER, NOW)
    assert not store.facts().published_before

    store.end_run(run, NOW)

    assert store.facts().published_before


def test_every_run_has_its_own_id_and_moves_the_serial(store: Store) -> None:
    """A copy from before a run is older than the ledger."""
    first = store.begin_run(OWNER, NOW)
    before = store.facts().serial

    assert store.begin_run(OWNER, NOW) > first
    assert store.facts().serial > before


def test_a_fresh_store_has_nothing_pending(store: Store) -> None:
    """A run on an idle site finds nothing to do."""
    assert store.pending(NOW) == NOTHING


def test_a_new_publication_is_pending_until_it_is_judged(store: Store) -> None:
    """Only the mail state `new` waits for a run."""
    seen = publication(None, name="a")
    store.record_publications([seen])
    assert store.pending(NOW) == replace(NOTHING, new_publications=True)

    store.record_publications([replace(seen, mail=MailState.ARCHIVED)])

    assert store.pending(NOW) == NOTHING


def test_an_immediate_reader_behind_the_counter_is_pending(store: Store) -> None:
    """Until the slot is passed or an edition is frozen for them."""
    subscribe(store, "weekly")
    subscribe(store, "immediate", cadence=Cadence.IMMEDIATE)
    number_posts(store, 1)
    assert store.pending(NOW) == replace(NOTHING, immediate=True)

    store.pass_slot(Cadence.IMMEDIATE, NOW, 1)

    assert store.pending(NOW) == NOTHING


def test_deliveries_are_pending_in_every_state_that_a_run_can_settle(
    store: Store,
) -> None:
    """Queued, claimed, handing; deferred when due; unknown until it was sent again."""

    def waits(after: timedelta = timedelta()) -> bool:
        return store.pending(NOW + after).deliveries

    run = frozen(store, "bo")
    assert waits()
    claims = claim(store, run)
    assert waits()
    later = NOW + timedelta(minutes=5)
    store.record_results([result(claims[0], DeliveryState.DEFERRED, retry_at=later)])
    assert not waits()
    assert waits(timedelta(minutes=5))

    claims = claim(store, run, now=later)
    hand_over(store, run, claims)
    assert waits()
    store.record_results([result(claims[0], DeliveryState.UNKNOWN)])
    assert waits()
    store.recover(run, later, UnknownPolicy.RESEND)
    claims = claim(store, run, now=later)
    hand_over(store, run, claims)
    store.record_results([result(claims[0], DeliveryState.UNKNOWN)])

    assert not waits()


def test_a_sound_store_passes_its_check(store: Store) -> None:
    """Also with rows in every table."""
    frozen(store, "bo", "kim")
    freeze(store, "weekly-2", posts=(1,))

    store.check()


def test_the_questions_of_an_idle_run_are_index_look_ups(store: SqliteStore) -> None:
    """`pending` scans no table, however long the ledger is."""
    from postroom.store.sqlite.publications import PENDING  # noqa: PLC0415 - SQLite only

    plan = store._connection.execute(
        f"EXPLAIN QUERY PLAN {PENDING}", {"now": 0}
    ).fetchall()
    steps = [row[3] for row in plan]

    scans = [step for step in steps if step.startswith("SCAN")]
    assert set(scans) <= {
        "SCAN CONSTANT ROW",
        "SCAN ledger",
        "SCAN waiting",  # the editions with rows that wait, one look-up each
        "SCAN publication USING COVERING INDEX publication_new",
    }
    looks = [step for step in steps if "delivery_open" in step]
    assert len(looks) == 8
    assert all(step.startswith("SEARCH") for step in looks)


def test_what_may_not_be_sent_is_not_pending(store: Store) -> None:
    """Neither a paused edition nor one before its slot wakes a run, queued or due."""

    def waits(now: datetime = NOW) -> bool:
        return store.pending(now).deliveries

    subscribe(store, "a", "b")
    number_posts(store, 1)
    later = NOW + timedelta(hours=1)
    freeze(store, slot=later)
    assert not waits()
    assert waits(later)

    store.pause("weekly-1", paused=True)
    assert not waits(later)

    store.pause("weekly-1", paused=False)
    run = store.begin_run(OWNER, NOW)
    taken = claim(store, run, now=later)
    store.record_results(
        [result(one, DeliveryState.DEFERRED, retry_at=later) for one in taken]
    )
    assert waits(later)
    store.pause("weekly-1", paused=True)
    assert not waits(later)


def test_a_run_that_still_holds_deliveries_keeps_its_journal(
    store: SqliteStore,
) -> None:
    """The next one reads it; without any it goes with the end of the run."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)
    hand_over(store, run, [first])
    store.record_results([result(second, DeliveryState.QUEUED)])
    store.end_run(run, NOW)
    assert journal_path(store.path, run).exists()

    following = store.begin_run(OWNER, NOW)
    assert store.recover(following, NOW, UnknownPolicy.HOLD) == 1
    assert not journal_path(store.path, run).exists()

    journal_of(store, following)
    store.end_run(following, NOW)
    assert not journal_path(store.path, following).exists()


def test_ids_by_path_leave_out_what_is_not_sure(store: Store) -> None:
    """No path, and a path of two publications: those need the whole plan."""
    one, two, twin, lost = (publication(None, name=name) for name in "abcd")
    store.record_publications([one, two])
    assert store.publication_ids() == {one.path: one.id, two.path: two.id}

    store.record_publications(
        [one, two, replace(twin, path=two.path), replace(lost, path="")]
    )

    assert store.publication_ids() == {one.path: one.id}


def test_publications_are_found_by_path(store: Store) -> None:
    """Those asked for and no others, in the order of all."""
    items = [publication(2), publication(1), publication(None, name="새 글")]
    store.record_publications(items)

    found = store.publications_at([items[0].path, items[2].path, "none.md"])

    assert found == [items[0], items[2]]
    assert store.publications_at([]) == []


def test_numbers_change_places_by_hand(store: Store) -> None:
    """In whatever order they are written; the copy from before is older."""
    number_posts(store, 1, 2)
    one, two = store.publications()
    before = store.facts()

    store.amend_publications([replace(one, number=2), replace(two, number=1)])

    assert [item.id for item in store.publications()] == [two.id, one.id]
    assert store.facts().serial > before.serial
    assert store.facts().counter == before.counter


def test_an_amendment_is_whole_or_nothing(store: Store) -> None:
    """A number that another post has, or an authority that is none, changes nothing."""
    number_posts(store, 1, 2)
    before = store.publications()
    (one, _), facts = before, store.facts()

    with pytest.raises(LedgerDamagedError, match="number"):
        store.amend_publications(
            [replace(one, number=2, path="x.md")], authority="other.example,2020-01-01"
        )
    with pytest.raises(ValueError, match="authority"):
        store.amend_publications([replace(one, path="x.md")], authority="2020")

    assert store.publications() == before
    assert store.facts() == facts


def test_the_authority_is_restored(store: Store) -> None:
    """Of a ledger that was lost, from the ids that were published."""
    store.amend_publications([], authority="blog.example,2019-02-03")

    assert store.facts().authority == "blog.example,2019-02-03"
    serial = store.facts().serial
    store.amend_publications([])
    assert store.facts().serial == serial

"""Subscribers: what a change may do to whom, and that the erased stay forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.errors import TableError
from postroom.mail.outcome import DeliveryState
from postroom.store.sqlite.subscribers import STOPPED, may_follow
from postroom.store.values import Saved
from postroom.subscribers.subscriber import (
    CONSENT_CHANGES,
    Cadence,
    Consent,
    Subscriber,
    SubscriberChange,
)
from tests.store.scenes import (
    NOW,
    claim,
    freeze,
    frozen,
    hand_over,
    number_posts,
    reader,
    result,
    set_consent,
    subscribe,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postroom.store.base import Store

LATER = NOW + timedelta(days=1)


def save(store: Store, *changes: SubscriberChange, by_hand: bool = False) -> Saved:
    """Save at a later instant, weekly by default."""
    return store.save_subscribers(
        changes, LATER, cadence=Cadence.WEEKLY, by_hand=by_hand
    )


def look_up(store: Store, name: str) -> Subscriber:
    """The subscriber of that name."""
    found = store.subscriber(f"{name}@mail.example")
    assert found is not None
    return found


def test_a_new_subscriber_gets_what_the_change_says_and_the_defaults(
    store: Store,
) -> None:
    """Pending, the given cadence, all topics, today's number."""
    number_posts(store, 7)

    saved = save(
        store,
        SubscriberChange(email="Bo@mail.example", key="bo@mail.example"),
        replace(
            reader("kim", topics=("글", "code"), language="ko", cadence=Cadence.DAILY),
            name="김하나",
        ),
    )

    assert saved == Saved(added=2)
    bo, kim = store.subscribers()
    assert bo == Subscriber(
        id=bo.id,
        email="Bo@mail.example",
        key="bo@mail.example",
        mark=7,
        added_at=LATER,
    )
    assert kim == Subscriber(
        id=kim.id,
        email="kim@mail.example",
        key="kim@mail.example",
        name="김하나",
        consent=Consent.CONFIRMED,
        cadence=Cadence.DAILY,
        topics=("code", "글"),
        language="ko",
        mark=7,
        added_at=LATER,
        consent_at=LATER,
    )
    assert store.subscriber("kim@mail.example") == kim
    assert store.subscriber("nobody@mail.example") is None


def test_subscribers_come_by_address(store: Store) -> None:
    """In order of the folded address, whatever the order they came in."""
    subscribe(store, "z", "m", "a")

    assert [found.key[0] for found in store.subscribers()] == ["a", "m", "z"]


def test_a_stream_of_subscribers_is_one_snapshot(store: Store) -> None:
    """Who is added while it is read does not appear in it, and nothing is blocked."""
    subscribe(store, "a", "b")
    stream = store.subscribers()
    first = next(stream)

    subscribe(store, "c")

    assert [first.key[0], *(found.key[0] for found in stream)] == ["a", "b"]


def test_only_what_a_change_names_is_changed(store: Store) -> None:
    """None leaves a field, an empty value empties it."""
    save(store, replace(reader("bo", topics=("a",), language="ko"), name="Bo"))
    before = look_up(store, "bo")

    saved = save(store, reader("bo", consent=None, cadence=Cadence.MONTHLY))
    assert saved == Saved(changed=1)
    assert look_up(store, "bo") == replace(before, cadence=Cadence.MONTHLY)

    save(store, replace(reader("bo", consent=None, topics=(), language=""), name=""))
    assert look_up(store, "bo") == replace(
        before, cadence=Cadence.MONTHLY, topics=(), language="", name=""
    )


def test_the_same_table_again_changes_nothing(store: Store) -> None:
    """Every row is counted as unchanged; topics in another order are the same topics."""
    save(store, reader("bo", topics=("a", "b")), reader("kim"))
    before = list(store.subscribers())

    saved = save(store, reader("bo", topics=("b", "a", "b")), reader("kim"))

    assert saved == Saved(unchanged=2)
    assert list(store.subscribers()) == before


def test_an_address_named_twice_is_changed_twice(store: Store) -> None:
    """In the order of the rows: the last one wins where they differ."""
    saved = save(
        store,
        reader("bo", language="ko"),
        reader("kim"),
        reader("bo", cadence=Cadence.DAILY),
        reader("bo", cadence=Cadence.MONTHLY),
    )

    assert saved == Saved(added=2, changed=2)
    bo = look_up(store, "bo")
    assert (bo.language, bo.cadence) == ("ko", Cadence.MONTHLY)


def test_a_spelling_of_the_same_address_is_kept_as_last_given(store: Store) -> None:
    """The folded address decides who it is."""
    subscribe(store, "bo")

    saved = save(
        store, SubscriberChange(email="BO@Mail.example", key="bo@mail.example")
    )

    assert saved == Saved(changed=1)
    assert look_up(store, "bo").email == "BO@Mail.example"


def test_who_becomes_confirmed_starts_at_todays_number(store: Store) -> None:
    """However long they were pending or away; and the moment is kept."""
    save(store, reader("bo", consent=Consent.PENDING))
    number_posts(store, 5)
    assert look_up(store, "bo").mark == 0

    save(store, reader("bo"))

    bo = look_up(store, "bo")
    assert (bo.mark, bo.consent_at) == (5, LATER)


def test_leaving_keeps_the_mark(store: Store) -> None:
    """Only becoming confirmed moves it."""
    subscribe(store, "bo")
    number_posts(store, 5)

    save(store, reader("bo", consent=Consent.UNSUBSCRIBED))

    bo = look_up(store, "bo")
    assert (bo.consent, bo.mark) == (Consent.UNSUBSCRIBED, 0)


@pytest.mark.parametrize(("before", "after"), list(product(Consent, Consent)))
@pytest.mark.parametrize("by_hand", [False, True])
def test_consent_changes_as_the_table_allows_or_by_hand(
    store: Store, before: Consent, after: Consent, *, by_hand: bool
) -> None:
    """Refused whole and reported; a no becomes a yes only by the operator's hand."""
    save(store, reader("bo", consent=before))
    change = reader("bo", consent=after, language="ko")

    saved = save(store, change, by_hand=by_hand)

    bo = look_up(store, "bo")
    allowed = before == after or after in CONSENT_CHANGES[before]
    if before in STOPPED and after is Consent.CONFIRMED:
        allowed = False
    assert may_follow(before, after) == allowed
    if allowed or by_hand:
        assert (bo.consent, bo.language, saved) == (after, "ko", Saved(changed=1))
    else:
        assert (bo.consent, bo.language) == (before, "")
        assert saved == Saved(suppressed=("bo@mail.example",))


def test_a_table_that_breaks_off_saves_nothing(store: Store) -> None:
    """Its error reaches the caller as it is."""

    def rows() -> Iterator[SubscriberChange]:
        yield reader("bo")
        raise TableError("line 2: not an address")

    with pytest.raises(TableError):
        store.save_subscribers(rows(), NOW, cadence=Cadence.WEEKLY)

    assert list(store.subscribers()) == []


def test_more_rows_than_fit_one_chunk_are_saved(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address in two chunks is still one subscriber."""
    monkeypatch.setattr("postroom.store.sqlite.subscribers.CHUNK", 3)
    rows = [reader(f"r{number % 8}", language=str(number)) for number in range(11)]

    saved = save(store, *rows)

    assert saved == Saved(added=8, changed=3)
    assert [found.language for found in store.subscribers()] == [
        "8", "9", "10", "3", "4", "5", "6", "7",
    ]  # fmt: skip


def test_erasing_leaves_a_hash_that_stops_an_import(store: Store) -> None:
    """The address is refused and reported; others of the table are saved."""
    subscribe(store, "bo", "kim")

    assert store.erase("bo@mail.example", LATER)

    assert store.subscriber("bo@mail.example") is None
    saved = save(store, reader("bo"), reader("lee"))
    assert saved == Saved(added=1, suppressed=("bo@mail.example",))
    assert [found.key[:3] for found in store.subscribers()] == ["kim", "lee"]


def test_erasing_nobody_says_so(store: Store) -> None:
    """There is nothing to forget, and nothing changes."""
    before = store.facts()

    assert not store.erase("bo@mail.example", LATER)

    assert store.facts() == before


def test_the_operator_may_bring_an_erased_person_back(store: Store) -> None:
    """As someone new: another id, today's number, and imports know them again."""
    subscribe(store, "bo")
    before = look_up(store, "bo")
    store.erase("bo@mail.example", LATER)
    number_posts(store, 3)

    assert save(store, reader("bo"), by_hand=True) == Saved(added=1)

    after = look_up(store, "bo")
    assert after.id > before.id
    assert after.mark == 3
    assert save(store, reader("bo", language="ko")) == Saved(changed=1)
    assert store.erase("bo@mail.example", LATER)
    assert save(store, reader("bo")).suppressed


def test_the_id_of_an_erased_person_is_never_given_again(store: Store) -> None:
    """A delivery of theirs can never look like another person's."""
    subscribe(store, "bo")
    before = look_up(store, "bo").id
    store.erase("bo@mail.example", LATER)

    subscribe(store, "kim")

    assert look_up(store, "kim").id > before


def test_no_trace_of_an_erased_address_is_left(store: Store, ledger_path: Path) -> None:
    """Neither as subscriber, nor in the ledger, nor in what servers said of it."""
    run = frozen(store, "secretive", "kim")
    claims = claim(store, run)
    hand_over(store, run, claims)
    store.record_results(
        [result(one, DeliveryState.FAILED, f"<{one.email}> unknown") for one in claims]
    )
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))

    store.erase("secretive@mail.example", LATER)
    store.close()

    assert b"secretive" not in ledger_path.read_bytes()
    assert b"kim@mail.example" in ledger_path.read_bytes()


def test_erasing_skips_what_waits_and_keeps_what_is_decided(store: Store) -> None:
    """The ledger still adds up; the rows have no address."""
    run = frozen(store, "bo")
    (taken,) = claim(store, run)
    hand_over(store, run, [taken])
    store.record_results([result(taken, DeliveryState.ACCEPTED, "ok")])
    number_posts(store, 2, 3)
    freeze(store, "weekly-2", posts=(2,))
    freeze(store, "weekly-3", posts=(3,))
    (taken,) = claim(store, run, 1)
    store.record_results([result(taken, DeliveryState.DEFERRED, "full")])

    store.erase("bo@mail.example", LATER)

    rows = {row.edition: row for row in store.deliveries()}
    assert rows["weekly-1"].state is DeliveryState.ACCEPTED
    assert rows["weekly-2"].state is DeliveryState.SKIPPED
    assert rows["weekly-3"].state is DeliveryState.SKIPPED
    assert {row.email for row in rows.values()} == {""}
    assert [rows[f"weekly-{n}"].reply for n in (1, 2, 3)] == ["", "erased", "erased"]
    assert store.unbalanced(everything=True) == []


def test_erasing_someone_under_way_lets_the_run_finish_without_the_address(
    store: Store,
) -> None:
    """The claim keeps its state; what the server says later is not kept."""
    run = frozen(store, "bo")
    claims = claim(store, run)
    hand_over(store, run, claims)

    store.erase("bo@mail.example", LATER)
    (row,) = store.deliveries()
    assert (row.state, row.email) == (DeliveryState.CLAIMED, "")
    store.record_results(
        [
            result(
                claims[0],
                DeliveryState.FAILED,
                "<bo@mail.example> unknown",
                suppress=True,
            )
        ]
    )

    (row,) = store.deliveries()
    assert (row.state, row.email, row.reply) == (DeliveryState.FAILED, "", "")


def test_suppressed_by_a_bounce_comes_back_only_by_hand(store: Store) -> None:
    """An import that names them confirmed is refused."""
    subscribe(store, "bo")
    set_consent(store, "bo", Consent.SUPPRESSED)

    assert save(store, reader("bo")).suppressed == ("bo@mail.example",)
    assert save(store, reader("bo"), by_hand=True) == Saved(changed=1)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, topics=st.lists(names, max_size=4), language=names)
def test_any_text_comes_back_as_it_was(
    store: Store, name: str, topics: list[str], language: str
) -> None:
    """Names and topics in any script, quotes and controls included."""
    change = replace(reader("bo", topics=tuple(topics), language=language), name=name)

    save(store, change)

    bo = look_up(store, "bo")
    assert (bo.name, bo.language) == (name, language)
    assert bo.topics == tuple(sorted(set(topics)))

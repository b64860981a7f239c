"""The ledger: claims are fenced, only legal steps are written, every row stays counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.mail.outcome import OPEN_STATES, DeliveryState, Outcome, Phase, Reply
from postroom.store.entries import REPLY_LIMIT, reply_text
from postroom.store.sqlite.results import GROUP
from postroom.subscribers.subscriber import Consent
from tests.store.scenes import (
    LONG_AGO,
    NOW,
    OWNER,
    claim,
    freeze,
    frozen,
    number_posts,
    result,
    set_consent,
    states,
)

if TYPE_CHECKING:
    from postroom.store.base import Store
    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Delivery

LATER = NOW + timedelta(minutes=5)
ACCEPTED, DEFERRED, FAILED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
)
QUEUED, CLAIMED, HANDING, UNKNOWN = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.HANDING,
    DeliveryState.UNKNOWN,
)


def only(store: Store) -> Delivery:
    """The one delivery of the ledger."""
    (row,) = store.deliveries()
    return row


# -- claims ----------------------------------------------------------------------


def test_a_claim_carries_what_a_message_needs(store: Store) -> None:
    """Edition, variant, address and name, the attempts so far and the fence."""
    run = frozen(store, "bo")

    (taken,) = claim(store, run)

    assert (taken.edition, taken.variant) == ("weekly-1", 1)
    assert (taken.email, taken.name) == ("bo@mail.example", "")
    assert (taken.attempts, taken.epoch, taken.dated) == (0, 1, NOW)
    assert only(store).state is CLAIMED


def test_what_is_claimed_is_not_claimed_again(store: Store) -> None:
    """By this run or another one."""
    run = frozen(store, "a", "b", "c")
    other = store.begin_run(replace(OWNER, pid=101), NOW)

    taken = claim(store, run, 2) + claim(store, other, 2) + claim(store, run, 2)

    assert [found.email[0] for found in taken] == ["a", "b", "c"]
    assert claim(store, run) == []


def test_claims_come_edition_by_edition(store: Store) -> None:
    """The older one first, in it by batch."""
    run = frozen(store, "a", "b")
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))

    taken = claim(store, run)

    assert [(found.edition[-1], found.email[0]) for found in taken] == [
        ("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"),
    ]  # fmt: skip


def test_a_claim_for_none_takes_none(store: Store) -> None:
    """A limit of 0 is no error."""
    run = frozen(store, "a")

    assert claim(store, run, 0) == []
    assert only(store).state is QUEUED


@pytest.mark.parametrize(
    "consent", [Consent.PENDING, Consent.UNSUBSCRIBED, Consent.SUPPRESSED]
)
def test_who_is_no_longer_confirmed_is_skipped(store: Store, consent: Consent) -> None:
    """Within the claim, with the reason; the others are claimed."""
    run = frozen(store, "a", "b")
    set_consent(store, "a", consent)

    (taken,) = claim(store, run, 1)

    assert taken.email == "b@mail.example"
    skipped = [row for row in store.deliveries() if row.email == "a@mail.example"]
    assert [(row.state, row.reply) for row in skipped] == [
        (DeliveryState.SKIPPED, consent.value)
    ]


def test_a_claim_passes_over_any_number_of_skipped_ones(store: Store) -> None:
    """It comes back empty only when nothing is to be had."""
    run = frozen(store, *"abcdef")
    for name in "abcde":
        set_consent(store, name, Consent.UNSUBSCRIBED)

    (taken,) = claim(store, run, 2)

    assert taken.email == "f@mail.example"
    assert claim(store, run, 2) == []


def test_an_edition_frozen_too_long_ago_expires(store: Store) -> None:
    """Queued and due deferred deliveries alike; the server's last words stay."""
    run = frozen(store, "a", "b")
    (taken,) = claim(store, run, 1)
    store.record_results([result(taken, DEFERRED, "mailbox full")])

    later = NOW + timedelta(seconds=1)
    claims, passed = store.claim(run, 10, LATER, lease=60, expire=later)
    assert claims == []
    assert passed == {DeliveryState.EXPIRED: 2}

    rows = list(store.deliveries())
    assert [row.state for row in rows] == [DeliveryState.EXPIRED] * 2
    assert [row.reply for row in rows] == ["451 mailbox full", ""]


def test_a_deferred_delivery_comes_back_when_it_is_due(store: Store) -> None:
    """Not a moment before; queued ones go first."""
    run = frozen(store, "a", "b")
    (first,) = claim(store, run, 1)
    store.record_results([result(first, DEFERRED, "later", retry_at=LATER)])
    assert only_retry(store) == LATER

    early = LATER - timedelta(milliseconds=1)
    assert [found.email[0] for found in claim(store, run, 1, now=early)] == ["b"]
    assert claim(store, run, now=early) == []
    (again,) = claim(store, run, now=LATER)

    assert (again.email[0], again.attempts, again.epoch) == ("a", 1, 2)


def only_retry(store: Store) -> object:
    """When the one deferred delivery is due."""
    (row,) = store.deliveries(state=DEFERRED)
    return row.retry_at


# -- results ---------------------------------------------------------------------


@pytest.mark.parametrize("state", [ACCEPTED, DEFERRED, FAILED, UNKNOWN])
@pytest.mark.parametrize("message_id", ["<1@blog.example>", ""])
def test_a_result_settles_the_delivery(
    store: Store, state: DeliveryState, message_id: str
) -> None:
    """The attempt is counted, the server's words and the Message-ID are kept."""
    run = frozen(store, "bo")
    (taken,) = claim(store, run)

    store.record_results([result(taken, state, "so it is", message_id=message_id)])

    row = only(store)
    assert (row.state, row.attempts) == (state, 1)
    assert row.reply.endswith("so it is")
    assert row.message_id == message_id
    assert row.retry_at == (LATER if state is DEFERRED else None)
    assert store.unbalanced(everything=True) == []


def test_a_message_id_stays_until_there_is_another(store: Store) -> None:
    """A later attempt that came to no message does not forget the former one's."""
    run = frozen(store, "bo")
    (first,) = claim(store, run)
    store.record_results([result(first, DEFERRED, "later", message_id="<1@x>")])
    (second,) = claim(store, run, now=LATER)

    store.record_results([result(second, FAILED, "no")])

    assert (only(store).message_id, only(store).attempts) == ("<1@x>", 2)


def test_a_group_of_any_size_is_written_whole(store: Store) -> None:
    """Full groups, the rest, those that suppress and those given back."""
    names = [f"r{number:03}" for number in range(3 * GROUP - 1)]
    run = frozen(store, *names)
    taken = claim(store, run, len(names))
    expected = {}
    results = []
    for number, one in enumerate(taken):
        state = (ACCEPTED, ACCEPTED, DEFERRED, FAILED, UNKNOWN, QUEUED)[number % 6]
        suppress = state is FAILED and number % 12 < 6
        expected[one.email] = (state, "" if state is QUEUED else f"<{number}@x>")
        results.append(
            result(one, state, "ok", suppress=suppress, message_id=f"<{number}@x>")
        )

    store.record_results(results)

    rows = {row.email: (row.state, row.message_id) for row in store.deliveries()}
    assert rows == expected
    suppressed = [s for s in store.subscribers() if s.consent is Consent.SUPPRESSED]
    assert len(suppressed) == sum(one.outcome.suppress for one in results) > 1


def test_a_claim_given_back_counts_no_attempt(store: Store) -> None:
    """The next claim finds it as before, with a newer fence."""
    run = frozen(store, "bo")
    (first,) = claim(store, run)
    store.record_results([result(first, QUEUED)])

    (second,) = claim(store, run)

    assert (second.attempts, second.epoch) == (0, 2)


def test_what_is_handing_cannot_be_given_back(store: SqliteStore) -> None:
    """It is refused loudly, and with it the whole group."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)
    store._connection.execute(
        "UPDATE delivery SET state = 'handing' WHERE subscriber = ?",
        (second.subscriber_id,),
    )

    with pytest.raises(ValueError, match="handing cannot become queued"):
        store.record_results([result(first, ACCEPTED), result(second, QUEUED)])

    assert states(store) == {"a": CLAIMED, "b": HANDING}
    store.record_results([result(second, ACCEPTED)])
    assert states(store) == {"a": CLAIMED, "b": ACCEPTED}


def test_of_two_outcomes_of_one_claim_the_first_counts(store: Store) -> None:
    """Whatever the second is."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)

    store.record_results(
        [
            result(first, ACCEPTED, "ok"),
            result(first, QUEUED),
            result(second, QUEUED),
            result(second, FAILED, "no", suppress=True),
        ]
    )

    assert states(store) == {"a": ACCEPTED, "b": QUEUED}


def test_outcomes_may_be_prepared_in_one_thread_and_written_in_another(
    store: Store,
) -> None:
    """What is no outcome is told at once, and nothing is written before it is asked for."""
    run = frozen(store, "a")
    (taken,) = claim(store, run)

    write = store.begin_results([result(taken, ACCEPTED)])

    assert only(store).state is CLAIMED
    with ThreadPoolExecutor(1) as thread:
        thread.submit(write).result()
    assert only(store).state is ACCEPTED
    with pytest.raises(ValueError, match="not the outcome"):
        store.begin_results([result(taken, CLAIMED)])


@pytest.mark.parametrize(
    "state", [CLAIMED, HANDING, DeliveryState.SKIPPED, DeliveryState.EXPIRED]
)
def test_what_no_attempt_can_end_with_is_a_bug(
    store: Store, state: DeliveryState
) -> None:
    """Only the five outcomes of an attempt are taken."""
    run = frozen(store, "bo")
    (taken,) = claim(store, run)

    with pytest.raises(ValueError, match="not the outcome"):
        store.record_results([result(taken, state)])


def test_a_deferred_result_needs_a_time_and_no_other_has_one(store: Store) -> None:
    """Without it the delivery would never come back."""
    run = frozen(store, "bo")
    (taken,) = claim(store, run)

    with pytest.raises(ValueError, match="retry_at"):
        store.record_results([result(taken, DEFERRED)._replace(retry_at=None)])
    with pytest.raises(ValueError, match="retry_at"):
        store.record_results([result(taken, FAILED, retry_at=LATER)])

    assert only(store).state is CLAIMED


def test_a_stale_claim_writes_nothing(store: Store) -> None:
    """Its row was claimed again since: neither outcome nor suppression."""
    run = frozen(store, "bo")
    (stale,) = claim(store, run)
    store.record_results([result(stale, QUEUED)])
    claim(store, run)

    store.record_results([result(stale, FAILED, "gone", suppress=True)])
    store.record_results([result(stale, QUEUED)])

    assert only(store).state is CLAIMED
    found = store.subscriber("bo@mail.example")
    assert found is not None
    assert found.consent is Consent.CONFIRMED


def test_stale_and_fresh_results_of_a_group_are_told_apart(store: Store) -> None:
    """The fresh ones are written."""
    run = frozen(store, "a", "b", "c")
    taken = claim(store, run)
    store.record_results([result(taken[1], QUEUED)])

    store.record_results(
        [
            result(taken[0], ACCEPTED),
            result(taken[1], ACCEPTED),
            result(taken[2], FAILED, "gone", suppress=True),
        ]
    )

    assert states(store) == {"a": ACCEPTED, "b": QUEUED, "c": FAILED}


def test_a_result_that_says_so_suppresses_the_subscriber(store: Store) -> None:
    """In the same transaction, so that no later edition goes there."""
    run = frozen(store, "a", "b")
    taken = claim(store, run)
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))

    store.record_results([result(taken[0], FAILED, "no such user", suppress=True)])

    found = store.subscriber("a@mail.example")
    assert found is not None
    assert found.consent is Consent.SUPPRESSED
    assert [later.email for later in claim(store, run)] == ["b@mail.example"]


def test_a_suppression_does_not_undo_an_unsubscription(store: Store) -> None:
    """Who left has left."""
    run = frozen(store, "a")
    (taken,) = claim(store, run)
    set_consent(store, "a", Consent.UNSUBSCRIBED)

    store.record_results([result(taken, FAILED, "no such user", suppress=True)])

    found = store.subscriber("a@mail.example")
    assert found is not None
    assert found.consent is Consent.UNSUBSCRIBED


def outcome(text: str, *, code: int = 550, status: str = "5.1.1") -> Outcome:
    """A failed outcome with these words."""
    reply = Reply(code=code, status=status, text=text)
    return Outcome(state=FAILED, phase=Phase.RCPT, reply=reply)


def test_a_reply_is_kept_as_one_bounded_line() -> None:
    """No control character of a server reaches a terminal."""
    assert reply_text(outcome("no\r\nsuch\tuser \x1b[31m\x9b\u2028여기")) == (
        "550 5.1.1 no such user [31m 여기"
    )
    assert len(reply_text(outcome("x" * 10_000))) == REPLY_LIMIT
    assert reply_text(replace(outcome(""), reply=None)) == ""


# -- reading ---------------------------------------------------------------------


def test_open_deliveries_are_counted_by_state(store: SqliteStore) -> None:
    """Every state that is not an end, with zeros."""
    run = frozen(store, *"abcdef")
    taken = claim(store, run, 5)
    store._connection.execute(
        "UPDATE delivery SET state = 'handing' WHERE subscriber = ?",
        (taken[1].subscriber_id,),
    )
    store.record_results(
        [
            result(taken[2], DEFERRED),
            result(taken[3], UNKNOWN),
            result(taken[4], ACCEPTED),
        ]
    )

    counts = store.open_deliveries()

    assert counts == dict.fromkeys(OPEN_STATES, 1)


def test_deliveries_come_by_edition_and_address(store: Store) -> None:
    """All of them, or those of one edition or state."""
    run = frozen(store, "b", "a")
    number_posts(store, 2)
    freeze(store, "weekly-2", posts=(2,))
    claim(store, run, 1)

    def seen(rows: list[Delivery]) -> list[str]:
        return [f"{row.edition[-1]}{row.email[0]}" for row in rows]

    assert seen(list(store.deliveries())) == ["1a", "1b", "2a", "2b"]
    assert seen(list(store.deliveries(edition="weekly-2"))) == ["2a", "2b"]
    assert seen(list(store.deliveries(state=CLAIMED))) == ["1a"]
    assert seen(list(store.deliveries(edition="weekly-2", state=CLAIMED))) == []
    assert list(store.deliveries(edition="weekly-3")) == []


def test_deliveries_may_be_written_while_they_are_read(store: Store) -> None:
    """A stream is one snapshot and blocks nobody."""
    run = frozen(store, "a", "b")
    stream = store.deliveries()
    assert next(stream).state is QUEUED

    claim(store, run)

    assert next(stream).state is QUEUED
    assert states(store) == {"a": CLAIMED, "b": CLAIMED}


def test_the_work_of_a_run_is_index_look_ups(store: SqliteStore) -> None:
    """Millions of closed rows cost a claim, a count and a recovery nothing."""
    from postroom.store.sqlite import claims, ledger, recovery  # noqa: PLC0415 - SQLite only

    values = dict.fromkeys(
        ("edition", "last", "due", "limit", "now", "run", "clock", "until"), 1
    )
    resolve = {"state": "queued", "reply": "", "emails": None, "clock": 0, "edition": 1}
    questions: list[tuple[str, Any]] = [
        *((text, values) for text in (*claims.QUEUED_ROWS, *claims.DUE_ROWS)),
        (claims.AHEAD, (1, 1, 1)),
        *((recovery.HELD.format(state=s), values) for s in ("claimed", "handing")),
        (recovery.RESEND, (0,)),
        (ledger.RESOLVE, resolve),
        (ledger.OPEN, ()),
        (ledger.UNDER_WAY, ()),
    ]
    for query, parameters in questions:
        steps = [
            row[3]
            for row in store._connection.execute(
                f"EXPLAIN QUERY PLAN {query}", parameters
            )
        ]
        (step,) = [step for step in steps if "delivery_open" in step]
        assert step.startswith("SEARCH"), (query, steps)
        assert "delivery_open (state=?" in step, (query, steps)
        assert "USE TEMP B-TREE FOR ORDER BY" not in steps, (query, steps)


def test_an_outcome_is_one_look_up_by_key(store: SqliteStore) -> None:
    """However many rows are under way at once."""
    from postroom.store.sqlite import results  # noqa: PLC0415 - SQLite only

    for query, count in (
        (results.SETTLE_ONE, 8),
        (results.SETTLE_GROUP, 1 + 7 * GROUP),
        (results.GIVE_BACK, 4),
    ):
        plan = store._connection.execute(f"EXPLAIN QUERY PLAN {query}", (0,) * count)
        steps = [row[3] for row in plan if "delivery" in row[3]]
        assert steps == [
            "SEARCH delivery USING PRIMARY KEY (edition=? AND subscriber=?)"
        ]


def test_expiry_is_by_the_freeze_and_not_by_the_slot(store: Store) -> None:
    """An edition frozen exactly at the limit still goes."""
    run = frozen(store, "a")

    assert len(store.claim(run, 1, NOW, lease=60, expire=NOW).claims) == 1
    assert LONG_AGO < NOW

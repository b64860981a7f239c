"""The ledger: claims are fenced, only legal steps are written, every row stays counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import OPEN_STATES, DeliveryState, Outcome, Phase, Reply
from postroom.store.base import Owner, UnknownPolicy
from postroom.store.sqlite.ledger import REPLY_LIMIT, reply_text
from postroom.subscribers.subscriber import Consent
from tests.store.scenes import (
    LONG_AGO,
    NOW,
    OWNER,
    claim,
    freeze,
    frozen,
    hand_over,
    number_posts,
    result,
    set_consent,
    states,
)

if TYPE_CHECKING:
    from postroom.store.base import Delivery, Store
    from postroom.store.sqlite.store import SqliteStore

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
    assert (taken.attempts, taken.epoch, taken.frozen_at) == (0, 1, NOW)
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


# -- intents ---------------------------------------------------------------------


def test_an_intent_is_handing_with_its_message_id(store: Store) -> None:
    """Stored before the final dot; asked a second time the answer is no."""
    run = frozen(store, "bo")
    (taken,) = claim(store, run)

    assert store.record_intents([(taken, "<1@blog.example>")]) == [True]

    row = only(store)
    assert (row.state, row.message_id) == (HANDING, "<1@blog.example>")
    assert store.record_intents([(taken, "<2@blog.example>")]) == [False]
    assert only(store).message_id == "<1@blog.example>"


def test_each_intent_is_answered_in_order(store: Store) -> None:
    """A stale claim among others stops nobody but itself."""
    run = frozen(store, "a", "b", "c")
    taken = claim(store, run)
    store.record_results([result(taken[1], QUEUED)])

    assert hand_over(store, taken) == [True, False, True]

    assert states(store) == {"a": HANDING, "b": QUEUED, "c": HANDING}


def test_no_intents_no_answers(store: Store) -> None:
    """An empty group is not even a transaction."""
    assert store.record_intents([]) == []


# -- results ---------------------------------------------------------------------


@pytest.mark.parametrize("state", [ACCEPTED, DEFERRED, FAILED, UNKNOWN])
def test_a_result_after_the_intent_settles_the_delivery(
    store: Store, state: DeliveryState
) -> None:
    """The attempt is counted, the server's words and the Message-ID are kept."""
    run = frozen(store, "bo")
    taken = claim(store, run)
    hand_over(store, taken)

    store.record_results([result(taken[0], state, "so it is")])

    row = only(store)
    assert (row.state, row.attempts) == (state, 1)
    assert row.reply.endswith("so it is")
    assert row.message_id == f"<{taken[0].subscriber_id}.weekly-1@blog.example>"
    assert row.retry_at == (LATER if state is DEFERRED else None)
    assert store.unbalanced(everything=True) == []


@pytest.mark.parametrize("state", [DEFERRED, FAILED])
def test_a_refusal_before_the_intent_settles_it_too(
    store: Store, state: DeliveryState
) -> None:
    """A 4yz or 5yz to RCPT needs no intent."""
    run = frozen(store, "bo")
    taken = claim(store, run)

    store.record_results([result(taken[0], state, "no")])

    assert (only(store).state, only(store).message_id) == (state, "")


def test_a_claim_given_back_counts_no_attempt(store: Store) -> None:
    """The next claim finds it as before, with a newer fence."""
    run = frozen(store, "bo")
    (first,) = claim(store, run)
    store.record_results([result(first, QUEUED)])

    (second,) = claim(store, run)

    assert (second.attempts, second.epoch) == (0, 2)


def test_a_claim_given_back_after_its_intent_is_unknown(store: Store) -> None:
    """Nobody can say any more that nothing was handed over."""
    run = frozen(store, "bo")
    taken = claim(store, run)
    hand_over(store, taken)

    store.record_results([result(taken[0], QUEUED)])

    assert (only(store).state, only(store).attempts) == (UNKNOWN, 1)


@pytest.mark.parametrize("state", [ACCEPTED, UNKNOWN])
def test_a_verdict_on_the_dot_without_an_intent_is_a_bug(
    store: Store, state: DeliveryState
) -> None:
    """It is refused loudly, and with it the whole group."""
    run = frozen(store, "a", "b")
    taken = claim(store, run)
    hand_over(store, taken[:1])

    with pytest.raises(ValueError, match=f"claimed cannot become {state}"):
        store.record_results([result(taken[0], ACCEPTED), result(taken[1], state)])

    assert states(store) == {"a": HANDING, "b": CLAIMED}


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
        store.record_results([replace(result(taken, DEFERRED), retry_at=None)])
    with pytest.raises(ValueError, match="retry_at"):
        store.record_results([result(taken, FAILED, retry_at=LATER)])

    assert only(store).state is CLAIMED


def test_a_stale_claim_writes_nothing(store: Store) -> None:
    """Its row was claimed again since: neither outcome, nor suppression, nor intent."""
    run = frozen(store, "bo")
    (stale,) = claim(store, run)
    store.record_results([result(stale, QUEUED)])
    (fresh,) = claim(store, run)
    hand_over(store, [fresh])

    store.record_results([result(stale, FAILED, "gone", suppress=True)])

    assert hand_over(store, [stale]) == [False]
    assert only(store).state is HANDING
    found = store.subscriber("bo@mail.example")
    assert found is not None
    assert found.consent is Consent.CONFIRMED


def test_stale_and_fresh_results_of_a_group_are_told_apart(store: Store) -> None:
    """The fresh ones are written."""
    run = frozen(store, "a", "b", "c")
    taken = claim(store, run)
    store.record_results([result(taken[1], QUEUED)])
    hand_over(store, taken)

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


def test_results_and_intents_go_with_one_commit(store: Store) -> None:
    """`record` writes what the two others do, and answers for the intents."""
    run = frozen(store, "a", "b", "c")
    taken = claim(store, run)
    hand_over(store, taken[:1])

    answers = store.record(
        [result(taken[0], ACCEPTED, "ok")], [(taken[1], "<b@x>"), (taken[2], "<c@x>")]
    )

    assert answers == [True, True]
    assert states(store) == {"a": ACCEPTED, "b": HANDING, "c": HANDING}
    assert store.record([], []) == []


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


# -- recovery --------------------------------------------------------------------


def crashed(store: Store, owner: Owner = OWNER) -> int:
    """A run died with `a` claimed and `b` handing; returns the next run, of `owner`."""
    run = frozen(store, "a", "b")
    taken = claim(store, run)
    hand_over(store, taken[1:])
    return store.begin_run(owner, NOW)


def test_a_dead_run_leaves_claims_queued_and_handing_unknown(store: Store) -> None:
    """With `hold` the unknown one waits for a person."""
    run = crashed(store)

    assert store.recover(run, NOW, UnknownPolicy.HOLD) == 1

    assert states(store) == {"a": QUEUED, "b": UNKNOWN}
    assert [found.email[0] for found in claim(store, run)] == ["a"]
    assert store.recover(run, NOW, UnknownPolicy.HOLD) == 0


def test_resend_queues_an_unknown_delivery_once(store: Store) -> None:
    """The second time its fate is not known it stays so; the Message-ID is kept."""
    run = crashed(store)
    assert store.recover(run, NOW, UnknownPolicy.RESEND) == 1
    assert states(store) == {"a": QUEUED, "b": QUEUED}
    (row,) = [row for row in store.deliveries() if row.email[0] == "b"]
    assert row.message_id
    assert row.attempts == 1

    taken = claim(store, run)
    hand_over(store, taken)
    following = store.begin_run(OWNER, NOW)
    assert store.recover(following, NOW, UnknownPolicy.RESEND) == 2

    assert states(store) == {"a": QUEUED, "b": UNKNOWN}


def test_resend_takes_up_what_a_live_run_left_unknown(store: Store) -> None:
    """A lost connection after the dot, recorded by the run itself."""
    run = frozen(store, "a")
    taken = claim(store, run)
    hand_over(store, taken)
    store.record_results([result(taken[0], UNKNOWN)])

    assert store.recover(run, NOW, UnknownPolicy.RESEND) == 0

    assert states(store) == {"a": QUEUED}


def test_a_dead_owner_that_comes_back_is_fenced(store: Store) -> None:
    """Before and after somebody else claimed its rows."""
    run = frozen(store, "a", "b")
    old = claim(store, run)
    hand_over(store, old[1:])
    following = store.begin_run(OWNER, NOW)
    store.recover(following, NOW, UnknownPolicy.RESEND)

    assert hand_over(store, old[:1]) == [False]
    store.record_results([result(old[1], ACCEPTED, "ok")])
    assert states(store) == {"a": QUEUED, "b": QUEUED}
    claim(store, following)
    assert hand_over(store, old[:1]) == [False]
    store.record_results([result(old[1], ACCEPTED, "ok")])

    assert states(store) == {"a": CLAIMED, "b": CLAIMED}


def test_a_run_never_recovers_its_own_claims(store: Store) -> None:
    """It holds them, whatever their lease says."""
    run = frozen(store, "a")
    claim(store, run, lease=-1)

    store.recover(run, NOW, UnknownPolicy.RESEND)

    assert states(store) == {"a": CLAIMED}


def test_another_hosts_run_is_dead_only_when_its_lease_is_over(store: Store) -> None:
    """By the database's clock; we cannot see that process."""
    run = frozen(store, "a", "b")
    alive = claim(store, run, 1, lease=3600)
    hand_over(store, alive)
    claim(store, run, 1, lease=-1)
    elsewhere = store.begin_run(replace(OWNER, host="other.example"), NOW)

    assert store.recover(elsewhere, NOW, UnknownPolicy.RESEND) == 0

    assert states(store) == {"a": HANDING, "b": QUEUED}


def test_another_hosts_run_that_ended_holds_nothing(store: Store) -> None:
    """Nobody is left to decide its claims."""
    run = frozen(store, "a")
    claim(store, run)
    store.end_run(run, NOW)
    elsewhere = store.begin_run(replace(OWNER, host="other.example"), NOW)

    store.recover(elsewhere, NOW, UnknownPolicy.RESEND)

    assert states(store) == {"a": QUEUED}


# -- reading ---------------------------------------------------------------------


def test_open_deliveries_are_counted_by_state(store: Store) -> None:
    """Every state that is not an end, with zeros."""
    run = frozen(store, *"abcdef")
    taken = claim(store, run, 5)
    hand_over(store, taken[1:])
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
    from postroom.store.sqlite import ledger  # noqa: PLC0415 - SQLite only

    for query, parameters in (
        (ledger.QUEUED, (1,)),
        (ledger.DUE, (0, 1)),
        (ledger.RELEASE, {"run": 1, "clock": 0}),
        (ledger.DOUBT, {"run": 1, "clock": 0}),
        (ledger.RESEND, (0,)),
        (ledger.OPEN, ()),
        (ledger.UNDER_WAY, ()),
    ):
        steps = [
            row[3]
            for row in store._connection.execute(
                f"EXPLAIN QUERY PLAN {query}", parameters
            )
        ]
        (step,) = [step for step in steps if "delivery" in step]
        assert step.startswith("SEARCH"), (query, steps)
        assert "delivery_open (state=?" in step, (query, steps)
        assert "USE TEMP B-TREE FOR ORDER BY" not in steps, (query, steps)


def test_expiry_is_by_the_freeze_and_not_by_the_slot(store: Store) -> None:
    """An edition frozen exactly at the limit still goes."""
    run = frozen(store, "a")

    assert len(store.claim(run, 1, NOW, lease=60, expire=NOW).claims) == 1
    assert LONG_AGO < NOW

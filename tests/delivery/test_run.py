"""A run on a real ledger, against a server with every fault: the ledger tells the truth."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.delivery import tally
from postroom.delivery.settings import VERDICT_RESERVE, DeliverySettings
from postroom.errors import (
    AddressError,
    PostroomError,
    RelayAwayError,
    RelayRefusedError,
)
from postroom.mail.outcome import DeliveryState
from postroom.smtp.connect import Timeouts
from postroom.smtp.outbox import OutboxTransport
from postroom.store.values import UnknownPolicy
from postroom.subscribers.subscriber import Consent
from tests.delivery.run_of import (
    compose,
    emails_in,
    letters_for,
    letters_to,
    readers,
    relay,
    run_of,
)
from tests.fault_server import FaultServer, serving
from tests.stage import Relay, free_port, running
from tests.store.scenes import NOW, OWNER, states, subscribe
from tests.store.scenes import claim as claims

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.mail.message import Message
    from postroom.store.base import Store
    from postroom.store.values import Claim

ACCEPTED, DEFERRED, FAILED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
)
QUEUED, UNKNOWN = DeliveryState.QUEUED, DeliveryState.UNKNOWN


# What a fault leads to, and whether the server has the message all the same. Broken off
# before the dot twice in a run, a delivery waits like a deferred one.
FAULTS = [
    ("rcpt.550-5.1.1", FAILED),
    ("rcpt.550-5.7.1", FAILED),
    ("rcpt.450-4.2.1", DEFERRED),
    ("rcpt.421-4.7.0", DEFERRED),
    ("rcpt.drop", DEFERRED),
    ("rcpt.half", DEFERRED),
    ("rcpt.garbage", DEFERRED),
    ("rcpt.silent", DEFERRED),
    ("data.451-4.3.0", DEFERRED),
    ("data.250", DEFERRED),
    ("data.503", DEFERRED),
    ("data.early", DEFERRED),
    ("data.drop", DEFERRED),
    ("dot.451-4.3.0", DEFERRED),
    ("dot.421-4.3.2", DEFERRED),
    ("dot.554-5.7.1", FAILED),
    ("dot.552-5.3.4", FAILED),
    ("dot.twice", ACCEPTED),
    ("dot.drop", UNKNOWN),
    ("dot.taken", UNKNOWN),
    ("dot.half", UNKNOWN),
    ("dot.torn", UNKNOWN),
    ("dot.endless", UNKNOWN),
    ("dot.garbage", UNKNOWN),
    ("dot.mixed", UNKNOWN),
    ("dot.silent", UNKNOWN),
    ("dot.354", UNKNOWN),
]


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "stepwise"])
@pytest.mark.parametrize("connections", [1, 3])
def test_every_fault_ends_in_the_state_that_is_true(
    store: Store, *, pipelining: bool, connections: int
) -> None:
    """All of them in one run, among readers without fault, who all get their letter."""
    faulty = {f"f.{fault}.1": state for fault, state in FAULTS}
    letters_for(store, *readers(20), *faulty)
    with serving(FaultServer(pipelining=pipelining)) as server:
        delivered = run_of(
            store,
            relay(server.port, connections=connections),
            back_off=(0.0,) * len(FAULTS),
        )
    expected = faulty | dict.fromkeys(readers(20), ACCEPTED)
    assert states(store) == expected
    assert delivered.fault is None
    assert delivered.counts[UNKNOWN] == list(faulty.values()).count(UNKNOWN)
    taken = [recipient.partition("@")[0] for recipient in server.taken]
    assert len(taken) == len(set(taken))
    assert {name for name in taken if expected[name] is not UNKNOWN} == {
        name for name, state in expected.items() if state is ACCEPTED
    }


def test_only_an_address_that_does_not_exist_is_suppressed(store: Store) -> None:
    """5.1.1 ends it for good; a policy of the relay is not the reader's fault."""
    letters_for(store, "f.rcpt.550-5.1.1.1", "f.rcpt.550-5.7.1.1", "f.rcpt.552-5.2.2.1")
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port))
    suppressed = {
        s.email for s in store.subscribers() if s.consent is Consent.SUPPRESSED
    }
    assert suppressed == {"f.rcpt.550-5.1.1.1@mail.example"}
    assert {email for email, _ in delivered.failures} == {
        s.email for s in store.subscribers()
    }
    assert any("550 5.1.1 as you asked" in reply for _, reply in delivered.failures)


def test_a_greylisted_letter_arrives_with_a_later_run(store: Store) -> None:
    """Not before five minutes have passed, and then once."""
    letters_for(store, "f.rcpt.grey.1")
    with serving(FaultServer()) as server:
        for minutes, state in [(0, DEFERRED), (4, DEFERRED), (5, ACCEPTED)]:
            now = NOW + timedelta(minutes=minutes)
            run_of(store, relay(server.port), clock=lambda now=now: now)
            assert set(states(store).values()) == {state}
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("policy", "copies"), [(UnknownPolicy.RESEND, 2), (UnknownPolicy.HOLD, 1)]
)
def test_an_unknown_delivery_follows_the_policy(
    store: Store, policy: UnknownPolicy, copies: int
) -> None:
    """Resend: once more with the same Message-ID; hold: until someone decides."""
    letters_for(store, "f.dot.taken.1")
    with serving(FaultServer()) as server:
        for _ in range(4):
            run_of(store, relay(server.port), policy=policy)
    assert len(server.taken) == copies
    assert set(states(store).values()) == {UNKNOWN}
    assert len(set(server.bodies)) == 1


def test_a_second_run_has_nothing_to_do(store: Store) -> None:
    """And does not even connect."""
    letters_for(store, *readers(30))
    with serving(FaultServer()) as server:
        first = run_of(store, relay(server.port))
        connections = server.connections
        second = run_of(store, relay(server.port))
    assert first.counts == {ACCEPTED: 30}
    assert second.counts == {}
    assert server.connections == connections <= 2
    assert len(server.taken) == 30


def test_one_letter_opens_one_connection(store: Store) -> None:
    """However many would be allowed."""
    letters_for(store, "solo")
    with serving(FaultServer()) as server:
        run_of(store, relay(server.port, connections=8))
    assert server.connections == 1


def test_nobody_is_marked_when_the_relay_is_away(store: Store) -> None:
    """Refused, or turned away: everything is queued still, no attempt counted."""
    letters_for(store, *readers(5))
    delivered = run_of(store, relay(free_port()))
    assert isinstance(delivered.fault, RelayAwayError)
    assert delivered.counts == {}
    with serving(FaultServer(greeting="421 4.3.2 too busy")) as server:
        delivered = run_of(store, relay(server.port))
    assert isinstance(delivered.fault, RelayAwayError)
    assert {row.attempts for row in store.deliveries()} == {0}
    assert set(states(store).values()) == {QUEUED}


def test_a_relay_that_comes_back_within_the_run_is_used(store: Store) -> None:
    """Turned away twice, then let in."""
    letters_for(store, *readers(3))
    with serving(FaultServer()) as server:
        server.scripted["EHLO"] = ["421 4.3.2 not yet", "421 4.3.2 not yet"]
        delivered = run_of(store, relay(server.port, connections=1))
    assert delivered.fault is None
    assert delivered.counts == {ACCEPTED: 3}


def test_fewer_connections_than_wished_are_enough(store: Store) -> None:
    """A relay that turns the others away is no fault while one works."""
    letters_for(store, *readers(20))
    with serving(FaultServer(seconds=0.01, limit=1)) as server:
        delivered = run_of(store, relay(server.port, connections=4))
    assert delivered.fault is None
    assert delivered.counts == {ACCEPTED: 20}


@pytest.mark.parametrize("verb", ["MAIL", "EHLO"])
def test_a_refusal_of_us_stops_the_run_and_marks_nobody(
    store: Store, verb: str
) -> None:
    """A login, sender or size the relay does not take is not the readers' fault."""
    letters_for(store, *readers(50))
    with serving(FaultServer()) as server:
        server.scripted[verb] = ["530 5.7.0 log in first"] * 8
        server.scripted["HELO"] = ["530 5.7.0 log in first"] * 8
        delivered = run_of(store, relay(server.port))
    assert isinstance(delivered.fault, RelayRefusedError)
    assert set(states(store).values()) == {QUEUED}
    assert server.taken == []


def test_a_letter_that_cannot_be_made_fails_alone(store: Store) -> None:
    """Its reason is kept as ours; the others go out."""
    letters_for(store, *readers(5))

    def picky(claim: Claim) -> Message:
        if claim.email.startswith("reader003"):
            raise AddressError("no good")
        return compose(claim)

    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port), compose=picky)
    assert delivered.counts == {ACCEPTED: 4, FAILED: 1}
    assert delivered.failures == (("reader003@mail.example", "internal: no good"),)
    (row,) = store.deliveries(state=FAILED)
    assert "internal: no good" in row.reply
    assert all(s.consent is Consent.CONFIRMED for s in store.subscribers())


def test_a_fault_of_ours_does_not_fail_a_whole_edition(store: Store) -> None:
    """Letter after letter that cannot be made: the run ends, the rest stays queued."""
    letters_for(store, *readers(50))

    def broken(claim: Claim) -> Message:
        raise KeyError(claim.variant)

    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port), compose=broken)
    assert type(delivered.fault) is PostroomError
    assert tally.STREAK_LIMIT <= delivered.counts[FAILED] <= tally.STREAK_LIMIT + 2
    assert list(states(store).values()).count(QUEUED) == 50 - delivered.counts[FAILED]
    assert server.connections == 0


def test_a_policy_against_us_does_not_fail_a_whole_edition(store: Store) -> None:
    """5.7.x for one after the other, and nobody accepted between: pause and tell."""
    letters_for(store, *(f"f.dot.550-5.7.26.{number}" for number in range(50)))
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port))
    assert isinstance(delivered.fault, RelayRefusedError)
    assert "5.7.26" in str(delivered.fault)
    assert list(states(store).values()).count(QUEUED) > 30


def test_a_policy_against_some_stops_nobody_elses_letter(store: Store) -> None:
    """Many refusals, but never many without an acceptance between them."""
    for number in range(30):
        subscribe(store, f"reader{number}")
        subscribe(store, f"f.dot.550-5.7.26.{number}")
    letters_for(store)
    with serving(FaultServer()) as server:
        delivered = run_of(store, relay(server.port, connections=1))
    assert delivered.fault is None
    assert delivered.counts == {ACCEPTED: 30, FAILED: 30}


def test_a_rate_is_kept_over_all_connections(store: Store) -> None:
    """Twenty a second: eleven letters take half a second, whatever the connections."""
    letters_for(store, *readers(11))
    with serving(FaultServer()) as server:
        began = time.monotonic()
        run_of(store, relay(server.port, connections=4, rate=20.0))
        took = time.monotonic() - began
    assert 0.5 <= took < 2.0
    assert len(server.taken) == 11


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_in_order(store: Store, number: int) -> None:
    """What is on the wire is finished, the rest given back; the next run does it."""
    letters_for(store, *readers(60))
    before = signal.getsignal(number)
    with serving(FaultServer(seconds=0.05)) as server:
        threading.Timer(0.4, os.kill, (os.getpid(), number)).start()
        delivered = run_of(store, relay(server.port))
        assert delivered.stopped
        assert delivered.fault is None
        assert set(states(store).values()) == {ACCEPTED, QUEUED}
        assert delivered.counts == {ACCEPTED: len(server.taken)}
        assert signal.getsignal(number) is before
        server.seconds = 0.0
        run_of(store, relay(server.port))
    assert set(states(store).values()) == {ACCEPTED}
    assert len(server.taken) == len(set(server.taken)) == 60


def test_a_stopped_run_does_not_wait_for_ever(store: Store) -> None:
    """After its grace a verdict that did not come is unknown, and said to be."""
    letters_for(store, *readers(9))
    with serving(FaultServer(seconds=60.0)) as server:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        patient = relay(server.port, timeouts=Timeouts(quit=0.5))
        delivered = run_of(store, patient, grace=0.3)
        assert time.monotonic() - began < 5
    assert delivered.stopped
    assert delivered.counts == {UNKNOWN: 2}
    assert sorted(states(store).values()) == sorted([UNKNOWN] * 2 + [QUEUED] * 7)


def test_a_claim_that_grew_old_is_given_back(store: Store) -> None:
    """No dot leaves when its verdict might come after the lease; a new claim is made."""
    letters_for(store, *readers(6))
    with serving(FaultServer(seconds=0.25)) as server:
        delivered = run_of(
            store,
            relay(server.port, connections=1),
            lease=int(VERDICT_RESERVE) + 1,
        )
    assert delivered.counts == {ACCEPTED: 6}
    assert len(server.taken) == 6
    assert server.commands.count("DATA") >= 6


def test_a_lease_shorter_than_a_verdict_is_refused() -> None:
    """It could not be kept."""
    with pytest.raises(ValueError, match="lease"):
        DeliverySettings(
            run=1,
            clock=lambda: NOW,
            random=lambda: 0.0,
            max_retry=timedelta(days=1),
            lease=600,
        )


def test_a_run_that_was_overtaken_writes_nothing_over_the_newer_claims(
    store: Store,
) -> None:
    """Its own came from claims whose epochs are stale; the other run's word counts."""
    letters_for(store, *readers(4))

    def overtaken(claim: Claim) -> Message:
        if claim.email.startswith("reader001"):
            other = store.begin_run(OWNER, NOW)
            store.recover(other, NOW, UnknownPolicy.HOLD)
            taken_over.extend(claims(store, other))
        return compose(claim)

    taken_over: list[Claim] = []
    with serving(FaultServer()) as server:
        run_of(store, relay(server.port, connections=1), compose=overtaken)
    assert len(taken_over) >= 3
    ended = states(store)
    assert {ended[claim.email.partition("@")[0]] for claim in taken_over} == {
        DeliveryState.CLAIMED
    }


def test_the_outbox_is_a_transport_like_any_other(store: Store, tmp_path: Path) -> None:
    """One file for each reader, all accepted."""
    letters_for(store, *readers(40))
    delivered = run_of(store, OutboxTransport(tmp_path / "outbox"))
    assert delivered.counts == {ACCEPTED: 40}
    assert len(list((tmp_path / "outbox").iterdir())) == 40


def test_an_independent_server_takes_every_letter_once(store: Store) -> None:
    """aiosmtpd, which knows no PIPELINING."""
    letters_for(store, *readers(50), "gone1", "later1")
    with running(Relay()) as server:
        delivered = run_of(store, relay(server.port, connections=4))
    assert delivered.counts == {ACCEPTED: 50, FAILED: 1, DEFERRED: 1}
    assert sorted(recipient for _, recipient, _ in server.received) == [
        f"{name}@mail.example" for name in readers(50)
    ]


def test_progress_is_told_as_it_is_made(store: Store) -> None:
    """Decided and in all, to the end."""
    letters_for(store, *readers(7))
    told: list[tuple[int, int]] = []
    with serving(FaultServer()) as server:
        run_of(
            store,
            relay(server.port),
            progress=lambda decided, total: told.append((decided, total)),
        )
    assert told == [(number, 7) for number in range(1, 8)]


def test_readers_whom_the_relay_breaks_off_over_hold_up_nobody(store: Store) -> None:
    """Each run deals with two of them, and the next one begins behind those."""
    broken = [f"f.rcpt.421-4.7.0.{number}@mail.example" for number in range(7)]
    letters_to(store, *broken, "z@mail.example")
    with serving(FaultServer()) as server:
        for hour in range(5):
            now = NOW + timedelta(hours=hour)
            run_of(
                store,
                relay(server.port, connections=1),
                clock=lambda now=now: now,
                back_off=(0.0,) * 4,
            )
    assert emails_in(store, DeliveryState.ACCEPTED) == ["z@mail.example"]

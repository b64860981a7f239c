"""A relay's words become one outcome: phase first, enhanced status next, code last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.outcome import (
    TRANSITIONS,
    Concern,
    DeliveryState,
    Phase,
    Reply,
    build_outcome,
    concern,
    internal_outcome,
    is_go_ahead,
    is_policy,
    is_slow_down,
    parse_reply,
)

ACCEPTED, DEFERRED, FAILED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
)
QUEUED, UNKNOWN = DeliveryState.QUEUED, DeliveryState.UNKNOWN
RECIPIENT, RELAY, OURS = Concern.RECIPIENT, Concern.RELAY, Concern.OURS

HARD = (
    *("550 5.1.1 no such user", "550 5.1.2 no such host", "553 5.1.3 bad syntax"),
    *("501 5.1.3 bad syntax", "551 5.1.6 moved", "550 5.1.10 null MX"),
    *("556 5.1.10 null MX", "556 takes no mail"),
)
"""No such address, and there will be none."""


def said(words: str) -> Reply:
    """A reply as a server says it."""
    code, _, text = words.partition(" ")
    return parse_reply(int(code), text)


# What a reply means, row by row: where it came, the words, whom it is about, and what
# becomes of the delivery. QUEUED: nothing was sent, and no attempt is counted.
TABLE = [
    # -- until logged in: the relay's weather, or for a person to mend; nobody is marked
    *((Phase.CONNECT, words, RELAY, QUEUED) for words in ("421 4.3.2 too busy", "421")),
    *((Phase.CONNECT, words, RELAY, QUEUED) for words in ("450 later", "451 4.3.0 no")),
    (Phase.CONNECT, "454 4.7.0 no TLS now", RELAY, QUEUED),
    (Phase.CONNECT, "454 4.7.0 no login now", RELAY, QUEUED),
    (Phase.CONNECT, "432 4.7.12 password expired", RELAY, QUEUED),
    (Phase.CONNECT, "554 5.7.1 not you", OURS, QUEUED),
    (Phase.CONNECT, "500 5.5.1 no STARTTLS", OURS, QUEUED),
    (Phase.CONNECT, "535 5.7.8 wrong password", OURS, QUEUED),
    (Phase.CONNECT, "534 5.7.9 too weak", OURS, QUEUED),
    (Phase.CONNECT, "538 5.7.11 encryption wanted", OURS, QUEUED),
    (Phase.CONNECT, "530 5.7.0 log in first", OURS, QUEUED),
    # -- MAIL: no subscriber was named yet
    (Phase.MAIL, "421 4.3.2 closing", RELAY, QUEUED),
    (Phase.MAIL, "450 4.1.8 later", RELAY, QUEUED),
    (Phase.MAIL, "451 4.3.0 later", RELAY, QUEUED),
    (Phase.MAIL, "452 4.3.1 disk full", RELAY, QUEUED),
    (Phase.MAIL, "454 4.7.0 throttling", RELAY, QUEUED),
    (Phase.MAIL, "530 5.7.0 log in first", OURS, QUEUED),
    (Phase.MAIL, "550 5.7.1 sender", OURS, QUEUED),
    (Phase.MAIL, "550 5.1.1 looks like an address", OURS, QUEUED),
    (Phase.MAIL, "552 5.3.4 too large", OURS, QUEUED),
    (Phase.MAIL, "553 5.1.8 sender", OURS, QUEUED),
    (Phase.MAIL, "354 what?", RELAY, QUEUED),
    # -- RCPT: no such address, and only here is it believed (`HARD` below)
    *((Phase.RCPT, words, RECIPIENT, FAILED) for words in HARD),
    # -- RCPT: not now
    (Phase.RCPT, "450 4.2.1 greylisted", RECIPIENT, DEFERRED),
    (Phase.RCPT, "450 busy", RECIPIENT, DEFERRED),
    (Phase.RCPT, "451 4.7.1 greylisted", RECIPIENT, DEFERRED),
    (Phase.RCPT, "451 4.3.0 look-up failed", RECIPIENT, DEFERRED),
    # -- RCPT: the mailbox is full
    (Phase.RCPT, "452 4.2.2 mailbox full", RECIPIENT, DEFERRED),
    (Phase.RCPT, "452 full", RECIPIENT, DEFERRED),
    (Phase.RCPT, "552 5.2.2 mailbox full", RECIPIENT, FAILED),
    # -- RCPT: refused, but the address may well exist
    (Phase.RCPT, "550 no such user, but no status", RECIPIENT, FAILED),
    (Phase.RCPT, "550 5.2.1 disabled", RECIPIENT, FAILED),
    (Phase.RCPT, "551 not here", RECIPIENT, FAILED),
    (Phase.RCPT, "553 syntax", RECIPIENT, FAILED),
    (Phase.RCPT, "550 5.1.8 bad sender", RECIPIENT, FAILED),
    (Phase.RCPT, "550 5.1.0 something", RECIPIENT, FAILED),
    # -- RCPT: too many recipients, or too much: the shape or rate of what we send
    (Phase.RCPT, "452 4.5.3 too many recipients", RELAY, QUEUED),
    (Phase.RCPT, "421 4.7.28 rate", RELAY, QUEUED),
    (Phase.RCPT, "450 4.7.28 rate", RELAY, QUEUED),
    (Phase.RCPT, "451 4.7.0 throttled", RELAY, QUEUED),
    (Phase.RCPT, "454 4.7.0 throttled", RELAY, QUEUED),
    (Phase.RCPT, "454 throttling", RELAY, QUEUED),
    (Phase.RCPT, "421 4.3.2 closing", RELAY, QUEUED),
    # -- RCPT: policy, and never the address
    (Phase.RCPT, "550 5.7.1 policy", RECIPIENT, FAILED),
    (Phase.RCPT, "550 5.7.26 unauthenticated", RECIPIENT, FAILED),
    (Phase.RCPT, "556 5.7.27 your domain takes no mail", RECIPIENT, FAILED),
    (Phase.RCPT, "554 5.7.1 spam", RECIPIENT, FAILED),
    (Phase.RCPT, "554 spam", RECIPIENT, FAILED),
    # -- RCPT: about our login, or our commands
    (Phase.RCPT, "530 5.7.0 log in first", OURS, QUEUED),
    (Phase.RCPT, "535 5.7.8 expired", OURS, QUEUED),
    (Phase.RCPT, "503 5.5.1 MAIL first", RELAY, QUEUED),
    (Phase.RCPT, "354 what?", RELAY, QUEUED),
    # -- the DATA command: nothing is ambiguous yet
    (Phase.DATA, "250 what?", RELAY, QUEUED),
    (Phase.DATA, "503 5.5.1 bad sequence", RELAY, QUEUED),
    (Phase.DATA, "421 4.3.2 closing", RELAY, QUEUED),
    (Phase.DATA, "454 4.7.0 throttled", RELAY, QUEUED),
    (Phase.DATA, "530 5.7.0 log in first", OURS, QUEUED),
    (Phase.DATA, "451 4.3.0 later", RECIPIENT, DEFERRED),
    (Phase.DATA, "452 4.3.1 full", RECIPIENT, DEFERRED),
    (Phase.DATA, "554 5.7.1 spam", RECIPIENT, FAILED),
    (Phase.DATA, "550 5.1.1 late", RECIPIENT, FAILED),
    # -- the final dot: each well-formed verdict decides, and nothing else does
    (Phase.DOT, "250 2.0.0 queued as 1A", RECIPIENT, ACCEPTED),
    (Phase.DOT, "250 ok", RECIPIENT, ACCEPTED),
    (Phase.DOT, "251 will forward", RECIPIENT, ACCEPTED),
    (Phase.DOT, "421 4.3.2 closing", RECIPIENT, DEFERRED),
    (Phase.DOT, "421 4.7.28 rate", RECIPIENT, DEFERRED),
    (Phase.DOT, "451 4.3.0 later", RECIPIENT, DEFERRED),
    (Phase.DOT, "452 4.3.1 full", RECIPIENT, DEFERRED),
    (Phase.DOT, "454 4.7.0 throttled", RECIPIENT, DEFERRED),
    (Phase.DOT, "550 5.1.1 late", RECIPIENT, FAILED),
    (Phase.DOT, "556 5.1.10 late", RECIPIENT, FAILED),
    (Phase.DOT, "552 5.2.2 mailbox full", RECIPIENT, FAILED),
    (Phase.DOT, "552 5.3.4 too large", RECIPIENT, FAILED),
    (Phase.DOT, "554 5.7.1 spam", RECIPIENT, FAILED),
    (Phase.DOT, "530 5.7.0 log in first", RECIPIENT, FAILED),
    (Phase.DOT, "354 what?", RECIPIENT, UNKNOWN),
    (Phase.DOT, "150 what?", RECIPIENT, UNKNOWN),
    (Phase.DOT, "999 what?", RECIPIENT, UNKNOWN),
    (Phase.DOT, "0", RECIPIENT, UNKNOWN),
]


@pytest.mark.parametrize(("phase", "words", "whose", "state"), TABLE)
def test_each_reply_has_its_meaning(
    phase: Phase, words: str, whose: Concern, state: DeliveryState
) -> None:
    """The relay's and ours never mark a recipient; only a missing address suppresses."""
    reply = said(words)
    outcome = build_outcome(phase, reply)
    assert (concern(phase, reply), outcome.state) == (whose, state)
    assert outcome.suppress is (phase is Phase.RCPT and words in HARD)
    assert outcome.reply == reply
    assert outcome.phase is phase


@pytest.mark.parametrize("words", HARD)
@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.RCPT])
def test_an_address_is_given_up_at_rcpt_alone(phase: Phase, words: str) -> None:
    """Elsewhere the same words are about the sender, the login or the content."""
    assert not build_outcome(phase, said(words)).suppress


@pytest.mark.parametrize(
    ("words", "slower"),
    [
        ("421 4.3.2 closing", True),
        ("421", True),
        ("451 4.7.0 throttled", True),
        ("450 4.7.28 rate", True),
        ("450 4.2.1 greylisted", False),
        ("550 5.7.1 policy", False),
        ("250 2.0.0 fine", False),
    ],
)
def test_a_relay_may_ask_for_less(words: str, *, slower: bool) -> None:
    """Whatever phase it says so in."""
    assert is_slow_down(said(words)) is slower


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RCPT])
@pytest.mark.parametrize("code", [250, 251, 252])
def test_an_acceptance_before_the_dot_goes_on(phase: Phase, code: int) -> None:
    """A server that will forward, or will see, takes the recipient all the same."""
    assert is_go_ahead(phase, parse_reply(code, "2.1.5 fine"))
    assert not is_go_ahead(Phase.DATA, parse_reply(code, "2.1.5 fine"))
    assert is_go_ahead(Phase.DATA, parse_reply(354, "go on"))


@pytest.mark.parametrize(
    ("code", "text", "policy"),
    [
        (550, "5.7.26 unauthenticated", True),
        (554, "blocked", True),
        (554, "5.1.1 no such user", False),
        (550, "no such user", False),
    ],
)
def test_a_policy_is_told_from_an_address(
    code: int, text: str, *, policy: bool
) -> None:
    """The enhanced status counts more than the code."""
    assert is_policy(parse_reply(code, text)) is policy


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1 gone", "5.1.1"),
        ("#5.1.1 gone", "5.1.1"),
        ("5.1.1: gone", "5.1.1"),
        ("no mailbox here by that name. (#5.1.1)", "5.1.1"),
        ("gone (see 5.1.1)", ""),
        ("5.1.10 null MX", "5.1.10"),
        ("5.1.1.2 is our address", ""),
        ("5.01.1 gone", ""),
        ("", ""),
    ],
)
def test_a_status_is_found_where_servers_put_it(text: str, status: str) -> None:
    """And nowhere else: a number in the prose is no status."""
    assert parse_reply(550, text).status == status


@pytest.mark.parametrize(("phase", "state"), [(p, QUEUED) for p in Phase if p != "dot"])
def test_silence_before_the_dot_is_nothing(phase: Phase, state: DeliveryState) -> None:
    """Nothing was handed over, so the delivery is queued again."""
    assert build_outcome(phase, None).state is state


def test_silence_after_the_dot_is_unknown() -> None:
    """The relay may have taken it."""
    assert build_outcome(Phase.DOT, None).state is UNKNOWN


@given(st.sampled_from(Phase), st.integers(0, 999), st.text(max_size=80))
def test_any_reply_has_some_meaning(phase: Phase, code: int, text: str) -> None:
    """No text of a server ends a run, and every outcome is one the ledger can store."""
    reply = parse_reply(code, text)
    assert "\n" not in str(reply)
    if is_go_ahead(phase, reply):
        return
    outcome = build_outcome(phase, reply)
    before = DeliveryState.HANDING if phase is Phase.DOT else DeliveryState.CLAIMED
    assert outcome.state in TRANSITIONS[before]
    assert not outcome.suppress or (outcome.state is FAILED and phase is Phase.RCPT)


def test_a_status_of_another_class_does_not_count() -> None:
    """A confused server's `250 5.1.1` is an acceptance."""
    assert parse_reply(250, "5.1.1 fine").status == ""
    assert parse_reply(550, "5.1.1 gone\n5.1.1 really").status == "5.1.1"


def test_a_fault_of_ours_is_marked_as_ours() -> None:
    """And suppresses nobody."""
    outcome = internal_outcome("no\nsuch template")
    assert outcome.state is FAILED
    assert not outcome.suppress
    assert str(outcome.reply) == "internal: no such template"

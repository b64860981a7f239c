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
    build_outcome,
    concern,
    internal_outcome,
    is_go_ahead,
    is_policy,
    parse_reply,
)

ACCEPTED, DEFERRED, FAILED = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
)
QUEUED, UNKNOWN = DeliveryState.QUEUED, DeliveryState.UNKNOWN


@pytest.mark.parametrize(
    ("phase", "code", "text", "state", "suppress"),
    [
        (Phase.CONNECT, 421, "4.3.2 too busy", QUEUED, False),
        (Phase.CONNECT, 554, "no", QUEUED, False),
        (Phase.MAIL, 450, "4.1.8 later", QUEUED, False),
        (Phase.MAIL, 421, "closing", QUEUED, False),
        (Phase.RCPT, 550, "5.1.1 no such user", FAILED, True),
        (Phase.RCPT, 550, "5.1.2 no such host", FAILED, True),
        (Phase.RCPT, 553, "5.1.3 bad syntax", FAILED, True),
        (Phase.RCPT, 551, "5.1.6 moved", FAILED, True),
        (Phase.RCPT, 556, "5.1.10 null MX", FAILED, True),
        (Phase.RCPT, 556, "takes no mail", FAILED, True),
        (Phase.RCPT, 550, "no such user, but no status", FAILED, False),
        (Phase.RCPT, 450, "4.2.1 greylisted", DEFERRED, False),
        (Phase.RCPT, 451, "4.7.1 greylisted", DEFERRED, False),
        (Phase.RCPT, 452, "4.2.2 mailbox full", DEFERRED, False),
        (Phase.RCPT, 552, "5.2.2 mailbox full", FAILED, False),
        (Phase.RCPT, 452, "4.5.3 too many recipients", QUEUED, False),
        (Phase.RCPT, 550, "5.7.1 policy", FAILED, False),
        (Phase.RCPT, 550, "5.7.26 unauthenticated", FAILED, False),
        (Phase.RCPT, 554, "spam", FAILED, False),
        (Phase.RCPT, 421, "4.7.28 rate", QUEUED, False),
        (Phase.RCPT, 454, "4.7.0 throttled", QUEUED, False),
        (Phase.DATA, 451, "4.3.0 later", DEFERRED, False),
        (Phase.DATA, 503, "bad sequence", QUEUED, False),
        (Phase.DATA, 421, "closing", QUEUED, False),
        (Phase.DOT, 250, "2.0.0 queued as 1A", ACCEPTED, False),
        (Phase.DOT, 251, "will forward", ACCEPTED, False),
        (Phase.DOT, 451, "4.3.0 later", DEFERRED, False),
        (Phase.DOT, 452, "4.3.1 full", DEFERRED, False),
        (Phase.DOT, 421, "4.3.2 closing", DEFERRED, False),
        (Phase.DOT, 552, "5.3.4 too large", FAILED, False),
        (Phase.DOT, 554, "5.7.1 spam", FAILED, False),
        (Phase.DOT, 550, "5.1.1 late", FAILED, False),
        (Phase.DOT, 354, "what?", UNKNOWN, False),
        (Phase.DOT, 999, "what?", UNKNOWN, False),
        (Phase.DOT, 0, "", UNKNOWN, False),
    ],
)
def test_each_reply_has_its_meaning(
    phase: Phase, code: int, text: str, state: DeliveryState, *, suppress: bool
) -> None:
    """Only what says that an address does not exist suppresses a subscriber."""
    outcome = build_outcome(phase, parse_reply(code, text))
    assert (outcome.state, outcome.suppress) == (state, suppress)


@pytest.mark.parametrize(
    ("phase", "code", "text", "whose"),
    [
        (Phase.CONNECT, 421, "4.3.2 too busy", Concern.RELAY),
        (Phase.CONNECT, 454, "4.7.0 no login now", Concern.RELAY),
        (Phase.CONNECT, 535, "5.7.8 wrong password", Concern.OURS),
        (Phase.CONNECT, 534, "5.7.9 too weak", Concern.OURS),
        (Phase.CONNECT, 554, "5.7.1 not you", Concern.OURS),
        (Phase.MAIL, 451, "4.3.0 later", Concern.RELAY),
        (Phase.MAIL, 452, "4.3.1 disk full", Concern.RELAY),
        (Phase.MAIL, 530, "5.7.0 log in first", Concern.OURS),
        (Phase.MAIL, 550, "5.7.1 sender", Concern.OURS),
        (Phase.MAIL, 552, "5.3.4 too large", Concern.OURS),
        (Phase.MAIL, 553, "5.1.8 sender", Concern.OURS),
        (Phase.RCPT, 530, "5.7.0 log in first", Concern.OURS),
        (Phase.RCPT, 550, "5.1.1 no such user", Concern.RECIPIENT),
        (Phase.RCPT, 354, "what?", Concern.RELAY),
        (Phase.DATA, 250, "what?", Concern.RELAY),
        (Phase.DATA, 554, "5.7.1 spam", Concern.RECIPIENT),
        (Phase.DOT, 421, "4.3.2 closing", Concern.RECIPIENT),
        (Phase.DOT, 530, "5.7.0 log in first", Concern.RECIPIENT),
    ],
)
def test_each_reply_concerns_somebody(
    phase: Phase, code: int, text: str, whose: Concern
) -> None:
    """What is the relay's or ours never marks a recipient; after the dot all is theirs."""
    assert concern(phase, parse_reply(code, text)) is whose


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

"""Three replies to three commands: where one is missing or too many, that shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.outcome import DeliveryState, Phase, Reply, parse_reply
from postroom.smtp.pairing import (
    is_invitation,
    is_out_of_step,
    lacks_a_reply,
    silence,
)


def replies(words: str) -> list[Reply]:
    """Replies by their codes."""
    return [parse_reply(int(code), "") for code in words.split()]


@pytest.mark.parametrize(
    ("words", "invited"),
    [
        ("250 250 354", True),
        ("250 251 354", True),
        ("250 252 354", True),
        ("250 250 250", False),
        ("250 250", False),
        ("250 550 354", False),
        ("550 250 354", False),
        ("354 250 354", False),
        ("", False),
    ],
)
def test_only_three_right_replies_invite_a_body(words: str, *, invited: bool) -> None:
    """A 354 alone does not."""
    assert is_invitation(replies(words)) is invited


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("250 250 250", True),
        ("250 354", True),
        ("354", True),
        ("550 250 250", True),
        ("250 250 354", False),
        ("250 550 503", False),
        ("250 550 354", False),
        ("550 503 503", False),
        ("250 250", False),
        ("", False),
    ],
)
def test_a_reply_in_the_wrong_place_is_seen(words: str, *, wrong: bool) -> None:
    """354 belongs to DATA and 2yz does not."""
    assert is_out_of_step(replies(words)) is wrong


@pytest.mark.parametrize("envelope", ["250 250 354", "250 550 503", "550 503 503"])
def test_a_verdict_left_out_is_noticed(envelope: str) -> None:
    """What follows it moves up: the reply to MAIL would pass for a verdict."""
    moved_up = replies(envelope)[1:]
    assert lacks_a_reply(moved_up, silent=True)


@pytest.mark.parametrize("words", ["250 250 354", "250 550 554", "250 250", "250", ""])
def test_a_verdict_before_an_ordinary_envelope_is_one(words: str) -> None:
    """Whole, refused, or broken off by a closed connection."""
    assert not lacks_a_reply(replies(words), silent=False)
    assert not lacks_a_reply(replies(words)[:1], silent=True)


@given(st.lists(st.sampled_from([250, 354, 421, 450, 503, 550]), max_size=3))
def test_silence_never_decides_about_a_recipient(codes: list[int]) -> None:
    """Before the dot it only says how far a message came."""
    outcome = silence([parse_reply(code, "") for code in codes], "closed")
    assert outcome.state is DeliveryState.QUEUED
    assert outcome.phase is (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DATA)[len(codes)]

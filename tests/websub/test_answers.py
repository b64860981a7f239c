"""What a hub says decides what becomes of a ping, and when it is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.websub.answers import (
    LONGEST_REST,
    MAX_WORDS,
    Verdict,
    hub_words,
    judge,
    parse_retry_after,
    plan_next,
)

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOTHING = timedelta(0)


@given(st.integers(0, 999))
def test_only_success_acknowledges(status: int) -> None:
    """2xx and nothing else; what is not refused is tried again."""
    verdict = judge(status)
    assert (verdict is Verdict.ACKNOWLEDGED) == (200 <= status <= 299)
    if 300 <= status <= 499:
        again = {408, 425, 429}
        assert verdict is (Verdict.AWAY if status in again else Verdict.REFUSED)
    if status >= 500:
        assert verdict in {Verdict.LATER, Verdict.AWAY}


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("0", NOTHING),
        (" 90 ", timedelta(seconds=90)),
        ("999999999", LONGEST_REST),
        ("9" * 4000, NOTHING),
        (format_datetime(NOW + timedelta(hours=2), usegmt=True), timedelta(hours=2)),
        (format_datetime(NOW - timedelta(hours=2), usegmt=True), NOTHING),
        ("Mon, 23 Nov 2026 09:00:00 -0000", timedelta(hours=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_REST),
        ("", NOTHING),
        ("-5", NOTHING),
        ("1.5", NOTHING),
        ("soon", NOTHING),
        ("٣", NOTHING),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(text: str, pause: timedelta) -> None:
    """RFC 9110 §10.2.3; what is neither is no pause, and none is longer than a day."""
    assert parse_retry_after(text, NOW) == pause


@given(st.text())
def test_no_text_breaks_the_pause(text: str) -> None:
    """It is between nothing and a day."""
    assert NOTHING <= parse_retry_after(text, NOW) <= LONGEST_REST


@given(st.integers(1, 500), st.floats(0, 1))
def test_a_ping_waits_as_letters_do(failures: int, jitter: float) -> None:
    """From five minutes to 4,000 seconds, but not less than the hub asks for."""
    wait = plan_next(NOW, failures, jitter, "") - NOW
    assert timedelta(seconds=300) <= wait <= timedelta(seconds=4000)
    assert plan_next(NOW, failures, jitter, "7200") == NOW + timedelta(hours=2)


@given(st.text(), st.binary())
def test_words_are_one_printable_line(reason: str, said: bytes) -> None:
    """Whatever a hub says, a terminal and a mail can show it."""
    words = hub_words(404, reason, said)
    assert words.startswith("404")
    assert words.isprintable()
    assert len(words) <= MAX_WORDS

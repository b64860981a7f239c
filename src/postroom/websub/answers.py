"""What a hub's answer means for a ping: WebSub §5 leaves it open, HTTP says it (RFC 9110)."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from postroom.mail.retry import plan_retry

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_REST = timedelta(days=1)
"""A hub that asks for more is asked again after this: it may have got a unit wrong."""
MAX_WORDS = 200
"""Characters of a hub's own words that are kept and shown."""
SECONDS_DIGITS = 9
"""More digits of seconds than this are no time anybody waits."""

HUB_TROUBLE = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses about the hub itself and this moment, whatever the feed."""
SUCCESS, REDIRECT, SERVER_FAULT = 200, 300, 500


class Verdict(StrEnum):
    """What becomes of a ping."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Not sent again before the feed changes: a person has to look."""
    LATER = "later"
    """This feed is tried again; the others go on."""
    AWAY = "away"
    """The hub is tried again, and no other feed before."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    """Of HTTP; 0 when no answer came, or none of HTTP."""
    words: str
    """The hub's on one line, or why there is no answer."""
    retry_after: str = ""
    """The field of that name (RFC 9110 §10.2.3)."""


def judge(status: int) -> Verdict:
    """Return what a status means; a redirect is refused, because feeds name the hub too."""
    if SUCCESS <= status < REDIRECT:
        return Verdict.ACKNOWLEDGED
    if not status or status in HUB_TROUBLE:
        return Verdict.AWAY
    return Verdict.REFUSED if status < SERVER_FAULT else Verdict.LATER


def plan_next(
    now: datetime, failures: int, jitter: float, retry_after: str
) -> datetime:
    """Return when to try again after `failures` in a row (≥ 1, this one included).

    As for letters, but not before the time that the hub asked for.
    """
    return max(
        plan_retry(now, failures, jitter), now + parse_retry_after(retry_after, now)
    )


def parse_retry_after(text: str, now: datetime) -> timedelta:
    """Return the pause a hub asks for, from nothing to `LONGEST_REST`; nonsense is none."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        seconds = int(text) if len(text) <= SECONDS_DIGITS else 0
        return min(timedelta(seconds=seconds), LONGEST_REST)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    pause = then.replace(tzinfo=then.tzinfo or UTC) - now
    return min(max(pause, timedelta(0)), LONGEST_REST)


def hub_words(status: int, reason: str, said: bytes) -> str:
    """Return an answer on one line for a person: `404 Not Found: no such topic`.

    Control characters could say anything to a terminal: they are left out.
    """
    text = f"{status} {reason}: {said.decode('utf-8', 'ignore')}"
    shown = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(shown.split())[:MAX_WORDS].rstrip(": ")

"""When a deferred delivery is tried again: five minutes at least, then ever later.

Five minutes is what greylisting asks for, and Postfix's minimum; so is the longest
wait of 4,000 s. The random part spreads what was deferred together.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SHORTEST = 300.0
"""Seconds; a greylist that is asked sooner counts from the start again."""
LONGEST = 4000.0
"""Seconds; a letter should not be late by more than an hour once the cause is gone."""
DOUBLINGS = 4
"""After so many the longest is reached (and 2.0 ** attempts never overflows)."""


def retry_delay(attempts: int, jitter: float) -> timedelta:
    """How long to wait after `attempts` verdicts (≥ 1, this one included).

    `jitter` from 0 to 1 chooses between five minutes and twice the former longest
    wait: 300…600 s, 300…1,200 s, 300…2,400 s, then 300…4,000 s.
    """
    if attempts < 1 or not 0.0 <= jitter <= 1.0:
        raise ValueError(f"no retry after {attempts} attempts with jitter {jitter}")
    longest = min(LONGEST, SHORTEST * 2.0 ** min(attempts, DOUBLINGS))
    return timedelta(seconds=SHORTEST + jitter * (longest - SHORTEST))


def plan_retry(now: datetime, attempts: int, jitter: float) -> datetime:
    """The instant of the next attempt; arguments as for `retry_delay`."""
    return now + retry_delay(attempts, jitter)

"""Back-off: five minutes at least, an hour and some at most, spread by chance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.retry import plan_retry, retry_delay

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_it_stays_within_bounds(attempts: int, jitter: float) -> None:
    """Greylists want five minutes; readers want their letter today."""
    delay = retry_delay(attempts, jitter)
    assert timedelta(seconds=300) <= delay <= timedelta(seconds=4000)
    assert delay <= retry_delay(attempts + 1, jitter)
    assert plan_retry(NOW, attempts, jitter) == NOW + delay


@pytest.mark.parametrize(("attempts", "jitter"), [(0, 0.5), (1, -0.1), (1, 1.1)])
def test_nonsense_is_refused(attempts: int, jitter: float) -> None:
    """A slip of ours must not become a wait of years."""
    with pytest.raises(ValueError, match="no retry"):
        retry_delay(attempts, jitter)

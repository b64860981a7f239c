"""A clock that jumps opens no window again and mails nobody twice."""

from __future__ import annotations

import pytest

from tests.kill.harness import faketime, run_group


@pytest.mark.skipif(faketime() is None, reason="needs libfaketime")
def test_a_clock_that_jumps_mails_nobody_twice() -> None:
    """An hour or a day back, a day or twenty years on, in the middle of a run."""
    figures = run_group("clocks", 10)
    assert figures["trials"] == 10
    assert figures["lost"] == 0

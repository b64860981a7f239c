"""One run at a time; the kernel gives the lock back whatever happens to its holder."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postroom.errors import LockHeldError, StoreUnusableError
from postroom.files.lock import hold_lock

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from postroom.files.lock import hold_lock
with hold_lock(Path(sys.argv[1]), 4711, datetime(2026, 11, 23, 8, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    """With pid and start, and with the exit code for trying later."""
    lock = tmp_path / "state" / "lock"
    with (
        hold_lock(lock, 4711, NOW),
        pytest.raises(
            LockHeldError, match=r"pid 4711, started 2026-11-23 08:00"
        ) as held,
        hold_lock(lock, 1, NOW),
    ):
        pass
    assert held.value.exit_code == 75
    with hold_lock(lock, 1, NOW) as started:
        assert started == lock.stat().st_mtime_ns


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """Kill -9 frees it at once."""
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeldError), hold_lock(lock, 1, NOW):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with hold_lock(lock, 1, NOW):
            pass


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Not a traceback: someone has to mend the folder."""
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StoreUnusableError, match="state/lock: cannot be made"):
        with hold_lock(tmp_path / "state" / "lock", 1, NOW):
            pass

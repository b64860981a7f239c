"""One run at a time: a kernel lock beside the ledger, freed even by kill -9."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from postroom.errors import LockHeldError, StoreUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@contextmanager
def hold_lock(path: Path, pid: int, started: datetime) -> Iterator[int]:
    """Hold the lock at `path`; raise LockHeldError naming who has it.

    Raises StoreUnusableError where the file cannot be made or written.
    Yields the lock file's own time in nanoseconds: "now" by the clock of the file
    system, to which the times of changed files can be compared.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(
                descriptor,
                f"pid {pid}, started {started:%Y-%m-%d %H:%M:%S %z}\n".encode(),
                0,
            )
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
            raise LockHeldError(
                f"another run is at work ({holder or 'just starting'})",
                cure="it ends by itself; try again later",
            ) from None
        except OSError as error:
            raise _unusable(path, error) from error
        yield os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> StoreUnusableError:
    return StoreUnusableError(
        f"{path}: cannot be made or written ({error.strerror})",
        cure="check the disk and the permissions of the folder",
    )

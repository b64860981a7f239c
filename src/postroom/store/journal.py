"""A run's journal: intents and outcomes between two commits, in a file beside the ledger.

A message's intent is in the file before its final dot can leave. `write` returns when
the operating system has the octets, so that the end of the process does not take them
back; `sync` returns when the disk has them. The format is in `entries`; what a dead
run's journal proves is for `sqlite.recovery` to say.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

from postroom.errors import StoreFullError, StoreUnusableError
from postroom.store.beside import UNFINISHED, sync_folder
from postroom.store.entries import pack_entries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from postroom.errors import PostroomError
    from postroom.store.values import Claim, Result

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class FileJournal:
    """The contract is `store.base.Journal`."""

    def __init__(self, path: Path, begins: bytes) -> None:
        """Make the file, 0600, and its name, both safe on the disk.

        One that is there already, of a ledger that came back from a copy, is replaced.
        """
        self._path = path
        self._begins = begins
        self._fault: PostroomError | None = None
        self._swap = Lock()
        """Held while the descriptor is flushed, or exchanged for another one."""
        self._descriptor = -1
        self._octets = 0
        self._begin(begins)

    @property
    def octets(self) -> int:
        """How long it is."""
        return self._octets

    def write(
        self, results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
    ) -> None:
        """Append in one system call, results first; see `store.base.Journal`.

        After a write that failed, or was cut short, the file may end within an entry;
        what would be appended to that nobody could read, so nothing is.
        """
        if self._fault is not None:
            raise self._fault
        data = pack_entries(results, intents)
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._fail(error)
        if written != len(data):
            self._fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        self._octets += written

    def sync(self) -> None:
        """Force what was written to the disk.

        An error is final: the pages that could not be written count as clean then, and
        a second try would succeed without them.
        """
        with self._swap:
            if self._fault is not None:
                raise self._fault
            try:
                os.fdatasync(self._descriptor)
            except OSError as error:
                self._fail(error)

    def restart(
        self, results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
    ) -> None:
        """Begin again with these; until the new file has the name, the old one counts."""
        if self._fault is not None:
            raise self._fault
        self._begin(self._begins + pack_entries(results, intents))

    def close(self) -> None:
        """Give the file back."""
        with self._swap:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _begin(self, data: bytes) -> None:
        """Put a new file with `data` in place, whole, and go on with it."""
        try:
            descriptor = _replace(self._path, data)
        except OSError as error:
            self._fail(error)
        with self._swap:
            former, self._descriptor = self._descriptor, descriptor
            self._octets = len(data)
            if former >= 0:
                os.close(former)

    def _fail(self, error: OSError) -> NoReturn:
        self._fault = explain(self._path, error)
        raise self._fault from error


def remove_journal(path: Path) -> None:
    """Remove a journal, or what is left of one; raises StoreUnusableError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnusableError(
            f"{path}: cannot be removed ({error.strerror})",
            cure="check the permissions of the folder",
        ) from error


def explain(path: Path, error: OSError) -> PostroomError:
    """What the operating system says of a journal, in the operator's words."""
    if error.errno in FULL:
        return StoreFullError(
            f"{path}: the disk is full", cure="free some space, then run again"
        )
    return StoreUnusableError(
        f"{path}: cannot be written ({error.strerror})",
        cure="check the disk and the permissions of the folder",
    )


def _replace(path: Path, data: bytes) -> int:
    """Write a file under another name and rename it; returns its descriptor.

    Killed at any point, `path` is the former file or the whole new one.
    """
    fresh = path.with_name(path.name + UNFINISHED)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, NEW, 0o600)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - as a failed write
        os.fsync(descriptor)
        fresh.replace(path)
        sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        with suppress(OSError):
            fresh.unlink()
        raise
    return descriptor

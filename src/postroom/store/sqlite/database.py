"""One SQLite file as the store uses it: connections, transactions, errors, the clock.

Every part of the store builds on `Database`. A write is one `BEGIN IMMEDIATE`
transaction, durable at its end (WAL, synchronous=FULL); whatever raises the serial
also renews the seal beside the file.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from postroom.errors import (
    LedgerDamagedError,
    LedgerMissingError,
    PostroomError,
    StoreBusyError,
    StoreFullError,
    StoreUnusableError,
)
from postroom.store.seal import Seal, write_seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BUSY_SECONDS = 10.0
"""How long to wait for another process's transaction; ours take milliseconds."""
WAL_LIMIT = 16 * 1024 * 1024
"""Bytes the write-ahead log may keep after a large transaction."""
CACHE_KIB = 8 * 1024
"""Page cache: a run stays far below its 64 MB, and a freeze is no faster with more."""
BULK_CACHE_KIB = 64 * 1024
"""Page cache of an import: its addresses are everywhere in the index at once."""

CLOCK = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
"""The database's clock in Unix milliseconds: one clock for every lease."""

RESTORE = "restore it from a copy"

UNREADABLE = (ValueError, TypeError, LookupError, OverflowError)
"""What decoding a row raises when its value is none of ours."""

CAN_WAIT = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
NO_ACCESS = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOLFS,
    }
)


def clock_of(cursor: sqlite3.Cursor) -> int:
    """The database's clock in Unix milliseconds; `updated_at` and leases go by it."""
    (clock,) = cursor.execute(CLOCK).fetchone()
    return int(clock)


def to_json(values: Iterable[str] | Iterable[int]) -> str:
    """A list as canonical JSON text: equal lists are equal text."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def explain(error: Exception, path: Path) -> PostroomError:
    """What SQLite, or a value nobody wrote, says: in the operator's words."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in CAN_WAIT:
        return StoreBusyError(
            f"{path}: another process has been writing to it for {BUSY_SECONDS:.0f} s",
            cure="try again later",
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFullError(
            f"{path}: the disk is full", cure="free some space, then run again"
        )
    if code in NO_ACCESS:
        return StoreUnusableError(
            f"{path}: cannot be read or written ({error})",
            cure="check the disk and the permissions of the file and its folder",
        )
    return LedgerDamagedError(f"{path}: damaged ({error})", cure=RESTORE)


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn errors of SQLite, except misuse of it by us, into the operator's words."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter in its own words
        raise explain(error, path) from error


def connect(path: Path, *, mode: str) -> sqlite3.Connection:
    """Open an existing file in `mode` rw or ro; never makes one. See `explaining`.

    The connection is in autocommit mode and may be used by any thread, one at a time.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Freed space is overwritten: less of an erased address stays in the file.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """What the parts of the store share: one connection, its ledger's identity."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._sealed = True
        self._file = self._identify()
        with self._reading() as cursor:
            row = cursor.execute("SELECT ledger_id, salt FROM ledger").fetchone()
            if row is None:
                raise ValueError("no row in table ledger")
            self.ledger_id: str = row[0]
            self._salt: bytes = row[1]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Cursor]:
        """Read and decode; a value that no method ever wrote is damage too."""
        with explaining(self.path):
            try:
                yield self._connection.cursor()
            except UNREADABLE as error:
                raise explain(error, self.path) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Cursor]:
        """One transaction: all of the body or nothing of it, durable afterwards."""
        self._require_file()
        with explaining(self.path):
            cursor = self._connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                self._sealed = True
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise
        if not self._sealed:
            self._seal()

    @contextmanager
    def _writing_much(self) -> Iterator[sqlite3.Cursor]:
        """A transaction that comes back to many pages, with a page cache to match."""
        self._connection.execute(f"PRAGMA cache_size = -{BULK_CACHE_KIB}")
        try:
            with self._writing() as cursor:
                yield cursor
        finally:
            self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._connection.execute("PRAGMA shrink_memory")

    @contextmanager
    def _streaming(self) -> Iterator[sqlite3.Cursor]:
        """Read on a connection of its own: one snapshot, whatever is written meanwhile."""
        self._require_file()
        with (
            explaining(self.path),
            closing(connect(self.path, mode="ro")) as connection,
        ):
            try:
                yield connection.cursor()
            except UNREADABLE as error:
                raise explain(error, self.path) from error

    def _identify(self) -> tuple[int, int] | None:
        """Device and number of the file that has the ledger's name now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _require_file(self) -> None:
        """What is written to a removed or exchanged file is lost: stop before."""
        if self._identify() != self._file:
            raise LedgerMissingError(
                f"{self.path}: removed or replaced while in use",
                cure="put the file back where it was before the next run",
            )

    def _raise_serial(self, cursor: sqlite3.Cursor, *, above: int = 0) -> None:
        """Within a transaction: a copy made before it can now be told apart."""
        cursor.execute("UPDATE ledger SET serial = max(serial, ?) + 1", (above,))
        self._sealed = False

    def _seal(self) -> None:
        """Renew the seal; a crash before leaves it lower than the serial, which is fine."""
        with self._reading() as cursor:
            (serial,) = cursor.execute("SELECT serial FROM ledger").fetchone()
        write_seal(self.path, Seal(ledger_id=self.ledger_id, serial=serial))
        self._sealed = True

    def close(self) -> None:
        """Give the file back; the write-ahead log is folded into it."""
        self._connection.close()

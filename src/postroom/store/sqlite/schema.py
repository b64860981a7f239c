"""Making a ledger, and bringing an older one up to the schema of this version.

A new ledger is made under another name and linked into place when it is whole, so
that a kill never leaves an empty file that the next run would take for a fresh start.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.errors import LedgerDamagedError, StoreUnusableError
from postroom.store.beside import sync_folder
from postroom.store.instants import from_instant
from postroom.store.sqlite.database import connect, explaining

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.store.values import Creation

SCHEMA = 3
"""The number of the last migration; a ledger keeps its own in `user_version`."""
APPLICATION_ID = 0x506F7374
"""`Post`: tells our files from any other SQLite database."""
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def create(path: Path, creation: Creation) -> None:
    """Make a new, whole ledger at `path`; one that another process made first stays."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with explaining(path), closing(connect(fresh, mode="rw")) as connection:
                migrate(path, connection)
                _fill(connection, creation)
                connection.execute("PRAGMA journal_mode = WAL")
            _put_in_place(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnusableError(
            f"{path}: cannot be made ({error.strerror})",
            cure="check the disk and the permissions of the folder",
        ) from error


def _put_in_place(fresh: Path, path: Path) -> None:
    """Give the whole file its name, unless another process was faster."""
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        fresh.rename(path)
    sync_folder(path.parent)


def _fill(connection: sqlite3.Connection, creation: Creation) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(
        "INSERT INTO ledger (one, ledger_id, authority, salt, created_at)"
        " VALUES (1, ?, ?, ?, ?)",
        (
            creation.ledger_id,
            creation.authority,
            creation.salt,
            from_instant(creation.now),
        ),
    )


def migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Apply each missing migration in a transaction of its own.

    A ledger of a newer version, and a database that is not ours, raise
    LedgerDamagedError: this version would write what the other cannot read.
    """
    version = _version(connection)
    if version > SCHEMA:
        raise LedgerDamagedError(
            f"{path}: of a newer postroom (schema {version}, this one knows {SCHEMA})",
            cure="install that postroom again, or restore the copy from before it",
        )
    for number in range(version + 1, SCHEMA + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) < number:  # not done by another process meanwhile
                for statement in statements(migration(number)):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def require_ours(path: Path, connection: sqlite3.Connection) -> None:
    """Raise LedgerDamagedError for a database that some other program made."""
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != APPLICATION_ID or _version(connection) < 1:
        raise LedgerDamagedError(
            f"{path}: a database, but not a ledger of postroom",
            cure="set [store] database to the right file, or restore it from a copy",
        )


def migration(number: int) -> str:
    """The text of one migration."""
    (file,) = MIGRATIONS.glob(f"{number:04d}_*.sql")
    return file.read_text(encoding="utf-8")


def statements(script: str) -> Iterator[str]:
    """Split SQL at the ends of statements (`executescript` would commit before)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)

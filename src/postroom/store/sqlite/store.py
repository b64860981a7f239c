"""`SqliteStore`: the whole protocol on one file; opening and copying it."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Self

from postroom.errors import LedgerMissingError, StoreUnusableError
from postroom.store.sqlite.database import connect, explaining
from postroom.store.sqlite.editions import Editions
from postroom.store.sqlite.ledger import Ledger
from postroom.store.sqlite.pings import Pings
from postroom.store.sqlite.publications import Publications
from postroom.store.sqlite.schema import create, migrate, require_ours
from postroom.store.sqlite.subscribers import Subscribers

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.values import Creation


class SqliteStore(Publications, Editions, Subscribers, Ledger, Pings):
    """A store on one SQLite file: any thread may call it, one call at a time."""

    def outgrow(self, serial: int) -> None:
        """Go on from a copy: this ledger is now later than `serial`, and sealed."""
        with self._writing() as cursor:
            self._raise_serial(cursor, above=serial)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_store(path: Path, *, create_with: Creation | None = None) -> SqliteStore:
    """Open the ledger at `path`, made first where there is none and `create_with` says how.

    Quick: looks at the header and one row, not at the whole file (that is `check`).
    Raises LedgerMissingError without a file, LedgerDamagedError for one that is no
    ledger or of a newer version.
    """
    path = path.absolute()
    if not path.exists():
        if create_with is None:
            raise LedgerMissingError(
                f"{path}: no such ledger", cure="run `postroom publish` to make it"
            )
        create(path, create_with)
    with explaining(path):
        connection = connect(path, mode="rw")
        try:
            require_ours(path, connection)
            migrate(path, connection)
            return SqliteStore(path, connection)
        except BaseException:
            connection.close()
            raise


def copy_store(path: Path, target: Path) -> None:
    """Write a consistent copy of a ledger, in use or not, to a new file, mode 0600.

    Raises StoreUnusableError when `target` exists: a copy never replaces anything.
    """
    target = target.absolute()
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StoreUnusableError(
            f"{target}: cannot be made ({error.strerror})", cure="choose another name"
        ) from error
    try:
        with (
            explaining(path),
            closing(connect(path.absolute(), mode="ro")) as source,
            closing(connect(target, mode="rw")) as copy,
        ):
            source.backup(copy)
    except BaseException:
        target.unlink(missing_ok=True)
        raise

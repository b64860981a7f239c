"""The cache of rendered posts: a file that may be deleted at any time.

Kept apart from the ledger, because losing it costs time and nothing else: it is not
synced, and a damaged one is thrown away.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS made (key TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS rendered (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    post TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A post as text (`posts.cached`), with what tells whether its file changed."""

    path: str
    stamp: tuple[int, int, int]
    """Size, modification and change time of the file in nanoseconds."""
    digest: str
    post: str


class RenderCache:
    """Rendered posts by path; `key` names everything else they depend on."""

    def __init__(self, path: Path, key: str) -> None:
        try:
            self._db = _open(path, key)
        except sqlite3.DatabaseError:
            self._db = _open_anew(path, key)

    def rows(self) -> dict[str, Rendered]:
        """Everything that is kept."""
        try:
            found = self._db.execute(
                "SELECT path, size, modified_ns, changed_ns, digest, post FROM rendered"
            ).fetchall()
        except sqlite3.DatabaseError:
            return {}
        return {
            row[0]: Rendered(
                path=row[0], stamp=(row[1], row[2], row[3]), digest=row[4], post=row[5]
            )
            for row in found
        }

    def keep(self, rendered: Iterable[Rendered], gone: Iterable[str]) -> None:
        """Add or replace, and forget what is gone; a full disk or damage is no fault."""
        try:
            with self._db:
                self._db.executemany(
                    "INSERT OR REPLACE INTO rendered VALUES (?, ?, ?, ?, ?, ?)",
                    ((r.path, *r.stamp, r.digest, r.post) for r in rendered),
                )
                self._db.executemany(
                    "DELETE FROM rendered WHERE path = ?", ((path,) for path in gone)
                )
        except sqlite3.DatabaseError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()


def _open_anew(path: Path, key: str) -> sqlite3.Connection:
    """A new file; where the disk takes none, a cache that ends with this run."""
    try:
        path.unlink(missing_ok=True)
        return _open(path, key)
    except (OSError, sqlite3.DatabaseError):
        return _open(":memory:", key)


def _open(path: Path | str, key: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.executescript(SCHEMA)
    if database.execute("SELECT key FROM made").fetchall() != [(key,)]:
        with database:
            database.execute("DELETE FROM rendered")
            database.execute("DELETE FROM made")
            database.execute("INSERT INTO made VALUES (?)", (key,))
    return database

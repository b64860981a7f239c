"""The site's facts, its publications, and its runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from postroom.errors import LedgerDamagedError
from postroom.posts.publication import MailState, Publication
from postroom.posts.tag_uri import is_authority
from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import RESTORE, Database, to_json
from postroom.store.sqlite.waiting import DUE_EDITIONS, QUEUED_EDITIONS
from postroom.store.values import Facts, Pending

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from postroom.store.values import Owner

FACTS = "SELECT authority, serial, counter, published_before, ledger_id FROM ledger"

_PUBLICATIONS = """
SELECT path, id, digest, first_seen, number, mail, reason FROM publication
{where} ORDER BY number IS NULL, number, first_seen, id
"""
PUBLICATIONS = _PUBLICATIONS.format(where="")
PUBLICATIONS_AT = _PUBLICATIONS.format(
    where="WHERE path IN (SELECT value FROM json_each(?))"
)

RECORD_PUBLICATION = """
INSERT INTO publication (path, id, digest, first_seen, number, mail, reason)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    path = excluded.path, digest = excluded.digest, first_seen = excluded.first_seen,
    number = excluded.number, mail = excluded.mail, reason = excluded.reason
"""

# A row waits while it is here (`delivery_open` answers each of these); held unknowns
# are counted too, because only the run knows the policy.
_PENDING = """
SELECT EXISTS (SELECT 1 FROM publication WHERE mail = 'new'),
       EXISTS (SELECT 1 FROM subscriber
               WHERE consent = 'confirmed' AND cadence = 'immediate'
                 AND mark < (SELECT counter FROM ledger)),
       EXISTS ({queued})
    OR EXISTS (SELECT 1 FROM delivery WHERE state = 'claimed')
    OR EXISTS (SELECT 1 FROM delivery WHERE state = 'handing')
    OR EXISTS ({due})
    OR EXISTS (SELECT 1 FROM delivery WHERE state = 'unknown' AND resends = 0)
"""
PENDING = _PENDING.format(queued=QUEUED_EDITIONS, due=DUE_EDITIONS)


class Publications(Database):
    """First group of the protocol: see `store.base.Store`."""

    def check(self) -> None:
        """Verify the database itself; raise LedgerDamagedError. Reads the whole file.

        Not the quicker `quick_check`: it misses pages that changed places, and then
        look-ups by key find fewer subscribers and deliveries than there are.
        """
        with self._reading() as cursor:
            found = [row[0] for row in cursor.execute("PRAGMA integrity_check(3)")]
            rows = cursor.execute("PRAGMA foreign_key_check").fetchmany(1)
            found += [f"a row of {row[0]} refers to nothing" for row in rows]
        if found != ["ok"]:
            trouble = "; ".join(line for line in found if line != "ok")
            raise LedgerDamagedError(f"{self.path}: damaged ({trouble})", cure=RESTORE)

    def facts(self) -> Facts:
        """Return what is fixed and the counters."""
        with self._reading() as cursor:
            row = cursor.execute(FACTS).fetchone()
            return Facts(
                authority=row[0],
                serial=row[1],
                counter=row[2],
                published_before=bool(row[3]),
                ledger_id=row[4],
            )

    def publications(self) -> list[Publication]:
        """Every publication, oldest number first, then the unnumbered by first_seen."""
        with self._reading() as cursor:
            return _publications(cursor.execute(PUBLICATIONS))

    def publication_ids(self) -> dict[str, str]:
        """Every path with its id, quickly, in the order in which they were first seen.

        A path that two publications share is left out.
        """
        with self._reading() as cursor:
            rows = cursor.execute(
                "SELECT path, id FROM publication WHERE path <> ''"
                " ORDER BY first_seen, id"
            ).fetchall()
        ids = dict(rows)
        if len(ids) < len(rows):
            shared = Counter(path for path, _ in rows)
            return {path: ids[path] for path, count in shared.items() if count == 1}
        return ids

    def publications_at(self, paths: Iterable[str]) -> list[Publication]:
        """The publications of these paths, in the order of `publications`."""
        with self._reading() as cursor:
            return _publications(cursor.execute(PUBLICATIONS_AT, (to_json(paths),)))

    def record_publications(self, publications: Sequence[Publication]) -> None:
        """Insert or update by `id`; numbers above the counter raise it."""
        if not publications:
            return
        with self._writing() as cursor:
            if _record(cursor, publications):
                self._raise_serial(cursor)

    def amend_publications(
        self, publications: Sequence[Publication], *, authority: str = ""
    ) -> None:
        """As `record_publications`, by hand: numbers may change places.

        A copy of the ledger from before is older than the ledger. `authority` becomes
        that of ids made from now on; ValueError when it is not `host,YYYY-MM-DD`.
        """
        if authority and not is_authority(authority):
            raise ValueError(f"{authority!r} is no authority")
        if not publications and not authority:
            return
        with self._writing() as cursor:
            cursor.executemany(
                "UPDATE publication SET number = NULL WHERE id = ?",
                [(item.id,) for item in publications],
            )
            _record(cursor, publications)
            if authority:
                cursor.execute("UPDATE ledger SET authority = ?", (authority,))
            self._raise_serial(cursor)

    def pending(self, now: datetime) -> Pending:
        """Tell what waits; a handful of indexed look-ups."""
        with self._reading() as cursor:
            row = cursor.execute(PENDING, {"now": from_instant(now)}).fetchone()
            return Pending(
                new_publications=bool(row[0]),
                immediate=bool(row[1]),
                deliveries=bool(row[2]),
            )

    def begin_run(self, owner: Owner, now: datetime) -> int:
        """Note that a run starts; return its id."""
        with self._writing() as cursor:
            cursor.execute(
                "INSERT INTO run (host, boot_id, pid, started_at) VALUES (?, ?, ?, ?)",
                (owner.host, owner.boot_id, owner.pid, from_instant(now)),
            )
            run = cursor.lastrowid
            self._raise_serial(cursor)
        if run is None:
            raise LedgerDamagedError(f"{self.path}: gave no id to a run", cure=RESTORE)
        return run


def _publications(
    rows: Iterable[tuple[str, str, str, int, int | None, str, str]],
) -> list[Publication]:
    return [
        Publication(
            path=path,
            id=id_,
            digest=digest,
            first_seen=to_instant(first_seen),
            number=number,
            mail=MailState(mail),
            reason=reason,
        )
        for path, id_, digest, first_seen, number, mail, reason in rows
    ]


def _record(cursor: sqlite3.Cursor, publications: Sequence[Publication]) -> bool:
    """Write the rows; return whether a number raised the counter."""
    cursor.executemany(
        RECORD_PUBLICATION,
        [
            (
                item.path,
                item.id,
                item.digest,
                from_instant(item.first_seen),
                item.number,
                item.mail.value,
                item.reason,
            )
            for item in publications
        ],
    )
    highest = max((item.number or 0 for item in publications), default=0)
    cursor.execute("UPDATE ledger SET counter = ?1 WHERE counter < ?1", (highest,))
    return cursor.rowcount > 0

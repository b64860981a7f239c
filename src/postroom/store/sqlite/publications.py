"""The site's facts, its publications, and its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import LedgerDamagedError
from postroom.posts.publication import MailState, Publication
from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import RESTORE, Database
from postroom.store.sqlite.waiting import DUE_EDITIONS, QUEUED_EDITIONS
from postroom.store.values import Facts, Pending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from postroom.store.values import Owner

FACTS = "SELECT authority, serial, counter, published_before, ledger_id FROM ledger"

PUBLICATIONS = """
SELECT path, id, digest, first_seen, number, mail, reason FROM publication
ORDER BY number IS NULL, number, first_seen, id
"""

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
                for path, id_, digest, first_seen, number, mail, reason in (
                    cursor.execute(PUBLICATIONS)
                )
            ]

    def record_publications(self, publications: Sequence[Publication]) -> None:
        """Insert or update by `id`; numbers above the counter raise it."""
        rows = [
            (
                publication.path,
                publication.id,
                publication.digest,
                from_instant(publication.first_seen),
                publication.number,
                publication.mail.value,
                publication.reason,
            )
            for publication in publications
        ]
        highest = max(
            (publication.number or 0 for publication in publications), default=0
        )
        if not rows:
            return
        with self._writing() as cursor:
            cursor.executemany(RECORD_PUBLICATION, rows)
            cursor.execute(
                "UPDATE ledger SET counter = ?1 WHERE counter < ?1", (highest,)
            )
            if cursor.rowcount:
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

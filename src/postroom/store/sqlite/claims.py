"""Claims: which deliveries a run takes, a whole range of an edition by three statements.

The rows come back as one JSON text. SQLite gives the interpreter's lock away at every
step, and would have to win it back from a busy event loop at every row.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from postroom.errors import UnknownEditionError
from postroom.mail.outcome import DeliveryState
from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import Database, clock_of
from postroom.store.sqlite.waiting import DUE_EDITIONS, QUEUED_EDITIONS
from postroom.store.values import Claim, Claimed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

LAST = 2**63 - 1
"""Not below any id of a subscriber."""

# What is to be had of one edition, up to a certain row. Always by the index: by its key
# SQLite would read every row of the edition that was sent before.
QUEUED = """d.state = 'queued' AND d.edition = :edition AND d.retry_at IS NULL
    AND d.subscriber <= :last"""
DUE = """d.state = 'deferred' AND d.edition = :edition
    AND (d.retry_at, d.subscriber) <= (:due, :last)"""

END = """
SELECT d.retry_at, d.subscriber FROM delivery AS d INDEXED BY delivery_open
WHERE {range}
ORDER BY d.retry_at, d.subscriber LIMIT 1 OFFSET :limit - 1
"""
# As one text: subscriber, variant, address, name, attempts, epoch.
TAKE = """
SELECT count(*) FILTER (WHERE consent IS NOT 'confirmed'),
       json_group_array(json_array(subscriber, variant, email, name, attempts, epoch))
           FILTER (WHERE consent = 'confirmed'),
       count(*)
FROM (SELECT d.subscriber, d.variant, d.email, d.attempts, d.epoch, s.name, s.consent
      FROM delivery AS d INDEXED BY delivery_open
          LEFT JOIN subscriber AS s ON s.id = d.subscriber
      WHERE {range} ORDER BY d.retry_at, d.subscriber)
"""
SKIP = """
UPDATE delivery AS d INDEXED BY delivery_open
SET state = 'skipped', retry_at = NULL, updated_at = :clock,
    reply = coalesce((SELECT consent FROM subscriber WHERE id = d.subscriber), 'erased')
WHERE {range} AND NOT EXISTS (
    SELECT 1 FROM subscriber AS s WHERE s.id = d.subscriber AND s.consent = 'confirmed')
"""
EXPIRE = """
UPDATE delivery AS d INDEXED BY delivery_open
SET state = 'expired', retry_at = NULL, updated_at = :clock
WHERE {range}
"""
HOLD = """
UPDATE delivery AS d INDEXED BY delivery_open
SET state = 'claimed', run = :run, epoch = epoch + 1,
    lease_until = :until, retry_at = NULL, updated_at = :clock
WHERE {range}
"""

AHEAD = """
SELECT json_group_array(json_array(subscriber, variant, email, name, attempts, epoch))
FROM (SELECT d.subscriber, d.variant, d.email, d.attempts, d.epoch, s.name
      FROM delivery AS d INDEXED BY delivery_open
          JOIN subscriber AS s ON s.id = d.subscriber
      WHERE d.state = 'queued' AND d.edition = ? AND d.retry_at IS NULL
        AND d.subscriber > ? AND s.consent = 'confirmed'
      ORDER BY d.subscriber LIMIT ?)
"""


class Statements(NamedTuple):
    """What is done with a range of an edition's deliveries."""

    end: str
    take: str
    skip: str
    expire: str
    hold: str


QUEUED_ROWS, DUE_ROWS = (
    Statements(*(text.format(range=range_) for text in (END, TAKE, SKIP, EXPIRE, HOLD)))
    for range_ in (QUEUED, DUE)
)


class Claims(Database):
    """The claiming part of the ledger's group: see `store.base.Store`."""

    def claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> Claimed:
        """Take up to `limit` deliveries; see `begin_claim`."""
        return self.begin_claim(run, limit, now, lease=lease, expire=expire)()

    def begin_claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> Callable[[], Claimed]:
        """Take up to `limit` deliveries: first queued ones by edition, then due ones.

        Returns fewer, or none, only when no more are to be had: what is passed over
        on the way (no longer confirmed, or of an edition frozen before `expire`) does
        not count.
        """
        at = from_instant(now)
        batch = _Batch(run, limit, due=at, expire=from_instant(expire))
        if limit > 0:
            with self._writing() as cursor, self._reading():
                batch.begin(clock_of(cursor), lease)
                for editions, rows in (
                    (QUEUED_EDITIONS, QUEUED_ROWS),
                    (DUE_EDITIONS, DUE_ROWS),
                ):
                    found = cursor.execute(editions, {"now": at}).fetchall()
                    for edition in sorted(found):
                        batch.take(cursor, rows, *edition)

        def decode() -> Claimed:
            with self._reading():
                return Claimed(batch.claims(), batch.passed_over)

        return decode

    def queued_after(self, edition: str, subscriber_id: int, limit: int) -> list[Claim]:
        """Queued deliveries of an edition in order, those above `subscriber_id`.

        Nothing is claimed: the epochs are those of the rows. Nor is anybody in it who
        is no longer confirmed.
        """
        with self._reading() as cursor:
            id_, dated = cursor.execute(
                "SELECT id, max(frozen_at, slot) FROM edition WHERE id = ?",
                (edition_id_of(cursor, edition),),
            ).fetchone()
            row = cursor.execute(AHEAD, (id_, subscriber_id, limit)).fetchone()
            return _claims_from(edition, id_, dated, row[0])


class _Batch:
    """What one claim has gathered so far."""

    def __init__(self, run: int, limit: int, *, due: int, expire: int) -> None:
        self._left = limit
        self._expire = expire
        self._values = {"run": run, "due": due}
        self._texts: list[tuple[str, int, int, str]] = []
        """Edition's key, id and date, and rows as JSON."""
        self.passed_over: Counter[DeliveryState] = Counter()

    def begin(self, clock: int, lease: int) -> None:
        """The transaction has begun at `clock`."""
        self._values |= {"clock": clock, "until": clock + lease * 1000}

    def take(
        self,
        cursor: sqlite3.Cursor,
        rows: Statements,
        edition: int,
        *about: *tuple[str, int, int],
    ) -> None:
        """Claim what is to be had of an edition, until there is no more or enough."""
        key, frozen_at, dated = about
        values: dict[str, int] = {**self._values, "edition": edition, "last": LAST}
        if self._left > 0 and frozen_at < self._expire:
            self._set_aside(cursor, DeliveryState.SKIPPED, rows.skip, values)
            self._set_aside(cursor, DeliveryState.EXPIRED, rows.expire, values)
            return
        while self._left > 0:
            values |= {"last": LAST, "due": self._values["due"], "limit": self._left}
            end = cursor.execute(rows.end, values).fetchone()
            if end:
                # Nothing of `retry_at` for queued ones, whose range does without.
                values |= {"due": end[0] or 0, "last": end[1]}
            refused, text, found = cursor.execute(rows.take, values).fetchone()
            moved = 0
            if refused:
                moved = self._set_aside(
                    cursor, DeliveryState.SKIPPED, rows.skip, values
                )
            if found > refused:
                moved += cursor.execute(rows.hold, values).rowcount
                self._texts.append((key, edition, dated, text))
                self._left -= found - refused
            if moved != found or (end and not found):
                raise ValueError(f"{key}: {found} rows to claim, {moved} claimed")
            if end is None:
                break

    def _set_aside(
        self,
        cursor: sqlite3.Cursor,
        state: DeliveryState,
        statement: str,
        values: dict[str, int],
    ) -> int:
        count = cursor.execute(statement, values).rowcount
        if count:
            self.passed_over[state] += count
        return count

    def claims(self) -> list[Claim]:
        """What was claimed, as values; the epochs are one more than they were."""
        return [
            claim for taken in self._texts for claim in _claims_from(*taken, raised=1)
        ]


def edition_id_of(cursor: sqlite3.Cursor, key: str) -> int:
    """The id of the edition of that key; raises UnknownEditionError."""
    row = cursor.execute("SELECT id FROM edition WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise UnknownEditionError(
            f"{key}: no such edition",
            cure="`postroom deliveries list` shows those there are",
        )
    return int(row[0])


def _claims_from(
    key: str, edition: int, dated: int, text: str, *, raised: int = 0
) -> list[Claim]:
    """Rows of `TAKE` or `AHEAD` as values."""
    date = to_instant(dated)
    rows: list[Any] = json.loads(text)
    return [
        Claim(key, edition, who, variant, email, name, attempts, epoch + raised, date)
        for who, variant, email, name, attempts, epoch in rows
    ]

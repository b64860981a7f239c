"""Outcomes go into the ledger in groups, fenced by the epoch of their claims."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from postroom.mail.outcome import DeliveryState
from postroom.store.entries import reply_text
from postroom.store.instants import from_instant
from postroom.store.sqlite.database import Database, clock_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from postroom.store.entries import Key
    from postroom.store.values import Result

OUTCOMES = {
    state: state.value
    for state in (
        DeliveryState.ACCEPTED,
        DeliveryState.DEFERRED,
        DeliveryState.FAILED,
        DeliveryState.QUEUED,
        DeliveryState.UNKNOWN,
    )
}
"""What an attempt may end with, as plain text: sqlite3 seeks adapters for enums."""
DEFERRED, QUEUED = DeliveryState.DEFERRED.value, DeliveryState.QUEUED.value
GROUP = 50
"""Rows of one statement: more make it no faster, and a rest goes one by one."""

# `+`: by the key alone, and not by the index of open rows, which the update changes.
# What the server says of an erased address may quote it, and is not kept.
SETTLE = """
UPDATE delivery SET state = r.state, attempts = attempts + 1, lease_until = NULL,
    retry_at = r.retry_at, reply = CASE WHEN email = '' THEN '' ELSE r.reply END,
    message_id = CASE WHEN r.message_id = '' THEN delivery.message_id
                      ELSE r.message_id END,
    updated_at = ?1
FROM (SELECT column1 AS state, column2 AS retry_at, column3 AS reply,
             column4 AS message_id, column5 AS edition, column6 AS subscriber,
             column7 AS epoch
      FROM (VALUES {rows})) AS r
WHERE delivery.edition = r.edition AND delivery.subscriber = r.subscriber
  AND delivery.epoch = r.epoch
  AND (+delivery.state = 'claimed' OR +delivery.state = 'handing')
"""
ONE = "(?, ?, ?, ?, ?, ?, ?)"
SETTLE_ONE = SETTLE.format(rows=ONE)
SETTLE_GROUP = SETTLE.format(rows=", ".join([ONE] * GROUP))
GIVE_BACK = """
UPDATE delivery SET state = 'queued', lease_until = NULL, updated_at = ?
WHERE edition = ? AND subscriber = ? AND epoch = ? AND +state = 'claimed'
"""
HANDING = """
SELECT 1 FROM delivery
WHERE edition = ? AND subscriber = ? AND epoch = ? AND state = 'handing'
"""
SUPPRESS = """
UPDATE subscriber SET consent = 'suppressed', consent_at = ?1, changed_at = ?1
WHERE id = ?2 AND consent IN ('pending', 'confirmed')
"""

Row = tuple[str, int | None, str, str, int, int, int]
"""State, retry_at in Unix milliseconds, reply, Message-ID, and whose: fills one `ONE`."""


class Results(Database):
    """The settling part of the ledger's group: see `store.base.Store`."""

    def record_results(self, results: Sequence[Result]) -> None:
        """Write outcomes with one commit; see `begin_results`."""
        self.begin_results(results)()

    def begin_results(self, results: Sequence[Result]) -> Callable[[], None]:
        """Return what writes outcomes with one commit; stale claims write nothing.

        Of two outcomes of one claim the first counts. `queued` gives a claim back
        without counting an attempt. Raises ValueError, and writes nothing, for a state
        that is no outcome, for deferred without `retry_at`, and, when it is written, for
        `queued` of what is `handing`: nobody can take that back.
        """
        rows, given_back, suppressing = _sort(results)
        whole = len(rows) - len(rows) % GROUP
        groups = [
            list(chain.from_iterable(rows[start : start + GROUP]))
            for start in range(0, whole, GROUP)
        ]

        def write() -> None:
            if not results:
                return
            with self._writing() as cursor:
                clock = clock_of(cursor)
                for group in groups:
                    cursor.execute(SETTLE_GROUP, (clock, *group))
                cursor.executemany(SETTLE_ONE, [(clock, *row) for row in rows[whole:]])
                for row in suppressing:
                    settle_suppressing(cursor, row, clock)
                give_back(cursor, given_back, clock)
                _require_not_handing(cursor, given_back)

        return write


def settle_all(cursor: sqlite3.Cursor, rows: Iterable[Row], clock: int) -> None:
    """Write outcomes one by one; none of them gives a claim back."""
    cursor.executemany(SETTLE_ONE, [(clock, *row) for row in rows])


def settle_suppressing(cursor: sqlite3.Cursor, row: Row, clock: int) -> None:
    """Write an outcome, and write to nobody again whose address does not exist."""
    cursor.execute(SETTLE_ONE, (clock, *row))
    if cursor.rowcount:
        cursor.execute(SUPPRESS, (clock, row[5]))


def give_back(cursor: sqlite3.Cursor, keys: Iterable[Key], clock: int) -> None:
    """Queue claimed deliveries again."""
    cursor.executemany(GIVE_BACK, [(clock, *key) for key in keys])


def _sort(results: Sequence[Result]) -> tuple[list[Row], list[Key], list[Row]]:
    """Outcomes that go in groups, claims given back, and outcomes that suppress."""
    rows: list[Row] = []
    given_back: list[Key] = []
    suppressing: list[Row] = []
    seen: set[Key] = set()
    for claim, outcome, retry_at, message_id in results:
        state = OUTCOMES.get(outcome.state)
        if state is None:
            raise ValueError(f"{outcome.state} is not the outcome of an attempt")
        if (state == DEFERRED) != (retry_at is not None):
            raise ValueError(f"{state} with retry_at {retry_at}")
        key = (claim[1], claim[2], claim[7])  # edition, subscriber, epoch; see _pack
        if key in seen:
            continue
        seen.add(key)
        if state == QUEUED:
            given_back.append(key)
            continue
        due = None if retry_at is None else from_instant(retry_at)
        row = (state, due, reply_text(outcome), message_id, *key)
        (suppressing if outcome.suppress else rows).append(row)
    return rows, given_back, suppressing


def _require_not_handing(cursor: sqlite3.Cursor, keys: Iterable[Key]) -> None:
    """A claim given back after its hand-over is a bug."""
    for key in keys:
        if cursor.execute(HANDING, key).fetchone():
            raise ValueError(f"delivery {key}: handing cannot become queued")

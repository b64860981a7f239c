"""The ledger: claims, intents, results, and settling what dead runs left.

A claim is fenced by its row's `epoch`, which grows with every claim: an owner whose
row was taken back, and perhaps claimed again, finds another epoch or state and writes
nothing. Leases and `updated_at` go by the database's clock; `now` decides what is due.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

from postroom.mail.outcome import TRANSITIONS, DeliveryState
from postroom.store.base import Claim, Delivery, UnknownPolicy
from postroom.store.sqlite.database import CLOCK, Database, from_instant, to_instant

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from postroom.mail.outcome import Outcome
    from postroom.store.base import Result

REPLY_LIMIT = 400
"""Characters of a server's words that are kept: replies may run to many lines."""
CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
"""Control characters and line ends, so that a reply stays one harmless line."""

CANDIDATE = """
SELECT d.edition, d.subscriber, d.variant, d.email, d.attempts, d.epoch,
       e.key, e.frozen_at, s.consent, s.name
FROM delivery AS d JOIN edition AS e ON e.id = d.edition
    LEFT JOIN subscriber AS s ON s.id = d.subscriber
"""
# Within an edition batches are numbered along subscribers, so this is by batch too.
QUEUED = f"""{CANDIDATE}
WHERE d.state = 'queued' AND d.retry_at IS NULL
ORDER BY d.edition, d.subscriber LIMIT ?
"""
DUE = f"""{CANDIDATE}
WHERE d.state = 'deferred' AND d.retry_at <= ?
ORDER BY d.retry_at LIMIT ?
"""

CLAIM = """
UPDATE delivery SET state = 'claimed', run = ?, epoch = epoch + 1, lease_until = ?,
    retry_at = NULL, updated_at = ?
WHERE edition = ? AND subscriber = ?
"""
PASS_OVER = """
UPDATE delivery SET state = ?, reply = ?, retry_at = NULL, updated_at = ?
WHERE edition = ? AND subscriber = ?
"""

INTEND = """
UPDATE delivery SET state = 'handing', message_id = ?, updated_at = ?
WHERE edition = ? AND subscriber = ? AND epoch = ? AND state = 'claimed'
"""
HELD = """
SELECT state FROM delivery WHERE edition = ? AND subscriber = ? AND epoch = ?
    AND state IN ('claimed', 'handing')
"""
# What the server says of an erased address may quote it, and is not kept.
SETTLE = """
UPDATE delivery SET state = ?, attempts = attempts + ?, lease_until = NULL,
    retry_at = ?, reply = CASE WHEN email = '' THEN '' ELSE ? END, updated_at = ?
WHERE edition = ? AND subscriber = ? AND epoch = ? AND state IN (?, ?)
"""
SUPPRESS = """
UPDATE subscriber SET consent = 'suppressed', consent_at = ?1, changed_at = ?1
WHERE id = ?2 AND consent IN ('pending', 'confirmed')
  AND EXISTS (SELECT 1 FROM delivery
              WHERE edition = ?3 AND subscriber = ?2 AND epoch = ?4 AND state = ?5)
"""

DEAD = """
SELECT r.id FROM run AS r, run AS mine
WHERE mine.id = ? AND r.id <> mine.id
  AND (r.host = mine.host OR r.ended_at IS NOT NULL)
"""
RELEASE = f"""
UPDATE delivery SET state = 'queued', lease_until = NULL, updated_at = ?
WHERE state = 'claimed' AND (run IN ({DEAD}) OR lease_until <= ?)
"""
DOUBT = f"""
UPDATE delivery SET state = 'unknown', attempts = attempts + 1, lease_until = NULL,
    updated_at = ?
WHERE state = 'handing' AND (run IN ({DEAD}) OR lease_until <= ?)
"""
RESEND = """
UPDATE delivery SET state = 'queued', resends = resends + 1, updated_at = ?
WHERE state = 'unknown' AND resends = 0
"""

OPEN = """
SELECT state, count(*) FROM delivery
WHERE state = 'queued' OR state = 'claimed' OR state = 'handing'
   OR state = 'deferred' OR state = 'unknown'
GROUP BY state
"""

DELIVERIES = """
SELECT email, state, attempts, message_id, reply, retry_at, updated_at FROM delivery
WHERE edition = ? AND (?2 = '' OR state = ?2) ORDER BY email, subscriber
"""

UNBALANCED = """
SELECT key FROM edition AS e
WHERE audience <> (SELECT count(*) FROM delivery AS d WHERE d.edition = e.id)
"""
STILL_OPEN = """
AND (id = (SELECT max(id) FROM edition) OR id IN (
    SELECT edition FROM delivery
    WHERE state = 'queued' OR state = 'claimed' OR state = 'handing'
       OR state = 'deferred' OR state = 'unknown'))
"""


class Ledger(Database):
    """Fourth group of the protocol: see `store.base.Store`."""

    def recover(self, run: int, now: datetime, policy: UnknownPolicy) -> int:
        """Settle what dead runs left: claimed → queued, handing → unknown.

        Dead: any other run of this host (its lock is ours) or that has ended, and one
        whose lease ran out. Returns how many became unknown.
        """
        with self._writing() as cursor:
            clock = _clock(cursor)
            cursor.execute(RELEASE, (clock, run, clock))
            cursor.execute(DOUBT, (clock, run, clock))
            doubtful = cursor.rowcount
            if policy is UnknownPolicy.RESEND:
                cursor.execute(RESEND, (clock,))
        return doubtful

    def claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> list[Claim]:
        """Take up to `limit` deliveries: first queued ones by edition, then due ones.

        Returns fewer, or none, only when no more are to be had: what is passed over
        on the way (no longer confirmed, or of an edition frozen before `expire`) does
        not count.
        """
        claims: list[Claim] = []
        with self._writing() as cursor:
            clock = _clock(cursor)
            while want := limit - len(claims):
                rows = cursor.execute(QUEUED, (want,)).fetchall()
                rows += cursor.execute(
                    DUE, (from_instant(now), want - len(rows))
                ).fetchall()
                if not rows:
                    break
                taken = [row for row in rows if not _obstacle(row, expire)]
                cursor.executemany(
                    CLAIM,
                    [(run, clock + lease * 1000, clock, row[0], row[1]) for row in taken],
                )
                cursor.executemany(
                    PASS_OVER,
                    [
                        (*obstacle, clock, row[0], row[1])
                        for row in rows
                        if (obstacle := _obstacle(row, expire))
                    ],
                )
                with self._reading():
                    claims += [_claim_from(row) for row in taken]
        return claims

    def record_intents(self, intents: Sequence[tuple[Claim, str]]) -> list[bool]:
        """claimed → handing, with the Message-ID; False where the claim is stale."""
        if not intents:
            return []
        with self._writing() as cursor:
            clock = _clock(cursor)
            return [
                cursor.execute(
                    INTEND,
                    (
                        message_id,
                        clock,
                        claim.edition_id,
                        claim.subscriber_id,
                        claim.epoch,
                    ),
                ).rowcount
                == 1
                for claim, message_id in intents
            ]

    def record_results(self, results: Sequence[Result]) -> None:
        """Write outcomes; a stale claim writes nothing.

        `queued` gives a claim back without counting an attempt; for one that is
        already handing it means unknown, because nobody can take that back. Raises
        ValueError, and writes nothing, for an outcome that `TRANSITIONS` does not
        allow: accepted or unknown without an intent, deferred without `retry_at`.
        """
        _require_settling(results)
        if not results:
            return
        with self._writing() as cursor:
            clock = _clock(cursor)
            for result in results:
                if not _settle(cursor, result, clock):
                    _require_stale(cursor, result)
                elif result.outcome.suppress:
                    claim = result.claim
                    state = result.outcome.state.value
                    cursor.execute(
                        SUPPRESS,
                        (
                            clock,
                            claim.subscriber_id,
                            claim.edition_id,
                            claim.epoch,
                            state,
                        ),
                    )

    def open_deliveries(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state that is not an end, zeros included."""
        with self._reading() as cursor:
            counts = {DeliveryState(state): n for state, n in cursor.execute(OPEN)}
        return {
            state: counts.get(state, 0)
            for state, following in TRANSITIONS.items()
            if following
        }

    def deliveries(
        self, *, edition: str = "", state: DeliveryState | None = None
    ) -> Iterator[Delivery]:
        """Rows of the ledger by edition and address, streaming: one snapshot."""
        with self._streaming() as cursor:
            editions = cursor.execute(
                "SELECT id, key FROM edition WHERE ?1 = '' OR key = ?1 ORDER BY id",
                (edition,),
            ).fetchall()
            for id_, key in editions:
                wanted = state.value if state else ""
                for row in cursor.execute(DELIVERIES, (id_, wanted)):
                    yield _delivery_from(key, row)

    def unbalanced(self, *, everything: bool = False) -> list[str]:
        """Editions whose audience is not the number of their deliveries.

        Looks at those with open deliveries and the newest; at all with `everything`.
        """
        query = UNBALANCED if everything else UNBALANCED + STILL_OPEN
        with self._reading() as cursor:
            return [key for (key,) in cursor.execute(query + " ORDER BY id")]


def reply_text(outcome: Outcome) -> str:
    """The server's words as kept: one line without controls, `REPLY_LIMIT` at most."""
    reply = outcome.reply
    if reply is None:
        return ""
    words = f"{reply.code} {reply.status} {reply.text}".translate(CONTROLS)
    return " ".join(words.split())[:REPLY_LIMIT]


def _clock(cursor: sqlite3.Cursor) -> int:
    (clock,) = cursor.execute(CLOCK).fetchone()
    return int(clock)

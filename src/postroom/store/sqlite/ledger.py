"""The ledger: claims, intents, results, and settling what dead runs left.

A claim is fenced by its row's `epoch`, which grows with every claim: an owner whose
row was taken back, and perhaps claimed again, finds another epoch or state and writes
nothing. Leases and `updated_at` go by the database's clock; `now` decides what is due.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from postroom.mail.outcome import TRANSITIONS, DeliveryState
from postroom.store.base import Claim, Claimed, Delivery, UnknownPolicy
from postroom.store.sqlite.database import (
    CLOCK,
    Database,
    from_instant,
    to_instant,
    to_json,
)
from postroom.subscribers.subscriber import Consent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from postroom.mail.outcome import Outcome
    from postroom.store.base import Result

REPLY_LIMIT = 400
"""Characters of a server's words that are kept: replies may run to many lines."""
CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
"""Control characters and line ends, so that a reply stays one harmless line."""

# Plain str and int: sqlite3 looks for an adapter for every other type, enums included.
HELD_STATES = (DeliveryState.CLAIMED, DeliveryState.HANDING)
SETTLED_FROM: dict[DeliveryState, tuple[str, str]] = {
    state: (before[0].value, before[-1].value)
    for state in (
        DeliveryState.ACCEPTED,
        DeliveryState.DEFERRED,
        DeliveryState.FAILED,
        DeliveryState.QUEUED,
        DeliveryState.UNKNOWN,
    )
    for before in [[held for held in HELD_STATES if state in TRANSITIONS[held]]]
}
"""Outcomes of an attempt, and the states a held row may have before: one, named twice,
or both."""

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
SET_ASIDE = """
UPDATE delivery SET state = ?, reply = coalesce(?, reply), retry_at = NULL, updated_at = ?
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
"""

# Rows of the run :run itself are alive, whatever their lease says.
RELEASE = """
UPDATE delivery SET state = 'queued', lease_until = NULL, updated_at = :clock
WHERE state = 'claimed' AND run <> :run AND (
    lease_until <= :clock OR run IN (
        SELECT r.id FROM run AS r, run AS mine WHERE mine.id = :run
        AND (r.host = mine.host OR r.ended_at IS NOT NULL)))
"""
DOUBT = """
UPDATE delivery SET state = 'unknown', attempts = attempts + 1, lease_until = NULL,
    updated_at = :clock
WHERE state = 'handing' AND run <> :run AND (
    lease_until <= :clock OR run IN (
        SELECT r.id FROM run AS r, run AS mine WHERE mine.id = :run
        AND (r.host = mine.host OR r.ended_at IS NOT NULL)))
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

# Unknown rows may be held for months: they alone are no reason to count again.
UNDER_WAY = """
SELECT DISTINCT edition FROM delivery
WHERE (state = 'queued' OR state = 'claimed' OR state = 'handing'
       OR state = 'deferred' OR state = 'unknown') AND state <> 'unknown'
"""
COUNT = """
SELECT e.id, e.key,
       e.audience = (SELECT count(*) FROM delivery AS d WHERE d.edition = e.id)
FROM edition AS e
WHERE ?1 OR e.balanced = 0 OR e.id IN (SELECT value FROM json_each(?2))
ORDER BY e.id
"""


class _NotAllHeldError(Exception):
    """Some claim of a group is stale: the group is written one by one."""


class Ledger(Database):
    """Fourth group of the protocol: see `store.base.Store`."""

    def recover(self, run: int, now: datetime, policy: UnknownPolicy) -> int:
        """Settle what dead runs left: claimed → queued, handing → unknown.

        Dead: any other run of this host (its lock is ours) or that has ended, and one
        whose lease ran out. Returns how many became unknown.
        """
        with self._writing() as cursor:
            clock = _clock(cursor)
            cursor.execute(RELEASE, {"clock": clock, "run": run})
            cursor.execute(DOUBT, {"clock": clock, "run": run})
            doubtful = cursor.rowcount
            if policy is UnknownPolicy.RESEND:
                cursor.execute(RESEND, (clock,))
        return doubtful

    def claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> Claimed:
        """Take up to `limit` deliveries: first queued ones by edition, then due ones.

        Returns fewer, or none, only when no more are to be had: what is passed over
        on the way (no longer confirmed, or of an edition frozen before `expire`) does
        not count.
        """
        claims: list[Claim] = []
        passed_over: Counter[DeliveryState] = Counter()
        with self._writing() as cursor:
            clock = _clock(cursor)
            while (want := limit - len(claims)) > 0:
                rows = cursor.execute(QUEUED, (want,)).fetchall()
                rows += cursor.execute(
                    DUE, (from_instant(now), want - len(rows))
                ).fetchall()
                if not rows:
                    break
                taken: list[tuple[Any, ...]] = []
                for row in rows:
                    verdict = _set_aside(row, expire)
                    if verdict:
                        passed_over[verdict[0]] += 1
                        cursor.execute(SET_ASIDE, (*verdict, clock, row[0], row[1]))
                    else:
                        taken.append(row)
                until = clock + lease * 1000
                cursor.executemany(
                    CLAIM, [(run, until, clock, row[0], row[1]) for row in taken]
                )
                with self._reading():
                    claims += [_claim_from(row) for row in taken]
        return Claimed(claims, passed_over)

    def record_intents(self, intents: Sequence[tuple[Claim, str]]) -> list[bool]:
        """Claimed → handing, with the Message-ID; False where the claim is stale."""
        return self.record((), intents)

    def record_results(self, results: Sequence[Result]) -> None:
        """Write outcomes; a stale claim writes nothing. See `record`."""
        self.record(results, ())

    def record(
        self, results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
    ) -> list[bool]:
        """Write outcomes, then intents, with one commit; one answer per intent.

        `queued` gives a claim back without counting an attempt; for one that is
        already handing it means unknown, because nobody can take that back. Raises
        ValueError, and writes nothing, for an outcome that `TRANSITIONS` does not
        allow: accepted or unknown without an intent, deferred without `retry_at`.
        """
        _require_settling(results)
        if not results and not intents:
            return []
        try:
            with self._writing() as cursor:
                _record_all(cursor, results, intents)
        except _NotAllHeldError:
            with self._writing() as cursor:
                return _record_each(cursor, results, intents)
        return [True] * len(intents)

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

        Counts those with deliveries under way, and each once more when it has none
        left; every edition with `everything`.
        """
        with self._reading() as cursor:
            under_way = {row[0] for row in cursor.execute(UNDER_WAY)}
            counted = cursor.execute(
                COUNT, (int(everything), to_json(under_way))
            ).fetchall()
        settled = [
            (id_,) for id_, _, whole in counted if whole and id_ not in under_way
        ]
        if settled:
            with self._writing() as cursor:
                cursor.executemany(
                    "UPDATE edition SET balanced = 1 WHERE id = ? AND balanced = 0",
                    settled,
                )
        return [key for _, key, whole in counted if not whole]


def reply_text(outcome: Outcome) -> str:
    """The server's words as kept: one line without controls, `REPLY_LIMIT` at most."""
    reply = outcome.reply
    if reply is None:
        return ""
    words = str(reply)
    if not words.isprintable():
        words = words.translate(CONTROLS)
    return " ".join(words.split())[:REPLY_LIMIT]


def _clock(cursor: sqlite3.Cursor) -> int:
    (clock,) = cursor.execute(CLOCK).fetchone()
    return int(clock)


def _set_aside(
    row: tuple[Any, ...], expire: datetime
) -> tuple[DeliveryState, str | None] | None:
    """The state and reason of a candidate nothing is sent to; None: it is claimed."""
    frozen_at, consent = row[7], row[8]
    if consent is None:
        return DeliveryState.SKIPPED, "erased"
    if consent != Consent.CONFIRMED:
        return DeliveryState.SKIPPED, consent
    if frozen_at < from_instant(expire):
        return DeliveryState.EXPIRED, None
    return None


def _claim_from(row: tuple[Any, ...]) -> Claim:
    """A row of `CANDIDATE`, just claimed, as a value."""
    edition_id, subscriber_id, variant, email, attempts, epoch = row[:6]
    key, frozen_at, _, name = row[6:]
    return Claim(
        edition=key,
        edition_id=edition_id,
        subscriber_id=subscriber_id,
        variant=variant,
        email=email,
        name=name,
        attempts=attempts,
        epoch=epoch + 1,
        frozen_at=to_instant(frozen_at),
    )


def _require_settling(results: Sequence[Result]) -> None:
    for result in results:
        state = result.outcome.state
        if state not in SETTLED_FROM:
            raise ValueError(f"{state} is not the outcome of an attempt")
        if (state is DeliveryState.DEFERRED) != (result.retry_at is not None):
            raise ValueError(f"{state} with retry_at {result.retry_at}")


def _record_all(
    cursor: sqlite3.Cursor,
    results: Sequence[Result],
    intents: Sequence[tuple[Claim, str]],
) -> None:
    """The usual case, where every claim still holds its row: two statements."""
    clock = _clock(cursor)
    if results:
        rows = [_settlement(result, result.outcome.state, clock) for result in results]
        if cursor.executemany(SETTLE, rows).rowcount != len(rows):
            raise _NotAllHeldError
        _suppress(cursor, results, clock)
    if intents:
        rows = [_intention(claim, message_id, clock) for claim, message_id in intents]
        if cursor.executemany(INTEND, rows).rowcount != len(rows):
            raise _NotAllHeldError


def _record_each(
    cursor: sqlite3.Cursor,
    results: Sequence[Result],
    intents: Sequence[tuple[Claim, str]],
) -> list[bool]:
    """The same one by one, where some claims are stale."""
    clock = _clock(cursor)
    for result in results:
        if _settle(cursor, result, clock):
            _suppress(cursor, [result], clock)
        else:
            _require_stale(cursor, result)
    return [
        cursor.execute(INTEND, _intention(claim, message_id, clock)).rowcount == 1
        for claim, message_id in intents
    ]


def _settle(cursor: sqlite3.Cursor, result: Result, clock: int) -> bool:
    """Write one outcome; whether the claim still held its row."""
    state = result.outcome.state
    cursor.execute(SETTLE, _settlement(result, state, clock))
    if not cursor.rowcount and state is DeliveryState.QUEUED:
        cursor.execute(SETTLE, _settlement(result, DeliveryState.UNKNOWN, clock))
    return cursor.rowcount == 1


def _settlement(result: Result, state: DeliveryState, clock: int) -> tuple[object, ...]:
    """The parameters of `SETTLE` that move the claim's row to `state`."""
    claim = result.claim
    return (
        state.value,
        int(state is not DeliveryState.QUEUED),
        result.retry_at and from_instant(result.retry_at),
        reply_text(result.outcome),
        clock,
        claim.edition_id,
        claim.subscriber_id,
        claim.epoch,
        *SETTLED_FROM[state],
    )


def _intention(claim: Claim, message_id: str, clock: int) -> tuple[object, ...]:
    """The parameters of `INTEND`."""
    return message_id, clock, claim.edition_id, claim.subscriber_id, claim.epoch


def _suppress(cursor: sqlite3.Cursor, results: Iterable[Result], clock: int) -> None:
    """Write to nobody again whose address does not exist."""
    gone = [
        (clock, result.claim.subscriber_id)
        for result in results
        if result.outcome.suppress
    ]
    if gone:
        cursor.executemany(SUPPRESS, gone)


def _require_stale(cursor: sqlite3.Cursor, result: Result) -> None:
    """An outcome that was not written although the claim holds its row is a bug."""
    claim = result.claim
    found = cursor.execute(
        HELD, (claim.edition_id, claim.subscriber_id, claim.epoch)
    ).fetchone()
    if found:
        raise ValueError(
            f"{claim.edition} to subscriber {claim.subscriber_id}: {found[0]} cannot"
            f" become {result.outcome.state}"
        )


def _delivery_from(edition: str, row: tuple[Any, ...]) -> Delivery:
    """A row of `DELIVERIES` as a value."""
    email, state, attempts, message_id, reply, retry_at, updated_at = row
    return Delivery(
        edition=edition,
        email=email,
        state=DeliveryState(state),
        attempts=attempts,
        message_id=message_id,
        reply=reply,
        retry_at=None if retry_at is None else to_instant(retry_at),
        updated_at=to_instant(updated_at),
    )

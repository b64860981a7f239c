"""The ledger as a whole: rows for people, pauses, decisions by hand, the balance.

Claims are in `claims`, outcomes in `results`, what dead runs left in `recovery`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postroom.mail.outcome import TRANSITIONS, DeliveryState
from postroom.store.instants import to_instant
from postroom.store.sqlite.claims import Claims, edition_id_of
from postroom.store.sqlite.database import clock_of, to_json
from postroom.store.sqlite.recovery import Recovery
from postroom.store.sqlite.results import Results
from postroom.store.values import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESOLVE = """
UPDATE delivery INDEXED BY delivery_open SET state = :state, reply = :reply, updated_at = :clock,
    resends = resends + (:state = 'queued')
WHERE edition = :edition AND state = 'unknown'
  AND (:emails IS NULL OR email IN (SELECT value FROM json_each(:emails)))
RETURNING email
"""
# Whoever was counted while nothing was under way has to be counted again.
UNBALANCE = "UPDATE edition SET balanced = 0 WHERE id = ?"

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


class Ledger(Claims, Results, Recovery):
    """Fourth group of the protocol: see `store.base.Store`."""

    def pause(self, edition: str, *, paused: bool) -> bool:
        """Claim nothing of an edition any more, or again; whether that is a change."""
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE edition SET paused = ?1 WHERE id = ?2 AND paused <> ?1",
                (int(paused), edition_id_of(cursor, edition)),
            )
            return cursor.rowcount == 1

    def resolve(
        self,
        edition: str,
        emails: Sequence[str] | None,
        state: DeliveryState,
        reply: str,
    ) -> list[str]:
        """Decide deliveries that are `unknown`; see `store.base.Store`.

        Raises ValueError for a state that cannot follow.
        """
        if state not in TRANSITIONS[DeliveryState.UNKNOWN]:
            raise ValueError(f"unknown cannot become {state}")
        with self._writing() as cursor:
            id_ = edition_id_of(cursor, edition)
            rows = cursor.execute(
                RESOLVE,
                {
                    "state": state.value,
                    "reply": reply,
                    "clock": clock_of(cursor),
                    "edition": id_,
                    "emails": None if emails is None else to_json(emails),
                },
            ).fetchall()
            cursor.execute(UNBALANCE, (id_,))
        return sorted(row[0] for row in rows)

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

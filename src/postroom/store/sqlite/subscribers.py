"""Subscribers: looked up, saved one or a million at a time, erased.

Changes are saved in chunks: one look-up of all the chunk's keys, then one statement
for the new and one for the changed.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import Database, to_json
from postroom.store.values import Saved
from postroom.subscribers.subscriber import (
    CONSENT_CHANGES,
    Cadence,
    Consent,
    Subscriber,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from postroom.subscribers.subscriber import SubscriberChange

CHUNK = 20_000
"""Changes decided at once: sorted by key they share pages of the index; some 20 MB."""

CONSENTS = {consent.value: consent for consent in Consent}
CADENCES = {cadence.value: cadence for cadence in Cadence}
"""A look-up costs a quarter of a call of the class, and rows come by the million."""

SELECT = """
SELECT id, email, key, name, consent, cadence, topics, language, mark, added_at,
       consent_at
FROM subscriber
"""
BY_KEY = f"{SELECT} WHERE key = ?"
GIVEN = "SELECT value FROM json_each(?)"
BY_KEYS = f"{SELECT} WHERE key IN ({GIVEN})"
IN_ORDER = f"{SELECT} ORDER BY key"

ADD = """
INSERT INTO subscriber (email, key, name, consent, cadence, topics, language, mark,
                        added_at, consent_at, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
CHANGE = """
UPDATE subscriber SET email = ?, name = ?, consent = ?, cadence = ?, topics = ?,
    language = ?, mark = ?, consent_at = ?,
    changed_at = CASE WHEN ? THEN ? ELSE changed_at END
WHERE id = ?
"""

# Looking through the editions by primary key spares an index on subscriber.
ERASE_DELIVERIES = """
UPDATE delivery SET
    email = '',
    reply = CASE WHEN state IN ('queued', 'deferred') THEN 'erased' ELSE '' END,
    state = CASE WHEN state IN ('queued', 'deferred') THEN 'skipped' ELSE state END,
    retry_at = NULL,
    updated_at = ?
WHERE edition IN (SELECT id FROM edition) AND subscriber = ?
"""


@lru_cache(maxsize=4096)
def topics_to_text(topics: tuple[str, ...]) -> str:
    """Topics as the store keeps them: a set, so sorted and each once."""
    return to_json(sorted(set(topics)))


@lru_cache(maxsize=4096)
def topics_from_text(text: str) -> tuple[str, ...]:
    """The topics of a row."""
    return tuple(json.loads(text))


def subscriber_from(row: tuple[Any, ...]) -> Subscriber:
    """A row of `SELECT` as a value."""
    id_, email, key, name, consent, cadence, topics, language = row[:8]
    mark, added_at, consent_at = row[8:]
    return Subscriber(
        id=id_,
        email=email,
        key=key,
        name=name,
        consent=CONSENTS[consent],
        cadence=CADENCES[cadence],
        topics=topics_from_text(topics),
        language=language,
        mark=mark,
        added_at=to_instant(added_at),
        consent_at=None if consent_at is None else to_instant(consent_at),
    )


@dataclass(kw_only=True)
class _Saving:
    """One call of `save_subscribers` under way."""

    now: datetime
    cadence: Cadence
    by_hand: bool
    counter: int
    erased: bool
    """Whether anybody was ever erased: if not, no hash is computed."""
    counts: Counter[str] = field(default_factory=Counter)
    suppressed: list[str] = field(default_factory=list)


STOPPED = frozenset({Consent.UNSUBSCRIBED, Consent.SUPPRESSED})
"""A table that says `confirmed` is older news than a no: only a hand brings them back."""


def may_follow(before: Consent, after: Consent) -> bool:
    """Whether a consent may follow another, or stay, without the operator's hand."""
    if before in STOPPED and after is Consent.CONFIRMED:
        return False
    return after is before or after in CONSENT_CHANGES[before]


class Subscribers(Database):
    """Third group of the protocol: see `store.base.Store`."""

    def subscriber(self, key: str) -> Subscriber | None:
        """Look one up by folded address."""
        with self._reading() as cursor:
            row = cursor.execute(BY_KEY, (key,)).fetchone()
            return None if row is None else subscriber_from(row)

    def subscribers(self) -> Iterator[Subscriber]:
        """Every subscriber by address, streaming: one snapshot of when it begins."""
        with self._streaming() as cursor:
            for row in cursor.execute(IN_ORDER):
                yield subscriber_from(row)

    def save_subscribers(
        self,
        changes: Iterable[SubscriberChange],
        now: datetime,
        *,
        cadence: Cadence,
        by_hand: bool = False,
    ) -> Saved:
        """Add the unknown, change what each change names of the known; one transaction.

        `cadence` is the default for new ones. An address named twice is changed twice.
        What erasure or consent forbids is left alone whole, and reported in
        `suppressed`, unless `by_hand`.
        """
        rest = iter(changes)
        with self._writing_much() as cursor:
            (counter,) = cursor.execute("SELECT counter FROM ledger").fetchone()
            erased = cursor.execute("SELECT 1 FROM suppression LIMIT 1").fetchone()
            saving = _Saving(
                now=now,
                cadence=cadence,
                by_hand=by_hand,
                counter=counter,
                erased=erased is not None,
            )
            while chunk := list(islice(rest, CHUNK)):
                for part in _without_repeats(chunk):
                    self._save(cursor, part, saving)
        return Saved(
            added=saving.counts["added"],
            changed=saving.counts["changed"],
            unchanged=saving.counts["unchanged"],
            suppressed=tuple(saving.suppressed),
        )

    def _save(
        self,
        cursor: sqlite3.Cursor,
        changes: Mapping[str, SubscriberChange],
        saving: _Saving,
    ) -> None:
        """Save changes of different addresses."""
        with self._reading() as reading:
            known = {
                row[2]: row for row in reading.execute(BY_KEYS, (to_json(changes),))
            }
        new = [changes[key] for key in sorted(changes) if key not in known]
        if new and saving.erased:
            new = [change for change in new if self._may_add(cursor, change, saving)]
        cursor.executemany(ADD, _rows_to_add(new, saving))
        saving.counts["added"] += len(new)
        with self._reading():
            rows = [
                row
                for key, before in known.items()
                if (row := _row_to_change(before, changes[key], saving))
            ]
        cursor.executemany(CHANGE, rows)

    def _may_add(
        self, cursor: sqlite3.Cursor, change: SubscriberChange, saving: _Saving
    ) -> bool:
        """Whether an unknown address may come; by hand it is no longer an erased one."""
        key_hash = (self._hash(change.key),)
        if saving.by_hand:
            cursor.execute("DELETE FROM suppression WHERE hash = ?", key_hash)
            return True
        cursor.execute("SELECT 1 FROM suppression WHERE hash = ?", key_hash)
        if cursor.fetchone() is None:
            return True
        saving.suppressed.append(change.email)
        return False

    def erase(self, key: str, now: datetime) -> bool:
        """Forget a person: only a keyed hash stays, so that no import brings them back.

        Their deliveries stay in the ledger without address and without the server's
        words, which may quote it; queued and deferred ones become skipped. One that is
        claimed or handing keeps its state: its run is about to decide it.
        """
        with self._writing() as cursor:
            row = cursor.execute(
                "DELETE FROM subscriber WHERE key = ? RETURNING id", (key,)
            ).fetchone()
            if row is None:
                return False
            cursor.execute(
                "INSERT OR REPLACE INTO suppression (hash, erased_at) VALUES (?, ?)",
                (self._hash(key), from_instant(now)),
            )
            cursor.execute(ERASE_DELIVERIES, (from_instant(now), row[0]))
            self._raise_serial(cursor)
        return True

    def _hash(self, key: str) -> bytes:
        return hmac.digest(self._salt, key.encode(), "sha256")


def _without_repeats(
    changes: Iterable[SubscriberChange],
) -> Iterator[dict[str, SubscriberChange]]:
    """Cut before each address that came already: within a part every one is once."""
    part: dict[str, SubscriberChange] = {}
    for change in changes:
        if change.key in part:
            yield part
            part = {}
        part[change.key] = change
    if part:
        yield part


def _rows_to_add(
    changes: Iterable[SubscriberChange], saving: _Saving
) -> Iterator[tuple[object, ...]]:
    now = from_instant(saving.now)
    for change in changes:
        consent = change.consent or Consent.PENDING
        yield (
            change.email,
            change.key,
            change.name or "",
            consent.value,
            (change.cadence or saving.cadence).value,
            topics_to_text(change.topics or ()),
            change.language or "",
            saving.counter,
            now,
            None if consent is Consent.PENDING else now,
            now,
        )


def _row_to_change(
    row: tuple[Any, ...], change: SubscriberChange, saving: _Saving
) -> tuple[object, ...] | None:
    """What to write for the known subscriber of a row of `SELECT`; None for nothing.

    Compares texts, without building a Subscriber: importing a table again is common.
    """
    id_, email, _, name, consent, *choice, mark, _, consent_at = row
    if not _is_allowed(consent, change, saving):
        saving.suppressed.append(change.email)
        return None
    now = from_instant(saving.now)
    after = consent if change.consent is None else change.consent.value
    before = (email, name, consent, *choice)
    wanted = (
        change.email,
        name if change.name is None else change.name,
        after,
        choice[0] if change.cadence is None else change.cadence.value,
        choice[1] if change.topics is None else topics_to_text(change.topics),
        choice[2] if change.language is None else change.language,
    )
    if wanted == before:
        saving.counts["unchanged"] += 1
        return None
    saving.counts["changed"] += 1
    if after != consent:
        consent_at = now
        # Posts from before are not for someone who has just confirmed.
        mark = max(mark, saving.counter) if after == Consent.CONFIRMED else mark
    return (*wanted, mark, consent_at, wanted[2:] != before[2:], now, id_)


def _is_allowed(consent: str, change: SubscriberChange, saving: _Saving) -> bool:
    """Whether a change may touch a subscriber of that consent."""
    if change.consent is None or saving.by_hand:
        return True
    return may_follow(CONSENTS[consent], change.consent)

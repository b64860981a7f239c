"""Subscribers: looked up, saved one or a million at a time, erased.

Changes are saved in chunks: one look-up of all the chunk's keys, then one statement
for the new and one for the changed. What a change does to a known subscriber is
decided by `changed`, on values.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from postroom.store.base import Saved
from postroom.store.sqlite.database import Database, from_instant, to_instant, to_json
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

CHUNK = 5_000
"""Changes decided at once: enough to share the statements, little to hold in memory."""

COLUMNS = "id, email, key, name, consent, cadence, topics, language, mark, added_at, consent_at"
BY_KEY = f"SELECT {COLUMNS} FROM subscriber WHERE key = ?"
BY_KEYS = (
    f"SELECT {COLUMNS} FROM subscriber WHERE key IN (SELECT value FROM json_each(?))"
)
ALL = f"SELECT {COLUMNS} FROM subscriber ORDER BY key"

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


def subscriber_from(row: tuple[object, ...]) -> Subscriber:
    """A row in the order of `COLUMNS` as a value; ValueError for what nobody wrote."""
    match row:
        case (
            int(id_),
            str(email),
            str(key),
            str(name),
            str(consent),
            str(cadence),
            str(topics),
            str(language),
            int(mark),
            int(added_at),
            (int() | None) as consent_at,
        ):
            return Subscriber(
                id=id_,
                email=email,
                key=key,
                name=name,
                consent=Consent(consent),
                cadence=Cadence(cadence),
                topics=topics_from_text(topics),
                language=language,
                mark=mark,
                added_at=to_instant(added_at),
                consent_at=None if consent_at is None else to_instant(consent_at),
            )
        case _:
            raise ValueError("a subscriber's row holds a value of the wrong type")


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


def changed(
    known: Subscriber,
    change: SubscriberChange,
    now: datetime,
    counter: int,
    *,
    by_hand: bool,
) -> Subscriber | None:
    """The subscriber after a change, or None where its consent is not ours to change.

    Who becomes confirmed starts at `counter`: earlier posts are not for them.
    """
    consent = known.consent if change.consent is None else change.consent
    if consent is not known.consent and not (
        by_hand or _may_follow(known.consent, consent)
    ):
        return None
    after = replace(
        known,
        email=change.email,
        name=known.name if change.name is None else change.name,
        consent=consent,
        cadence=change.cadence or known.cadence,
        topics=known.topics
        if change.topics is None
        else topics_from_text(topics_to_text(change.topics)),
        language=known.language if change.language is None else change.language,
    )
    if consent is known.consent:
        return after
    confirmed = consent is Consent.CONFIRMED
    mark = max(known.mark, counter) if confirmed else known.mark
    return replace(after, mark=mark, consent_at=now)


def _may_follow(before: Consent, after: Consent) -> bool:
    """Whether a consent may follow without the operator's hand."""
    if before is Consent.SUPPRESSED and after is Consent.CONFIRMED:
        return False
    return after in CONSENT_CHANGES[before]


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
            for row in cursor.execute(ALL):
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
            rows = reading.execute(BY_KEYS, (to_json(changes),)).fetchall()
            known = {row[2]: subscriber_from(row) for row in rows}
        new = [change for key, change in changes.items() if key not in known]
        if new and saving.erased:
            new = [change for change in new if self._may_add(cursor, change, saving)]
        cursor.executemany(ADD, _rows_to_add(new, saving))
        saving.counts["added"] += len(new)
        cursor.executemany(
            CHANGE,
            [
                row
                for key, before in known.items()
                if (row := _row_to_change(before, changes[key], saving))
            ],
        )

    def _may_add(
        self, cursor: sqlite3.Cursor, change: SubscriberChange, saving: _Saving
    ) -> bool:
        """Whether an unknown address may come; by hand it is no longer an erased one."""
        where = "FROM suppression WHERE hash = ?"
        key_hash = (self._hash(change.key),)
        if saving.by_hand:
            cursor.execute(f"DELETE {where}", key_hash)  # noqa: S608 - both parts are ours
            return True
        if cursor.execute(f"SELECT 1 {where}", key_hash).fetchone() is None:  # noqa: S608 - both parts are ours
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
    before: Subscriber, change: SubscriberChange, saving: _Saving
) -> tuple[object, ...] | None:
    """What to write for a known subscriber; None where nothing is to be written."""
    after = changed(
        before, change, saving.now, saving.counter, by_hand=saving.by_hand
    )
    if after is None:
        saving.suppressed.append(change.email)
        return None
    if after == before:
        saving.counts["unchanged"] += 1
        return None
    saving.counts["changed"] += 1
    return (
        after.email,
        after.name,
        after.consent.value,
        after.cadence.value,
        topics_to_text(after.topics),
        after.language,
        after.mark,
        None if after.consent_at is None else from_instant(after.consent_at),
        _choice(after) != _choice(before),
        from_instant(saving.now),
        after.id,
    )


def _choice(subscriber: Subscriber) -> tuple[object, ...]:
    """What decides which letters a subscriber gets."""
    return (
        subscriber.consent,
        subscriber.cadence,
        subscriber.topics,
        subscriber.language,
    )

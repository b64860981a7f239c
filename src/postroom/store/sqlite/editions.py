"""Slots and editions: who would get one, and freezing it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from postroom.store.instants import from_instant, to_instant
from postroom.store.sqlite.database import Database, to_json
from postroom.store.sqlite.subscribers import topics_from_text, topics_to_text
from postroom.store.values import Edition
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from postroom.digests.edition import AudienceGroup, EditionPlan
    from postroom.mail.letter import Letter

BATCH_SIZE = 500
"""Deliveries per batch: about a second of work, so that a repeated one costs little."""

AUDIENCE = """
SELECT language, topics, mark, count(*) FROM subscriber
WHERE consent = 'confirmed' AND cadence = ? GROUP BY language, topics, mark
"""

DEAL_WITH_SLOT = """
INSERT INTO slot (cadence, at) VALUES (?, ?)
ON CONFLICT (cadence) DO UPDATE SET at = max(at, excluded.at)
"""

CHOSEN = """
CREATE TEMP TABLE IF NOT EXISTS chosen (
    language TEXT, topics TEXT, mark INTEGER, variant INTEGER,
    PRIMARY KEY (language, topics, mark)
) WITHOUT ROWID
"""

# CROSS JOIN keeps subscribers outside: rows arrive by id, the order of the ledger's key.
INSERT_DELIVERIES = """
INSERT INTO delivery (edition, subscriber, batch, variant, state, email, updated_at)
SELECT ?, s.id, (row_number() OVER (ORDER BY s.id) - 1) / ?, c.variant, 'queued',
       s.email, ?
FROM subscriber AS s CROSS JOIN temp.chosen AS c
WHERE c.language = s.language AND c.topics = s.topics AND c.mark = s.mark
  AND s.consent = 'confirmed' AND s.cadence = ?
ORDER BY s.id
"""

# Who changed rhythm, topics or language after the run began was not considered with
# them: unless they got the edition anyway, they are considered next time.
RAISE_MARKS = """
UPDATE subscriber SET mark = :mark
WHERE consent = 'confirmed' AND cadence = :cadence AND mark < :mark
  AND (changed_at <= :considered
       OR EXISTS (SELECT 1 FROM delivery AS d
                  WHERE d.edition = :edition AND d.subscriber = subscriber.id))
"""


class Editions(Database):
    """Second group of the protocol: see `store.base.Store`."""

    def last_slots(self) -> dict[Cadence, datetime]:
        """The last slot each cadence has dealt with, with or without an edition."""
        with self._reading() as cursor:
            return {
                Cadence(cadence): to_instant(at)
                for cadence, at in cursor.execute("SELECT cadence, at FROM slot")
            }

    def pass_slot(self, cadence: Cadence, slot: datetime, mark: int) -> None:
        """A slot without an edition: note it, and raise the confirmed subscribers' marks.

        Not of those whose choice is younger than the slot: they may not have been
        considered with it, and are next time.
        """
        at = from_instant(slot)
        with self._writing() as cursor:
            cursor.execute(DEAL_WITH_SLOT, (cadence.value, at))
            _raise_marks(cursor, cadence, mark, considered=at)
            self._raise_serial(cursor)

    def audience(self, cadence: Cadence) -> list[AudienceGroup]:
        """The confirmed subscribers of a cadence, grouped by language, topics, mark."""
        from postroom.digests.edition import AudienceGroup  # noqa: PLC0415 - light start

        with self._reading() as cursor:
            return [
                AudienceGroup(
                    language=language,
                    topics=topics_from_text(topics),
                    mark=mark,
                    count=count,
                )
                for language, topics, mark, count in (
                    cursor.execute(AUDIENCE, (cadence.value,))
                )
            ]

    def freeze(
        self, plan: EditionPlan, letters: Mapping[int, Letter], now: datetime
    ) -> int:
        """Store edition, variants and one queued delivery per subscriber; move the marks.

        Returns the audience. A plan whose subscribers have all gone since stores no
        edition, but its slot is dealt with.
        """
        groups = _variants_of_groups(plan)
        missing = {v.number for v in plan.variants} - letters.keys()
        if missing:
            raise ValueError(f"{plan.key}: no letter for variants {sorted(missing)}")
        with self._writing() as cursor:
            if cursor.execute(
                "SELECT 1 FROM edition WHERE key = ?", (plan.key,)
            ).fetchone():
                return 0
            cursor.execute("SAVEPOINT edition")
            edition = _insert_edition(cursor, plan, letters, now)
            audience = _insert_deliveries(cursor, plan, groups, edition, now)
            if audience:
                cursor.execute(
                    "UPDATE edition SET audience = ? WHERE id = ?", (audience, edition)
                )
            else:
                cursor.execute("ROLLBACK TO edition")
            cursor.execute(
                DEAL_WITH_SLOT, (plan.cadence.value, from_instant(plan.slot))
            )
            _raise_marks(
                cursor,
                plan.cadence,
                plan.mark,
                considered=from_instant(now),
                edition=edition,
            )
            self._raise_serial(cursor)
        return audience

    def editions(self) -> Iterator[Edition]:
        """Every edition, newest first."""
        with self._streaming() as cursor:
            for (
                key,
                cadence,
                slot,
                frozen_at,
                posts,
                audience,
                paused,
            ) in cursor.execute(
                "SELECT key, cadence, slot, frozen_at, posts, audience, paused"
                " FROM edition ORDER BY id DESC"
            ):
                yield Edition(
                    key=key,
                    cadence=Cadence(cadence),
                    slot=to_instant(slot),
                    frozen_at=to_instant(frozen_at),
                    posts=tuple(json.loads(posts)),
                    audience=audience,
                    paused=bool(paused),
                )

    def letters(self, edition: str) -> dict[int, Letter]:
        """The variants of an edition by number; empty for an edition nobody froze."""
        from postroom.mail.letter import Letter  # noqa: PLC0415 - light start

        with self._reading() as cursor:
            return {
                number: Letter(
                    language=language,
                    subject=subject,
                    preheader=preheader,
                    html=html,
                    text=text,
                )
                for number, language, subject, preheader, html, text in cursor.execute(
                    "SELECT v.number, v.language, subject, preheader, html, text"
                    " FROM variant AS v JOIN edition AS e ON e.id = v.edition"
                    " WHERE e.key = ? ORDER BY v.number",
                    (edition,),
                )
            }


def _variants_of_groups(plan: EditionPlan) -> dict[tuple[str, str, int], int]:
    """Which variant each group receives; a group in two of them would get two letters."""
    groups: dict[tuple[str, str, int], int] = {}
    for variant in plan.variants:
        for group in variant.groups:
            key = (group.language, topics_to_text(group.topics), group.mark)
            if groups.setdefault(key, variant.number) != variant.number:
                raise ValueError(f"{plan.key}: {key} is in more than one variant")
    return groups


def _insert_edition(
    cursor: sqlite3.Cursor,
    plan: EditionPlan,
    letters: Mapping[int, Letter],
    now: datetime,
) -> int:
    (edition,) = cursor.execute(
        "INSERT INTO edition (key, cadence, slot, frozen_at, posts, audience)"
        " VALUES (?, ?, ?, ?, ?, 0) RETURNING id",
        (
            plan.key,
            plan.cadence.value,
            from_instant(plan.slot),
            from_instant(now),
            to_json(plan.posts),
        ),
    ).fetchone()
    cursor.executemany(
        "INSERT INTO variant (edition, number, posts, language, subject, preheader,"
        " html, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                edition,
                variant.number,
                to_json(variant.posts),
                letter.language,
                letter.subject,
                letter.preheader,
                letter.html,
                letter.text,
            )
            for variant in plan.variants
            for letter in [letters[variant.number]]
        ],
    )
    return int(edition)


def _insert_deliveries(
    cursor: sqlite3.Cursor,
    plan: EditionPlan,
    groups: Mapping[tuple[str, str, int], int],
    edition: int,
    now: datetime,
) -> int:
    """One row per subscriber who is in a group now; returns how many."""
    cursor.execute(CHOSEN)
    cursor.execute("DELETE FROM temp.chosen")
    cursor.executemany(
        "INSERT INTO temp.chosen VALUES (?, ?, ?, ?)",
        [(*group, variant) for group, variant in groups.items()],
    )
    cursor.execute(
        INSERT_DELIVERIES,
        (edition, BATCH_SIZE, from_instant(now), plan.cadence.value),
    )
    return cursor.rowcount


def _raise_marks(
    cursor: sqlite3.Cursor,
    cadence: Cadence,
    mark: int,
    *,
    considered: int,
    edition: int | None = None,
) -> None:
    """Everyone who got `edition`, or was considered at that instant, has been offered."""
    cursor.execute(
        RAISE_MARKS,
        {
            "mark": mark,
            "cadence": cadence.value,
            "considered": considered,
            "edition": edition,
        },
    )

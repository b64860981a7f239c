"""What dead runs left, settled as their journals tell it.

What a journal names is decided: an outcome is written as the run would have written it,
an intent without one is unknown. What it does not name was not handed over if the
journal is known to hold every intent whose dot could leave. When is it?

- The machine never went down (the boot id is the same). What a `write` had given to the
  operating system when it returned is in the file, and no dot leaves before that. An
  entry that was cut off at the end is from a `write` that did not return, or returned
  short and stopped the run: nothing of it had left. So the journal proves it, torn or
  whole. Zeros at the end are no cut: nobody wrote them.
- The machine went down. The tail that was not synced may be missing, from any point on.
  With `power` each dot waited until its intent was synced, so what is missing had not
  left: the end may be torn, or zeros where the data never arrived. With `process` dots
  did not wait, and the missing tail may have named them: it proves nothing.
- The run was on another host. What we see of its file may be older than what it wrote.
- There is no journal although there was one, it is another run's, or it is damaged in
  the middle: what stood there, or behind, may have named anything.

A run that had no journal handed nothing over, but for `handing` rows of former versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.errors import StoreUnusableError
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path, journals
from postroom.store.entries import Ending, Journaled, opening, read_journal
from postroom.store.instants import from_instant
from postroom.store.journal import FileJournal, remove_journal
from postroom.store.sqlite.database import Database, clock_of, to_json
from postroom.store.sqlite.results import give_back, settle_all, settle_suppressing
from postroom.store.values import Durability, UnknownPolicy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from postroom.store.base import Journal
    from postroom.store.entries import Entry, Key
    from postroom.store.sqlite.results import Row

BEGIN = "UPDATE run SET durability = ? WHERE id = ? AND durability = ''"
HELD = """
SELECT d.run, coalesce(r.durability, ''), r.host IS mine.host,
       r.host IS mine.host AND r.boot_id = mine.boot_id AND r.boot_id <> '',
       d.edition, d.subscriber, d.epoch, d.state
FROM run AS mine, delivery AS d LEFT JOIN run AS r ON r.id = d.run
WHERE mine.id = :run AND d.state = '{state}' AND d.run <> :run
  AND (d.lease_until <= :clock OR r.host = mine.host OR r.ended_at IS NOT NULL)
"""
HELD_STATES = tuple(
    state.value for state in (DeliveryState.CLAIMED, DeliveryState.HANDING)
)
RESEND = """
UPDATE delivery SET state = 'queued', resends = resends + 1, updated_at = ?
WHERE state = 'unknown' AND resends = 0
"""
# A journal stays while its run holds anything, or may be alive elsewhere.
SPENT = """
SELECT r.id FROM run AS r, run AS mine
WHERE mine.id = :run AND r.id <> mine.id
  AND r.id IN (SELECT value FROM json_each(:journals))
  AND (r.host = mine.host OR r.ended_at IS NOT NULL
       OR r.id IN (SELECT value FROM json_each(:settled)))
  AND r.id NOT IN (SELECT run FROM delivery WHERE state = 'claimed' AND run IS NOT NULL)
  AND r.id NOT IN (SELECT run FROM delivery WHERE state = 'handing' AND run IS NOT NULL)
"""
HOLDS = """
SELECT EXISTS (SELECT 1 FROM delivery WHERE state = 'claimed' AND run = ?1)
    OR EXISTS (SELECT 1 FROM delivery WHERE state = 'handing' AND run = ?1)
"""

CUT_OFF = "no verdict: the run was cut off"
NOT_KNOWN = "may have been handed over: the journal does not tell"
"""Why a delivery is unknown, where no server said anything."""


@dataclass(slots=True, kw_only=True)
class Holder:
    """A dead run with deliveries in hand."""

    run: int
    durability: str
    same_host: bool
    same_boot: bool
    held: dict[Key, str] = field(default_factory=dict)
    """The state of each of its claims."""


@dataclass(slots=True, kw_only=True)
class Settlement:
    """What is to become of dead runs' deliveries."""

    rows: list[Row] = field(default_factory=list)
    suppressing: list[Row] = field(default_factory=list)
    given_back: list[Key] = field(default_factory=list)
    unknown: int = 0


class Recovery(Database):
    """The recovering part of the ledger's group: see `store.base.Store`."""

    def open_journal(self, run: int, durability: Durability) -> Journal:
        """Begin the journal of a run; see `store.base.Store`.

        The file is whole before the ledger says that there is one.
        """
        with self._writing() as cursor:
            cursor.execute(BEGIN, (durability.value, run))
            if cursor.rowcount != 1:
                raise ValueError(f"run {run} has its journal already, or never began")
            path = journal_path(self.path, run)
            return FileJournal(path, opening(self.ledger_id, run))

    def end_run(self, run: int, now: datetime) -> None:
        """Note that a run came to its end; its journal is not needed any more.

        Except where it still holds deliveries: then it is for `recover` to read.
        """
        with self._writing() as cursor:
            cursor.execute(
                "UPDATE run SET ended_at = ? WHERE id = ?", (from_instant(now), run)
            )
            cursor.execute("UPDATE ledger SET published_before = 1")
            self._raise_serial(cursor)
            (holds,) = cursor.execute(HOLDS, (run,)).fetchone()
        if not holds:
            remove_journal(journal_path(self.path, run))

    def recover(self, run: int, now: datetime, policy: UnknownPolicy) -> int:
        """Settle what dead runs left; see `store.base.Store`.

        Dead: any other run of this host (its lock is ours) or that has ended, and one
        whose lease ran out. Returns how many became unknown. Killed on the way, it
        finds next time what it found this time: journals go after the commit.
        """
        with self._writing() as cursor, self._reading():
            clock = clock_of(cursor)
            settlement = Settlement()
            holders = _holders(cursor, run, clock)
            for holder in holders:
                _settle(settlement, holder, self._journal_of(holder))
            settle_all(cursor, settlement.rows, clock)
            for row in settlement.suppressing:
                settle_suppressing(cursor, row, clock)
            give_back(cursor, settlement.given_back, clock)
            if policy is UnknownPolicy.RESEND:
                cursor.execute(RESEND, (clock,))
            files = list(journals(self.path))
            spent = _spent(cursor, run, {number for number, _ in files}, holders)
        for number, path in files:
            if number in spent:
                remove_journal(path)
        return settlement.unknown

    def _journal_of(self, holder: Holder) -> Journaled:
        """What a run's journal says of what it holds."""
        if not holder.durability:
            return Journaled([], Ending.WHOLE)
        path = journal_path(self.path, holder.run)
        begins = opening(self.ledger_id, holder.run)
        try:
            return read_journal(path, begins, holder.held)
        except FileNotFoundError:
            return Journaled([], Ending.DAMAGED)
        except OSError as error:
            raise StoreUnusableError(
                f"{path}: cannot be read ({error.strerror})",
                cure="check the disk and the permissions of the file: it tells what the"
                " last run sent",
            ) from error


def proves(holder: Holder, ending: Ending) -> bool:
    """Whether what a journal does not name was not handed over: see above."""
    if not holder.durability:
        return True
    if holder.same_boot:
        return ending in {Ending.WHOLE, Ending.TORN}
    return (
        holder.same_host
        and holder.durability == Durability.POWER
        and ending is not Ending.DAMAGED
    )


def _holders(cursor: sqlite3.Cursor, run: int, clock: int) -> list[Holder]:
    """Every dead run that holds something."""
    found: dict[int, Holder] = {}
    values = {"run": run, "clock": clock}
    for state in HELD_STATES:
        held = cursor.execute(HELD.format(state=state), values)
        for number, durability, same_host, same_boot, *key, _ in held:
            holder = found.setdefault(
                number,
                Holder(
                    run=number,
                    durability=durability,
                    same_host=bool(same_host),
                    same_boot=bool(same_boot),
                ),
            )
            edition, subscriber, epoch = key
            holder.held[edition, subscriber, epoch] = state
    return list(found.values())


def _settle(settlement: Settlement, holder: Holder, journaled: Journaled) -> None:
    """Decide every delivery of one run; the last word about each counts."""
    proven = proves(holder, journaled.ending)
    words = {entry.key: entry for entry in journaled.entries}
    for key, state in holder.held.items():
        word = words.get(key)
        was_claimed = state == DeliveryState.CLAIMED
        if word is None:
            given_back = was_claimed and proven
        else:
            given_back = was_claimed and word.state is DeliveryState.QUEUED
        if given_back:
            settlement.given_back.append(key)
            continue
        row = _row(key, word, CUT_OFF if proven else NOT_KNOWN)
        settlement.unknown += row[0] == DeliveryState.UNKNOWN
        suppress = word is not None and word.suppress
        (settlement.suppressing if suppress else settlement.rows).append(row)


def _row(key: Key, word: Entry | None, why: str) -> Row:
    """A delivery that was, or may have been, handed over, as the ledger keeps it."""
    if word is None:
        return (DeliveryState.UNKNOWN.value, None, why, "", *key)
    if word.state in {DeliveryState.HANDING, DeliveryState.QUEUED}:
        return (DeliveryState.UNKNOWN.value, None, CUT_OFF, word.message_id, *key)
    return (word.state.value, word.retry_at, word.reply, word.message_id, *key)


def _spent(
    cursor: sqlite3.Cursor, run: int, numbers: Iterable[int], holders: list[Holder]
) -> set[int]:
    """Of the runs that have a journal, those that will not need it again."""
    values = {
        "run": run,
        "journals": to_json(numbers),
        "settled": to_json([holder.run for holder in holders]),
    }
    return {number for (number,) in cursor.execute(SPENT, values)}

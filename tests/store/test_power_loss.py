"""A power cut: the database as of its last commit, the journal as of its last flush."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path
from postroom.store.opening import open_ledger
from postroom.store.values import Durability, UnknownPolicy
from tests.store.scenes import NOW, OWNER, claim, frozen, message_id, open_new, result

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Creation, Result

REBOOTED = replace(OWNER, boot_id="b2")
READERS = [f"r{number:02}" for number in range(12)]
ACCEPTED, QUEUED, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.QUEUED,
    DeliveryState.UNKNOWN,
)


def never() -> Creation:
    """No power cut makes a ledger disappear."""
    raise AssertionError("the ledger was gone")


def after_the_cut(site: Path, copy: Path) -> SqliteStore:
    """The files of a run as a machine finds them that lost its power just now.

    Copied while the run has them open: what SQLite committed is in the write-ahead log.
    """
    shutil.copytree(site, copy)
    return open_ledger(copy / "postroom.db", never)


def work(store: SqliteStore, durability: Durability) -> tuple[int, int]:
    """Six sent, five of them answered, four of those in the ledger; the rest claimed.

    Returns the run and the length of its journal that is surely on the disk.
    """
    run = frozen(store, *READERS)
    journal = store.open_journal(run, durability)
    flushed = journal.octets
    taken = claim(store, run)
    answered: list[Result] = []
    for number, one in enumerate(taken[:6]):
        journal.write(answered[-1:], [(one, message_id(one))])
        if durability is Durability.POWER:
            journal.sync()
            flushed = journal.octets
        if number < 5:
            answered.append(result(one, ACCEPTED, "ok", message_id=message_id(one)))
    store.record_results(answered[:4])
    journal.close()
    return run, flushed


@pytest.mark.parametrize("lost", ["nothing", "all", "half an entry", "blank"])
@pytest.mark.parametrize("durability", Durability)
def test_what_was_not_flushed_is_unknown_and_nothing_is_lost(
    tmp_path: Path, durability: Durability, lost: str
) -> None:
    """With `process` all that was claimed and not stored; with `power` what was on the wire."""
    site = tmp_path / "site"
    with open_new(site / "postroom.db") as store:
        run, flushed = work(store, durability)
        ledger = after_the_cut(site, tmp_path / "copy")
    with ledger as found:
        path = journal_path(found.path, run)
        data = path.read_bytes()
        tails = {
            "nothing": data[flushed:],
            "all": b"",
            "half an entry": data[flushed : flushed + 31],
            "blank": bytes(len(data) - flushed),
        }
        path.write_bytes(data[:flushed] + tails[lost])

        following = found.begin_run(REBOOTED, NOW)
        unknown = found.recover(following, NOW, UnknownPolicy.HOLD)

        states = {row.email[:3]: row.state for row in found.deliveries()}
        assert found.unbalanced(everything=True) == []
        assert [states[name] for name in READERS[:4]] == [ACCEPTED] * 4
        # The fifth was answered in an entry that may be gone with the tail.
        known = durability is Durability.POWER or lost == "nothing"
        assert states[READERS[4]] is (ACCEPTED if known else UNKNOWN)
        assert states[READERS[5]] is UNKNOWN
        rest = QUEUED if durability is Durability.POWER else UNKNOWN
        assert {states[name] for name in READERS[6:]} == {rest}
        assert unknown == list(states.values()).count(UNKNOWN)

"""Where the store or the journal fails, nothing is handed over any more, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postroom.errors import (
    LedgerMissingError,
    PostroomError,
    StoreBusyError,
    StoreFullError,
    StoreUnusableError,
)
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path
from postroom.store.values import UnknownPolicy
from tests.delivery.run_of import (
    addresses,
    emails_in,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.delivery.sending import Task, run_to_end
from tests.delivery.servers import WatchingServer
from tests.fault_server import FaultServer, serving
from tests.store.scenes import open_new

if TYPE_CHECKING:
    from postroom.store.sqlite.store import SqliteStore

READERS = 1200
"""More than one claim takes."""
CONNECTIONS = 2
HOLD = UnknownPolicy.HOLD


def require_the_truth(store: SqliteStore, server: FaultServer, *, count: int) -> None:
    """One more run, and everyone has the letter once, or is named as being in doubt."""
    sent = list(server.taken)
    run_of(store, relay(server.port), policy=HOLD)
    doubtful = {*emails_in(store, DeliveryState.UNKNOWN)}
    accepted = {*emails_in(store, DeliveryState.ACCEPTED)}
    assert len(server.taken) == len(set(server.taken))
    assert accepted <= {*server.taken}
    assert {*server.taken} - accepted <= doubtful
    assert accepted | doubtful == {*addresses(count)}
    assert doubtful <= {*sent} | {*sorted(doubtful)[:CONNECTIONS]}


class Saboteur:
    """Breaks a database that is in use, and mends it afterwards."""

    def __init__(self, path: Path, store: SqliteStore) -> None:
        self.path = path
        self.away = path.with_suffix(".away")
        self.store = store
        self.other = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )

    def do(self, fault: str) -> None:
        """Break it."""
        if fault == "locked":
            self.other.execute("BEGIN IMMEDIATE")
        elif fault == "read-only":
            self.store._connection.execute("PRAGMA query_only = ON")
        elif fault == "refused":
            self.other.execute(
                "CREATE TRIGGER refuse BEFORE UPDATE ON delivery"
                " BEGIN SELECT raise(ABORT, 'no'); END"
            )
        else:
            self.path.rename(self.away)

    def undo(self, fault: str) -> None:
        """Mend it; the connection that was made read-only is closed by now."""
        if fault == "locked":
            self.other.execute("ROLLBACK")
        elif fault == "refused":
            self.other.execute("DROP TRIGGER refuse")
        elif fault == "removed":
            self.away.rename(self.path)
        self.other.close()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("locked", StoreBusyError),
        ("read-only", StoreUnusableError),
        ("refused", PostroomError),
        ("removed", LedgerMissingError),
    ],
)
def test_an_error_of_the_database_is_raised_and_nothing_is_sent_after_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    error: type[PostroomError],
) -> None:
    """In the middle of a run; the next one finishes it without a duplicate."""

    def break_it(recipient: str, body: bytes) -> None:
        if len(server.taken) == 100:
            saboteur.do(fault)

    path = tmp_path / "state" / "postroom.db"
    monkeypatch.setattr("postroom.store.sqlite.database.BUSY_SECONDS", 0.2)
    with open_new(path) as store, serving(WatchingServer(notice=break_it)) as server:
        letters_for(store, *readers(READERS))
        saboteur = Saboteur(path, store)
        with pytest.raises(error):
            run_of(store, relay(server.port, connections=CONNECTIONS))
        sent = len(server.taken)
        saboteur.undo(fault)
        time.sleep(0.05)
        assert 100 <= sent == len(server.taken) < READERS
        store.close()
        with open_new(path) as again:
            require_the_truth(again, server, count=READERS)


def test_a_journal_that_takes_nothing_more_ends_the_run(tmp_path: Path) -> None:
    """Its disk is full: no dot leaves after that, and what is in doubt is named."""
    path = tmp_path / "state" / "postroom.db"

    def fill(recipient: str, body: bytes) -> None:
        if len(server.taken) == 20:
            # Its descriptor now leads to a device that is always full.
            taken = journal_path(path, 1)
            for descriptor in Path("/proc/self/fd").iterdir():
                if descriptor.readlink() == taken:
                    full = os.open("/dev/full", os.O_WRONLY)
                    os.dup2(full, int(descriptor.name))
                    os.close(full)
                    return
            raise AssertionError("no journal is open")

    with open_new(path) as store, serving(WatchingServer(notice=fill)) as server:
        letters_for(store, *readers(60))
        with pytest.raises(StoreFullError):
            run_of(store, relay(server.port, connections=CONNECTIONS))
        store.close()
        assert 20 <= len(server.taken) <= 20 + 2 * CONNECTIONS
        with open_new(path) as again:
            require_the_truth(again, server, count=60)


@pytest.mark.parametrize("room", [0, 40_000, 80_000, 120_000, 160_000])
def test_a_disk_that_fills_up_ends_the_run_wherever_it_is(
    tmp_path: Path, room: int
) -> None:
    """Claiming, journalling or committing: whichever file meets the limit first."""
    path = tmp_path / "state" / "postroom.db"
    with open_new(path) as store:
        letters_for(store, *readers(READERS))
    limit = path.stat().st_size + room
    with serving(FaultServer()) as server:
        said = run_to_end(
            Task(
                ledger=str(path),
                port=server.port,
                connections=CONNECTIONS,
                file_limit=limit,
            )
        )
        failed = said["error"] in {"StoreFullError", "StoreUnusableError"}
        assert failed or (room and len(server.taken) == READERS)
        with open_new(path) as store:
            require_the_truth(store, server, count=READERS)

"""A run may be as long as it likes: its memory and its journal have bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.delivery import ledger as delivery_ledger
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path
from postroom.store.values import Durability, UnknownPolicy
from tests.delivery.run_of import (
    addresses,
    emails_in,
    letters_for,
    readers,
    relay,
    run_of,
)
from tests.delivery.sending import Task, run_to_end, started
from tests.delivery.servers import SINK, WatchingServer, sinking
from tests.fault_server import serving
from tests.store.scenes import open_new

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.base import Store

READERS = 600
LIMIT = 4_000
"""Octets: some forty messages."""


class Restarts:
    """Sees from outside how often the journal of the first run began again."""

    def __init__(self, ledger: Path) -> None:
        self._path = journal_path(ledger, 1)
        self.files: list[int] = []
        self.most = 0

    def look(self, recipient: str, body: bytes) -> None:
        """Another file under its name is another beginning."""
        status = self._path.stat()
        self.most = max(self.most, status.st_size)
        if status.st_ino not in self.files[-1:]:
            self.files.append(status.st_ino)


@pytest.mark.parametrize("durability", [Durability.PROCESS, Durability.POWER])
def test_the_journal_begins_again_before_it_grows_long(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    durability: Durability,
) -> None:
    """Several times in a run; all is delivered once all the same."""
    monkeypatch.setattr(delivery_ledger, "JOURNAL_LIMIT", LIMIT)
    monkeypatch.setattr(delivery_ledger, "GROUP", 20)
    letters_for(store, *readers(400))
    restarts = Restarts(tmp_path / "state" / "postroom.db")
    with serving(WatchingServer(notice=restarts.look, seconds=0.006)) as server:
        delivered = run_of(
            store, relay(server.port, connections=4), durability=durability
        )
    assert delivered.counts == {DeliveryState.ACCEPTED: 400}
    assert sorted(server.taken) == addresses(400)
    assert len(restarts.files) >= 3


@pytest.mark.parametrize(("files", "later"), [(2, 0), (2, 2), (3, 1), (4, 9)])
def test_a_kill_after_the_journal_began_again_leaves_as_little_in_doubt(
    tmp_path: Path, files: int, later: int
) -> None:
    """The next run knows of every letter but those on the wire, and sends the rest."""

    def kill(recipient: str, body: bytes) -> None:
        restarts.look(recipient, body)
        if len(restarts.files) >= files:
            since.append(recipient)
        if len(since) == later + 1:
            child.kill()

    ledger = tmp_path / "state" / "postroom.db"
    with open_new(ledger) as store:
        letters_for(store, *readers(READERS))
    restarts = Restarts(ledger)
    since: list[str] = []
    # Slower than the flush: letters are on the wire while the journal begins again.
    server = WatchingServer(notice=kill, seconds=0.03)
    with serving(server):
        task = Task(ledger=str(ledger), port=server.port, journal_limit=LIMIT)
        with started(task) as child:
            assert child.wait(30) == -9
        server.notice = lambda recipient, body: None
        server.seconds = 0.0
        with open_new(ledger) as store:
            run_of(store, relay(server.port), policy=UnknownPolicy.HOLD)
            doubtful = {*emails_in(store, DeliveryState.UNKNOWN)}
            accepted = {*emails_in(store, DeliveryState.ACCEPTED)}
    assert len(doubtful) <= task.connections
    assert accepted | doubtful == {*addresses(READERS)}
    assert accepted <= {*server.taken}
    assert len(server.taken) == len(set(server.taken))


@pytest.mark.skipif(not SINK.exists(), reason="Postfix is not installed")
def test_a_longer_run_needs_no_more_memory(tmp_path: Path) -> None:
    """Ten times the readers, and nothing is kept of those that are done."""
    kib = {}
    with sinking(tmp_path) as port:
        for count in (2_000, 20_000):
            ledger = tmp_path / str(count) / "postroom.db"
            with open_new(ledger) as store:
                letters_for(store, *(f"reader{number:05}" for number in range(count)))
            # SQLite's page cache fills up to its limit, which is none of our doing.
            said = run_to_end(Task(ledger=str(ledger), port=port, cache_kib=500))
            assert said["counts"] == {DeliveryState.ACCEPTED: count}
            kib[count] = said["kib"]
    assert kib[20_000] - kib[2_000] < 2 * 1024
    assert kib[20_000] < 64 * 1024

"""kill -9 at random moments, again and again: nobody is lost, and doubt has a bound.

One ledger and many kills in a row, where `tests/kill` has many sites. Compared are the
ledger and what the receiver took: its log, or the files of an outbox.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from tests.fault_server import FaultServer, serving
from tests.store.scenes import freeze, number_posts, open_new, states, subscribe

if TYPE_CHECKING:
    from postroom.store.base import Store

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("POSTROOM_KILLS", "20"))
READERS = 100 * KILLS
"""More than so many runs can serve before they are killed."""
CONNECTIONS = 4


def kill_until_done(ledger: Path, target: str, policy: str) -> int:
    """Let runs begin, kill each at a random moment, let the last one end; count the kills."""
    dice = random.Random(policy)  # noqa: S311 - the same moments in every run of the test
    command = [
        sys.executable,
        "-m",
        "tests.delivery.child",
        str(ledger),
        target,
        policy,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        for number in range(KILLS + 1):
            server.stdin.write("go\n")
            server.stdin.flush()
            word, _, pid = server.stdout.readline().partition(" ")
            assert word == "began", "it said why on stderr"
            if number < KILLS:
                time.sleep(dice.uniform(0.0, 0.12))
                with suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(int(pid), signal.SIGKILL)
            code = int(server.stdout.readline().split()[1])
            require_balance(ledger)
            if code == 0:
                return number
            assert code == -signal.SIGKILL, code
    raise AssertionError("the last run was not killed, and yet did not end well")


def require_balance(ledger: Path) -> None:
    """After every single kill each edition has all of its deliveries."""
    with open_new(ledger) as store:
        assert store.unbalanced(everything=True) == []


def prepare(ledger: Path) -> list[str]:
    """An edition is queued for many readers; returns their addresses."""
    with open_new(ledger) as store:
        subscribe(store, *(f"reader{number}" for number in range(READERS)))
        number_posts(store, 1)
        freeze(store)
        return [subscriber.email for subscriber in store.subscribers()]


def unknown(store: Store) -> set[str]:
    """Addresses of deliveries nobody knows about."""
    return {row.email for row in store.deliveries(state=DeliveryState.UNKNOWN)}


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_a_killed_run_loses_nobody(tmp_path: Path, policy: str) -> None:
    """At most one message per connection and kill is in doubt, and the ledger names it."""
    ledger = tmp_path / "state" / "postroom.db"
    readers = prepare(ledger)
    with serving(FaultServer(seconds=0.002)) as server:
        kills = kill_until_done(ledger, str(server.port), policy)
    copies = Counter(server.taken)
    surplus = copies.total() - len(copies)
    with open_new(ledger) as store:
        doubtful = unknown(store)
        ended = states(store)
        assert store.unbalanced() == []
    assert kills > KILLS // 2
    assert set(copies) | doubtful >= set(readers)
    assert len(doubtful) <= kills * CONNECTIONS
    assert set(ended.values()) <= {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}
    accepted = {
        f"{name}@mail.example"
        for name, state in ended.items()
        if state is DeliveryState.ACCEPTED
    }
    assert accepted <= set(copies)
    if policy == "hold":
        assert surplus == 0
    else:
        assert surplus <= kills * CONNECTIONS


def test_a_killed_run_leaves_whole_files(tmp_path: Path) -> None:
    """An outbox holds each letter once and whole, however often it was begun."""
    ledger, outbox = tmp_path / "state" / "postroom.db", tmp_path / "outbox"
    readers = prepare(ledger)
    kill_until_done(ledger, str(outbox), "resend")
    letters = [path.read_bytes() for path in outbox.glob("*.eml")]
    assert len(letters) == len(set(letters))
    whole = {f"To: {email}\r\nSubject: x\r\n\r\ntext\r\n".encode() for email in readers}
    assert set(letters) <= whole
    with open_new(ledger) as store:
        accepted = list(store.deliveries(state=DeliveryState.ACCEPTED))
        assert len(accepted) + len(unknown(store)) == READERS
    names = {path.name for path in outbox.glob("*.eml")}
    assert {f"{row.message_id[1:-1]}.eml" for row in accepted} <= names

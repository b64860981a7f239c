"""SIGKILL at any moment: each step happened whole or not at all, and stays happened."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.mail.outcome import DeliveryState
from postroom.store.opening import open_ledger
from postroom.store.seal import read_seal
from postroom.store.values import UnknownPolicy
from tests.store.kill_loop import CLAIMS_AT_ONCE, READERS_AT_ONCE
from tests.store.scenes import NOW, OWNER

if TYPE_CHECKING:
    from postroom.store.base import Store
    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Creation

KILLS = 25
ROOT = Path(__file__).parents[2]


def never() -> Creation:
    """A kill never makes a ledger disappear."""
    raise AssertionError("the ledger was gone")


def kill_after(path: Path, name: str, seconds: float) -> dict[str, set[str]]:
    """Let a child work for a while once it has begun; what it said was durable."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.kill_loop", str(path), name],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout
    said = [child.stdout.readline()]
    time.sleep(seconds)
    child.kill()
    said += child.stdout.readlines()
    child.wait(timeout=10)
    child.stdout.close()
    durable: dict[str, set[str]] = defaultdict(set)
    for line in said:
        verb, *what = line.split()
        durable[verb].update(what)
    return durable


def require_durable(store: Store, durable: dict[str, set[str]]) -> None:
    """Everything the child had been told is there."""
    editions = {edition.key for edition in store.editions()}
    assert durable["froze"] <= editions
    assert {f"{p.number}" for p in store.publications()} >= durable["numbered"]
    names = {found.key.rpartition("-")[0] for found in store.subscribers()}
    assert durable["subscribed"] <= names
    state = {f"{row.edition}/{row.email}": row.state for row in store.deliveries()}
    assert {state[key] for key in durable["accepted"]} <= {DeliveryState.ACCEPTED}


def require_recovered(store: SqliteStore, durable: dict[str, set[str]]) -> None:
    """The journal told everything: what left is decided, and in doubt is at most one."""
    run = store.begin_run(OWNER, NOW)
    doubtful = store.recover(run, NOW, UnknownPolicy.HOLD)
    assert doubtful <= 1
    rows = {f"{row.edition}/{row.email}": row for row in store.deliveries()}
    states = Counter(row.state for row in rows.values())
    assert states[DeliveryState.CLAIMED] == states[DeliveryState.HANDING] == 0
    assert {rows[key].state for key in durable["answered"]} <= {DeliveryState.ACCEPTED}
    decided = {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}
    assert {rows[key].state for key in durable["left"]} <= decided
    assert all(row.message_id for row in rows.values() if row.state in decided)
    assert store.recover(run, NOW, UnknownPolicy.HOLD) == 0
    assert list(store.path.parent.glob("*.journal*")) == []


def require_whole(store: Store) -> None:
    """No step is there by half."""
    store.check()
    assert store.unbalanced(everything=True) == []
    readers = Counter(found.key.rpartition("-")[0] for found in store.subscribers())
    assert set(readers.values()) <= {READERS_AT_ONCE}
    frozen_posts = {number for edition in store.editions() for number in edition.posts}
    marks = {found.mark for found in store.subscribers()}
    assert max(marks) <= store.facts().counter
    assert min(marks) >= max(frozen_posts, default=0)
    states = Counter(row.state for row in store.deliveries())
    assert states[DeliveryState.CLAIMED] <= CLAIMS_AT_ONCE
    assert not states[DeliveryState.HANDING]


def test_a_killed_process_leaves_whole_steps(ledger_path: Path) -> None:
    """Random moments over the whole loop, the same ledger all along."""
    dice = random.Random(20261123)  # noqa: S311 - moments, not secrets
    frozen = 0
    so_far: dict[str, set[str]] = defaultdict(set)
    for kill in range(KILLS):
        durable = kill_after(ledger_path, f"run{kill}", dice.uniform(0, 0.12))
        for verb, what in durable.items():
            so_far[verb] |= what
        with open_ledger(ledger_path, never) as store:
            require_durable(store, durable)
            require_whole(store)
            if kill % 2:  # else the next child recovers, and may be killed over it
                require_recovered(store, so_far)
            seal = read_seal(ledger_path)
            assert seal
            assert seal.serial <= store.facts().serial <= seal.serial + 1
        frozen += len(durable["froze"])

    assert frozen > KILLS / 2

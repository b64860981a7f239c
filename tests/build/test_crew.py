"""Work is shared out among processes without a trace in its results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from typing import TYPE_CHECKING

import pytest

from postroom.build import crew
from postroom.build.crew import BLOCK, ENOUGH, WorkerLostError, share_out

if TYPE_CHECKING:
    from pathlib import Path

MANY = range(ENOUGH + BLOCK + 1)


def nothing() -> None:
    """No preparation."""


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever machine the tests run on."""
    monkeypatch.setattr(crew, "_processors", lambda: 2)


def test_every_item_is_done_once_by_several_processes() -> None:
    """In blocks, each by one of the workers."""
    done = list(share_out(MANY, lambda item: (item, os.getpid()), prepare=nothing))
    assert sorted(item for item, _ in done) == list(MANY)
    assert len({pid for _, pid in done}) == 2
    assert os.getpid() not in {pid for _, pid in done}


def test_a_little_is_done_here() -> None:
    """In order, and without the price of a fork."""
    done = list(share_out(range(ENOUGH - 1), lambda _: os.getpid(), prepare=nothing))
    assert set(done) == {os.getpid()}


def test_each_worker_prepares_once() -> None:
    """Before its first item."""
    prepared: list[int] = []
    done = share_out(
        MANY, lambda _: tuple(prepared), prepare=lambda: prepared.append(os.getpid())
    )
    pids = {(os.getpid(),)} | set(done)
    assert len(pids) == 3
    assert all(len(each) == 1 for each in pids)
    assert prepared == []


def test_an_error_of_a_worker_is_raised_here() -> None:
    """As it was, and nobody is left behind."""

    def work(item: int) -> int:
        if item == ENOUGH:
            raise LookupError(f"item {item}")
        return item

    with pytest.raises(LookupError, match=f"item {ENOUGH}"):
        list(share_out(MANY, work, prepare=nothing))
    assert active_children() == []


def test_a_lost_worker_is_an_error() -> None:
    """What it had not done must not look as if it were not there."""
    here = os.getpid()

    def work(item: int) -> int:
        if item == ENOUGH and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(WorkerLostError, match="memory"):
        list(share_out(MANY, work, prepare=nothing))


def test_what_cannot_be_prepared_is_done_here() -> None:
    """However much it is."""
    done = list(share_out(MANY, lambda _: os.getpid(), prepare=None))
    assert set(done) == {os.getpid()}


KILLED = """
import os, sys, time
from postroom.build import crew
crew._processors = lambda: 2
def work(item):
    with open(sys.argv[1], "a") as log:
        log.write(f"{os.getpid()}\\n")
    time.sleep(0.002)
for _ in crew.share_out(range(100_000), work, prepare=lambda: None):
    pass
"""


def test_workers_of_a_killed_run_end(tmp_path: Path) -> None:
    """They write nothing more than the block they are at."""
    log = tmp_path / "log"
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(log)])
    deadline = time.monotonic() + 20
    while not log.exists() or log.stat().st_size < 2000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    time.sleep(BLOCK * 0.002 * 5 + 0.5)
    written = log.stat().st_size
    time.sleep(0.3)
    assert log.stat().st_size == written

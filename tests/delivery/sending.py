"""A child process that delivers once under odd conditions, and says how it went.

`python -m tests.delivery.sending SETTINGS`; SETTINGS is JSON, see `Task`. It says
`began` when the run begins, and at its end one line of JSON: `counts`, `error` (the
class of what was raised), `kib` (the most memory it had).
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from postroom.delivery import ledger as delivery_ledger
from postroom.errors import PostroomError
from postroom.smtp.connect import Timeouts
from postroom.store.sqlite import database
from postroom.store.values import Durability, UnknownPolicy
from tests.delivery.run_of import compose_named, relay, run_of
from tests.store.scenes import open_new

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What the child does."""

    ledger: str
    port: int
    connections: int = 4
    policy: str = UnknownPolicy.HOLD.value
    durability: str = Durability.PROCESS.value
    verdict: float = 5.0
    """Seconds to wait for one."""
    file_limit: int = 0
    """Octets that no file may grow beyond; 0 is no limit."""
    journal_limit: int = 0
    """Octets after which the journal begins again; 0: as usual."""
    cache_kib: int = 0
    """What SQLite may keep of its file in memory; 0: as usual."""


def work(task: Task) -> dict[str, Any]:
    """One run."""
    if task.journal_limit:
        delivery_ledger.JOURNAL_LIMIT = task.journal_limit
    if task.cache_kib:
        database.CACHE_KIB = task.cache_kib
    # A shell that starts tests in the background has them ignore this one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    said: dict[str, Any] = {"counts": {}, "error": ""}
    with open_new(Path(task.ledger)) as store:
        os.write(1, b"began\n")
        if task.file_limit:
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (task.file_limit, most))
        try:
            delivered = run_of(
                store,
                relay(
                    task.port,
                    connections=task.connections,
                    timeouts=Timeouts(quit=0.5, verdict=task.verdict),
                ),
                compose=compose_named,
                policy=UnknownPolicy(task.policy),
                durability=Durability(task.durability),
            )
        except PostroomError as error:
            said["error"] = type(error).__name__
        else:
            said["counts"] = dict(delivered.counts)
            said["error"] = type(delivered.fault).__name__ if delivered.fault else ""
    said["kib"] = most_memory()
    return said


def most_memory() -> int:
    """KiB; `ru_maxrss` would count what the parent had when it started us."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0


def command(task: Task) -> list[str]:
    """What starts the child."""
    words = json.dumps(asdict(task))
    return [sys.executable, "-m", "tests.delivery.sending", words]


@contextmanager
def started(
    task: Task, *before: str | Path, seconds: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """The child while it runs, from the moment its run begins; `before`: what runs it."""
    words: Sequence[str | Path] = [*before, *command(task)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"began\n"
            yield child
            child.wait(seconds)
        finally:
            child.kill()


def run_to_end(task: Task, *before: str | Path) -> dict[str, Any]:
    """What the child says at its end."""
    with started(task, *before) as child:
        said, _ = child.communicate(timeout=60)
    return cast("dict[str, Any]", json.loads(said))


if __name__ == "__main__":
    print(json.dumps(work(Task(**json.loads(sys.argv[1])))))  # noqa: T201 - what the parent reads

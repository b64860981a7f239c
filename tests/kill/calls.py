"""Faults at single system calls: killed there, or told that the disk is full or broken.

`strace` attaches to a forked child that waits to be let go, so that only the run itself
is counted. The child works in one thread (what it gives to others is done at once), so
that the n-th call of a name is the same one each time. Nothing else is changed.
"""

from __future__ import annotations

import concurrent.futures
import ctypes
import io
import os
import random
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from postroom.compose import ahead
from postroom.delivery import press, run
from postroom.smtp import outbox
from postroom.smtp.dialogue import Dialogue
from postroom.store.sqlite.store import SqliteStore
from tests.kill import forks
from tests.kill.judge import Terms, look
from tests.kill.points import BODY_END, suit
from tests.kill.scene import Variant
from tests.kill.trials import Tally, words_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kill.forks import Child, Ended
    from tests.kill.trials import Stage
    from tests.stage import Site

READERS = 3
VARIANTS = (
    Variant(connections=1),
    Variant(transport="outbox", policy="resend"),
    Variant(connections=2, policy="resend", durability="power", journal_limit=200),
    Variant(transport="outbox", durability="power", journal_limit=200),
    Variant(connections=1, pipelining=False, dkim=True, uvloop=False),
)
CHANGING = (
    "write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,"
    "link,linkat,mkdir,mkdirat,rmdir,ftruncate,fallocate,chmod,fchmod,fchmodat,flock,"
    "openat,connect,sendto,sendmsg,recvfrom,read,shutdown,exit_group"
)
"""Calls that change something somewhere: between two of them all moments are alike."""
FILTERS = {"openat": "O_CREAT", "read": "<socket:"}
"""Calls that change something only where that is among their arguments."""
LINE = re.compile(r"^\d+ +(?P<name>[a-z_0-9]+)\((?P<rest>.*)$")
FAULTS = (
    ("write", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
    ("write", "EIO"),
    ("pwrite64", "EIO"),
    ("openat", "ENOSPC"),
)
LEDGER = re.compile(r"/state/postroom\.db[^>\"]+[>\"]")
"""Its log, journal and seal. What a checkpoint cannot write into the database itself is
in the log still, and SQLite tells nobody; nor when that happens while it closes."""
CLOSING = "closes its ledger"
TRACER = ("strace", "-f", "-y")
MARKS = ("claims", "hands over")
"""What a run must not begin after its ledger has failed."""
MARK_CALLS = "access,faccessat,faccessat2"
PR_SET_PTRACER = 0x59616D61
ALLOWED_CODES = frozenset({0, 1, 2, 74, 75})


class Call(NamedTuple):
    """The `number`th call of that name in a run."""

    name: str
    number: int
    on_disk: bool
    """Whether it is about a file of the site."""


class Gate(NamedTuple):
    """Where a child waits to be let go."""

    begin: int
    """It reads there until it may."""
    ready: int
    """It says there that it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What `strace` makes of a call."""

    call: Call
    error: str = ""
    """As in errno; empty: SIGKILL."""
    lasting: bool = False
    """All later calls of that name too."""

    @property
    def words(self) -> list[str]:
        """The options of strace."""
        what = f"error={self.error}" if self.error else "signal=SIGKILL"
        when = f"{self.call.number}{'+' if self.lasting else ''}"
        names = f"{self.call.name},{MARK_CALLS}"
        inject = f"inject={self.call.name}:{what}:when={when}"
        return ["-e", f"trace={names}", "-e", inject]


class Aside(io.RawIOBase):
    """Standard error by a call of its own, which no fault is injected into."""

    def writable(self) -> bool:
        """It is there to be written."""
        return True

    def write(self, data: Any) -> int:
        """Write with `writev`."""
        return os.writev(2, [data])


class AtOnce(concurrent.futures.Executor):
    """Does what it is given before it returns: no thread."""

    def __init__(self, *arguments: object, **named: object) -> None:
        pass

    def submit(
        self, fn: Callable[..., Any], /, *arguments: Any, **named: Any
    ) -> concurrent.futures.Future[Any]:
        """Call `fn`."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        try:
            future.set_result(fn(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - the future has it
            future.set_exception(error)
        return future


def _prepare(gate: Gate, variant: Variant) -> None:
    """In the child: one thread, marks for the tracer, then wait to be let go."""
    for module in (concurrent.futures, run, press, ahead):
        setattr(module, "ThreadPoolExecutor", AtOnce)  # noqa: B010 - see mypy
    suit(variant)
    sys.stderr = io.TextIOWrapper(Aside(), "utf-8", write_through=True)
    _mark(SqliteStore, "begin_claim", MARKS[0])
    _mark(SqliteStore, "close", CLOSING)
    _mark(outbox, "_show", MARKS[1])
    send = Dialogue.send

    def sending(self: Dialogue, data: bytes, *rest: Any, **named: Any) -> None:
        if BODY_END in data:
            os.access(MARKS[1], os.F_OK)
        send(self, data, *rest, **named)

    setattr(Dialogue, "send", sending)  # noqa: B010 - see mypy
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    os.write(gate.ready, b"x")
    os.read(gate.begin, 1)


def _mark(owner: Any, attribute: str, mark: str) -> None:
    inner: Callable[..., Any] = getattr(owner, attribute)

    def outer(*arguments: Any, **named: Any) -> Any:
        os.access(mark, os.F_OK)
        return inner(*arguments, **named)

    setattr(owner, attribute, outer)


@contextmanager
def _traced(site: Site, variant: Variant, words: list[str]) -> Iterator[Child]:
    """A run under strace, let go within the body; the trace is in `site.root/trace`."""
    begin, let_go = os.pipe()
    waits, ready = os.pipe()
    gate = Gate(begin, ready)
    child = forks.start(site, words_at(0), lambda: _prepare(gate, variant))
    os.read(waits, 1)
    tracer = subprocess.Popen(
        [*TRACER, "-o", str(site.root / "trace"), "-p", str(child.pid), *words],
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr
    try:
        assert b"attached" in tracer.stderr.readline()
        os.write(let_go, b"x")
        yield child
    finally:
        for descriptor in (begin, let_go, waits, ready):
            os.close(descriptor)
        tracer.wait(forks.LIMIT_SECONDS)
        tracer.stderr.close()


def list_calls(stage: Stage, variant: Variant) -> list[Call]:
    """Every call of a whole run that changes something, in their order."""
    site = stage.site(variant)
    with _traced(site, variant, ["-e", f"trace={CHANGING}"]) as child:
        ended = child.wait()
    assert ended.code == 0, ended.err
    calls: list[Call] = []
    counts: dict[str, int] = {}
    for line in (site.root / "trace").read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if found is None or "resumed>" in line:
            continue
        name = found["name"]
        counts[name] = counts.get(name, 0) + 1
        if FILTERS.get(name, "") in found["rest"]:
            calls.append(Call(name, counts[name], str(site.root) in found["rest"]))
    shutil.rmtree(site.root)
    return calls


class Interference:
    """Runs that strace interferes with, each then finished and judged."""

    def __init__(self, stage: Stage) -> None:
        self.tally = Tally()
        self._stage = stage

    def run(self, wanted: list[tuple[Variant, Fault]]) -> Tally:
        """Try each of them."""
        for variant, fault in wanted:
            self._try(variant, fault)
        return self.tally

    def _try(self, variant: Variant, fault: Fault) -> None:
        site = self._stage.site(variant)
        with _traced(site, variant, fault.words) as child:
            ended = child.wait()
        self._stage.relay.settle()
        problems = look(site)
        if fault.error:
            trace = (site.root / "trace").read_text(encoding="utf-8", errors="replace")
            problems += _faulty(ended, fault, trace, variant.open_connections)
            self.tally.ended(ended.code)
        elif not ended.killed and ended.code:
            problems.append(f"not killed, but {ended.code}: {ended.err}")
        # What could not be written to the outbox waits for its next turn.
        later = replace(variant, deferring=True)
        problems += self._stage.finish(site, later if fault.error else variant, 1)
        verdict = self._stage.judge(site, Terms(variant=variant, kills=1))
        verdict.problems = problems + verdict.problems
        if fault.error and verdict.duplicates and variant.policy == "hold":
            verdict.problems.append("a duplicate")
        name = f"{variant} {site.root.name} {fault}"
        self.tally.add(verdict, int(ended.killed), name)
        what = fault.call.name
        self.tally.hits[what] = self.tally.hits.get(what, 0) + 1


def _faulty(ended: Ended, fault: Fault, trace: str, connections: int) -> list[str]:
    """What is wrong with how a run took a fault of the disk."""
    problems = []
    if ended.code not in ALLOWED_CODES or not ended.is_clean:
        problems.append(f"ended with {ended.code}: {ended.err}")
    if ended.code and not ended.err.strip():
        problems.append(f"ended with {ended.code} and not a word")
    after = trace.partition("(INJECTED)")
    of_ledger = LEDGER.search(after[0].rpartition("\n")[2])
    of_ledger = None if CLOSING in after[0] else of_ledger
    # Other connections may have their leave already.
    going, leaving = (after[2].count(mark) for mark in MARKS)
    if after[1] and of_ledger and (going or leaving > connections - 1):
        problems.append(f"went on after its ledger failed: {after[2]}")
    if after[1] and of_ledger and not ended.code:
        problems.append("the ledger failed, and nobody was told")
    return problems


def kill_everywhere(stage: Stage, number: int, seed: int) -> Tally:
    """One kill at each changing call of a run; `number` of them, evenly spread, or all."""
    points = [
        (variant, Fault(call=call))
        for variant in VARIANTS
        for call in list_calls(stage, variant)
    ]
    return Interference(stage).run(_spread(points, number, seed))


def fail_everywhere(stage: Stage, number: int, seed: int) -> Tally:
    """A disk that is full, or broken, from each write on, or just once.

    Not on uvloop, which wakes its threads by `write` and aborts where that fails.
    """
    points: list[tuple[Variant, Fault]] = []
    for variant in [replace(variant, uvloop=False) for variant in VARIANTS]:
        calls = list_calls(stage, variant)
        for name, error in FAULTS:
            points += [
                (variant, Fault(call=call, error=error, lasting=lasting))
                for call in calls
                if call.name == name and call.on_disk
                for lasting in ((False,) if name == "openat" else (False, True))
            ]
    return Interference(stage).run(_spread(points, number, seed))


def _spread(
    points: list[tuple[Variant, Fault]], number: int, seed: int
) -> list[tuple[Variant, Fault]]:
    """So many of them at even distances, from a random start; 0: all."""
    if not number or number >= len(points):
        return points
    step = len(points) / number
    start = random.Random(seed).random() * step  # noqa: S311 - a sample
    return [points[int(start + step * index)] for index in range(number)]

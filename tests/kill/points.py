"""Named places of a run where it can be killed, put around its functions from outside.

`install` is called in the child. Each place counts how often it is passed; at the
wanted pass of the wanted place the process kills itself as `kill -9` would.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import postroom
from postroom.delivery import ledger as delivery_ledger
from postroom.delivery import run
from postroom.delivery.tally import Tally
from postroom.smtp import outbox
from postroom.smtp.dialogue import Dialogue
from postroom.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.kill.scene import Variant

ROOT = str(Path(postroom.__file__).parent)
TRACED = tuple(
    f"{ROOT}/{name}"
    for name in (
        "publish",
        "compose",
        "delivery",
        "store",
        "smtp",
        "build/run",
        "files",
    )
)
"""Where a run can be killed at every line: everything between the ledger and the wire."""
METHODS = (
    "record_publications",
    "begin_run",
    "freeze",
    "pass_slot",
    "check",
    "recover",
    "open_journal",
    "end_run",
    "unbalanced",
    "close",
)
"""Of the store."""
BEGUN = {"begin_claim": "claim", "begin_results": "record_results"}
"""Methods of the store that return what does (the rest of) the work, and what that is."""
SMALL_GROUP, SMALL_GROUP_SECONDS = 3, 0.001
RECOVERING = (
    "before the commit of recover",
    "after the commit of recover",
    "before unlink of journal",
    "after unlink of journal",
)
"""Passed by a run that comes after a killed one, for the first time then."""
BODY_END = b"\r\n.\r\n"


def die() -> None:
    """End at once, as `kill -9` would have it."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # the signal ends the process, not this one line


class Passes:
    """Counts how often each place is passed; kills at the `number`th pass of `place`."""

    def __init__(self, place: str = "", number: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self._place = place
        self._number = number

    def is_due(self, place: str) -> bool:
        """Count a pass of `place`; whether it is the one to die at."""
        self.counts[place] += 1
        return place == self._place and self.counts[place] == self._number

    def at(self, place: str) -> None:
        """Pass `place`, perhaps for the last time."""
        if self.is_due(place):
            die()

    def write(self, path: Path) -> None:
        """Tell a parent what was counted."""
        path.write_text(json.dumps(self.counts), encoding="utf-8")


def install(passes: Passes) -> None:
    """Put every place into this process."""
    scope = threading.local()
    for method in METHODS:
        _around(SqliteStore, method, passes, method, scope)
    for method, label in BEGUN.items():
        _around_begun(method, passes, label, scope)
    _around_commits(passes, scope)
    _around_journal(passes)
    _around(delivery_ledger.Ledger, "intend", passes, "intent")
    _around(delivery_ledger.Ledger, "record", passes, "outcome")
    _around(Tally, "settle", passes, "settling")
    _around(Dialogue, "data_received", passes, "replies")
    _around_send(passes)
    _around(outbox, "_write", passes, "writing a letter")
    _around(outbox, "_show", passes, "showing a letter")
    for name in ("replace", "rename", "link", "unlink", "fsync", "fdatasync"):
        _around_call(passes, name)
    _around_write(passes)


def suit(variant: Variant) -> None:
    """Set up this process as `variant` says, where no setting of a site can."""
    if variant.journal_limit:
        delivery_ledger.JOURNAL_LIMIT = variant.journal_limit
        delivery_ledger.GROUP = SMALL_GROUP
        delivery_ledger.GROUP_SECONDS = SMALL_GROUP_SECONDS
    if not variant.uvloop:
        setattr(run, "_new_event_loop", asyncio.new_event_loop)  # noqa: B010 - see mypy


def _around(
    owner: Any,
    attribute: str,
    passes: Passes,
    label: str,
    scope: threading.local | None = None,
) -> None:
    """Places before and after a function; `scope` knows which one is under way."""
    inner: Callable[..., Any] = getattr(owner, attribute)

    @functools.wraps(inner)
    def outer(*arguments: Any, **named: Any) -> Any:
        passes.at(f"before {label}")
        if scope:
            scope.name = label
        made = inner(*arguments, **named)
        passes.at(f"after {label}")
        return made

    setattr(owner, attribute, outer)


def _around_begun(
    method: str, passes: Passes, label: str, scope: threading.local
) -> None:
    """Places around what a method of the store returns for another thread to call."""
    inner: Callable[..., Callable[[], Any]] = getattr(SqliteStore, method)

    @functools.wraps(inner)
    def outer(*arguments: Any, **named: Any) -> Callable[[], Any]:
        passes.at(f"before {method}")
        scope.name = label
        begun = inner(*arguments, **named)
        passes.at(f"after {method}")

        def work() -> Any:
            passes.at(f"before {label}")
            scope.name = label
            made = begun()
            passes.at(f"after {label}")
            return made

        return work

    setattr(SqliteStore, method, outer)


def _around_commits(passes: Passes, scope: threading.local) -> None:
    """Places on both sides of every COMMIT, named by the method it belongs to."""
    inner = SqliteStore._writing

    @contextmanager
    def outer(store: SqliteStore) -> Iterator[Any]:
        label = getattr(scope, "name", "opening")
        with inner(store) as cursor:
            yield cursor
            passes.at(f"before the commit of {label}")
        passes.at(f"after the commit of {label}")

    setattr(SqliteStore, "_writing", outer)  # noqa: B010 - mypy minds the other form


def _around_journal(passes: Passes) -> None:
    """Places around what a journal does, of whatever class the store makes it."""
    inner = SqliteStore.open_journal
    seen: set[type] = set()

    @functools.wraps(inner)
    def outer(*arguments: Any, **named: Any) -> Any:
        journal = inner(*arguments, **named)
        if type(journal) not in seen:
            seen.add(type(journal))
            for method in ("write", "sync", "restart", "close"):
                _around(type(journal), method, passes, f"journal {method}")
        return journal

    setattr(SqliteStore, "open_journal", outer)  # noqa: B010 - as above


def _around_send(passes: Passes) -> None:
    """Places before, within and after the write that has the body and its dot."""
    inner = Dialogue.send

    @functools.wraps(inner)
    def outer(self: Dialogue, data: bytes, *arguments: Any, **named: Any) -> None:
        end = data.find(BODY_END) + 2
        what = "the dot" if end > 1 else "an envelope"
        passes.at(f"before {what}")
        if end > 1:
            for place, cut in (
                ("within a body", end // 2),
                ("between body and dot", end),
                ("after the dot, before the next envelope", end + 3),
            ):
                if passes.is_due(place):
                    # Past the event loop, which may keep it until its next turn.
                    socket = self._transport.get_extra_info("socket")
                    os.write(socket.fileno(), data[:cut])
                    die()
        inner(self, data, *arguments, **named)
        passes.at(f"after {what}")

    setattr(Dialogue, "send", outer)  # noqa: B010 - as above


def _around_call(passes: Passes, name: str) -> None:
    """Places around a function of `os`, named by the kind of file."""
    inner: Callable[..., Any] = getattr(os, name)

    @functools.wraps(inner)
    def outer(path: Any, *arguments: Any, **named: Any) -> Any:
        kind = _kind(path)
        passes.at(f"before {name} of {kind}")
        made = inner(path, *arguments, **named)
        passes.at(f"after {name} of {kind}")
        return made

    setattr(os, name, outer)


def _around_write(passes: Passes) -> None:
    """A place in the middle of a write to the journal: half of it is there."""
    inner = os.write

    def outer(descriptor: int, data: Any) -> int:
        if _kind(descriptor) == "journal" and passes.is_due("within a journal write"):
            inner(descriptor, bytes(data)[: len(data) // 2])
            die()
        return inner(descriptor, data)

    os.write = outer


def _kind(path: Any) -> str:
    """What a file is for, by its name."""
    try:
        held = isinstance(path, int)
        name = Path(f"/proc/self/fd/{path}").readlink() if held else Path(path)
    except OSError:
        return "nothing"
    for word in ("journal", "seal", "secret", ".eml", "record", ".db"):
        if word in name.name:
            return word
    return "a file"


class Lines:
    """Kills at the `number`th executed line of our code, in whatever thread it is."""

    def __init__(self, number: int = 0) -> None:
        self.executed = 0
        self._number = number
        self._lines = count(1)

    def install(self) -> None:
        """Trace from now on, in this thread and in those that it starts."""
        threading.settrace(self._call)
        sys.settrace(self._call)

    def _call(self, frame: Any, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(TRACED) else None

    def _line(self, frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            self.executed = next(self._lines)
            if self.executed == self._number:
                die()
        return self._line

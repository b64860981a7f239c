"""The command line in a forked child: everything is imported already, and it may die.

The parent imports once, keeps no thread and no event loop, and forks for each run: a
run then costs what the run does, not the start of an interpreter.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

import postroom
from postroom.cli.group import main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.stage import Site

LIMIT_SECONDS = 60.0
"""No run takes so long; one that does is a fault of its own."""
CRASHED = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    """Its exit code; -9 when it was killed."""
    err: str
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code == -signal.SIGKILL

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong that was not foreseen."""
        words = ("Traceback", "never retrieved", "never awaited", "Exception ignored")
        return self.code != CRASHED and not any(word in self.err for word in words)


@dataclass(slots=True)
class Child:
    """A run that goes on."""

    pid: int
    errors: Path
    started: float
    _descriptor: int
    _code: int | None = field(default=None)

    def is_over(self, seconds: float) -> bool:
        """Wait for its end, no longer than that."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(max(seconds, 0.0) * 1000))

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended does not mind."""
        signal.pidfd_send_signal(self._descriptor, number)

    def wait(self) -> Ended:
        """Wait until it has ended; one that hangs is killed, which is no good end."""
        hangs = not self.is_over(LIMIT_SECONDS)
        if hangs:
            self.send(signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        seconds = time.monotonic() - self.started
        os.close(self._descriptor)
        code = CRASHED if hangs else os.waitstatus_to_exitcode(status)
        said = self.errors.read_text(encoding="utf-8", errors="replace")
        return Ended(code=code, err=said, seconds=seconds)


def import_everything() -> None:
    """Import every module of ours, and with them all that they use."""
    for module in pkgutil.walk_packages(postroom.__path__, "postroom."):
        if module.name != "postroom.__main__":
            import_module(module.name)


def keep_warm(run: Callable[[], object]) -> None:
    """Run once in this very process: what is only imported or compiled when used, is.

    Templates too, whose compiling would be four fifths of a run; all environments of
    ours are alike.
    """
    compiled: dict[object, Any] = {}
    inner = Environment.compile

    def outer(self: Environment, source: str, *arguments: Any, **named: Any) -> Any:
        key = (source, arguments, tuple(named.items()))
        if key not in compiled:
            compiled[key] = inner(self, source, *arguments, **named)
        return compiled[key]

    setattr(Environment, "compile", outer)  # noqa: B010 - mypy minds the other form
    run()
    assert threading.active_count() == 1, "a fork takes one thread along"
    gc.collect()
    gc.freeze()


def run_here(site: Site, words: Sequence[str]) -> int:
    """Run the command line in this process and return its exit code."""
    arguments, sys.argv = sys.argv, ["postroom", "-C", str(site.root), *words]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    finally:
        sys.argv = arguments
    return 0


def start(
    site: Site, words: Sequence[str], prepare: Callable[[], object] | None = None
) -> Child:
    """Fork a child that runs `postroom WORDS` on `site`, after `prepare`."""
    began = time.monotonic()
    descriptor, errors = mkstemp(prefix="stderr-", dir=site.root)
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return Child(pid, Path(errors), began, os.pidfd_open(pid))
    code = CRASHED
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        if prepare:
            prepare()
        code = run_here(site, words)
        gc.collect()  # what is only said when it is collected is said now
    except KeyboardInterrupt:
        code = -signal.SIGINT
    except BaseException:  # noqa: BLE001 - a child never returns
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(
    site: Site, words: Sequence[str], prepare: Callable[[], object] | None = None
) -> Ended:
    """Run `postroom WORDS` in a child to whatever end it comes to."""
    return start(site, words, prepare).wait()


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for."""
    return float(sum(os.times()[:4]))

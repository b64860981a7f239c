"""Runs the command line and kills the process at the N-th executed line of our code.

`python driver.py N -C DIR publish …`; with N = 0 nothing is killed and the number of
lines is printed at the end. Counted are the lines of everything between the ledger and
the wire, in every thread; so every step of a run, and every place between two steps,
is a place where it can die.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from itertools import count
from pathlib import Path
from typing import Any

import postroom
from postroom.cli.group import main

ROOT = str(Path(postroom.__file__).parent)
COUNTED = tuple(
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

limit = int(sys.argv[1])
lines = count(1)
executed = 0


def trace_call(frame: Any, event: str, argument: Any) -> Any:
    """Trace the lines of our own files only."""
    return trace_line if frame.f_code.co_filename.startswith(COUNTED) else None


def trace_line(frame: Any, event: str, argument: Any) -> Any:
    """Count, and die at the limit as kill -9 would have it."""
    global executed  # noqa: PLW0603 - the count outlives every frame
    if event == "line":
        executed = next(lines)
        if executed == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace_line


sys.argv = ["postroom", *sys.argv[2:]]
threading.settrace(trace_call)
sys.settrace(trace_call)
try:
    main()
finally:
    if not limit:
        sys.stderr.write(f"{executed}\n")

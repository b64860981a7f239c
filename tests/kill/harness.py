"""Runs one group of trials in a process of its own and prints its figures as JSON.

`python -m tests.kill.harness GROUP NUMBER SEED FOLDER`. A process of its own, because
only one without threads can be forked safely.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.kill.harness")
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""Where a flush of the disk costs nothing; SIGKILL makes no difference there."""


def main(group: str, number: str, seed: str, folder: str) -> None:
    """Run `number` trials, or kills, of a group."""
    from tests.kill.groups import GROUPS  # noqa: PLC0415 - all of postroom

    tally = GROUPS[group](Path(folder), int(number), int(seed))
    sys.stdout.write(tally.dumps() + "\n")


def have_strace() -> bool:
    """Whether the program is there."""
    return shutil.which("strace") is not None


def faketime() -> Path | None:
    """Where libfaketime is, if it is there."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


def _steerable(folder: Path) -> dict[str, str]:
    """What a process needs so that its clock can be set by a file, which is made."""
    clock = folder / "clock"
    clock.write_text("+0\n", encoding="ascii")
    return {
        "LD_PRELOAD": str(faketime()),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def run_group(group: str, number: int, seed: int = 1, timeout: float = 600) -> Any:
    """Run a group in a child and return its figures; its sites are kept if it fails."""
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    folder = Path(mkdtemp(prefix=f"postroom-{group}-", dir=parent))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if group == "clocks":
        environ.update(_steerable(folder))
    ran = subprocess.run(
        [*COMMAND, group, f"{number}", f"{seed}", str(folder)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert ran.returncode == 0, f"{folder}\n{ran.stderr}"
    figures = json.loads(ran.stdout)
    assert not figures["problems"], f"{folder}\n" + "\n".join(figures["problems"])
    shutil.rmtree(folder)
    return figures


if __name__ == "__main__":
    main(*sys.argv[1:])

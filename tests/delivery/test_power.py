"""With `durability = "power"` no dot leaves before its intent is on the disk.

Watched from outside: strace notes in which order the process wrote its journal, flushed
it and sent its dots.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import letters_for, readers
from tests.delivery.sending import Task, run_to_end
from tests.fault_server import FaultServer, serving
from tests.store.scenes import open_new

if TYPE_CHECKING:
    from pathlib import Path

STRACE = shutil.which("strace") or ""
READERS = 40
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
"""Thread, system call, and what follows."""
MESSAGE_ID = re.compile(r"<weekly-1\.\d+@blog\.example>")


def can_trace() -> bool:
    """Whether strace is there and may watch."""
    if not STRACE:
        return False
    tried = subprocess.run([STRACE, "-f", "true"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace cannot watch here")


@dataclass(slots=True)
class Watched:
    """What a run did, in order, by Message-ID."""

    safe: set[str] = field(default_factory=set)
    """Intents that are on the disk."""
    dots: list[str] = field(default_factory=list)
    unsafe_dots: list[str] = field(default_factory=list)
    flushes: int = 0
    _written: set[str] = field(default_factory=set)
    _flushing: dict[str, set[str]] = field(default_factory=dict)
    """Thread → what had been written when its flush began."""

    def see(self, thread: str, call: str, rest: str, *, resumed: bool) -> None:
        """One line of the trace."""
        names = set(MESSAGE_ID.findall(rest))
        if call == "fdatasync" and (".journal" in rest or resumed):
            if not resumed:
                self.flushes += 1
                self._flushing[thread] = set(self._written)
            if rest.rstrip().endswith("= 0"):
                self.safe |= self._flushing.pop(thread, set())
        elif ".journal" in rest.partition(",")[0]:
            self._written |= names
        elif names and r"\r\n.\r\n" in rest:
            self.dots += names
            self.unsafe_dots += names - self.safe


def watch(path: Path) -> Watched:
    """Read a trace."""
    watched = Watched()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        found = LINE.match(line)
        if found:
            watched.see(found[1], found[2], found[3], resumed="resumed>" in line)
    return watched


@pytest.mark.parametrize("connections", [1, 4])
def test_every_dot_follows_the_flush_of_its_intent(
    tmp_path: Path, connections: int
) -> None:
    """And connections that wait at the same time share a flush."""
    ledger, trace = tmp_path / "state" / "postroom.db", tmp_path / "trace"
    with open_new(ledger) as store:
        letters_for(store, *readers(READERS))
    calls = "trace=fdatasync,write,writev,sendto,sendmsg"
    with serving(FaultServer()) as server:
        said = run_to_end(
            Task(
                ledger=str(ledger),
                port=server.port,
                connections=connections,
                durability="power",
            ),
            *(STRACE, "-f", "-y", "-s", "9999", "-e", calls, "-o", str(trace)),
        )
    assert said["counts"] == {DeliveryState.ACCEPTED: READERS}
    watched = watch(trace)
    assert len(watched.dots) == len(set(watched.dots)) == READERS
    assert watched.unsafe_dots == []
    if connections == 1:
        assert watched.flushes >= READERS
    else:
        assert watched.flushes < READERS

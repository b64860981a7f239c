"""`postroom serve` while readers come: started by the command line, its log read.

A build needs to tell the server nothing, so what it shows is exchanged behind its back.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Site

PATIENCE = 20
"""Seconds for the server to start or stop, and for a line to reach its log."""
LINE = re.compile(r"postroom: GET /(\S*) (\d{3}) ")


@dataclass(slots=True)
class Served:
    """A site that is being served."""

    site: Site
    url: str
    """Of the site, ends with `/`."""
    log: Path
    _read: int = 0

    def show(self, folder: Path) -> None:
        """Serve copies of the files of `folder`, each put in place of the old whole."""
        public = self.site.root / "public"
        for source in sorted(folder.rglob("*")):
            target = public / source.relative_to(folder)
            if source.is_dir():
                target.mkdir(exist_ok=True)
                continue
            new = target.with_name(f"{target.name}.new")
            shutil.copy2(source, new)
            new.replace(target)

    def forget(self) -> None:
        """Take what was asked so far for read."""
        self._read = len(self._lines())

    def statuses(self, path: str) -> list[int]:
        """How requests for `path` were answered since the last call; at least one was.

        The line of a request may come a moment after its answer.
        """
        end = time.monotonic() + PATIENCE
        while True:
            lines = self._lines()
            found = [LINE.match(line) for line in lines[self._read :]]
            answers = [int(hit[2]) for hit in found if hit and hit[1] == path]
            if answers or time.monotonic() > end:
                self._read = len(lines)
                return answers
            time.sleep(0.01)

    def _lines(self) -> list[str]:
        """Lines of the log that are complete."""
        return self.log.read_text(encoding="utf-8").split("\n")[:-1]


@contextmanager
def serving(site: Site, log: Path) -> Iterator[Served]:
    """Run `postroom serve` on a free port of 127.0.0.1 while the body runs."""
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "postroom", "-C", str(site.root)),
                *("serve", "--verbose", "--bind", "127.0.0.1:0"),
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **site.environ},
        )
        assert server.stdout
        try:
            # A server that dies at once ends the line, and says why in its log.
            said = server.stdout.readline().decode()
            assert said.startswith("listening on http://127.0.0.1:"), log.read_text()
            yield Served(site=site, url=said.split()[-1], log=log)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=PATIENCE)
            server.stdout.close()
    assert server.returncode == 0
    assert "Traceback" not in log.read_text(encoding="utf-8")

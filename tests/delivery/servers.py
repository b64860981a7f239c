"""Servers that notice more than the fault server does, and Postfix's smtp-sink."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fault_server import FaultServer
from tests.stage import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SINK = Path("/usr/sbin/smtp-sink")


@dataclass(slots=True)
class WatchingServer(FaultServer):
    """Tells `notice` of each message the moment it has the dot, before it takes it."""

    notice: Callable[[str, bytes], None] = lambda recipient, body: None

    def take(self, recipient: str, body: bytes) -> None:
        """Notice, then take responsibility."""
        self.notice(recipient, body)
        FaultServer.take(self, recipient, body)


@dataclass(slots=True)
class TimingServer(FaultServer):
    """Knows when it took what."""

    times: dict[str, float] = field(default_factory=dict)
    """Recipient → seconds of the monotonic clock."""

    def take(self, recipient: str, body: bytes) -> None:
        """Note the time, then take responsibility."""
        self.times[recipient] = time.monotonic()
        FaultServer.take(self, recipient, body)

    def last(self, domain: str = "") -> float:
        """When it took the last message to a domain, or at all."""
        return max(at for recipient, at in self.times.items() if domain in recipient)


@contextmanager
def sampling(server: FaultServer) -> Iterator[list[int]]:
    """How many connections are open, looked at every few milliseconds."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.004):
            seen.append(server.open)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(10)


@contextmanager
def sinking(folder: Path, *options: str) -> Iterator[int]:
    """Run smtp-sink on a free port, in `folder`."""
    port = free_port()
    child = subprocess.Popen(
        [SINK, "-u", "nobody", *options, f"127.0.0.1:{port}", "100"],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_port(port)
        yield port
    finally:
        child.kill()
        child.wait(10)


def await_port(port: int) -> None:
    """Return once somebody listens."""
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("smtp-sink did not start")

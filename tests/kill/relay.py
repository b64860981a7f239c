"""A relay in a process of its own, that writes down what it takes the moment it does.

Run as a module: `python -m tests.kill.relay LOG`. It prints its port and ends when its
standard input does. One line of the log is `recipient message-id`, written with one
system call before the verdict; it outlives whoever is killed.

Recipients whose local part begins with `later.` are refused with 450 at first, those
with `dot.` with 451 after their first dot, and those with `gone.` with 550 always, once
`XSET deferring 1` was said. `XOPEN` tells how many conversations and messages are not at
their end, `XRESET` forgets whom it refused, `XTAKEN` tells how many were taken.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
END = b"\r\n.\r\n"
MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]+>)", re.IGNORECASE | re.MULTILINE)
OK = b"250 2.0.0 fine\r\n"


@dataclass(slots=True)
class Manner:
    """What the relay does, and what it has done."""

    log: int
    pipelining: bool = True
    deferring: bool = False
    milliseconds: float = 0.0
    """How long it looks at a message before it takes it."""
    refused: set[str] = field(default_factory=set)
    open: int = 0
    """Conversations and messages not at their end."""
    taken: int = 0

    def refuses_once(self, prefix: str, recipient: str) -> bool:
        """Whether `recipient` is one of those, and it is the first time."""
        if not self.deferring or not recipient.startswith(prefix):
            return False
        first = recipient not in self.refused
        self.refused.add(recipient)
        return first


class Talk(asyncio.Protocol):
    """One conversation."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.recipient = ""
        self._buffer = b""
        self._reading = False
        """The body of a message."""
        self._busy = False
        """A message is looked at."""
        self._operator = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.manner.open += 1
        transport.write(b"220 relay.example ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """A message that is being looked at is taken all the same."""
        self.manner.open -= not self._operator

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole."""
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not self._busy:
            if self._reading:
                end = self._buffer.find(END)
                if end < 0:
                    return
                message, self._buffer = self._buffer[:end], self._buffer[end + 5 :]
                self._look_at(message)
            else:
                line, found, rest = self._buffer.partition(b"\r\n")
                if not found:
                    return
                self._buffer = rest
                self._transport.write(self._answer(line.decode()))

    def _look_at(self, message: bytes) -> None:
        self._reading, self._busy = False, True
        self.manner.open += 1
        seconds = self.manner.milliseconds / 1000
        if seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, self._judge, self.recipient, message)
        else:
            self._judge(self.recipient, message)

    def _judge(self, recipient: str, message: bytes) -> None:
        """Take the message, and note that first of all."""
        manner = self.manner
        reply = b"451 4.3.0 not now\r\n"
        if not manner.refuses_once("dot.", recipient):
            found = MESSAGE_ID.search(message)
            id_ = found[1].decode() if found else "none"
            os.write(manner.log, f"{recipient} {id_}\n".encode())
            manner.taken += 1
            reply = b"250 2.0.0 taken\r\n"
        manner.open -= 1
        self._busy = False
        self._transport.write(reply)
        self._go_on()

    def _answer(self, line: str) -> bytes:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                offer = b"250-PIPELINING\r\n" if self.manner.pipelining else b""
                return b"250-relay.example\r\n" + offer + b"250 SIZE 10000000\r\n"
            case "RCPT":
                return self._hear_recipient(rest.partition("<")[2].rpartition(">")[0])
            case "DATA":
                self._reading = bool(self.recipient)
                return b"354 go on\r\n" if self.recipient else b"503 5.5.1 no\r\n"
            case "QUIT":
                self._transport.write(b"221 bye\r\n")
                self._transport.close()
                return b""
            case "XSET" | "XOPEN" | "XRESET" | "XTAKEN":
                return self._obey(verb, *rest.split())
            case _:
                return OK

    def _hear_recipient(self, recipient: str) -> bytes:
        self.recipient = ""
        if self.manner.deferring and recipient.startswith("gone."):
            return b"550 5.1.1 nobody of that name\r\n"
        if self.manner.refuses_once("later.", recipient):
            return b"450 4.2.1 not now\r\n"
        self.recipient = recipient
        return OK

    def _obey(self, verb: str, name: str = "", value: str = "") -> bytes:
        """What the test asks for; its own conversation does not count."""
        if not self._operator:
            self._operator = True
            self.manner.open -= 1
        if verb == "XSET":
            setattr(self.manner, name, float(value))
        elif verb == "XRESET":
            self.manner.refused.clear()
            self.manner.taken = 0
        answer = self.manner.taken if verb == "XTAKEN" else self.manner.open
        return b"250 %d\r\n" % answer


class Relay:
    """The process, and a line to it."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self._log = log
        self._line = socket.create_connection(("127.0.0.1", port))
        self._file = self._line.makefile("rb")
        self._file.readline()
        self._offset = 0

    def ask(self, command: str) -> int:
        """Say a command of ours, and return the number that it answers."""
        self._line.sendall(f"{command}\r\n".encode())
        return int(self._file.readline().split()[1])

    def begin(self, *, pipelining: bool, deferring: bool, milliseconds: float) -> None:
        """Behave like this from now on, and forget what was before."""
        self.settle()
        self.ask(f"XSET pipelining {int(pipelining)}")
        self.ask(f"XSET deferring {int(deferring)}")
        self.ask(f"XSET milliseconds {milliseconds}")
        self.ask("XRESET")
        self._offset = self._log.stat().st_size

    def settle(self) -> None:
        """Wait until it has read what the dead left in its sockets."""
        while self.ask("XOPEN"):
            select.select([], [], [], 0.001)  # libfaketime breaks `time.sleep`

    def taken(self) -> list[tuple[str, str]]:
        """(recipient, Message-ID) of what it took since `begin`."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            lines = log.read().decode().splitlines()
        return [(line.split()[0], line.split()[1]) for line in lines]

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._line.close()


async def serve(log: Path) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    manner = Manner(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    server = await loop.create_server(lambda: Talk(manner), "127.0.0.1", 0)
    os.write(1, b"%d\n" % server.sockets[0].getsockname()[1])
    ended = asyncio.Event()
    loop.add_reader(0, ended.set)
    await ended.wait()


@contextmanager
def relaying(log: Path) -> Iterator[Relay]:
    """A relay while the body runs."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.kill.relay", str(log)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    assert child.stdin
    relay = Relay(int(child.stdout.readline()), log)
    try:
        yield relay
    finally:
        relay.close()
        child.stdin.close()
        child.stdout.close()
        child.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

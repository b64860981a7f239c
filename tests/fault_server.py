"""An SMTP server on loopback that fails as its recipients' local parts ask it to.

`f.STEP.FAULT.N@…` asks for FAULT at STEP (mail, rcpt, data, dot): a code such as 450 or
550-5.1.1, `drop` (close before answering), `half` (a broken-off reply), `garbage`, or at
the dot `taken` (accept, then close without a word), `endless` (accept, and a reply without
a line end), `twice` (accept, and refuse in the same breath), `silent` (accept, say
nothing), or at data `early` (354 and an acceptance before there is anything to accept).
`grey` refuses for the moment, once. Anything else is accepted. What the server takes
responsibility for, it notes the moment it decides. `scripted` overrides the answers to a
verb, one after the other.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

LAST_WORDS = {
    "half": b"25",
    "garbage": b"what was that?\r\n",
    "endless": b"250 2.0.0 kept",
    "torn": b"250-2.0.0 kept\r\n250",
    "mixed": b"250-2.0.0 kept\r\n550 5.0.0 or not\r\n",
}
"""Said before the connection closes."""
CLUMSY = {
    "twice": b"250 2.0.0 kept\r\n550 5.0.0 no\r\n",
    "silent": b"",
    "early": b"354 go on\r\n250 2.0.0 kept\r\n",
}
"""Said while the connection stays."""
TAKING = {"taken", "endless", "torn", "mixed", "twice", "silent"}
"""Faults at the dot that leave the message with the server."""

OFFERED = ("fault.example", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES")


@dataclass(slots=True)
class FaultServer:
    """The server's settings and what it saw."""

    pipelining: bool = True
    smtputf8: bool = True
    tls: ssl.SSLContext | None = None
    """Speak TLS from the first byte."""
    greeting: str = "220 fault.example ESMTP"
    starttls: ssl.SSLContext | None = None
    """Offer STARTTLS."""
    naive: bool = False
    """Ask for a body when no recipient was accepted, too."""
    auth: str = ""
    """The reply to AUTH; empty: not offered."""
    port: int = 0
    taken: list[str] = field(default_factory=list)
    """Recipients of accepted messages, in order."""
    bodies: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    limit: int = 0
    """Connections above so many at a time are turned away; 0 is no limit."""
    seconds: float = 0.0
    """How long a message is looked at before the verdict."""
    scripted: dict[str, list[str]] = field(default_factory=dict)
    greyed: set[str] = field(default_factory=set)
    log: int | None = None
    """A descriptor that gets a line for each message taken."""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Talk to one client until it or a fault ends the connection."""
        self.connections += 1
        self.open += 1
        try:
            await _Talk(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, _DropError):
            pass
        finally:
            self.open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def take(self, recipient: str, body: bytes) -> None:
        """Take responsibility for a message, and remember that first of all."""
        self.taken.append(recipient)
        self.bodies.append(body)
        if self.log is not None:
            os.write(self.log, f"{recipient}\n".encode())


class _DropError(Exception):
    """A fault closes the connection."""


class _Talk:
    def __init__(
        self,
        server: FaultServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.recipient = ""
        self.has_recipient = False
        self.secure = server.tls is not None

    async def run(self) -> None:
        if self.server.limit and self.server.open > self.server.limit:
            self.say("421 4.7.0 too many connections")
            return
        self.say(self.server.greeting)
        while line := await self.reader.readline():
            command = line.decode("utf-8", "replace").strip()
            self.server.commands.append(command)
            if not await self.answer(command.partition(" ")[0].upper(), command):
                return

    async def answer(self, verb: str, command: str) -> bool:
        """Answer one command; False ends the connection."""
        scripted = self.server.scripted.get(verb)
        special = {
            "EHLO": self.offer,
            "STARTTLS": self.encrypt,
            "RCPT": self.hear_recipient,
            "DATA": self.hear_message,
        }
        if scripted:
            self.say(scripted.pop(0))
        elif verb in special:
            await special[verb](command)
        elif verb == "AUTH":
            self.say(self.server.auth)
        else:
            self.say("221 bye" if verb == "QUIT" else "250 2.0.0 fine")
        await self.writer.drain()
        return verb != "QUIT"

    async def offer(self, command: str) -> None:
        """What the server can do, as its settings say."""
        offered = [*OFFERED]
        offered += ["PIPELINING"] if self.server.pipelining else []
        offered += ["SMTPUTF8"] if self.server.smtputf8 else []
        offered += ["AUTH PLAIN LOGIN"] if self.server.auth else []
        offered += ["STARTTLS"] if self.server.starttls and not self.secure else []
        for number, text in enumerate(offered, 1):
            self.say(f"250{' ' if number == len(offered) else '-'}{text}")

    async def encrypt(self, command: str) -> None:
        """Go on under TLS."""
        if self.server.starttls is None:
            self.say("454 4.7.0 no TLS today")
            return
        self.say("220 2.0.0 go on")
        await self.writer.drain()
        await self.writer.start_tls(self.server.starttls)
        self.secure = True

    async def hear_recipient(self, command: str) -> None:
        """Note the recipient, whose local part may ask for a fault."""
        self.recipient = command.partition("<")[2].rpartition(">")[0]
        self.has_recipient = self.fail_or_say("rcpt", "250 2.1.5 fine")

    async def hear_message(self, command: str) -> None:
        """Ask for the message and take it, unless that is where the fault is."""
        if not self.has_recipient and not self.server.naive:
            self.say("554 5.5.1 no valid recipients")
        elif self.fail_or_say("data", "354 go on"):
            await self.take()

    async def take(self) -> None:
        """Read a message up to its dot, then keep it or fail."""
        data = b""
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise _DropError
            data += line.removeprefix(b".") if line.startswith(b"..") else line
        await asyncio.sleep(self.server.seconds)
        self.has_recipient = False
        step, fault = _fault_of(self.recipient)
        if step != "dot" or fault in TAKING:
            self.server.take(self.recipient, data)
        self.fail_or_say("dot", "250 2.0.0 kept")

    def fail_or_say(self, here: str, reply: str) -> bool:
        """Play the recipient's fault if it is for this step; True when there is none."""
        step, fault = _fault_of(self.recipient)
        if step != here:
            self.say(reply)
            return True
        if fault in {"drop", "taken"}:
            raise _DropError
        if fault in LAST_WORDS:
            self.writer.write(LAST_WORDS[fault])
            raise _DropError
        if fault in CLUMSY:
            self.writer.write(CLUMSY[fault])
            return fault == "early"
        if fault == "grey" and self.recipient in self.server.greyed:
            self.say(reply)
            return True
        self.server.greyed.add(self.recipient)
        code, _, status = fault.replace("grey", "450-4.2.0").partition("-")
        self.say(f"{code} {status} as you asked".replace("  ", " "))
        return False

    def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())


def _fault_of(recipient: str) -> tuple[str, str]:
    """(step, fault) that an address asks for; the status `5.1.1` holds dots."""
    local = recipient.partition("@")[0]
    if not local.startswith("f."):
        return "", ""
    _, step, rest = local.split(".", 2)
    return step, rest.rpartition(".")[0]


async def _end_all(loop: asyncio.AbstractEventLoop) -> None:
    """Let connections end by themselves for a moment, then end them."""
    talks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    if talks:
        _, late = await asyncio.wait(talks, timeout=0.2)
        for talk in late:
            talk.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    await asyncio.sleep(0)


@contextmanager
def serving(server: FaultServer) -> Iterator[FaultServer]:
    """Run the server in a thread of its own while the body runs."""
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def start() -> asyncio.Server:
        listener = await asyncio.start_server(
            server.serve, "127.0.0.1", 0, ssl=server.tls
        )
        server.port = listener.sockets[0].getsockname()[1]
        return listener

    def run() -> None:
        asyncio.set_event_loop(loop)
        listener = loop.run_until_complete(start())
        loop.call_soon(started.set)
        loop.run_forever()
        listener.close()
        loop.run_until_complete(_end_all(loop))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)

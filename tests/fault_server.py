"""An SMTP server on loopback that fails as its clients' addresses ask it to.

A local part `f.STEP.FAULT.N` asks for FAULT at STEP: the reverse path for `mail`, the
recipient for `rcpt`, `data` and `dot`. `faults` asks for one at a verb, or at `BANNER`,
once for each entry. A fault is one of

- a code, perhaps with a status: `450`, `550-5.1.1`; `grey` refuses the first time only;
- last words, then the connection closes: `drop` (none), `half`, `garbage`, `html`,
  `binary`, `endless` (no line end), `torn`, `mixed`, `lf` (a bare LF), `after` (the proper
  reply), `bye` (the proper reply and a 421), `taken` (none, but the message is kept);
- too much: `twice`, `early`, `flood` (10,000 more lines), `giant` (a line of 1 MB),
  `lines` (a reply without an end);
- too little: `silent` (no reply, but it goes on), `hang` (nothing more at all), `mute`
  (220, then nothing), `drip` (a byte each 0.1 s), `late` (0.1 s), `tardy` (0.7 s), `deaf`
  (354, and it reads nothing).

Anything else is accepted. What the server takes responsibility for, it notes the moment
it decides. `scripted` overrides the answers to a verb, one after the other. Replies wait
until everything that has come in is answered, as RFC 2920 §3.2 has it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fault_words import (
    CLUMSY,
    DRIP_SECONDS,
    LAST_WORDS,
    LONG,
    MANY,
    NOT_TAKING,
    PAUSES,
    fault_of,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

OFFERED = ("fault.example", "8BITMIME", "ENHANCEDSTATUSCODES")


@dataclass(slots=True)
class FaultServer:
    """The server's settings and what it saw."""

    pipelining: bool = True
    smtputf8: bool = True
    size: int = 10_000_000
    tls: ssl.SSLContext | None = None
    """Speak TLS from the first byte."""
    greeting: str = "220 fault.example ESMTP"
    starttls: ssl.SSLContext | None = None
    """Offer STARTTLS."""
    naive: bool = False
    """Ask for a body when no recipient was accepted, too."""
    auth: str = ""
    """The reply to AUTH; empty: not offered."""
    lies: frozenset[str] = frozenset()
    """Extensions that are offered and not done."""
    port: int = 0
    taken: list[str] = field(default_factory=list)
    """Recipients of accepted messages, in order."""
    bodies: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)
    """Those that were not protected by TLS."""
    connections: int = 0
    open: int = 0
    limit: int = 0
    """Connections above so many at a time are turned away; 0 is no limit."""
    seconds: float = 0.0
    """How long a message is looked at before the verdict."""
    scripted: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
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
        except (OSError, ValueError, asyncio.IncompleteReadError, _DropError):
            pass  # ValueError: a line that is too long, such as a TLS handshake
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

    def forget(self) -> None:
        """Begin anew with what was seen and what is to go wrong."""
        for seen in (self.taken, self.bodies, self.commands, self.clear):
            seen.clear()
        self.scripted.clear()
        self.faults.clear()
        self.greyed.clear()
        self.connections = 0
        self.lies = frozenset()
        self.naive = False


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
        self.arrived: bytearray = reader._buffer  # type: ignore[attr-defined]  # no public way to ask
        self.writer = writer
        self.reverse_path = ""
        self.has_sender = False
        self.recipient = ""
        self.has_recipient = False
        self.secure = server.tls is not None
        self.unsaid = b""

    async def run(self) -> None:
        if self.server.limit and self.server.open > self.server.limit:
            self.say("421 4.7.0 too many connections")
            await self.flush()
            return
        if not await self.fails_at("BANNER", self.server.greeting):
            self.say(self.server.greeting)
        while line := await self.hear():
            command = line.decode("utf-8", "replace").strip()
            self.server.commands.append(command)
            if not self.secure:
                self.server.clear.append(command)
            if "pipelining" in self.server.lies:
                self.arrived.clear()
            await self.answer(command.partition(" ")[0].upper(), command)
            if command.upper() == "QUIT":
                await self.flush()
                return

    async def hear(self) -> bytes:
        """The next line; what is still to be said is said before waiting for it."""
        if b"\n" not in self.arrived:
            await self.flush()
        return await self.reader.readline()

    async def answer(self, verb: str, command: str) -> None:
        """Answer one command."""
        scripted = self.server.scripted.get(verb)
        special = {
            "EHLO": self.offer,
            "STARTTLS": self.encrypt,
            "MAIL": self.hear_sender,
            "RCPT": self.hear_recipient,
            "DATA": self.hear_message,
        }
        proper = {"QUIT": "221 2.0.0 bye", "AUTH": self.server.auth}
        usual = proper.get(verb, "250 2.0.0 fine")
        if scripted:
            self.has_sender = self.has_sender or verb == "MAIL"
            self.say(scripted.pop(0))
        elif await self.fails_at(verb, usual):
            pass
        elif verb in special:
            await special[verb](command)
        else:
            self.say(usual)

    async def offer(self, command: str) -> None:
        """What the server can do, as its settings say."""
        offered = [*OFFERED, f"SIZE {self.server.size}"]
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
        await self.flush()
        await self.writer.start_tls(self.server.starttls)
        self.secure = True

    async def hear_sender(self, command: str) -> None:
        """Note the reverse path, whose local part may ask for a fault."""
        self.reverse_path = command.partition("<")[2].partition(">")[0]
        self.has_recipient = False
        lie = next((x for x in self.server.lies if x.upper() in command), "")
        if lie:
            status = "5.6.7" if lie == "smtputf8" else "5.5.4"
            self.say(f"555 {status} {lie} is not known here")
            self.has_sender = False
        else:
            self.has_sender = await self.fail_or_say("mail", "250 2.1.0 fine")

    async def hear_recipient(self, command: str) -> None:
        """Note the recipient, whose local part may ask for a fault."""
        self.recipient = command.partition("<")[2].rpartition(">")[0]
        if not self.has_sender and not self.server.naive:
            self.say("503 5.5.1 MAIL first")
        else:
            self.has_recipient = await self.fail_or_say("rcpt", "250 2.1.5 fine")

    async def hear_message(self, command: str) -> None:
        """Ask for the message and take it, unless that is where the fault is."""
        if not self.has_recipient and not self.server.naive:
            self.say("554 5.5.1 no valid recipients")
        elif await self.fail_or_say("data", "354 go on"):
            await self.take()

    async def take(self) -> None:
        """Read a message up to its dot, then keep it or fail."""
        lines = []
        step, fault = fault_of(self.recipient)
        if (step, fault) == ("dot", "deaf"):
            await self.flush()
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a plain or TLS connection
            await asyncio.sleep(PAUSES["tardy"])
            raise _DropError
        while (line := await self.hear()) != b".\r\n":
            if not line:
                raise _DropError
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.server.seconds:
            await asyncio.sleep(self.server.seconds)
        self.has_sender = self.has_recipient = False
        if step != "dot" or not (fault in NOT_TAKING or fault[0] in "1345"):
            self.server.take(self.recipient, b"".join(lines))
        await self.fail_or_say("dot", "250 2.0.0 kept")

    # -- faults ----------------------------------------------------------------

    async def fails_at(self, verb: str, proper: str) -> bool:
        """Play the fault that is set for a verb, once; False where there is none."""
        faults = self.server.faults.get(verb)
        if faults:
            await self.play(faults.pop(0), proper)
            return True
        return False

    async def fail_or_say(self, here: str, proper: str) -> bool:
        """Play the fault of an address if it is for this step; whether it went well."""
        address = self.reverse_path if here == "mail" else self.recipient
        step, fault = fault_of(address)
        if step != here:
            self.say(proper)
            return True
        if fault == "grey":
            fault = "250" if address in self.server.greyed else "450-4.2.0"
            self.server.greyed.add(address)
        await self.play(fault, proper)
        return not fault[0].isdigit() or fault[0] == "2"

    async def play(self, fault: str, proper: str) -> None:
        """Say what a fault says."""
        if fault in LAST_WORDS:
            self.unsaid += LAST_WORDS[fault].replace(b"%b", proper.encode())
            await self.flush()
            raise _DropError
        if fault in CLUMSY:
            self.unsaid += CLUMSY[fault].replace(b"%b", proper.encode())
        elif fault in PAUSES:
            await self.flush()
            await asyncio.sleep(PAUSES[fault])
            self.say(proper)
        elif fault[0].isdigit():
            code, _, status = fault.partition("-")
            self.say(f"{code} {status} as you asked".replace("  ", " "))
        elif fault != "deaf":
            await self.flush()
            await {
                "hang": self.hang,
                "mute": self.mute,
                "drip": self.drip,
                "flood": self.flood,
                "giant": self.be_giant,
                "lines": self.be_endless,
            }[fault](proper)

    async def hang(self, proper: str) -> None:
        while await self.reader.read(65536):
            pass
        raise _DropError

    async def mute(self, proper: str) -> None:
        self.say("220 2.0.0 go on")
        await self.flush()
        await self.hang(proper)

    async def drip(self, proper: str) -> None:
        for octet in f"{proper}{'.' * 20}\r\n".encode():
            await self.pour(bytes([octet]))
            await asyncio.sleep(DRIP_SECONDS)

    async def flood(self, proper: str) -> None:
        first = f"{proper}\r\n".encode()
        for _ in range(MANY // 100):
            await self.pour(first + b"250 2.0.0 and again\r\n" * 100)
            first = b""

    async def be_giant(self, proper: str) -> None:
        await self.pour(f"{proper[:3]} ".encode())
        for _ in range(LONG // 10_000):
            await self.pour(b"x" * 10_000)
        await self.hang(proper)

    async def be_endless(self, proper: str) -> None:
        for _ in range(MANY):
            await self.pour(f"{proper[:3]}-and more\r\n".encode() * 10)

    async def pour(self, data: bytes) -> None:
        """Write as much as the client takes, while it is there."""
        if self.writer.is_closing():
            raise _DropError
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)  # or the loss of the connection would not be heard of

    def say(self, line: str) -> None:
        self.unsaid += f"{line}\r\n".encode()

    async def flush(self) -> None:
        said, self.unsaid = self.unsaid, b""
        self.writer.write(said)
        await self.writer.drain()


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
    # What a broken connection does to this side is not under test.
    loop.set_exception_handler(lambda _, context: None)
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

"""A hub on loopback that keeps every ping, and answers or misbehaves as it is told."""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Behaviour = bytes | Callable[[socket.socket], None]

SITE = "https://blog.example/"


def reply(
    status: str, body: bytes = b"", kind: str = "text/plain", **fields: str
) -> bytes:
    """An answer as octets; `fields` with `_` for `-`."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    head += [f"Content-Type: {kind}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


TAKEN = reply("202 Accepted")


def reset(wire: socket.socket) -> None:
    """Break the connection off with RST."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


def hang(wire: socket.socket) -> None:
    """Say nothing until the other side goes."""
    with suppress(OSError):
        wire.recv(1)


def leave(wire: socket.socket) -> None:
    """Close without an answer."""


def drip(octets: bytes) -> Callable[[socket.socket], None]:
    """Send them one by one, ten a second, and go on with blanks."""

    def behave(wire: socket.socket) -> None:
        with suppress(OSError):
            for number in range(300):
                wire.sendall(octets[number : number + 1] or b" ")
                time.sleep(0.1)

    return behave


def pour(head: bytes) -> Callable[[socket.socket], None]:
    """Send a head and then as much as is taken, up to 64 MiB."""

    def behave(wire: socket.socket) -> None:
        with suppress(OSError):
            wire.sendall(head)
            for _ in range(1024):
                wire.sendall(b"x" * 65536)

    return behave


@dataclass(frozen=True, slots=True)
class Seen:
    """One ping as it came in."""

    form: dict[str, list[str]]
    fields: dict[str, str]
    target: str
    live: str
    """SHA-256 of the feed's file at that moment, empty when there was none."""
    port: int
    """Of the other side: the same for pings over one connection."""

    @property
    def path(self) -> str:
        """Of the feed, in the output folder."""
        return unquote(self.form["hub.url"][0].removeprefix(SITE))


@dataclass(slots=True)
class Hub:
    """The hub; `answer` is for every feed that has none in `answers`."""

    output: Path | None = None
    context: ssl.SSLContext | None = None
    answer: Behaviour = TAKEN
    answers: dict[str, Behaviour] = field(default_factory=dict)
    before: Callable[[int], None] = lambda _: None
    """Called with the number of the ping (from 1) before it is answered."""
    after: Callable[[int], None] = lambda _: None
    """The same when it has been."""
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}/hub?x=1"

    @property
    def settings(self) -> str:
        """What names it in postroom.toml."""
        return f'[feeds]\nhub = "{self.url}"\n'

    def paths(self) -> list[str]:
        """Feeds that it was told of since the last call, in that order."""
        found = [one.path for one in self.seen]
        self.seen.clear()
        return found

    def serve(self, wire: socket.socket) -> None:
        """Take pings from one connection until something else than an answer is due."""
        with suppress(OSError, ValueError):
            if self.context is not None:
                wire = self.context.wrap_socket(wire, server_side=True)
            with wire, wire.makefile("rb") as file:
                while (ping := self._read(file, wire.getpeername()[1])) is not None:
                    self.seen.append(ping)
                    self.before(len(self.seen))
                    behaviour = self.answers.get(ping.path, self.answer)
                    if not isinstance(behaviour, bytes):
                        behaviour(wire)
                        return
                    wire.sendall(behaviour)
                    self.after(len(self.seen))
                    if b"Connection: close" in behaviour:
                        return

    def _read(self, file: Any, port: int) -> Seen | None:
        first = file.readline().decode()
        if not first:
            return None
        fields = {}
        while (line := file.readline().decode().strip()) != "":
            name, _, value = line.partition(": ")
            fields[name.lower()] = value
        form = parse_qs(file.read(int(fields["content-length"])).decode())
        seen = Seen(form, fields, first, "", port)
        place = self.output / seen.path if self.output else None
        if place is None or not place.exists():
            return seen
        live = hashlib.sha256(place.read_bytes()).hexdigest()
        return Seen(form, fields, first, live, port)


@contextmanager
def open_hub(
    output: Path | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Hub]:
    """Serve on a free port of 127.0.0.1 while the body runs."""
    hub = Hub(output=output, context=context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hub.port = listening.getsockname()[1]
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    wire, _ = listening.accept()
                except OSError:
                    return
                hub.connections += 1
                threading.Thread(target=hub.serve, args=(wire,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            over.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def host_of(url: str) -> str:
    """Host and port as the Host field has them."""
    return urlsplit(url).netloc

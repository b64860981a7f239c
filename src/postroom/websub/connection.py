"""POST pings to one hub over HTTP/1.1 (RFC 9112), bounded whatever the hub does.

Each ping has a deadline for everything from the connection to the answer, and a limit of
octets; a hub that drips them one by one gains nothing. The connection is kept for the next
feed. Names are looked up by the system, whose resolver has limits of its own
(resolv.conf). Proxies of the environment are not used, redirects are not followed.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode, urlsplit

from postroom.websub.answers import REDIRECT, SUCCESS, Answer, hub_words

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PATIENCE = 5.0
"""Seconds for one ping. A hub that is well answers in a fraction of one."""
ADDRESS_SECONDS = 2.0
"""Seconds for a connection to one address of a hub that has more of them."""
MAX_OCTETS = 64 * 1024
"""Of one answer, header fields included."""
MAX_BODY = 2048
"""Octets of its body: enough for the words that are shown of it."""
PORTS = {"http": 80, "https": 443}
FAULTS = (OSError, http.client.HTTPException, ValueError)
"""What goes wrong on the wire; ValueError where a name or an answer cannot be decoded."""


class HubConnection:
    """The way to the hub at `address`, an absolute URL in ASCII."""

    def __init__(self, address: str, agent: str) -> None:
        """`agent` says who pings; the first ping connects."""
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._context = (
            ssl.create_default_context() if parts.scheme == "https" else None
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {target} HTTP/1.1\r\n"
            f"Host: {parts.netloc}\r\n"
            f"User-Agent: {agent}\r\n"
            "Accept: text/plain, */*;q=0.5\r\n"
            "Accept-Encoding: identity\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
        )
        self._line: _Line | None = None

    def ping(self, feed: str, patience: float = PATIENCE) -> Answer:
        """Tell the hub that `feed` (a URL) changed, in `patience` seconds; never raises.

        Where the connection breaks off, one more is tried: a kept one may be stale.
        """
        # Google's hub and Superfeedr read `hub.url`, as PubSubHubbub 0.3 §7.1 had it,
        # Switchboard reads `hub.topic`; each passes over the one it does not know.
        form = {"hub.mode": "publish", "hub.url": feed, "hub.topic": feed}
        body = urlencode(form).encode("ascii")
        ends = time.monotonic() + patience
        try:
            try:
                return self._ask(body, ends)
            except ConnectionError:
                self.close()
                return self._ask(body, ends)
        except FAULTS as error:
            self.close()
            return Answer(0, explain(error))

    def close(self) -> None:
        """Give the connection back; another ping would make a new one."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, body: bytes, ends: float) -> Answer:
        if self._line is None:
            self._line = _Line(self._connect(ends))
        self._line.ends = ends
        head = f"{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._line.sendall(head.encode("ascii") + body)
        # `makefile` is all that it asks of a socket.
        response = http.client.HTTPResponse(
            cast("socket.socket", self._line), method="POST"
        )
        try:
            response.begin()
            return _answer_of(response)
        finally:
            if response.will_close or not response.isclosed():
                self.close()
            response.close()

    def _connect(self, ends: float) -> socket.socket:
        """Return a connection to the first address of the hub that takes one."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        fault = OSError(f"there is no host {self._host}")
        for number, (family, kind, protocol, _, address) in enumerate(found, 1):
            limit = PATIENCE if number == len(found) else ADDRESS_SECONDS
            wire = socket.socket(family, kind, protocol)
            try:
                wire.settimeout(min(limit, _left(ends)))
                wire.connect(address)
                return self._secure(wire, ends)
            except OSError as error:
                wire.close()
                fault = error
        raise fault

    def _secure(self, wire: socket.socket, ends: float) -> socket.socket:
        if self._context is None:
            return wire
        wire.settimeout(_left(ends))
        return self._context.wrap_socket(wire, server_hostname=self._host)


class _Line:
    """A socket as `HTTPResponse` needs it, whose every step ends by `ends`."""

    def __init__(self, wire: socket.socket) -> None:
        self.ends = 0.0
        self._wire = wire

    def sendall(self, data: bytes) -> None:
        """Send it whole."""
        self._wire.settimeout(_left(self.ends))
        self._wire.sendall(data)

    def recv_into(self, buffer: WriteableBuffer) -> int:
        """Receive what there is."""
        self._wire.settimeout(_left(self.ends))
        return self._wire.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return one answer as a file."""
        return io.BufferedReader(_Octets(self))

    def close(self) -> None:
        """Close the socket."""
        self._wire.close()


class _Octets(io.RawIOBase):
    """The octets of one answer, up to `MAX_OCTETS`."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._count = 0

    def readable(self) -> bool:
        """They can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Receive the next ones."""
        if self._count >= MAX_OCTETS:
            raise http.client.HTTPException(f"more than {MAX_OCTETS // 1024} KiB")
        count = self._line.recv_into(buffer)
        self._count += count
        return count


def _left(ends: float) -> float:
    """Return the seconds until then; raise TimeoutError when there are none."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _answer_of(response: http.client.HTTPResponse) -> Answer:
    """Read the rest of an answer, as far as anybody needs it."""
    is_success = SUCCESS <= response.status < REDIRECT
    said = b""
    # To know the end of a success is of use only where the connection stays.
    if not (is_success and response.will_close):
        with suppress(*FAULTS):  # the status counts
            said = response.read(MAX_BODY)
    if response.headers.get_content_type() == "text/html":
        said = b""  # markup says nothing on one line
    if location := response.headers.get("Location"):
        said = f"moved to {location}".encode()
    return Answer(
        response.status,
        hub_words(response.status, response.reason, said),
        response.headers.get("Retry-After", ""),
    )


def explain(error: Exception) -> str:
    """Return why there was no answer, in the operator's words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        return "its answer is no HTTP"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"cannot be reached: {reason}"

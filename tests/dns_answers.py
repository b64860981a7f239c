"""A name server of 127.0.0.1 that knows a few TXT records and nothing else (RFC 1035).

As a script it serves on port 53 of a network of its own: it is started by `unshare`,
runs the command given, and hands on its exit code.
"""

from __future__ import annotations

import functools
import json
import socketserver
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TXT = 16
IN = 1
NAME_ERROR = 3
QUESTION_AT = 12
STRING = 255


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True
    records: Mapping[str, str]


class _Question(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Answer one datagram."""
        datagram, socket = self.request
        assert isinstance(self.server, _Server)
        socket.sendto(answer(datagram, self.server.records), self.client_address)


def answer(query: bytes, records: Mapping[str, str]) -> bytes:
    """Return the answer to the first question of `query`: one record, or no such name."""
    labels = []
    at = QUESTION_AT
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    kind, _ = struct.unpack_from(">HH", query, at + 1)
    question = query[QUESTION_AT : at + 5]
    value = records.get(".".join(labels)) if kind == TXT else None
    # An answer, authoritative; recursion as it was asked for.
    flags = 0x8400 | (query[2] & 1) << 8 | (0 if value else NAME_ERROR)
    head = query[:2] + struct.pack(">HHHHH", flags, 1, 1 if value else 0, 0, 0)
    if not value:
        return head + question
    text = value.encode("ascii")
    pieces = [text[i : i + STRING] for i in range(0, len(text), STRING)]
    data = b"".join(bytes([len(piece)]) + piece for piece in pieces)
    return (
        head
        + question
        + struct.pack(">HHHIH", 0xC000 | QUESTION_AT, TXT, IN, 60, len(data))
        + data
    )


@contextmanager
def serving(records: Mapping[str, str], port: int = 0) -> Iterator[int]:
    """Answer on 127.0.0.1 while the body runs; yields the port."""
    with _Server(("127.0.0.1", port), _Question) as server:
        server.records = records
        serve = functools.partial(server.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


if __name__ == "__main__":
    with serving(json.loads(sys.argv[1]), port=53):
        sys.exit(subprocess.run(sys.argv[2:], timeout=20, check=False).returncode)

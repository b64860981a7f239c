"""Bytes from a server become replies, strictly and within bounds (RFC 5321 §4.2).

No I/O: feed what arrives, take the replies that are whole. A line that is no reply
ends the conversation, because what follows it can no longer be paired with a command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.mail.outcome import parse_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.mail.outcome import Reply

LINE_LIMIT = 4096
"""Octets; RFC 5321 §4.5.3.1.5 allows 512, servers with long URLs write more."""
REPLY_LIMIT = 32 * 1024
"""Octets of all lines of a reply; the longest answers to EHLO are a few KB."""
SHOWN = 60
"""Octets of a wrong line that an error quotes."""

LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
"""`250 text`, `250-text`, and the bare `250` that §4.2.1 tells clients to take."""


class MalformedReplyError(Exception):
    """What the server sent is not an SMTP reply."""


class ReplyReader:
    """Collects bytes and gives whole replies in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._code = b""
        self._lines: list[bytes] = []
        self._octets = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield each reply that `data` completes; raise MalformedReplyError."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            reply = self._take(line)
            if reply:
                yield reply
        if len(self._buffer) > LINE_LIMIT:
            raise MalformedReplyError("a reply line without an end")

    def _take(self, line: bytes) -> Reply | None:
        """Add one line without its LF; return the reply that it ends."""
        self._octets += len(line)
        if len(line) > LINE_LIMIT or self._octets > REPLY_LIMIT:
            raise MalformedReplyError("a reply without an end")
        found = LINE.fullmatch(line[:-1]) if line.endswith(b"\r") else None
        if found is None or (self._code and found[1] != self._code):
            shown = line[:SHOWN].decode("ascii", "backslashreplace").strip()
            raise MalformedReplyError(f'"{shown}" is not an SMTP reply')
        self._lines.append(found[3] or b"")
        if found[2] == b"-":
            self._code = found[1]
            return None
        text = b"\n".join(self._lines).decode("utf-8", "replace")
        self._code, self._lines, self._octets = b"", [], 0
        return parse_reply(int(found[1]), text)

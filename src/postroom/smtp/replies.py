"""Bytes from a server become replies, strictly and within bounds (RFC 5321 §4.2).

No I/O: feed what arrives, take the replies that are whole. A line that is no reply
ends the conversation, because what follows it can no longer be paired with a command.

Nearly always what arrives is a few whole replies of one line each, most of them said
before, word for word: those are looked up. Only the rest is read line by line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.mail.outcome import SHUTTING_DOWN, parse_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postroom.mail.outcome import Reply

LINE_LIMIT = 4096
"""Octets; RFC 5321 §4.5.3.1.5 allows 512, servers with long URLs write more."""
REPLY_LIMIT = 32 * 1024
"""Octets of all lines of a reply; the longest answers to EHLO are a few KB."""
SHOWN = 60
"""Octets of a wrong line that an error quotes."""
KNOWN_LIMIT = 64
"""Lines to know again: the four or five a server repeats come first, and a queue id
that never comes twice must not fill the memory."""

LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\n]*))?")
"""`250 text`, `250-text`, and the bare `250` that §4.2.1 tells clients to take."""


class MalformedReplyError(Exception):
    """What the server sent is not an SMTP reply."""


class ReplyReader:
    """Collects bytes and gives whole replies in order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        """A line that has begun."""
        self._code = b""
        self._lines: list[bytes] = []
        """A reply that has begun."""
        self._octets = 0
        self._known: dict[bytes, Reply] = {}
        """Replies of one line by that line, without its CRLF."""

    def whole(self, data: bytes) -> list[Reply] | None:
        """The replies in `data` where every line is one, and none says 421.

        None for anything else; then nothing of `data` is taken, and `feed` reads it.
        """
        if self._buffer or self._lines or not data.endswith(b"\r\n"):
            return None
        known = self._known
        lines = data[:-2].split(b"\r\n")
        try:
            return [known.get(line) or self._learn(line) for line in lines]
        except MalformedReplyError:
            return None

    def feed(self, data: bytes) -> Iterable[Reply]:
        """Give each reply that `data` completes; iterating raises MalformedReplyError."""
        return self.whole(data) or self._read(data)

    def _learn(self, line: bytes) -> Reply:
        """A reply of one line, remembered; raise MalformedReplyError for any other."""
        found = LINE.fullmatch(line)
        if found is None or found[2] == b"-" or len(line) > LINE_LIMIT:
            raise _malformed(line)
        text = (found[3] or b"").decode("utf-8", "replace")
        reply = parse_reply(int(found[1]), text)
        if reply.code == SHUTTING_DOWN:
            raise _malformed(line)
        if len(self._known) < KNOWN_LIMIT:
            self._known[line] = reply
        return reply

    def _read(self, data: bytes) -> Iterator[Reply]:
        """Yield what `data` completes, however it is cut."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if not line.endswith(b"\r"):
                raise _malformed(line)
            reply = self._take(line[:-1])
            if reply:
                yield reply
        if len(self._buffer) > LINE_LIMIT:
            raise MalformedReplyError("a reply line without an end")

    def _take(self, line: bytes) -> Reply | None:
        """Add one line without its CRLF; return the reply that it ends."""
        self._octets += len(line)
        if len(line) > LINE_LIMIT or self._octets > REPLY_LIMIT:
            raise MalformedReplyError("a reply without an end")
        found = LINE.fullmatch(line)
        if found is None or (self._code and found[1] != self._code):
            raise _malformed(line)
        self._lines.append(found[3] or b"")
        if found[2] == b"-":
            self._code = found[1]
            return None
        text = b"\n".join(self._lines).decode("utf-8", "replace")
        self._code, self._lines, self._octets = b"", [], 0
        return parse_reply(int(found[1]), text)


def _malformed(line: bytes) -> MalformedReplyError:
    shown = line[:SHOWN].decode("ascii", "backslashreplace").strip()
    return MalformedReplyError(f'"{shown}" is not an SMTP reply')

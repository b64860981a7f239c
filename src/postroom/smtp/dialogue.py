"""One SMTP connection after its login: commands out, replies in, paired by order.

Takes over a connected transport. It never guesses: a reply nobody asked for, a line
that is no reply, or a silence longer than the phase allows break the dialogue for good.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from postroom.mail.outcome import SHUTTING_DOWN
from postroom.smtp.replies import MalformedReplyError, ReplyReader

if TYPE_CHECKING:
    from postroom.mail.outcome import Reply

CLOSE_SECONDS = 2.0
"""How long a connection may take to close (TLS says good-bye first)."""


class BrokenDialogueError(Exception):
    """No further reply can be had; the text says why.

    `silent`: the server just says nothing. If it skipped a reply, the ones before were
    paired with the wrong commands.
    """

    def __init__(self, why: str, *, silent: bool) -> None:
        super().__init__(why)
        self.silent = silent


class Dialogue(asyncio.Protocol):
    """Pairs replies with commands; `broken` says why there will be no more (or "")."""

    hasty = False
    """Whether a reply came before all that it answers had left this process."""

    def __init__(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        self.broken = ""
        self._transport = transport
        self._reader = ReplyReader()
        self._replies: deque[Reply] = deque()
        self._awaited = 0
        self._silent = False
        self._waiter: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = loop.create_future()
        transport.set_protocol(self)
        if transport.is_closing():  # then nobody would call connection_lost
            self.broken = "connection closed"
            self._closed.set_result(None)

    def write(self, data: bytes, *, replies: int = 1) -> None:
        """Send `data` in one write; the server owes `replies` for it."""
        self._awaited += replies
        self._transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """The next reply, within `seconds` in all; raise BrokenDialogueError."""
        if not self._replies and not self.broken:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            except TimeoutError:
                self._silent = True
                self.abort(f"no reply within {seconds:g} s")
            finally:
                self._waiter = None
        if self._replies:
            return self._replies.popleft()
        raise BrokenDialogueError(self.broken, silent=self._silent)

    def abort(self, why: str) -> None:
        """Drop the connection at once; nothing more is sent, not even what is buffered."""
        self.broken = self.broken or why
        self._transport.abort()

    async def close(self, seconds: float) -> None:
        """End with QUIT where that is possible, and wait until the connection is gone."""
        if not self.broken and not self._awaited:
            self.write(b"QUIT\r\n")
            with suppress(BrokenDialogueError):
                await self.reply(seconds)
        self.broken = self.broken or "connection closed"
        self._transport.close()
        await asyncio.wait({self._closed}, timeout=CLOSE_SECONDS)
        self._transport.abort()

    # -- what the event loop calls ---------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Keep whole replies that are owed; anything else breaks the dialogue."""
        if self.broken:
            return
        try:
            for reply in self._reader.feed(data):
                self._receive(reply)
        except MalformedReplyError as error:
            self.abort(str(error))
        self._wake()

    def _receive(self, reply: Reply) -> None:
        if self.broken:  # later in the same bytes as what broke it
            return
        if reply.code == SHUTTING_DOWN:
            self.abort(str(reply))
        elif not self._awaited:
            self.abort(f"more replies than commands: {reply}")
        if self._awaited:
            self._awaited -= 1
            self._replies.append(reply)
            self.hasty = self.hasty or self._transport.get_write_buffer_size() > 0

    def eof_received(self) -> bool:
        """The server says no more; returning False closes our side too."""
        self.broken = self.broken or "connection closed by the server"
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whomever."""
        why = f"connection lost ({exc})" if exc else "connection closed by the server"
        self.broken = self.broken or why
        if not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

"""One SMTP connection after its login: commands out, replies in, paired by order.

Takes over a connected transport. Commands leave in groups, and the next group only
after every reply to the last one. It never guesses: a reply nobody asked for, a line
that is no reply, or a silence longer than the phase allows break the dialogue for good.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from postroom.mail.outcome import SHUTTING_DOWN
from postroom.smtp.replies import MalformedReplyError, ReplyReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.mail.outcome import Reply

CLOSE_SECONDS = 2.0
"""How long a connection may take to close (TLS says good-bye first)."""
TICK = 1.0
"""Seconds between looks at the clock: one timer for a connection, none for a reply."""


def never(replies: list[Reply]) -> bool:
    """The shortcut of who takes none."""
    return False


class Dialogue(asyncio.Protocol):
    """Pairs replies with commands.

    A group's replies have a limit each: the seconds from the reply before it, or from
    the writing of the group, until it is there as a whole. What comes in drops does
    not extend that.
    """

    def __init__(self, transport: asyncio.Transport, *, tick: float = TICK) -> None:
        """`tick` must be shorter than any limit."""
        self.broken = ""
        """Why there will be no more replies, or ""."""
        self.silent = False
        """Whether it broke because the server just says nothing."""
        self.surplus = False
        """Whether it broke because of a reply too many; if that was not the last one,
        those after it were paired with the wrong commands."""
        self.hasty = False
        """Whether the first reply came before all that it answers had left this
        process. Under TLS up to 64 KB more may be on their way through asyncio."""
        self.shortcut: Callable[[list[Reply]], bool] = never
        """Asked first when a whole group of replies comes at once, a line for each;
        true: it has gone on by itself, and whoever waits goes on waiting."""
        self.received: list[Reply] = []
        """To the current group, in order."""
        self._limits: tuple[float, ...] = ()
        self._owed = 0
        self._trailing = 0
        self._transport = transport
        self._reader = ReplyReader()
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._waiter: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._tick = tick
        self._timer = self._loop.call_later(tick, self._watch)
        transport.set_protocol(self)
        if transport.is_closing():  # then nobody would call connection_lost
            self.connection_lost(None)

    def send(
        self, data: bytes, limits: tuple[float, ...], *, trailing: int = 0
    ) -> None:
        """Send a group in one write; the server owes a reply for each of `limits`.

        The last `trailing` octets do not belong to what the first reply answers.
        """
        self._limits = limits
        self._owed = len(limits)
        self._trailing = trailing
        self.received = []
        self.hasty = False
        self._since = self._loop.time()
        self._transport.write(data)

    async def replies(self) -> list[Reply]:
        """Every reply to the group; fewer only where the dialogue is broken."""
        if len(self.received) < self._owed and not self.broken:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.received

    def abort(self, why: str) -> None:
        """Drop the connection at once; nothing more is sent, not even what is buffered."""
        self.broken = self.broken or why
        self._transport.abort()
        self._wake()

    async def close(self, seconds: float) -> None:
        """End with QUIT where that is possible, and wait until the connection is gone."""
        try:
            if not self.broken and len(self.received) >= self._owed:
                self.send(b"QUIT\r\n", (seconds,))
                await self.replies()
            self.broken = self.broken or "connection closed"
            self._transport.close()
            await asyncio.wait({self._closed}, timeout=CLOSE_SECONDS)
        finally:
            self.abort("connection closed")
        await asyncio.sleep(0)  # closes the socket

    # -- what the event loop calls ---------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Keep whole replies that are owed; anything else breaks the dialogue."""
        if self.broken:
            return
        if not self.received and self._take_usual(data):
            return
        before = len(self.received)
        try:
            for reply in self._reader.feed(data):
                self._receive(reply)
        except MalformedReplyError as error:
            self.abort(str(error))
        if len(self.received) > before:
            self._since = self._loop.time()
            if len(self.received) >= self._owed:
                self._wake()

    def _take_usual(self, data: bytes) -> bool:
        """Take all replies of a group at once, where they come as whole lines."""
        replies = self._reader.whole(data)
        if replies is None or len(replies) != self._owed:
            return False
        self.hasty = self._transport.get_write_buffer_size() > self._trailing
        self.received = replies
        self._since = self._loop.time()
        if not self.shortcut(replies):
            self._wake()
        return True

    def _receive(self, reply: Reply) -> None:
        if self.broken:  # later in the same bytes as what broke it
            return
        if not self.received:
            unsent = self._transport.get_write_buffer_size()
            self.hasty = unsent > self._trailing
        owed = len(self.received) < self._owed
        if owed:
            self.received.append(reply)
        if reply.code == SHUTTING_DOWN:
            self.abort(str(reply))
        elif not owed:
            self.surplus = True
            self.abort(f"more replies than commands: {reply}")

    def eof_received(self) -> bool:
        """The server says no more; returning False closes our side too."""
        self.broken = self.broken or "connection closed by the server"
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whomever."""
        why = f"connection lost ({exc})" if exc else "connection closed by the server"
        self.broken = self.broken or why
        self._timer.cancel()
        if not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    def _watch(self) -> None:
        """Break the dialogue when the reply that is due does not come."""
        left = self._tick
        if len(self.received) < self._owed:
            limit = self._limits[len(self.received)]
            left = self._since + limit - self._loop.time()
            if left <= 0 and not self.broken:
                self.silent = True
                self.abort(f"no reply within {limit:g} s")
        if not self.broken:
            self._timer = self._loop.call_later(min(left, self._tick), self._watch)

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

"""What a transport is: sessions that hand one message over at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from postroom.mail.message import Message
    from postroom.mail.outcome import Outcome


class Session(Protocol):
    """One connection to a relay, or one writer into a folder."""

    async def send(
        self, message: Message, intend: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """Hand `message` over and return what became of it.

        Awaits `intend()` after everything that can be refused beforehand and before
        the first byte that could make the receiver take responsibility (the final
        dot; the rename into the outbox); False means: do not go on, the claim is
        stale. Never raises for what the receiver says or does: that is an Outcome
        (state `queued` when nothing was this recipient's fault). Raises
        RelayAwayError / RelayRefusedError when no further message can be sent either.
        """
        ...

    async def close(self) -> None:
        """End politely, within a few seconds."""
        ...


class Transport(Protocol):
    """Opens sessions; `connections` is how many may be open at once."""

    connections: int

    async def open(self) -> Session:
        """Connect, secure, log in; raise RelayAwayError or RelayRefusedError."""
        ...

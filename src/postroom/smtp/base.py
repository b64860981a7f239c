"""What a transport is: sessions that take messages from a feed until it has no more.

A session may have two messages under way at once: the body of one and the envelope of
the next leave in one write. It tells the feed what became of every message it took.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from postroom.mail.message import Message
    from postroom.mail.outcome import Outcome


class Parcel(Protocol):
    """A message on its way, with whatever the feed knows about it."""

    @property
    def message(self) -> Message:
        """What is handed over."""
        ...


P = TypeVar("P", bound=Parcel)


class Feed(Protocol[P]):
    """Where a session takes messages from, and whom it tells what became of them."""

    def take(self) -> P | None:
        """The next message, if there is one that may leave now."""
        ...

    async def wait(self) -> P | None:
        """The next message; None when there will be no more for this session."""
        ...

    def intend(self, parcel: P) -> bool | Awaitable[bool]:
        """Record that the receiver may take `parcel` from now on.

        Asked after everything that can be refused beforehand and before the first byte
        that could make the receiver take responsibility (the final dot; the rename
        into the outbox). False, at once or when awaited: do not go on, the claim is
        stale. May raise what the ledger raises; then nothing is handed over.
        """
        ...

    def settle(self, parcel: P, outcome: Outcome) -> None:
        """Take note of what became of `parcel`; the first word about it counts.

        State `queued`: nothing was sent and nothing was this recipient's fault.
        """
        ...


class Session(Protocol):
    """One connection to a relay, or one writer into a folder."""

    async def run(self, feed: Feed[P]) -> None:
        """Hand over what `feed` gives until it has no more.

        What the receiver says or does is an Outcome and goes to `feed.settle`; every
        parcel taken is settled, also when this raises or is cancelled (`unknown` after
        an intent without a verdict, `queued` before), except where `feed.intend`
        itself raised. Raises RelayAwayError when this session can send nothing more
        but another one may, RelayRefusedError when none can.
        """
        ...

    async def close(self) -> None:
        """End politely, within a few seconds."""
        ...


class Transport(Protocol):
    """A way out: a relay, or a folder."""

    name: str
    """As errors and reports call it."""
    connections: int
    """Sessions that may be open at once."""
    rate: float
    """Messages a second over all sessions; 0 is no limit."""
    weight: int
    """Its share beside other transports; 0 stands by until all others are away."""

    async def open(self) -> Session:
        """Connect, secure, log in; raise RelayAwayError or RelayRefusedError."""
        ...

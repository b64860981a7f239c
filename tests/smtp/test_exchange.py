"""The intent comes before the body, and whatever ends a session, no letter stays open."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from postroom.errors import RelayAwayError, StoreFullError
from postroom.mail.outcome import Phase
from tests.fault_server import FaultServer, serving
from tests.smtp.cells import ACCEPTED, QUEUED, UNKNOWN, either_way
from tests.smtp.feed import Letter, ListFeed, letters, names, send, states
from tests.smtp.relays import relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from postroom.smtp.client import SmtpSession

pytestmark = pytest.mark.usefixtures("in_peace")


@asynccontextmanager
async def session_with(server: FaultServer) -> AsyncIterator[SmtpSession]:
    """An open session that is closed in the end."""
    session = await relay(server).open()
    try:
        yield session
    finally:
        await session.close()


# -- the intent --------------------------------------------------------------------------


@either_way
async def test_the_intent_comes_before_the_body_and_after_the_last_outcome(
    *, pipelining: bool
) -> None:
    """So that the ledger can have both in one record."""
    with serving(FaultServer(pipelining=pipelining)) as server:
        parcels = letters(*"abc")

        def look(parcel: Letter) -> bool:
            position = parcels.index(parcel)
            settled = [other.state for other in parcels[:position]]
            assert settled == [ACCEPTED] * position
            assert len(server.taken) == position
            return True

        assert await send(relay(server), ListFeed(parcels, intend=look)) == []
    assert names(server.taken) == "abc"


@either_way
@pytest.mark.parametrize("later", [True, False])
async def test_a_stale_claim_is_not_handed_over(
    *, later: bool, pipelining: bool
) -> None:
    """The dot is never sent: at once or when awaited, no is no."""

    def refuse(parcel: Letter) -> bool | Awaitable[bool]:
        async def say() -> bool:
            return parcel is not second

        return say() if later else parcel is not second

    first, second, third = parcels = letters(*"abc")
    with serving(FaultServer(pipelining=pipelining)) as server:
        feed = ListFeed(parcels, offers=1, intend=refuse)
        (trouble,) = await send(relay(server), feed, sessions=1)
        assert "stale" in str(trouble)
        await send(relay(server), feed)
    assert [first.state, second.state] == [ACCEPTED, QUEUED]
    assert "b" not in names(server.taken)
    assert third.state is (QUEUED if pipelining else ACCEPTED)


@either_way
@pytest.mark.parametrize("later", [True, False])
async def test_where_the_ledger_fails_nothing_is_sent(
    *, later: bool, pipelining: bool
) -> None:
    """What it raises is raised on, and only the ledger knows about that letter."""
    full = StoreFullError("no space is left")

    def fail(parcel: Letter) -> bool | Awaitable[bool]:
        async def raise_later() -> bool:
            raise full

        if parcel is not second:
            return True
        if later:
            return raise_later()
        raise full

    first, second, third = parcels = letters(*"abc")
    with serving(FaultServer(pipelining=pipelining)) as server:
        feed = ListFeed(parcels, offers=1, intend=fail)
        async with session_with(server) as session:
            with pytest.raises(StoreFullError):
                await session.run(feed)
    assert feed.under_way == [second]
    assert names(server.taken) == "a"
    assert first.state is ACCEPTED
    assert [o.state for o in third.outcomes] == ([QUEUED] if pipelining else [])


async def test_a_connection_that_ends_while_the_intent_is_written_costs_nothing() -> (
    None
):
    """The server leaves between its 354 and our yes: the letter is queued."""
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hasty\r\n")
        for answers in (b"250-x\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n354 c\r\n"):
            await reader.readline()
            writer.write(answers)
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await writer.wait_closed()
        left.set()

    async def wait_for_it() -> bool:
        await left.wait()
        await asyncio.sleep(0.05)
        return True

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        server = FaultServer(port=listener.sockets[0].getsockname()[1])
        feed = ListFeed(letters("a"), offers=1, intend=lambda _: wait_for_it())
        (trouble,) = await send(relay(server), feed)
    assert isinstance(trouble, RelayAwayError)
    (parcel,) = feed.letters
    assert (parcel.state, parcel.outcome.phase) == (QUEUED, Phase.DATA)
    assert parcel.intents == 1


# -- cancelled ---------------------------------------------------------------------------


async def cancel_after(session: SmtpSession, feed: ListFeed, seconds: float) -> None:
    """Run the session and cancel it after a while."""
    task = asyncio.create_task(session.run(feed))
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert feed.under_way == []


@either_way
async def test_cancelled_after_the_dot_a_letter_is_unknown(*, pipelining: bool) -> None:
    """And the next one, whose envelope left with it, is queued."""
    with serving(FaultServer(pipelining=pipelining, seconds=0.3)) as server:
        feed = ListFeed(letters(*"abc"), offers=1)
        async with session_with(server) as session:
            await cancel_after(session, feed, 0.1)
    first, *others = feed.letters
    assert first.state is UNKNOWN
    assert states(others) == {QUEUED}


@either_way
async def test_cancelled_before_the_dot_a_letter_is_queued(*, pipelining: bool) -> None:
    """The server has not answered its envelope; what it said before still counts."""
    parcels = letters("a", "f.rcpt.hang.1", "c")
    with serving(FaultServer(pipelining=pipelining)) as server:
        async with session_with(server) as session:
            await cancel_after(session, ListFeed(parcels, offers=1), 0.1)
    assert [parcel.state for parcel in parcels] == [ACCEPTED, QUEUED, QUEUED]
    assert names(server.taken) == "a"


@either_way
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("at_once", [True, False])
async def test_cancelled_while_the_intent_is_written_a_letter_is_queued(
    *, at_once: bool, which: int, pipelining: bool
) -> None:
    """Nothing of it was sent, and what went before keeps its verdict."""

    async def never() -> bool:
        await asyncio.sleep(60)
        return True

    def intend(parcel: Letter) -> bool | Awaitable[bool]:
        if parcel is not parcels[which]:
            return True
        if at_once:
            task.cancel()
        return never()

    parcels = letters(*"abc")
    feed = ListFeed(parcels, offers=1, intend=intend)
    with serving(FaultServer(pipelining=pipelining)) as server:
        async with session_with(server) as session:
            task = asyncio.create_task(session.run(feed))
            if not at_once:
                await asyncio.sleep(0.1)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert feed.under_way == []
    assert [parcel.state for parcel in parcels] == (
        [ACCEPTED] * which + [QUEUED] * (3 - which)
    )
    assert names(server.taken) == "abc"[:which]


async def test_a_session_that_only_waits_ends_politely() -> None:
    """Cancelled without a letter under way, it still says QUIT."""

    class Patient(ListFeed):
        async def wait(self) -> Letter | None:
            await asyncio.sleep(60)
            return None

    with serving(FaultServer()) as server:
        async with session_with(server) as session:
            await cancel_after(session, Patient(letters("a")), 0.1)
    assert names(server.taken) == "a"
    assert server.commands[-1] == "QUIT"


async def test_a_feed_that_fails_leaves_no_letter_open() -> None:
    """Whatever is raised in the middle, what is under way is settled."""

    class Failing(ListFeed):
        def take(self) -> Letter | None:
            if len(self.letters) - len(self._waiting) == 2:
                raise ValueError("no third letter")
            return super().take()

    feed = Failing(letters(*"abc"), offers=1)
    with serving(FaultServer()) as server:
        async with session_with(server) as session:
            with pytest.raises(ValueError, match="third"):
                await session.run(feed)
    assert feed.under_way == []
    assert [parcel.state for parcel in feed.letters] == [ACCEPTED, QUEUED, QUEUED]

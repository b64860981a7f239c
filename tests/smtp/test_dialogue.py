"""Replies are paired with commands by their order, and each has its time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from postroom.smtp.dialogue import Dialogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("in_peace")

LONG = 5.0


@asynccontextmanager
async def talk() -> AsyncIterator[tuple[Dialogue, asyncio.StreamWriter]]:
    """A dialogue, and the server's side of its connection."""
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[asyncio.StreamWriter] = loop.create_future()

    def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        host, port = listener.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, host, port)
        dialogue = Dialogue(transport, tick=0.05)
        writer = await accepted
        try:
            yield dialogue, writer
        finally:
            writer.close()
            await dialogue.close(0.2)


async def test_replies_come_in_order_and_all_at_once() -> None:
    """However the bytes are cut."""
    async with talk() as (dialogue, server):
        dialogue.send(b"A\r\nB\r\n", (LONG, LONG))
        for piece in (b"250 o", b"ne\r\n250-tw", b"o\r\n250 more\r\n"):
            server.write(piece)
            await asyncio.sleep(0.01)
        replies = await dialogue.replies()
        assert [str(reply) for reply in replies] == ["250 one", "250 two more"]


async def test_drops_do_not_extend_the_time_of_a_reply() -> None:
    """One octet after the other, the limit is for the whole of it."""
    async with talk() as (dialogue, server):
        loop = asyncio.get_running_loop()
        dialogue.send(b"A\r\n", (0.3,))
        started = loop.time()

        async def drip() -> None:
            for octet in b"250-x\r\n" * 3:
                server.write(bytes([octet]))
                await asyncio.sleep(0.03)

        task = asyncio.create_task(drip())
        assert await dialogue.replies() == []
        assert 0.25 < loop.time() - started < 2.0
        assert dialogue.silent
        assert "0.3 s" in dialogue.broken
        await task


async def test_each_reply_has_a_time_of_its_own() -> None:
    """The next one's begins when the last one is there."""
    async with talk() as (dialogue, server):
        dialogue.send(b"A\r\nB\r\nC\r\n", (0.4, 0.4, 0.1))
        for _ in range(2):
            await asyncio.sleep(0.3)
            server.write(b"250 fine\r\n")
        replies = await dialogue.replies()
        assert len(replies) == 2
        assert "0.1 s" in dialogue.broken


async def test_silence_is_no_fault_while_nothing_is_owed() -> None:
    """An idle connection stays."""
    async with talk() as (dialogue, server):
        dialogue.send(b"A\r\n", (0.1,))
        server.write(b"250 fine\r\n")
        await dialogue.replies()
        await asyncio.sleep(0.3)
        assert dialogue.broken == ""


@pytest.mark.parametrize(
    ("said", "kept", "surplus"),
    [
        (b"250 one\r\n250 two\r\n", 1, True),
        (b"250 one\r\nnonsense\r\n", 1, False),
        (b"421 one\r\n250 two\r\n", 1, False),
        (b"421 one\r\n", 1, False),
        (b"nonsense\r\n250 two\r\n", 0, False),
    ],
)
async def test_nothing_after_a_break_is_heard(
    said: bytes, kept: int, *, surplus: bool
) -> None:
    """What was whole and owed before it still counts."""
    async with talk() as (dialogue, server):
        dialogue.send(b"A\r\n", (LONG,))
        server.write(said)
        assert len(await dialogue.replies()) == kept
        assert dialogue.broken
        assert dialogue.surplus is surplus
        server.write(b"250 three\r\n")
        await asyncio.sleep(0.02)
        assert len(await dialogue.replies()) == kept


async def test_a_reply_before_any_command_breaks_it() -> None:
    """Nothing is owed, so nothing can be meant."""
    async with talk() as (dialogue, server):
        server.write(b"250 what?\r\n")
        await asyncio.sleep(0.05)
        assert dialogue.surplus


async def test_a_connection_that_is_closing_already_is_broken_at_once() -> None:
    """Nobody would tell us later."""
    loop = asyncio.get_running_loop()
    async with await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0
    ) as listener:
        host, port = listener.sockets[0].getsockname()
        transport, _ = await loop.create_connection(asyncio.Protocol, host, port)
        transport.close()
        dialogue = Dialogue(transport)
        assert dialogue.broken
        await dialogue.close(0.1)

"""Send an answer: bytes in slices, files in blocks, and no more once the client has gone."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Send

    from postroom.web.headers import Fields
    from postroom.web.ranges import Span

BLOCK = 64 << 10
"""The server waits between blocks until the client has read: what a slow one costs is
about twice this, however long the file."""


class ShrunkFileError(OSError):
    """A file has fewer bytes than were announced: the connection must break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, header fields, and a body: bytes, or a part of an open file."""

    status: int
    fields: Fields
    body: bytes = b""
    file: int | None = None
    """A descriptor, closed by `send_answer`."""
    span: Span | None = None
    """Of the file."""


async def send_answer(
    answer: Answer, receive: Receive, send: Send, *, with_body: bool
) -> None:
    """Send an answer, its body too unless it is one to HEAD."""
    try:
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": list(answer.fields),
            }
        )
        if not with_body:
            await _send_block(send, b"", more=False)
        elif answer.file is not None and answer.span is not None:
            await _send_file(answer.file, answer.span, receive, send)
        else:
            await _send_bytes(answer.body, send)
    finally:
        if answer.file is not None:
            os.close(answer.file)


async def _send_bytes(data: bytes, send: Send) -> None:
    """In slices: a transport keeps a copy of what a slow client has not read."""
    for start in range(0, len(data) or 1, BLOCK):
        stop = start + BLOCK
        await _send_block(send, data[start:stop], more=stop < len(data))


async def _send_file(file: int, span: Span, receive: Receive, send: Send) -> None:
    gone = asyncio.create_task(_wait_until_gone(receive))
    at = span.start
    try:
        while not gone.done():
            block = await asyncio.to_thread(
                os.pread, file, min(BLOCK, span.stop - at), at
            )
            at += len(block)
            if not block and at < span.stop:
                raise ShrunkFileError(0, "a published file became shorter")
            await _send_block(send, block, more=at < span.stop)
            if at >= span.stop:
                return
    finally:
        gone.cancel()


async def _wait_until_gone(receive: Receive) -> None:
    """Servers of ASGI 2.3 take blocks for a client that has left, and say nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_block(send: Send, data: bytes, *, more: bool) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})

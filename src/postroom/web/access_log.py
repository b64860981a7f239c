"""One line a request, for those who ask for it: method, path, status, octets, time.

Without the query, which may carry what is nobody's business, and without the address.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PATH = 200
"""Characters of a path that are written."""

log = logging.getLogger(__name__)


class AccessLog:
    """Write a line at INFO when an answer is complete, or its client has gone."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` answers."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what comes back (ASGI)."""
        if scope["type"] != "http" or not log.isEnabledFor(logging.INFO):
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        status = octets = 0

        async def note(message: Message) -> None:
            nonlocal status, octets
            status = message.get("status", status)
            octets += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            path = scope["raw_path"].decode("ascii", "backslashreplace")
            took = (perf_counter() - began) * 1000
            log.info(
                "%s %s %d %d %.1f ms",
                scope["method"],
                path.encode("unicode_escape").decode("ascii")[:MAX_PATH],
                status,
                octets,
                took,
            )

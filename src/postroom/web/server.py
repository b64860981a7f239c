"""Run the application with uvicorn until a signal says stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import sys
from typing import TYPE_CHECKING

import uvicorn

from postroom.web.listening import BACKLOG, address_of, open_socket, release

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

MAX_CONNECTIONS = 1000
"""At once; one more is answered with 503."""
MAX_FILES = 4096
"""Open files: each connection may hold a second one, and systems begin with 1024."""
KEEP_ALIVE = 5
"""Seconds that a connection may be idle."""
GRACE = 5
"""Seconds for answers under way when the server is to stop; a player asks again for the
rest of its file."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(app: ASGIApp, bind: str, announce: Callable[[str], None]) -> None:
    """Serve `app` at `bind` until SIGTERM or SIGINT; a second one does not wait.

    `announce` is called with the address once requests are taken. Raises ConfigError.
    """
    _allow_files()
    listening = open_socket(bind)
    address = address_of(listening)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    try:
        _Server(config, lambda: announce(address)).run(sockets=[listening])
    finally:
        release(listening, address)


class _Server(uvicorn.Server):
    """uvicorn's server; a stop by signal is a success and not the end of the process."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal; uvicorn's own would raise it again when all is done."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and say so."""
        await super().startup(sockets)
        self._tell_started()


def log_to_stderr(*, requests: bool) -> None:
    """Write faults of the server to stderr, and a line a request if `requests`."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(logging.Formatter("postroom: %(message)s"))
    lines.addFilter(_is_no_cancellation)
    logging.getLogger("uvicorn").addHandler(lines)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    ours = logging.getLogger("postroom.web")
    ours.addHandler(lines)
    ours.setLevel(logging.INFO if requests else logging.WARNING)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """An answer that the stop cut off is no fault."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, asyncio.CancelledError)


def _allow_files() -> None:
    """Raise the soft limit of open files, as far as the hard one lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

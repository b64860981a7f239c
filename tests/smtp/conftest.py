"""Relays that tests share, and the peace they have to keep."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.smtp.relays import Certified, Relays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SECONDS = 20.0
"""No test hangs."""


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """One authority for all tests of a file: keys take time."""
    return Certified(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def relays(certified: Certified) -> Iterator[Relays]:
    """Servers that the cells share: starting one takes longer than most cells."""
    with ExitStack() as stack:
        yield Relays(certified, stack)


@pytest.fixture
async def in_peace(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No cell hangs, and none leaves an error to the event loop."""
    loop, unhandled = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: unhandled.append(context))
    started = loop.time()
    yield
    assert unhandled == []
    ours = [r for r in caplog.records if r.threadName == "MainThread"]
    assert [r for r in ours if r.levelno >= logging.WARNING] == []
    assert loop.time() - started < SECONDS

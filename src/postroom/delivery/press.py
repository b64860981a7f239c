"""From claims to messages: composed when a lane asks, or signed ahead of it in threads.

Composing takes microseconds and waits until the moment of sending, so that a run holds
few messages. Signing takes a third of a millisecond, nearly all of it outside the
interpreter's lock: there a few dozen messages are kept ready.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from postroom.mail.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.delivery.settings import Compose, Draft
    from postroom.delivery.work import Work

    Drafts = list[tuple[Work, Draft]]

CHUNK = 16
"""Drafts for a thread at a time: handing them over costs as much as a tenth of signing one."""
AHEAD = 128
"""Signed messages that may wait, or are being signed: 5 MB at 40 KB each."""
MOST_THREADS = 4
"""Above, composing and sending in the one other thread are what takes the time."""


class Press:
    """Makes messages; `wake` is called when signed ones have become ready."""

    def __init__(self, compose: Compose) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._compose = compose
        self._ready: deque[Work] = deque()
        self._signing = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads: ThreadPoolExecutor | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is ready or being signed."""
        return not self._ready and not self._signing

    def take(self, waiting: deque[Work]) -> Work | None:
        """The next work with its message, or its obstacle; None: nothing is ready yet."""
        if self._threads:
            self._sign_ahead(waiting)
        elif not self._ready and waiting:
            work = waiting.popleft()
            if work.composed:
                return work
            draft = self._make(work)
            if draft is None:
                return work
            self._submit([(work, draft)])
        return self._ready.popleft() if self._ready else None

    async def close(self) -> list[Work]:
        """Let threads finish; return what no lane took."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._threads:
            self._threads.shutdown()
        return list(self._ready)

    def _make(self, work: Work) -> Draft | None:
        """Compose: a message or an obstacle is in `work` then, or a draft comes back."""
        try:
            made = self._compose(work.claim)
        except Exception as error:  # noqa: BLE001 - one bad letter must not stop the others
            work.refuse(error)
            return None
        if isinstance(made, Message):
            work.put(made)
            return None
        return made

    def _sign_ahead(self, waiting: deque[Work]) -> None:
        """Keep the threads busy, in whole chunks while there is enough."""
        while waiting and len(self._ready) + self._signing <= AHEAD - CHUNK:
            drafts: Drafts = []
            while waiting and len(drafts) < CHUNK:
                work = waiting.popleft()
                draft = None if work.composed else self._make(work)
                if draft is None:
                    self._ready.append(work)
                    break  # those that need no signature must not all be made at once
                drafts.append((work, draft))
            if drafts:
                self._submit(drafts)
            if len(self._ready) >= CHUNK:
                break

    def _submit(self, drafts: Drafts) -> None:
        if self._threads is None:
            count = min(MOST_THREADS, os.cpu_count() or 1)
            self._threads = ThreadPoolExecutor(count, thread_name_prefix="signer")
        self._signing += len(drafts)
        task = asyncio.create_task(self._sign(drafts, self._threads))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sign(self, drafts: Drafts, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(threads, _sign_all, drafts)
        self._signing -= len(drafts)
        self._ready.extend(work for work, _ in drafts)
        self.wake()


def _sign_all(drafts: Drafts) -> None:
    """In a thread: each work gets its message, or the reason why there is none."""
    for work, draft in drafts:
        try:
            work.put(draft.sign())
        except Exception as error:  # noqa: BLE001 - one bad letter must not stop the others
            work.refuse(error)

"""What the server keeps of published files in memory, within a number of bytes.

A file is read when it is asked for first and again when its stamp changes, so a build
needs to tell the server nothing. What was not asked for longest goes first.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from postroom.web.opening import look_at
from postroom.web.version import Version, open_version, pack_version, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from postroom.files.compressed import Coding

MAX_BYTES = 64 << 20
"""The feeds of a large blog and the pages that are read, each in three codings."""

T = TypeVar("T")


class Shelf:
    """The files of the output folder, read when they are asked for."""

    def __init__(
        self, root: str, clock_ns: Callable[[], int], *, limit: int = MAX_BYTES
    ) -> None:
        """`clock_ns` is the time in nanoseconds since 1970; `limit` counts bytes."""
        self.root = root
        self.clock_ns = clock_ns
        self.limit = limit
        self.bytes = 0
        """What is kept now."""
        self._kept: OrderedDict[str, Version] = OrderedDict()
        self._running: dict[object, asyncio.Task[Any]] = {}

    async def find(self, path: str) -> Version | None:
        """Return the file at `path` as it is now; None when there is none.

        Raises OSError when there is one that cannot be read.
        """
        stamp = look_at(f"{self.root}/{path}")
        if stamp is None:
            self._drop(path)
            return None
        kept = self._kept.get(path)
        if kept and kept.settled and kept.stamp == stamp:
            self._kept.move_to_end(path)
            return kept
        return await self._once((path, stamp), lambda: self._load(path))

    async def pack(self, version: Version, coding: Coding) -> bytes | None:
        """Return a version compressed; None when it is better sent as it is."""
        if not version.is_packable:
            return None
        if coding not in version.packed:
            key = (version.path, version.digest, coding)
            version.packed[coding] = await self._once(
                key, lambda: self._pack(version, coding)
            )
        return version.packed[coding] or None

    async def open_version(self, version: Version) -> tuple[Version, int] | None:
        """Open the file of a version that is not kept whole: see `version.open_version`."""
        return await asyncio.to_thread(
            open_version, self.root, version, self.clock_ns()
        )

    async def _once(self, key: object, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work once for all who wait for it; who gives up does not stop it."""
        task: asyncio.Task[T] | None = self._running.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(task)

    async def _load(self, path: str) -> Version | None:
        version = await asyncio.to_thread(
            read_version, self.root, path, self.clock_ns()
        )
        before = self._kept.get(path)
        if version and before and before.digest == version.digest:
            version.packed.update(before.packed)
        self._drop(path)
        if version:
            self._kept[path] = version
            self._count(version.cost())
        return version

    async def _pack(self, version: Version, coding: Coding) -> bytes:
        made = await asyncio.to_thread(pack_version, self.root, version, coding)
        kept = self._kept.get(version.path)
        if kept and kept.digest == version.digest and coding not in kept.packed:
            kept.packed[coding] = made
            self._count(len(made))
        return made

    def _drop(self, path: str) -> None:
        version = self._kept.pop(path, None)
        if version:
            self.bytes -= version.cost()

    def _count(self, more: int) -> None:
        self.bytes += more
        while self.bytes > self.limit:
            _, version = self._kept.popitem(last=False)
            self.bytes -= version.cost()

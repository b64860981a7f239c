"""Share out work among processes where there is enough of it: parsers hold the GIL.

Workers are forks: they have all that the run has read, and only results travel back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK = 50
"""Items a worker does in one go, in some 50 ms: so soon it sees that the run has died."""
ENOUGH = 500
"""With fewer items a fork and the way back cost more than they save."""
MOST = 8
"""Workers; more wait for the disk and for the one process that takes their results."""


def share_out(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    prepare: Callable[[], None],
) -> Iterator[Result]:
    """Yield what `work` makes of each item, in no order that could be relied on.

    `prepare` is called once in each worker, before it begins. Raises what `work` or
    `prepare` raised.
    """
    workers = min(MOST, _processors()) if len(items) >= ENOUGH else 1
    if workers == 1:
        yield from map(work, items)
        return
    from multiprocessing import get_context  # noqa: PLC0415 - 20 ms, and small runs have one process
    from multiprocessing.connection import wait  # noqa: PLC0415 - as above

    context = get_context("fork")
    blocks = [items[start : start + BLOCK] for start in range(0, len(items), BLOCK)]
    crew: list[Any] = []
    sources: list[Connection] = []
    try:
        for number in range(workers):
            source, sink = context.Pipe(duplex=False)
            share = blocks[number::workers]
            arguments = (share, work, prepare, sink, os.getpid())
            worker = context.Process(target=_work, args=arguments, daemon=True)
            worker.start()
            sink.close()
            crew.append(worker)
            sources.append(source)
        while sources:
            ready: list[Any] = wait(sources)
            for source in ready:
                yield from _receive(source, sources)
    finally:
        for worker in crew:
            worker.terminate()
            worker.join()


def _processors() -> int:
    """How many we may use; where processes cannot be forked, this one."""
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _receive(source: Connection, sources: list[Connection]) -> Iterator[Result]:
    try:
        failed, results = source.recv()
    except EOFError:
        sources.remove(source)
        source.close()
        return
    if failed is not None:
        raise failed
    yield from results


def _work(
    share: Sequence[Sequence[Item]],
    work: Callable[[Item], Result],
    prepare: Callable[[], None],
    sink: Connection,
    parent: int,
) -> None:
    try:
        prepare()
        for block in share:
            results = [work(item) for item in block]
            if os.getppid() != parent:  # the run was killed: leave its files alone
                return
            sink.send((None, results))
    except Exception as error:  # noqa: BLE001 - raised by the run
        sink.send((error, ()))
    except KeyboardInterrupt:
        return

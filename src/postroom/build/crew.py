"""Share out work among processes where there is enough of it: parsers hold the GIL.

Workers are forks: they have all that the run has read, and only results travel back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from postroom.errors import PostroomError

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


class WorkerLostError(PostroomError):
    """A worker ended before its work did."""

    exit_code = 75


def share_out(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    *,
    prepare: Callable[[], None] | None,
) -> Iterator[Result]:
    """Yield what `work` makes of each item, in no order that could be relied on.

    `prepare` is called once in each worker, before it begins; None: it must be done
    here. Raises what `work` or `prepare` raised, and WorkerLostError.
    """
    workers = min(MOST, _processors()) if prepare and len(items) >= ENOUGH else 1
    if prepare is None or workers == 1:
        yield from map(work, items)
        return
    from multiprocessing import get_context  # noqa: PLC0415 - 20 ms, and small runs have one process

    context = get_context("fork")
    blocks = [items[start : start + BLOCK] for start in range(0, len(items), BLOCK)]
    crew: list[Any] = []
    sources: list[Connection] = []
    try:
        for number in range(workers):
            source, sink = context.Pipe(duplex=False)
            arguments = (blocks[number::workers], work, prepare, sink, os.getpid())
            worker = context.Process(target=_work, args=arguments, daemon=True)
            worker.start()
            sink.close()
            crew.append(worker)
            sources.append(source)
        yield from _gather(sources, len(items))
    finally:
        for worker in crew:
            worker.terminate()
            worker.join()


def _gather(sources: list[Connection], count: int) -> Iterator[Any]:
    """Yield results as they come, `count` of them in all."""
    from multiprocessing.connection import wait  # noqa: PLC0415 - as above

    done = 0
    while sources:
        ready: list[Any] = wait(sources)
        for source in ready:
            results = _receive(source, sources)
            done += len(results)
            yield from results
    if done < count:
        raise WorkerLostError(
            f"a process that helped with the build is gone, and {count - done} of "
            f"{count} parts of the work with it",
            cure="look for a lack of memory; the next run does it again",
        )


def _processors() -> int:
    """How many we may use; where processes cannot be forked, this one."""
    if not hasattr(os, "fork"):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _receive(source: Connection, sources: list[Connection]) -> Sequence[Any]:
    """Return the results of a block; none when the worker has ended."""
    try:
        failed, results = source.recv()
    except (EOFError, OSError):
        sources.remove(source)
        source.close()
        return ()
    if failed is not None:
        raise failed
    found: Sequence[Any] = results
    return found


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

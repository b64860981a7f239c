"""Open a file of the output folder for reading, and nothing that lies elsewhere."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO}
)
"""What the system says when there is no such file; all else is a fault of ours."""
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Without O_NONBLOCK a pipe in the folder would hold the server until somebody writes."""


class Stamp(NamedTuple):
    """What tells one content of a path from another without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def look_at(place: str) -> Stamp | None:
    """Return the stamp of the regular file at `place`; None when there is none."""
    try:
        status = Path(place).stat()
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    return stamp_of(status) if stat.S_ISREG(status.st_mode) else None


def open_inside(root: str, path: str) -> tuple[int, Stamp] | None:
    """Open `root/path`; return its descriptor and stamp, None when there is no such file.

    `root` may be a link (to the newest of several folders, say) and `path` may hold links
    that stay inside; a link that leads out of the folder leads nowhere. Raises OSError.
    """
    place = f"{root}/{path}"
    try:
        descriptor = os.open(place, FLAGS)
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and _lies_inside(root, place):
            found, descriptor = descriptor, -1
            return found, stamp_of(status)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return None


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a file from what the system says about it."""
    return Stamp(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _lies_inside(root: str, place: str) -> bool:
    """Whether a path, followed link by link, stays below `root`."""
    real_root = os.path.realpath(root).rstrip(os.sep)
    return os.path.realpath(place).startswith(real_root + os.sep)

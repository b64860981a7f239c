"""One version of a published file: its hash, its bytes when they are few, text in each coding."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.files.compressed import (
    MIN_BYTES,
    Coding,
    compress_quickly,
    holds,
    is_compressible,
)
from postroom.web.opening import open_inside, stamp_of

if TYPE_CHECKING:
    from postroom.web.opening import Stamp

MAX_TEXT = 4 << 20
"""A longer text is sent from disk, and not compressed: a million words are no page."""
MAX_OTHER = 256 << 10
"""A larger picture is sent from disk: the system keeps that in memory already."""
OVERHEAD = 1024
"""What a file costs beside its bytes."""
SETTLED_NS = 100_000_000
"""A file that was read so soon after its last change may have changed again under the same
stamp, since the clocks of file systems tick each 4 to 10 ms: it is to be read again."""
BLOCK = 1 << 20
DIGEST = 32
"""Hexadecimal digits of SHA-256: more than enough to tell the versions of one file."""
TRIES = 5
"""How often a file is read that is written while it is read; one that is replaced by a
rename, as all of ours are, needs one."""


class RestlessFileError(OSError):
    """Somebody writes into a published file, and does not stop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """One version of the file at `path`."""

    path: str
    stamp: Stamp
    settled: bool
    digest: str
    data: bytes | None
    """None when the file is too large to keep."""
    packed: dict[Coding, bytes] = field(default_factory=dict)
    """The same compressed, as far as somebody asked for it; empty where that is not smaller."""

    @property
    def is_packable(self) -> bool:
        """Whether it is sent compressed to those who take that."""
        data = self.data
        return (
            data is not None and len(data) >= MIN_BYTES and is_compressible(self.path)
        )

    def cost(self) -> int:
        """Octets that it takes in memory."""
        return OVERHEAD + len(self.data or b"") + sum(map(len, self.packed.values()))


def read_version(root: str, path: str, now_ns: int) -> Version | None:
    """Read the file at `root/path`; None when there is none. Raises OSError."""
    opened = open_inside(root, path)
    if opened is None:
        return None
    descriptor, stamp = opened
    try:
        return _read_open(descriptor, stamp, path, now_ns)
    finally:
        os.close(descriptor)


def open_version(
    root: str, version: Version, now_ns: int
) -> tuple[Version, int] | None:
    """Open the file of a version; return the version that it has by now and a descriptor.

    The descriptor is of that version's bytes, also when the file is replaced then. None
    when there is no such file any more. Raises OSError.
    """
    opened = open_inside(root, version.path)
    if opened is None:
        return None
    descriptor, stamp = opened
    if version.settled and stamp == version.stamp:
        return version, descriptor
    try:
        return _read_open(descriptor, stamp, version.path, now_ns), descriptor
    except BaseException:
        os.close(descriptor)
        raise


def _read_open(descriptor: int, stamp: Stamp, path: str, now_ns: int) -> Version:
    most = MAX_TEXT if is_compressible(path) else MAX_OTHER
    for _ in range(TRIES):
        data, digest = _read(descriptor, stamp.size, most)
        before, stamp = stamp, stamp_of(os.fstat(descriptor))
        if stamp == before:
            changed_ns = max(stamp.modified_ns, stamp.changed_ns)
            return Version(
                path=path,
                stamp=stamp,
                settled=changed_ns + SETTLED_NS < now_ns,
                digest=digest,
                data=data,
            )
    raise RestlessFileError(0, "somebody writes into it all the time", path)


def _read(descriptor: int, size: int, most: int) -> tuple[bytes | None, str]:
    """Return the bytes, None when they are more than `most`, and their hash."""
    digest = hashlib.sha256()
    blocks = []
    at = 0
    while block := os.pread(descriptor, BLOCK, at):
        at += len(block)
        digest.update(block)
        if size <= most:
            blocks.append(block)
        if at > size:
            break
    return b"".join(blocks) if size <= most else None, digest.hexdigest()[:DIGEST]


def pack_version(root: str, version: Version, coding: Coding) -> bytes:
    """Return a version compressed, or nothing when that is not smaller.

    The file that a build put beside it serves when it holds the same content, whatever its
    date: a copied folder has new dates, a killed build leaves an old file.
    """
    data = version.data or b""
    beside = open_inside(root, version.path + coding.suffix)
    if beside:
        descriptor, stamp = beside
        try:
            packed = os.pread(descriptor, len(data), 0)
        finally:
            os.close(descriptor)
        if len(packed) == stamp.size < len(data) and holds(packed, coding, data):
            return packed
    made = compress_quickly(data, coding)
    return made if len(made) < len(data) else b""

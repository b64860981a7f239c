"""Signatures made ahead of an edition's slot, in a file of records of one size.

Header: magic, octets of a signature, stamp, checksum. Record: subscriber, fingerprint,
signature, checksum; in ascending order of subscribers, so that a reader who goes the
same way reads on, and another one bisects. Nothing here is ever needed: a file that is
torn, damaged or another one costs the time to sign again, so reading it never raises.
Neither side holds more of it in memory than some hundred records.
"""

from __future__ import annotations

import errno
import os
from struct import Struct
from typing import TYPE_CHECKING, Self
from zlib import crc32

from postroom.errors import StoreFullError, StoreUnusableError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "prepared"
SUFFIX = ".signatures"
FINGERPRINT_OCTETS = 16
STAMP_OCTETS = 16
BLOCK = 256
"""Records read or written at once: some 80 KB."""
NEAR = 64
"""Records passed over before bisecting: 20 steps there cost as much as these here."""

_MAGIC = b"PRsig\x00\x01\n"
_HEADER = Struct(f">{len(_MAGIC)}sI{STAMP_OCTETS}s")
_CHECKSUM = Struct(">I")
_HEADER_OCTETS = _HEADER.size + _CHECKSUM.size
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class _Layout:
    """How header and records lie in the file; shared by both sides."""

    __slots__ = ("header", "record", "seed", "size")

    def __init__(self, octets: int, stamp: bytes) -> None:
        if len(stamp) != STAMP_OCTETS:
            raise ValueError(f"a stamp has {STAMP_OCTETS} octets, not {len(stamp)}")
        fixed = _HEADER.pack(_MAGIC, octets, stamp)
        # Records are checked against their own header: those of another file fail.
        self.seed = crc32(fixed)
        self.header = fixed + _CHECKSUM.pack(self.seed)
        self.record = Struct(f">Q{FINGERPRINT_OCTETS}s{octets}s")
        self.size = self.record.size + _CHECKSUM.size

    def pack(self, subscriber_id: int, fingerprint: bytes, signature: bytes) -> bytes:
        """Return one record; `struct` would pad or cut what has another length."""
        packed = self.record.pack(subscriber_id, fingerprint, signature)
        return packed + _CHECKSUM.pack(crc32(packed, self.seed))

    def unpack(self, octets: bytes) -> tuple[int, bytes, bytes] | None:
        """Return subscriber, fingerprint and signature of a record that is intact."""
        if len(octets) != self.size:
            return None
        packed = octets[: self.record.size]
        if _CHECKSUM.pack(crc32(packed, self.seed)) != octets[self.record.size :]:
            return None
        found: tuple[int, bytes, bytes] = self.record.unpack(packed)
        return found

    def offset(self, index: int) -> int:
        """Return where record `index` begins."""
        return _HEADER_OCTETS + index * self.size

    def count(self, descriptor: int) -> int:
        """Return how many whole records are in a file; -1 when it is not of this layout."""
        if os.pread(descriptor, _HEADER_OCTETS, 0) != self.header:
            return -1
        return (os.fstat(descriptor).st_size - _HEADER_OCTETS) // self.size


class SignatureWriter:
    """Appends signatures; goes on where a killed run stopped.

    `octets` is the length of each signature (with whatever goes with it), `stamp` 16
    octets of what all of them depend on, such as keys and letters. A file of another
    length or stamp is started anew. One writer at a time.
    """

    def __init__(self, path: Path, *, octets: int, stamp: bytes) -> None:
        """Open or make the file, mode 0600, and cut off what was not finished.

        Raises StoreFullError or StoreUnusableError.
        """
        self._path = path
        self._layout = _Layout(octets, stamp)
        self._octets = octets
        self._waiting: list[bytes] = []
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._failure(error) from None
        try:
            os.fchmod(self._descriptor, 0o600)
            self._last = self._resume()
        except OSError as error:
            os.close(self._descriptor)
            raise self._failure(error) from None

    def _resume(self) -> int:
        layout, descriptor = self._layout, self._descriptor
        count = layout.count(descriptor)
        if count < 0:
            os.ftruncate(descriptor, 0)
            self._write(layout.header)
            return 0
        last = None
        while count and last is None:
            last = layout.unpack(
                os.pread(descriptor, layout.size, layout.offset(count - 1))
            )
            count -= last is None
        os.ftruncate(descriptor, layout.offset(count))
        os.lseek(descriptor, 0, os.SEEK_END)
        return last[0] if last else 0

    def last_subscriber(self) -> int:
        """Return the last subscriber who has a signature; 0 when nobody has."""
        return self._last

    def append(self, subscriber_id: int, fingerprint: bytes, signature: bytes) -> None:
        """Add one signature; it is in the file after the next `flush`, or soon.

        Raises ValueError for a subscriber not above the last one and for octets of
        another number; StoreFullError or StoreUnusableError, after which the writer is
        only to be closed.
        """
        if subscriber_id <= self._last:
            raise ValueError(f"subscriber {subscriber_id} comes after {self._last}")
        if len(fingerprint) != FINGERPRINT_OCTETS or len(signature) != self._octets:
            raise ValueError(
                f"{len(fingerprint)} and {len(signature)} octets,"
                f" not {FINGERPRINT_OCTETS} and {self._octets}"
            )
        self._waiting.append(self._layout.pack(subscriber_id, fingerprint, signature))
        self._last = subscriber_id
        if len(self._waiting) >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Write what waits; a kill does not take it back any more."""
        waiting, self._waiting = b"".join(self._waiting), []
        try:
            self._write(waiting)
        except OSError as error:
            raise self._failure(error) from None

    def close(self) -> None:
        """Write what waits, and close the file."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)

    def _write(self, octets: bytes) -> None:
        while octets:
            octets = octets[os.write(self._descriptor, octets) :]

    def _failure(self, error: OSError) -> StoreFullError | StoreUnusableError:
        if error.errno in _FULL:
            return StoreFullError(
                f"{self._path}: {error.strerror}", cure="make room on the disk"
            )
        return StoreUnusableError(
            f"{self._path}: {error.strerror}", cure="check owner and permissions"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class SignatureReader:
    """Finds signatures, cheaply for subscribers in ascending order; never raises.

    Sees what was in the file when it was opened. Of no file, of one of another length
    or stamp, and of damaged records it knows nothing.
    """

    __slots__ = (
        "_at",
        "_block",
        "_block_start",
        "_count",
        "_descriptor",
        "_floor",
        "_layout",
    )

    def __init__(self, path: Path, *, octets: int, stamp: bytes) -> None:
        """Open the file, if there is one; arguments as for the writer."""
        self._layout = _Layout(octets, stamp)
        self._at = 0
        """The next record in order; those before it are of subscribers <= `_floor`."""
        self._floor = 0
        self._block = b""
        self._block_start = 0
        self._count = 0
        self._descriptor = -1
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self._count = max(self._layout.count(self._descriptor), 0)
        except OSError:
            self.close()

    def find(self, subscriber_id: int, fingerprint: bytes) -> bytes | None:
        """Return the signature made for `subscriber_id` with just this `fingerprint`."""
        if subscriber_id <= self._floor or not self._read_on(subscriber_id):
            self._bisect(subscriber_id)
        record = self._record(self._at)
        if record is None or record[0] != subscriber_id:
            return None
        self._at += 1
        self._floor = subscriber_id
        return record[2] if record[1] == fingerprint else None

    def _read_on(self, subscriber_id: int) -> bool:
        """Go to the first record from here on not below; False when it is not near."""
        end = min(self._at + NEAR, self._count)
        while self._at < end:
            record = self._record(self._at)
            if record is not None:
                if record[0] >= subscriber_id:
                    return True
                self._floor = record[0]
            self._at += 1
        return self._at == self._count

    def _bisect(self, subscriber_id: int) -> None:
        """Go to the first record not below; a damaged one on the way ends the search."""
        low, high, floor = 0, self._count, 0
        while low < high:
            middle = (low + high) // 2
            record = self._layout.unpack(self._pread(middle, 1))
            if record is None:
                break
            if record[0] < subscriber_id:
                low, floor = middle + 1, record[0]
            else:
                high = middle
        self._at, self._floor = low, floor

    def _record(self, index: int) -> tuple[int, bytes, bytes] | None:
        """Return a record out of the block around it."""
        if index >= self._count:
            return None
        size = self._layout.size
        start = (index - self._block_start) * size
        if not 0 <= start < len(self._block):
            self._block, self._block_start, start = self._pread(index, BLOCK), index, 0
        return self._layout.unpack(self._block[start : start + size])

    def _pread(self, index: int, records: int) -> bytes:
        layout = self._layout
        wanted = min(records, self._count - index) * layout.size
        try:
            return os.pread(self._descriptor, wanted, layout.offset(index))
        except OSError:
            return b""

    def close(self) -> None:
        """Close the file; nothing is found any more."""
        self._count = 0
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def signatures_path(state_folder: Path, edition: str) -> Path:
    """Return where the signatures of the edition of that key lie."""
    return state_folder / FOLDER / f"{edition}{SUFFIX}"


def signed_editions(state_folder: Path) -> list[str]:
    """Return the keys of editions that have a file of signatures."""
    found = (state_folder / FOLDER).glob(f"*{SUFFIX}")
    return sorted(path.name.removesuffix(SUFFIX) for path in found)


def remove_signatures(path: Path) -> None:
    """Take the file away when its edition is done; fine when there is none.

    Raises StoreUnusableError.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreUnusableError(
            f"{path}: {error.strerror}", cure="check owner and permissions"
        ) from None

"""Text compressed for HTTP: gzip (RFC 1952) and Brotli (RFC 7932), beside files or in memory.

The same data give the same bytes, whatever the clock; another version of zlib or Brotli
may give others.
"""

from __future__ import annotations

import zlib
from enum import StrEnum

import brotli

ENDINGS = frozenset(
    {
        "atom", "css", "csv", "html", "ics", "js", "json", "map", "md", "mjs", "opml",
        "rss", "srt", "svg", "txt", "vtt", "webmanifest", "xml",
    }
)  # fmt: skip
"""Of text. Pictures, sound, fonts for the web and archives are compressed already."""
MIN_BYTES = 256
"""Less is not worth a header field: it fits into the packet that the header needs."""
GZIP_LEVEL = 9
"""Costs what level 6 costs on files of a blog (0.3 ms for a feed of 21 KB)."""
WITH_GZIP_HEADER = 31
"""zlib's wbits for a gzip member: it has no time, no name, and one system."""
BEST_QUALITY = 11
"""Brotli for files that are written once and sent often: 18 % smaller than gzip, and 20 ms
for a feed of 21 KB."""
QUICK_QUALITY = 5
"""Brotli in memory: 5 to 12 % smaller than gzip for the same time. 6 to 9 gain nothing more."""


class Coding(StrEnum):
    """A content coding (RFC 9110 §8.4.1), as `Content-Encoding` names it."""

    BROTLI = "br"
    GZIP = "gzip"

    @property
    def suffix(self) -> str:
        """What the name of a compressed file has behind that of the file."""
        return ".br" if self is Coding.BROTLI else ".gz"


def is_compressible(path: str) -> bool:
    """Whether a file of that name is text, which compression makes smaller."""
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    return bool(stem) and ending.lower() in ENDINGS


def compress(data: bytes) -> tuple[bytes, bytes]:
    """Return `data` as (gzip, Brotli), as small as they get: for files beside files."""
    return _gzip(data), brotli.compress(data, quality=BEST_QUALITY)


def compress_quickly(data: bytes, coding: Coding) -> bytes:
    """Return `data` in one coding, made while a reader waits."""
    if coding is Coding.GZIP:
        return _gzip(data)
    return bytes(brotli.compress(data, quality=QUICK_QUALITY))


def holds(packed: bytes, coding: Coding, data: bytes) -> bool:
    """Whether `packed` is `data` in that coding, all of it and nothing more.

    No more than `data` is long is ever unpacked, so that a bomb costs nothing.
    """
    try:
        unpacked, ended = _unpack(packed, coding, len(data) + 1)
    except (zlib.error, brotli.error):
        return False
    return ended and unpacked == data


def _gzip(data: bytes) -> bytes:
    return zlib.compress(data, GZIP_LEVEL, wbits=WITH_GZIP_HEADER)


def _unpack(packed: bytes, coding: Coding, most: int) -> tuple[bytes, bool]:
    """Return the first `most` bytes or so of the content, and whether that is all of it."""
    if coding is Coding.GZIP:
        member = zlib.decompressobj(WITH_GZIP_HEADER)
        unpacked = member.decompress(packed, most)
        return unpacked, member.eof and not member.unused_data
    stream = brotli.Decompressor()
    unpacked = stream.process(packed, output_buffer_limit=most)
    return unpacked, stream.is_finished()

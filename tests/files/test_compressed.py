"""Compressed text: the same bytes each time, whole again when unpacked, and no bombs."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.files.compressed import (
    Coding,
    compress,
    compress_quickly,
    holds,
    is_compressible,
)

TEXT = "느린 우편함은 하루에 한 번 편지를 나른다. ".encode() * 50


@given(st.binary(max_size=3000))
def test_what_goes_in_comes_out(data: bytes) -> None:
    """In both codings, at its best and quickly, and each is known for what it holds."""
    packed, smaller = compress(data)
    assert gzip.decompress(packed) == brotli.decompress(smaller) == data
    assert holds(packed, Coding.GZIP, data)
    assert holds(smaller, Coding.BROTLI, data)
    for coding in Coding:
        assert holds(compress_quickly(data, coding), coding, data)
        assert not holds(compress_quickly(data, coding), coding, data + b"x")
        assert not holds(compress_quickly(data + b"x", coding), coding, data)


def test_no_clock_and_no_name_is_in_it() -> None:
    """The gzip header has no time (RFC 1952 §2.3.1), so a rebuilt file is the same file."""
    packed, _ = compress(TEXT)
    assert packed[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    assert compress(TEXT) == compress(TEXT)


def test_text_becomes_small() -> None:
    """Else it were not worth it."""
    packed, smaller = compress(TEXT)
    assert len(smaller) < len(packed) < len(TEXT) // 5


@pytest.mark.parametrize("coding", list(Coding))
def test_a_bomb_is_not_unpacked(coding: Coding) -> None:
    """A hundred megabytes of zeros are not those ten bytes, and cost no memory."""
    import tracemalloc  # noqa: PLC0415 - slows all that runs after it

    bomb = compress_quickly(bytes(100 << 20), coding)
    tracemalloc.start()
    try:
        assert not holds(bomb, coding, bytes(10))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", list(Coding))
def test_what_is_cut_or_has_more_does_not_count(coding: Coding) -> None:
    """A killed build may leave the first half; a second member is not ours."""
    packed = compress_quickly(TEXT, coding)
    assert not holds(packed[:-1], coding, TEXT)
    assert not holds(packed + b"more", coding, TEXT)
    assert not holds(b"", coding, TEXT)
    assert not holds(zlib.compress(TEXT), coding, TEXT)


def test_text_is_known_by_its_name() -> None:
    """In any case of letters; what is compressed already is not."""
    for path in ("atom.xml", "a/b.HTML", "feed.json", "x.svg", "2026-11.atom"):
        assert is_compressible(path)
    for path in ("a.mp3", "a.png", "a.woff2", "a.gz", "atom", "xml", "a.pdf"):
        assert not is_compressible(path)

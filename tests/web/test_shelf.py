"""What is kept of files: as they are now, within a number of bytes, read once for all."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.files.compressed import Coding
from postroom.web import shelf as shelf_module
from postroom.web import version as version_module
from postroom.web.opening import open_inside
from postroom.web.shelf import Shelf
from postroom.web.version import MAX_OTHER, OVERHEAD, read_version
from tests.web.served import put

if TYPE_CHECKING:
    import pytest

    from postroom.web.version import Version

DESCRIPTORS = Path("/proc/self/fd")


def make_shelf(root: Path, limit: int = 1 << 20) -> Shelf:
    """A shelf by the clock of the file system."""
    return Shelf(str(root), time.time_ns, limit=limit)  # noqa: TID251 - as above


async def test_a_change_is_seen_at_once(tmp_path: Path) -> None:
    """Two hundred versions, replaced and written in place, equal in size: never an old one."""
    shelf, file = make_shelf(tmp_path), tmp_path / "atom.xml"
    for number in range(200):
        data = b"%08d" % number
        if number % 2:
            file.write_bytes(data)
        else:
            (tmp_path / "new").write_bytes(data)
            (tmp_path / "new").replace(file)
        version = await shelf.find("atom.xml")
        assert version
        assert version.data == data
    file.unlink()
    assert await shelf.find("atom.xml") is None
    assert shelf.bytes == 0


async def test_what_is_kept_fits(tmp_path: Path) -> None:
    """The count is true, the newest stay, what was dropped is read again."""
    for number in range(40):
        put(tmp_path / f"{number}.html", b"<p>x</p>" * 2000)
    shelf = make_shelf(tmp_path, limit=100_000)
    for _ in range(2):
        for number in range(40):
            version = await shelf.find(f"{number}.html")
            assert version
            assert await shelf.pack(version, Coding.GZIP)
            assert await shelf.pack(version, Coding.BROTLI)
            assert shelf.bytes == sum(each.cost() for each in shelf._kept.values())
            assert shelf.bytes <= 100_000
    assert "39.html" in shelf._kept
    assert "0.html" not in shelf._kept


async def test_a_large_file_is_not_kept(tmp_path: Path) -> None:
    """Its hash is; its bytes come from disk, and only as long as they are the same file."""
    file = tmp_path / "episode.mp3"
    put(file, b"x" * (MAX_OTHER + 1))
    shelf = make_shelf(tmp_path)
    version = await shelf.find("episode.mp3")
    assert version
    assert version.data is None
    assert shelf.bytes == OVERHEAD
    opened = await shelf.open_version(version)
    assert opened
    os.close(opened[1])
    put(tmp_path / "new", b"y" * (MAX_OTHER + 1))
    (tmp_path / "new").replace(file)
    opened = await shelf.open_version(version)
    assert opened
    newer, descriptor = opened
    file.unlink()
    assert newer.digest != version.digest
    assert os.pread(descriptor, 1, MAX_OTHER) == b"y"
    os.close(descriptor)
    assert await shelf.open_version(version) is None


async def test_fifty_who_wait_cause_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one compression; one who gives up does not spoil it for the others."""
    put(tmp_path / "atom.xml", b"<feed/>" * 1000)
    read, packed = [], []

    def read_slowly(root: str, path: str, now_ns: int) -> Version | None:
        time.sleep(0.05)
        read.append(path)
        return read_version(root, path, now_ns)

    def pack_once(root: str, version: Version, coding: Coding) -> bytes:
        packed.append(coding)
        return version_module.pack_version(root, version, coding)

    monkeypatch.setattr(shelf_module, "read_version", read_slowly)
    monkeypatch.setattr(shelf_module, "pack_version", pack_once)
    shelf = make_shelf(tmp_path)
    waiting = [asyncio.create_task(shelf.find("atom.xml")) for _ in range(50)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    found = await asyncio.gather(*waiting[1:])
    assert len(read) == 1
    first = found[0]
    assert first
    made = await asyncio.gather(*(shelf.pack(first, Coding.GZIP) for _ in range(50)))
    assert packed == [Coding.GZIP]
    assert len(set(made)) == 1
    assert shelf.bytes == first.cost()


async def test_a_touched_file_is_not_compressed_again(tmp_path: Path) -> None:
    """The content decides."""
    put(tmp_path / "atom.xml", b"<feed/>" * 1000)
    shelf = make_shelf(tmp_path)
    first = await shelf.find("atom.xml")
    assert first
    await shelf.pack(first, Coding.GZIP)
    os.utime(tmp_path / "atom.xml", (10**9, 10**9))
    again = await shelf.find("atom.xml")
    assert again
    assert again is not first
    assert Coding.GZIP in again.packed


async def test_what_grows_smaller_only_is_compressed(tmp_path: Path) -> None:
    """Random bytes in a file that calls itself text are sent as they are."""
    put(tmp_path / "noise.txt", os.urandom(5000))
    shelf = make_shelf(tmp_path)
    version = await shelf.find("noise.txt")
    assert version
    assert await shelf.pack(version, Coding.BROTLI) is None


def test_descriptors_are_closed(tmp_path: Path) -> None:
    """Whatever was opened: a file, a folder, a link that leads out."""
    put(tmp_path / "in/a.txt", b"a")
    put(tmp_path / "out.txt", b"b")
    (tmp_path / "in/link.txt").symlink_to(tmp_path / "out.txt")
    before = len(list(DESCRIPTORS.iterdir()))
    root = str(tmp_path / "in")
    for path in ("a.txt", "link.txt", "", "none"):
        read_version(root, path, 0)
    assert open_inside(root, "link.txt") is None
    assert len(list(DESCRIPTORS.iterdir())) == before

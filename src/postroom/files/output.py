"""Write what changed, whole or not at all, and nothing outside the output folder.

A file is written beside its place and renamed, so a reader or a web server sees the
old or the new one, also when the run is killed. Pages and feeds are not synced one by
one: after a power loss the next run finds sizes that differ from its record and writes
them again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.errors import PostroomError

if TYPE_CHECKING:
    from pathlib import Path

OUR_FEEDS = {
    "atom.xml": b"<generator>postroom</generator>",
    "rss.xml": b"<generator>postroom</generator>",
    "feed.json": b'"id": "tag:',
}
"""What our feeds say of themselves, each within its first octets."""
HEAD_OCTETS = 16_384
TEMPORARY = ".postroom-new"
"""Ending of a file that is not finished; a killed run may leave one."""


class OutputError(PostroomError):
    """A file of the output cannot be written."""


@dataclass(slots=True, kw_only=True)
class Output:
    """The output folder during one run; knows what this run put there.

    With `dry` nothing is written: `written` counts what would be.
    """

    root: Path
    dry: bool = False
    written: int = 0
    unchanged: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    _folders: set[str] = field(default_factory=set)
    _root: str = field(init=False)

    def __post_init__(self) -> None:
        """Keep the root as text: thousands of paths are joined to it."""
        self._root = str(self.root)

    def write(self, path: str, data: bytes) -> None:
        """Put `data` at `path` unless it is there already."""
        self.note(path, len(data), written=self.put(path, data))

    def put(self, path: str, data: bytes) -> bool:
        """Do the same and count nothing; whether it was not there already."""
        place = self._place(path)
        if not self.dry and self._make_folder(place):
            self._replace(place, data)
            return True
        try:
            with open(place, "rb") as there:
                same = there.read(len(data) + 1) == data
        except FileNotFoundError:
            same = False
        except OSError as error:
            raise OutputError(f"{place}: {error.strerror}", cure=CURE) from None
        if not same and not self.dry:
            self._replace(place, data)
        return not same

    def note(self, path: str, size: int, *, written: bool) -> None:
        """Count a file that `put` has seen to, in this process or another."""
        self.sizes[path] = size
        self.written += written
        self.unchanged += not written

    def keep(self, path: str, size: int) -> bool:
        """Leave alone what an earlier run put at `path`, if it has `size` still."""
        try:
            if os.stat(f"{self._root}/{path}").st_size != size:
                return False
        except OSError:
            return False
        self.sizes[path] = size
        self.unchanged += 1
        return True

    def forget(self) -> None:
        """Begin again: what was counted so far is not."""
        self.written = self.unchanged = 0
        self.sizes.clear()

    def copy(self, path: str, source: Path) -> None:
        """Copy `source` to `path` unless the same bytes are there already."""
        place = self._place(path)
        try:
            self.sizes[path] = source.stat().st_size
            if _same_bytes(source, place):
                self.unchanged += 1
                return
            self.written += 1
            if not self.dry:
                self._make_folder(place)
                _copy_bytes(source, place + TEMPORARY)
                os.replace(place + TEMPORARY, place)
        except OSError as error:
            raise OutputError(f"{place}: {error.strerror}", cure=CURE) from None

    def remove(self, path: str) -> None:
        """Take away a file that an earlier run put there and this one did not."""
        place = self._place(path)
        if not os.path.lexists(place):
            return
        self.written += 1
        if self.dry:
            return
        try:
            os.unlink(place)
            folder = os.path.dirname(place)
            while folder != str(self.root) and not os.listdir(folder):
                os.rmdir(folder)
                folder = os.path.dirname(folder)
        except OSError as error:
            raise OutputError(f"{place}: {error.strerror}", cure=CURE) from None

    def _place(self, path: str) -> str:
        if path.startswith("/") or any(part in {"..", ""} for part in path.split("/")):
            raise OutputError(f"{path!r} would lie outside the output folder")
        return f"{self.root}/{path}"

    def _make_folder(self, place: str) -> bool:
        """See that the folder of a file is there; whether it was not."""
        folder = place.rpartition("/")[0]
        if folder in self._folders:
            return False
        self._folders.add(folder)
        try:
            _make_folders(folder)
        except FileExistsError:
            return False
        except OSError as error:
            raise OutputError(f"{place}: {error.strerror}", cure=CURE) from None
        return True

    def _replace(self, place: str, data: bytes) -> None:
        try:
            self._make_folder(place)
            with open(place + TEMPORARY, "wb") as new:
                new.write(data)
            os.replace(place + TEMPORARY, place)
        except OSError as error:
            raise OutputError(f"{place}: {error.strerror}", cure=CURE) from None


def has_feeds(root: Path) -> bool:
    """Whether an output folder has a feed that this program wrote."""
    for name, sign in OUR_FEEDS.items():
        try:
            with (root / name).open("rb") as feed:
                if sign in feed.read(HEAD_OCTETS):
                    return True
        except OSError:
            continue
    return False


CURE = "check owner, permissions and free space"


def _make_folders(folder: str) -> None:
    """Make a folder, and those above it; FileExistsError when it is there."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        os.makedirs(folder)


def _same_bytes(source: Path, place: str) -> bool:
    if not os.path.exists(place):
        return False
    if os.path.getsize(place) != source.stat().st_size:
        return False
    with open(place, "rb") as there, source.open("rb") as here:
        while block := here.read(1 << 20):
            if there.read(1 << 20) != block:
                return False
    return True


def _copy_bytes(source: Path, place: str) -> None:
    import shutil  # noqa: PLC0415 - 6 ms, and most runs copy nothing

    shutil.copyfile(source, place)


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a small state file, synced: it survives a kill and a power loss.

    Raises OutputError; then the file is as it was before.
    """
    try:
        _replace_synced(path, data, mode)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}", cure=CURE) from error


def _replace_synced(path: Path, data: bytes, mode: int) -> None:
    new = path.with_name(path.name + TEMPORARY)
    new.unlink(missing_ok=True)  # a killed run's may have other permissions
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

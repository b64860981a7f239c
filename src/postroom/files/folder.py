"""Walk and read the posts folder: which files there are, and the bytes of one."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from postroom.errors import ConfigError, PostError, PostroomError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postroom.posts.post import Source

SKIPPED_FOLDERS = frozenset({"node_modules", "_site", "__pycache__"})
MAX_DEPTH = 32
"""Folders below folders; a deeper tree is a loop of bind mounts, not a blog."""


class Stamp(NamedTuple):
    """What tells a changed file without reading it."""

    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A walked folder. Keys are NFC, `/`-separated and relative to `root`."""

    root: Path
    posts: dict[str, Stamp] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """The path on disk where it is not the key itself (NFD names)."""
    problems: list[Problem] = field(default_factory=list)

    def disk_path(self, path: str) -> Path:
        """Where a key lies."""
        return self.root / self.names.get(path, path)


def walk_folder(root: Path, is_post: Callable[[str], bool]) -> Folder:
    """Walk `root`; raise ConfigError when it is no folder.

    Hidden names and links that lead out of the folder are passed over; special files
    (pipes, devices) are no posts. Raises PostroomError for what cannot be listed: its
    posts would look as if they were deleted, and be sent to nobody, ever.
    """
    if not root.is_dir():
        raise ConfigError(
            f"posts folder {root}: there is none", cure="make it, or set posts.folder"
        )
    folder = Folder(root=root)
    _walk(folder, "", os.path.realpath(root), is_post, 0)
    return folder


def _walk(
    folder: Folder,
    below: str,
    real_root: str,
    is_post: Callable[[str], bool],
    depth: int,
) -> None:
    try:
        with os.scandir(folder.root / below if below else folder.root) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise PostroomError(
            f"{folder.root / below}: cannot be listed ({error.strerror})",
            cure="check the disk and the permissions of the folder",
        ) from error
    for entry in entries:
        path = below + entry.name
        if entry.name.startswith(".") or not _stays_inside(entry, real_root):
            continue
        if entry.is_dir():
            if entry.name not in SKIPPED_FOLDERS and depth < MAX_DEPTH:
                _walk(folder, path + "/", real_root, is_post, depth + 1)
        elif entry.is_file():
            _note(folder, path, entry, is_post)


def _stays_inside(entry: os.DirEntry[str], real_root: str) -> bool:
    """A link may point to another place of the folder, never out of it or above itself."""
    if not entry.is_symlink():
        return True
    target = os.path.realpath(entry.path)
    return target.startswith(real_root + os.sep) and not os.path.realpath(
        os.path.dirname(entry.path)
    ).startswith(target)


def _note(
    folder: Folder, path: str, entry: os.DirEntry[str], is_post: Callable[[str], bool]
) -> None:
    key = path if path.isascii() else _key(path)
    if not key:
        folder.problems.append(
            Problem(
                path=path.encode("utf-8", "replace").decode("utf-8", "replace"),
                message="the file name is not UTF-8",
                cure="rename it",
            )
        )
        return
    status = entry.stat()
    if key in folder.posts or key in folder.files:
        folder.problems.append(
            Problem(
                path=key,
                message="two files differ only in how Unicode writes the name",
                cure="delete or rename one",
            )
        )
        return
    stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    (folder.posts if is_post(key) else folder.files)[key] = stamp
    if key != path:
        folder.names[key] = path


def _key(path: str) -> str:
    """NFC of a name (macOS writes NFD); empty when the name is not UTF-8."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return ""
    return unicodedata.normalize("NFC", path)


def read_source(folder: Folder, path: str) -> Source:
    """Read one post; raise PostError when it cannot be read."""
    try:
        name = folder.names.get(path, path)
        with open(f"{folder.root}/{name}", "rb", buffering=0) as file:
            data = file.readall()
    except OSError as error:
        raise PostError(
            Problem(
                path=path,
                message=f"cannot be read: {error.strerror}",
                cure="check owner and permissions",
            )
        ) from None
    from postroom.posts.post import Source  # noqa: PLC0415 - 4 ms, and an idle run reads nothing

    return Source(path=path, data=data)

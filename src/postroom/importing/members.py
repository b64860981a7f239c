"""The files of an export, in a zip or a folder, asked for by name; nothing is unpacked.

Names come from strangers: those that lead out of the archive, links and devices do not
exist here. What is unpacked in memory is bounded by member, by sum and by ratio.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from postroom.errors import SourceError
from postroom.posts.slug import DEVICES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack
    from typing import IO

MAX_MEMBERS = 50_000
MAX_MEMBER = 256 * 1024 * 1024
"""Octets of one file, unpacked; WordPress exports in a zip are streamed, not read."""
MAX_SUM = 4 * 1024 * 1024 * 1024
"""Octets of all that is unpacked in one import."""
MAX_RATIO = 250
"""Text shrinks to a tenth, a repeated octet to a thousandth."""
RATIO_FROM = 4 * 1024 * 1024
"""Octets below which a ratio says nothing."""
ENCRYPTED = 0x1
DRIVE = re.compile(r"[A-Za-z]:")
MAX_NAME = 1000
BLOCK = 256 * 1024
DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, OSError, EOFError,
    ValueError, NotImplementedError, RuntimeError, struct.error, IndexError, OverflowError,
)  # fmt: skip
"""What zipfile raises on octets of strangers."""


class Members(Protocol):
    """Files by name."""

    @property
    def names(self) -> Sequence[str]:
        """Names, sorted, `/`-separated, NFC."""
        ...

    @property
    def refused(self) -> Sequence[str]:
        """Names that were not believed."""
        ...

    def read(self, name: str) -> bytes:
        """Return the octets of one; raises SourceError."""
        ...

    def stream(self, name: str, opened: ExitStack) -> IO[bytes]:
        """Return one as a file that can be read twice, and `opened` closes.

        Raises SourceError.
        """
        ...


def is_safe(name: str) -> bool:
    """Tell whether a member's name stays below where it would be unpacked."""
    parts = name.split("/")
    return (
        0 < len(name) <= MAX_NAME
        and not name.startswith("/")
        and "\\" not in name
        and "\0" not in name
        and not DRIVE.match(name)
        and ".." not in parts
        and not any(
            DEVICES.fullmatch(part.partition(".")[0].casefold()) for part in parts
        )
    )


class ZipMembers:
    """The files of a zip."""

    def __init__(self, file: IO[bytes], path: str) -> None:
        """Read the directory of the zip; raises SourceError."""
        self.path = path
        try:
            self.zip = zipfile.ZipFile(file)
        except DAMAGED as error:
            raise SourceError(
                f"{path}: a damaged zip: {error}", cure="export it again"
            ) from None
        infos = self.zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise SourceError(f"{path}: the zip has more than {MAX_MEMBERS:,} files")
        self.infos: dict[str, zipfile.ZipInfo] = {}
        self.refused: list[str] = []
        self.unpacked = 0
        for info in infos:
            if not info.is_dir():
                self._note(info)
        self.names = sorted(self.infos)

    def _note(self, info: zipfile.ZipInfo) -> None:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if (
            not is_safe(info.filename)
            or kind not in {0, stat.S_IFREG}
            or info.flag_bits & ENCRYPTED
        ):
            self.refused.append(info.filename)
            return
        if not info.filename.startswith("__MACOSX/"):
            self.infos[unicodedata.normalize("NFC", info.filename)] = info

    def read(self, name: str) -> bytes:
        """Unpack one member within the limits."""
        info = self.infos[name]
        limit = min(MAX_MEMBER, MAX_SUM - self.unpacked)
        if info.file_size > limit:
            raise SourceError(
                f"{self.path}: {name} is larger than postroom unpacks ({info.file_size:,} octets)"
            )
        try:
            with self._open(name) as member:
                data = member.read(limit + 1)
        except DAMAGED as error:
            raise SourceError(
                f"{self.path}: {name} is damaged: {error}", cure="export it again"
            ) from None
        self.unpacked += len(data)
        if len(data) > limit:
            raise SourceError(f"{self.path}: {name} unpacks to more than it says")
        return data

    def stream(self, name: str, opened: ExitStack) -> IO[bytes]:
        """Unpack one member into a temporary file: exports are long, and read twice."""
        file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `opened` closes it
        try:
            with self._open(name) as member:
                while block := member.read(BLOCK):
                    self.unpacked += len(block)
                    if self.unpacked > MAX_SUM:
                        raise SourceError(
                            f"{self.path}: {name} is larger than postroom unpacks"
                        )
                    file.write(block)
        except DAMAGED as error:
            raise SourceError(
                f"{self.path}: {name} is damaged: {error}", cure="export it again"
            ) from None
        file.seek(0)
        return file

    def _open(self, name: str) -> IO[bytes]:
        info = self.infos[name]
        if (
            info.file_size > RATIO_FROM
            and info.file_size > info.compress_size * MAX_RATIO
        ):
            raise SourceError(
                f"{self.path}: {name} shrinks to a {info.file_size // max(info.compress_size, 1):,}th: a zip bomb; nothing of it was unpacked"
            )
        return self.zip.open(info)


class FolderMembers:
    """The files of a folder; links out of it do not exist."""

    def __init__(self, root: Path) -> None:
        """List the folder."""
        self.root = root
        self.disk: dict[str, Path] = {}
        self.refused: list[str] = []
        for folder, folders, files in os.walk(root, followlinks=False):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for file in files:
                path = Path(folder, file)
                name = unicodedata.normalize("NFC", path.relative_to(root).as_posix())
                if path.is_symlink() or not path.is_file():
                    self.refused.append(name)
                elif not file.startswith("."):
                    self.disk[name] = path
            if len(self.disk) > MAX_MEMBERS:
                raise SourceError(
                    f"{root}: the folder has more than {MAX_MEMBERS:,} files"
                )
        self.names = sorted(self.disk)

    def read(self, name: str) -> bytes:
        """Read one file within the limits."""
        try:
            with self.disk[name].open("rb") as file:
                data = file.read(MAX_MEMBER + 1)
        except OSError as error:
            raise SourceError(f"{self.root}/{name}: {error.strerror}") from None
        if len(data) > MAX_MEMBER:
            raise SourceError(f"{self.root}/{name}: larger than postroom reads")
        return data

    def stream(self, name: str, opened: ExitStack) -> IO[bytes]:
        """Open one file."""
        try:
            return opened.enter_context(self.disk[name].open("rb"))
        except OSError as error:
            raise SourceError(f"{self.root}/{name}: {error.strerror}") from None

"""Where an import reads from: a file, a folder, standard input, or an address.

What a source holds is told by its first octets, never by its name.
"""

from __future__ import annotations

import codecs
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from postroom.errors import ConfigError, SourceError
from postroom.importing.fetch import Fetcher, NotFetchedError, source_error
from postroom.importing.members import FolderMembers, Members, ZipMembers
from postroom.importing.texts import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

MAX_FEED = 64 * 1024 * 1024
"""Octets that an address may give."""
MAX_INPUT = 2 * 1024 * 1024 * 1024
"""Octets of standard input, kept in a temporary file."""
SAMPLE = 1024 * 1024
"""Octets by which the encoding is told."""
CHUNK = 64 * 1024
STANDARD_INPUT = "-"
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(slots=True, kw_only=True)
class Source:
    """Something opened for reading: a file, or the members of a zip or a folder."""

    name: str
    """As the operator wrote it, for messages."""
    url: str = ""
    """Where it was fetched, after redirects."""
    file: IO[bytes] | None = None
    members: Members | None = None

    def head(self) -> bytes:
        """Return the first octets of a file."""
        if self.file is None:
            return b""
        self.file.seek(0)
        data = self.file.read(SAMPLE)
        self.file.seek(0)
        return data

    def chunks(self) -> Iterator[str]:
        """Yield the file as text from its beginning; what cannot be read is U+FFFD."""
        if self.file is None:
            return
        head = self.head()
        decoder = codecs.getincrementaldecoder(
            encoding_of(head, whole=len(head) < SAMPLE)
        )("replace")
        carriage = ""
        while data := _read(self.file, self.name):
            text = carriage + decoder.decode(data)
            carriage = "\r" if text.endswith("\r") else ""
            yield text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        yield (carriage + decoder.decode(b"", final=True)).replace("\r", "\n")

    def whole(self, limit: int) -> bytes:
        """Return all octets; raises SourceError when there are more than `limit`."""
        if self.file is None:
            return b""
        self.file.seek(0)
        data = self.file.read(limit + 1)
        if len(data) > limit:
            raise SourceError(
                f"{self.name}: more than {limit // (1024 * 1024)} MiB",
                cure="split the export",
            )
        return data


def _read(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read(CHUNK)
    except (OSError, EOFError, ValueError) as error:
        raise SourceError(f"{name}: cannot be read to its end: {error}") from None


def open_source(
    name: str, standard_input: IO[bytes], fetcher: Fetcher, opened: ExitStack
) -> Source:
    """Open what the operator named; raises ConfigError, SourceError, SourceAwayError.

    `opened` closes it.
    """
    if name == STANDARD_INPUT:
        return _judged(
            Source(name="standard input", file=_spool(standard_input, opened))
        )
    if ADDRESS.match(name):
        return fetch_source(name, fetcher, opened)
    path = Path(name)
    try:
        if path.is_dir():
            return Source(name=name, members=FolderMembers(path))
        if not path.is_file():
            raise ConfigError(f"{name}: no such file")
        return _judged(Source(name=name, file=opened.enter_context(path.open("rb"))))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: {getattr(error, 'strerror', error)}") from None


def fetch_source(url: str, fetcher: Fetcher, opened: ExitStack) -> Source:
    """Fetch an address; raises SourceError or SourceAwayError. `opened` closes it."""
    try:
        fetched = fetcher.get(url, MAX_FEED)
    except NotFetchedError as error:
        raise source_error(url, error) from None
    file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `opened` closes it
    file.write(fetched.data)
    return _judged(Source(name=url, url=fetched.url, file=file))


def _spool(stream: IO[bytes], opened: ExitStack) -> IO[bytes]:
    """Keep a stream in a temporary file: exports are read twice."""
    file = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - `opened` closes it
    size = 0
    while data := stream.read(CHUNK):
        size += len(data)
        if size > MAX_INPUT:
            raise SourceError("standard input: more than 2 GiB")
        file.write(data)
    return file


def _judged(source: Source) -> Source:
    if source.file is not None and source.head().startswith(ZIP):
        source.members = ZipMembers(source.file, source.name)
        source.file = None
    return source

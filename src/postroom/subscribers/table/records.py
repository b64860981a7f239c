"""From bytes to records of cells; what is broken costs its own line and no other.

A quoted cell may span lines, so one quote too many would swallow the rest of the table.
Three rules stop that: a quote only opens at the start of a cell; a closing one is
followed by the delimiter or the line's end; and a line that is a row by itself is not
the continuation of a row. Where they fail, the first line alone is a problem and
reading goes on with the next.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.errors import Problem, TableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DELIMITERS = ",;\t"
MAX_LINE = 65_536
"""Characters of one record: no export writes more about one person."""
MAX_JOINED = 20
"""Lines of one record: a note or a postal address, not a lost quote."""
CHUNK = 1 << 20
"""Octets decoded at once while the encoding is found."""

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LOST = re.compile(r"[\udc80-\udcff]")
"""Octets that are no UTF-8, as the decoder hands them on."""
QUOTED = re.compile(r'"[^"]*"')


def find_encoding(data: bytes) -> str:
    """Return the encoding of a table: UTF-8, UTF-16 with its mark, or CP949.

    Old Korean spreadsheets write CP949 (UHC). It is taken only when the whole file is
    valid CP949 and not valid UTF-8; else the lines that are no UTF-8 are problems.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            if encoding == "utf-16" and not _decodes(data, encoding):
                raise TableError(
                    "the table says it is UTF-16 and is not", cure="save it as UTF-8"
                )
            return encoding
    if not _decodes(data, "utf-8") and _decodes(data, "cp949"):
        return "cp949"
    return "utf-8"


def read_lines(data: bytes) -> Iterator[str]:
    """Yield the physical lines of a table without their ends (LF, CRLF or CR)."""
    text = io.TextIOWrapper(
        io.BytesIO(data), find_encoding(data), errors="surrogateescape"
    )
    return (line.rstrip("\n") for line in text)


def find_delimiter(line: str) -> str:
    """Return the delimiter that a table's first line uses most, outside of quotes."""
    bare = QUOTED.sub("", line)
    return max(DELIMITERS, key=bare.count)


Record = tuple[int, list[str]]
"""The line of the file (from 1) on which a row begins, and its cells."""


@dataclass(slots=True, kw_only=True)
class RecordReader:
    """Splits lines into records. `is_row` tells whether cells look like a whole row."""

    path: str
    lines: Iterator[str]
    delimiter: str
    is_row: Callable[[list[str]], bool]
    line: int = 0
    """The physical line read last."""
    ahead: deque[str] = field(default_factory=deque)
    """Lines looked at already and not used."""

    def records(self) -> Iterator[Record | Problem]:
        """Yield every record, or the problem of the line that is none; skip blank lines."""
        while (text := self._next()) is not None:
            if len(text) > MAX_LINE:
                yield self._problem(
                    f"the line is longer than {MAX_LINE} characters", "split it"
                )
            elif "\0" in text:
                yield self._problem("the line contains a NUL", "save the table as text")
            elif not text.isascii() and LOST.search(text):
                yield self._problem("the line is not UTF-8", "save the table as UTF-8")
            elif '"' in text:
                yield self._quoted(text)
            elif text and not text.isspace():
                yield self.line, text.split(self.delimiter)

    def _next(self) -> str | None:
        text = self.ahead.popleft() if self.ahead else next(self.lines, None)
        self.line += text is not None
        return text

    def _quoted(self, text: str) -> Record | Problem:
        """Read a record with quotes, over several lines if need be."""
        start = self.line
        cells = split_quoted(text, self.delimiter)
        if cells is None and is_open(text, self.delimiter):
            joined = self._join(text)
            if joined is None:
                return self._problem(
                    "a quote is opened and not closed", "close it, or double it"
                )
            cells = split_quoted(joined, self.delimiter)
        if cells is None:
            return self._problem(
                "text follows a closing quote",
                'write a quote inside a quoted cell twice: ""',
                line=start,
            )
        return start, cells

    def _join(self, text: str) -> str | None:
        """Return `text` with the lines up to its closing quote, or None; use them up."""
        began_whole = self.is_row(text.split(self.delimiter))
        for count in range(1, MAX_JOINED):
            line = self._peek(count - 1)
            if line is None:
                return None
            text += "\n" + line
            closes = '"' in line and not is_open(text, self.delimiter)
            # A closing line may look like a row: `end of note",kim@blog.kr`.
            if (began_whole or not closes) and self._is_whole(line):
                return None
            if len(text) > MAX_LINE:
                return None
            if closes:
                if split_quoted(text, self.delimiter) is None:
                    return None
                for _ in range(count):
                    self._next()
                return text
        return None

    def _peek(self, index: int) -> str | None:
        if len(self.ahead) <= index:
            line = next(self.lines, None)
            if line is None:
                return None
            self.ahead.append(line)
        return self.ahead[index]

    def _is_whole(self, line: str) -> bool:
        cells = split_quoted(line, self.delimiter) if '"' in line else None
        return self.is_row(cells or line.split(self.delimiter))

    def _problem(self, message: str, cure: str, *, line: int = 0) -> Problem:
        return Problem(
            path=self.path, line=line or self.line, message=message, cure=cure
        )


def split_quoted(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a whole record (RFC 4180), or None where its quotes are wrong."""
    reader = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        return next(reader)
    except csv.Error:
        return None


def is_open(text: str, delimiter: str) -> bool:
    """Tell whether only a closing quote is missing at the end of `text`."""
    return split_quoted(text, delimiter) is None and (
        split_quoted(text + '"', delimiter) is not None
    )


def _decodes(data: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    try:
        for start in range(0, len(data), CHUNK):
            decoder.decode(view[start : start + CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True

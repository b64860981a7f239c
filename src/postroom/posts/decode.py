"""The bytes of a source become text: UTF-8, LF line ends, no control characters."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import PostError, Problem

if TYPE_CHECKING:
    from postroom.posts.post import Source

MAX_BYTES = 1024 * 1024
"""The longest of 16,000 public posts has 851 kB; a larger file is no post."""

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
"""What XML forbids or discourages, lone surrogates, stray byte order marks; LF and TAB stay."""

BLANK_LINES = re.compile(r"(?:[ \t]*+\n)++")
HANGUL = re.compile("[가-힣]")
NON_ASCII = re.compile(r"[^\x00-\x7f]")

LEGACY_KOREAN = "cp949"
"""Windows' superset of EUC-KR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceText:
    """The text of a source without its leading blank lines."""

    path: str
    text: str
    line: int
    """Line of the file, from 1, on which `text` begins."""


def parse_text(source: Source, encoding: str = "utf-8") -> SourceText:
    """Decode `source`; raises PostError when that is not possible without guessing.

    UTF-8 is tried first, with or without byte order mark, then UTF-16 with one, then
    `encoding` if the site names another: files already saved as UTF-8 stay readable.
    """
    if len(source.data) > MAX_BYTES:
        size = f"{len(source.data) / MAX_BYTES:.1f} MiB"
        raise _error(source, f"the file has {size}, more than 1 MiB", "split the post")
    text = _decode(source, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROLS.sub("", text)
    blank = BLANK_LINES.match(text)
    if blank is None:
        return SourceText(path=source.path, text=text, line=1)
    line = 1 + blank[0].count("\n")
    return SourceText(path=source.path, text=text[blank.end() :], line=line)


def _decode(source: Source, encoding: str) -> str:
    data = source.data
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return _decode_utf16(source)
    if data.count(0) * 4 > len(data):
        what = "not UTF-8; looks like UTF-16 without its byte order mark"
        raise _error(source, what, "save the file as UTF-8")
    start = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
    try:
        return data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        if encoding.lower() not in {"utf-8", "utf8"}:
            return _decode_as_told(source, encoding)
        raise _not_utf8(source, start + error.start) from None


def _decode_utf16(source: Source) -> str:
    try:
        return source.data.decode("utf-16")
    except UnicodeDecodeError as error:
        what = f"begins like UTF-16, but is not: at byte offset {error.start}"
        raise _error(source, what, "save the file as UTF-8") from None


def _decode_as_told(source: Source, encoding: str) -> str:
    try:
        return source.data.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"neither UTF-8 nor {encoding}: at byte offset {error.start}"
    except (LookupError, UnicodeError):
        what = f"not UTF-8, and {encoding!r} of [posts] encoding is no encoding"
    raise _error(source, what, "save the file as UTF-8")


def _not_utf8(source: Source, offset: int) -> PostError:
    """Name the first bad byte, and the likely encoding: a person must confirm it."""
    before = source.data[:offset].decode("utf-8", "ignore")
    before = before.replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    what = f"not UTF-8: byte 0x{source.data[offset]:02X} at offset {offset}"
    cure = "save the file as UTF-8"
    if _looks_korean(source.data, before):
        what += "; looks like CP949/EUC-KR"
        cure += f' or set [posts] encoding = "{LEGACY_KOREAN}" in postroom.toml'
    return _error(source, what, cure, line=line, column=column)


def _looks_korean(data: bytes, valid: str) -> bool:
    """Tell old Korean text from damaged UTF-8, of which a long part is valid."""
    if HANGUL.search(valid):
        return False
    try:
        text = data.decode(LEGACY_KOREAN)
    except UnicodeDecodeError:
        return False
    return len(HANGUL.findall(text)) * 2 > len(NON_ASCII.findall(text))


def _error(
    source: Source, what: str, cure: str, *, line: int = 0, column: int = 0
) -> PostError:
    return PostError(
        Problem(path=source.path, line=line, column=column, message=what, cure=cure)
    )

"""A body part in quoted-printable (RFC 2045 §6.7) whose static text is encoded once.

Every piece of text and every value ends in a soft line break, so each begins at column 0
and the length of no line depends on another piece. Nothing on the way has a reason to
touch a line: none begins with a dot or `From `, and blanks stand alone, inside lines
(so relaxed canonicalisation, RFC 6376 §3.4.4, changes nothing either).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 73
"""Characters of a line before a fragile start grows by 2 and `=` is added: 76 in all."""
END = b"\r\n"
SOFT_BREAK = b"=\r\n"

_NOT_ASCII = bytes(range(128, 256))
_UNSAFE = re.compile(rb"[^ -<>-~\r\n]|\r(?!\n)|(?<!\r)\n")
_ESCAPED = tuple(b"=%02X" % octet for octet in range(256))
# An escape is never cut in two.
_CHUNKS = re.compile(rb".{1,%d}(?<!=)(?<!=.)" % CHUNK)
# Most values are links: one line, nothing to escape, no fragile start.
_PLAIN_VALUE = re.compile(rb"[0-9A-Za-z][0-9A-Za-z._-]{0,%d}" % (CHUNK - 1))


class QuotedPart:
    """Static text and values; `between` has one piece more than `holes`."""

    encoding: ClassVar[str] = "quoted-printable"

    __slots__ = ("_first", "_slots")

    def __init__(self, between: Sequence[bytes], holes: Sequence[int]) -> None:
        """Each piece of `between` is text with CRLF; `holes` are numbers of values."""
        last = len(holes)
        pieces = [
            _encode_between(text, after_value=place > 0, before_value=place < last)
            for place, text in enumerate(between)
        ]
        self._first = pieces[0]
        self._slots = tuple(zip(holes, pieces[1:], strict=True))

    def fill(self, pieces: list[bytes], values: Sequence[bytes]) -> None:
        """Append the encoded part, without the line end that follows it."""
        pieces.append(self._first)
        plain = _PLAIN_VALUE.fullmatch
        for number, text in self._slots:
            value = values[number]
            pieces += value if plain(value) else encode_quoted(value), text

    def static(self) -> Iterator[bytes]:
        """Yield everything that does not depend on values, encoded."""
        yield self._first
        for _, text in self._slots:
            yield text


def smallest_quoted(octets: bytes) -> int:
    """Return a size that `octets` in quoted-printable cannot be below."""
    safe = len(octets.translate(None, delete=_NOT_ASCII))
    return safe + 3 * (len(octets) - safe)


def encode_quoted(octets: bytes) -> bytes:
    """Return `octets`, which are text with CRLF, for lines that begin at column 0."""
    escaped = _UNSAFE.sub(lambda found: _ESCAPED[found[0][0]], octets)
    escaped = escaped.replace(b"  ", b" =20").replace(b" \r\n", b"=20\r\n")
    if escaped.endswith(b" "):
        escaped = escaped[:-1] + b"=20"
    return END.join(map(_wrap, escaped.split(END)))


def _wrap(line: bytes) -> bytes:
    chunks = _CHUNKS.findall(line) if len(line) > CHUNK else [line]
    return SOFT_BREAK.join(map(_protect, chunks))


def _protect(chunk: bytes) -> bytes:
    """A dot would be stuffed (RFC 5321 §4.5.2), `From ` gets a `>` from some stores."""
    if chunk.startswith((b".", b"From ")):
        return _ESCAPED[chunk[0]] + chunk[1:]
    return chunk


def _encode_between(text: bytes, *, after_value: bool, before_value: bool) -> bytes:
    """Return `text` with the soft breaks that keep it apart from its neighbours."""
    if not text:
        return SOFT_BREAK if after_value and before_value else b""
    begin = SOFT_BREAK if after_value and not text.startswith(END) else b""
    end = SOFT_BREAK if before_value and not text.endswith(END) else b""
    return begin + encode_quoted(text) + end

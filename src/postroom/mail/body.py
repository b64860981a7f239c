"""The body of a letter's messages: text and HTML as alternatives (RFC 2046 §5.1.4).

Everything that is the same for all subscribers is encoded once. Korean is smaller in
base64 (a syllable is 4 characters instead of 9), Latin text in quoted-printable; each
part takes what is smaller for it.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from postroom.errors import MessageUnsafeError
from postroom.mail.compiled_base64 import Base64Part
from postroom.mail.compiled_quoted import QuotedPart, smallest_quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LINE = 76
"""Characters of an encoded line, RFC 2045 §6.7 (5) and §6.8."""

_LINE_END = re.compile("\r\n?|\n")


class PartText(NamedTuple):
    """The text of one part: what stands around the holes, and which value each takes."""

    content_type: str
    between: Sequence[str]
    holes: Sequence[int]


class CompiledBody:
    """The parts of a multipart/alternative, the plainest first."""

    __slots__ = ("_boundaries", "_closing", "_parts")

    def __init__(
        self, texts: Iterable[PartText], boundary: str, typical: Sequence[bytes]
    ) -> None:
        """`typical` are values like those that messages will have, of one line each.

        Raises MessageUnsafeError for text that is no Unicode.
        """
        texts = list(texts)
        self._parts = [compile_part(text, typical) for text in texts]
        # The line end before a boundary belongs to it (RFC 2046 §5.1.1).
        between = [b"", *[b"\r\n"] * (len(texts) - 1)]
        self._boundaries = [
            end + _part_header(boundary, text.content_type, part.encoding)
            for end, text, part in zip(between, texts, self._parts, strict=True)
        ]
        self._closing = f"\r\n--{boundary}--\r\n".encode("ascii")
        for piece in self.static():
            check_lines(piece)

    @property
    def begin(self) -> bytes:
        """What comes before the first value, in two of the pieces that `fill` appends."""
        return self._boundaries[0] + next(iter(self._parts[0].static()))

    def fill(self, pieces: list[bytes], values: Sequence[bytes]) -> None:
        """Append the body with `values`; joined, `pieces` end with CRLF."""
        for boundary, part in zip(self._boundaries, self._parts, strict=True):
            pieces.append(boundary)
            part.fill(pieces, values)
        pieces.append(self._closing)

    def static(self) -> Iterator[bytes]:
        """Yield everything that does not depend on values."""
        yield from self._boundaries
        yield from chain.from_iterable(part.static() for part in self._parts)
        yield self._closing


def compile_part(text: PartText, typical: Sequence[bytes]) -> Base64Part | QuotedPart:
    """Return the part in the encoding that makes it smaller with `typical` values."""
    try:
        between = [_LINE_END.sub("\r\n", piece).encode() for piece in text.between]
    except UnicodeEncodeError:
        raise MessageUnsafeError(
            "the letter holds half a character", cure="look for \\ud800 to \\udfff"
        ) from None
    encoded = Base64Part(between, text.holes, len(typical))
    size = _size(encoded, typical)
    if sum(map(smallest_quoted, between)) > size:
        return encoded  # without a trial, which is slow for what needs many escapes
    quoted = QuotedPart(between, text.holes)
    return quoted if _size(quoted, typical) < size else encoded


def check_lines(octets: bytes) -> None:
    """Raise MessageUnsafeError unless nothing on the way has a reason to change them.

    Neither dot-stuffing (RFC 5321 §4.5.2), nor relaxed canonicalisation (RFC 6376
    §3.4.4), nor a hop that takes 7 bits and short lines only, nor a store of mail.
    """
    lines = octets.split(b"\r\n")
    bare = octets.translate(None, delete=b"\r\n")
    if (
        not bare.isascii()
        or len(bare) != sum(map(len, lines))
        or max(map(len, lines)) > LINE
        or b"  " in octets
        or b"\t" in octets
        or any(line.startswith((b".", b"From ")) for line in lines)
        or any(line.endswith(b" ") for line in lines)
    ):
        raise MessageUnsafeError(
            "the letter's body has a line that would not arrive as it is",
            cure="this is a mistake of postroom: please report it with the letter",
        )


def _part_header(boundary: str, content_type: str, encoding: str) -> bytes:
    return (
        f"--{boundary}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n"
        "\r\n"
    ).encode("ascii")


def _size(part: Base64Part | QuotedPart, values: Sequence[bytes]) -> int:
    pieces: list[bytes] = []
    part.fill(pieces, values)
    return sum(map(len, pieces))

"""A body part in base64 (RFC 2045 §6.8) whose static text is encoded once.

Base64 makes four characters of three octets, so how static text encodes depends on how
many octets of the value before it are left over: none, one or two. All three cases are
prepared. A message then encodes its values alone, each with the few octets around it
that complete its groups, on lines of their own; a line may be short, decoders see no
difference.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Joined = tuple[int | bytes, ...]
    """Values by number and the text between them, too short to stand alone."""

LINE_OCTETS = 57
"""They make a line of 76 characters (RFC 2045 §6.8)."""
GROUP = 3
"""Octets that encode together."""


class Phase(NamedTuple):
    """Static text after a value that left over so many octets."""

    head: bytes
    """Its first octets, which complete the value's last group."""
    lines: bytes
    """A line end, and the encoded lines of all whole groups that follow."""
    tail: bytes
    """The last octets, encoded together with the next value."""


class Base64Part:
    """Static text and values; `between` has one piece more than `holes`."""

    encoding: ClassVar[str] = "base64"

    __slots__ = ("_first", "_joins", "_slots", "_tail")

    def __init__(
        self, between: Sequence[bytes], holes: Sequence[int], values: int
    ) -> None:
        """`holes` are numbers of values, of which each message has `values`."""
        kept, self._joins, numbers = _join_neighbours(between, holes, values)
        if not numbers:
            self._first, self._tail = encode_lines(kept[0])[:-2], b""
            self._slots: tuple[tuple[int, tuple[Phase, ...]], ...] = ()
            return
        self._first, self._tail = _encode_groups(kept[0])
        last = len(numbers)
        self._slots = tuple(
            (number, _phases(text, last=place == last))
            for place, (number, text) in enumerate(
                zip(numbers, kept[1:], strict=True), 1
            )
        )

    def fill(self, pieces: list[bytes], values: Sequence[bytes]) -> None:
        """Append the encoded part, without the line end that follows it."""
        pieces.append(self._first)
        left = self._tail
        if self._joins:
            values = [*values, *(_fill_joined(join, values) for join in self._joins)]
        for number, phases in self._slots:
            octets = left + values[number]
            head, lines, left = phases[len(octets) % GROUP]
            octets += head
            if 0 < len(octets) <= LINE_OCTETS:
                pieces += b2a_base64(octets, newline=False), lines
            elif octets:
                pieces += encode_lines(octets)[:-2], lines
            else:
                pieces.append(lines[2:])

    def static(self) -> Iterator[bytes]:
        """Yield everything that does not depend on values, in base64."""
        yield self._first
        yield encode_lines(self._tail)
        for join in self._joins:
            yield from (encode_lines(text) for text in join if isinstance(text, bytes))
        for _, phases in self._slots:
            for head, lines, tail in phases:
                yield from (encode_lines(head), lines, encode_lines(tail))


def encode_lines(octets: bytes) -> bytes:
    """Return `octets` in base64, every line ended by CRLF."""
    return b"".join(
        b2a_base64(octets[start : start + LINE_OCTETS], newline=False) + b"\r\n"
        for start in range(0, len(octets), LINE_OCTETS)
    )


def _join_neighbours(
    between: Sequence[bytes], holes: Sequence[int], values: int
) -> tuple[list[bytes], tuple[Joined, ...], list[int]]:
    """Return the static text that stands alone, joined values, and numbers of values.

    Text between two values that is too short for a head would force padding in the
    middle, where decoders stop: the two become one more value, numbered from `values`.
    """
    kept = list(between[:1])
    runs: list[list[int | bytes]] = []
    for place, hole in enumerate(holes):
        text = between[place]
        if place and len(text) < GROUP - 1:
            runs[-1] += text, hole
            continue
        if place:
            kept.append(text)
        runs.append([hole])
    if holes:
        kept.append(between[-1])
    joins: list[Joined] = []
    numbers = []
    for run in runs:
        if len(run) > 1:
            numbers.append(values + len(joins))
            joins.append(tuple(run))
        else:
            numbers += (hole for hole in run if isinstance(hole, int))
    return kept, tuple(joins), numbers


def _fill_joined(join: Joined, values: Sequence[bytes]) -> bytes:
    return b"".join(
        piece if isinstance(piece, bytes) else values[piece] for piece in join
    )


def _phases(text: bytes, *, last: bool) -> tuple[Phase, ...]:
    """Return `text` after a value that left over none, one or two octets."""
    phases = []
    for left in range(GROUP):
        head, rest = text[: -left % GROUP], text[-left % GROUP :]
        lines, tail = (encode_lines(rest), b"") if last else _encode_groups(rest)
        lines = b"\r\n" + lines
        # The line end that follows the part belongs to the boundary (RFC 2046 §5.1.1).
        phases.append(Phase(head, lines[:-2] if last else lines, tail))
    return tuple(phases)


def _encode_groups(octets: bytes) -> tuple[bytes, bytes]:
    """Return the lines of all whole groups, and the octets that are left."""
    whole = len(octets) - len(octets) % GROUP
    return encode_lines(octets[:whole]), octets[whole:]

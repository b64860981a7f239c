"""The format of a journal: an opening line, then entries, each with its checksums.

An entry is a head of fixed length with a checksum of its own, then the Message-ID and
the reply, whose lengths and checksum are in the head. So a reader tells an entry that
was cut off (its head is sound, the file ends too early) from one that was damaged: a
wrong length cannot pretend that the file ended.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from postroom.mail.outcome import DeliveryState
from postroom.store.instants import from_instant

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from postroom.mail.outcome import Outcome, Reply
    from postroom.store.values import Claim, Result

REPLY_LIMIT = 400
"""Characters of a server's words that are kept: replies may run to many lines."""
CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " ")
"""Control characters and line ends, so that a reply stays one harmless line."""
MESSAGE_ID_LIMIT = 998
"""Octets, as of any header line (RFC 5322 §2.1.1)."""

CODES = {
    DeliveryState.HANDING: 1,
    DeliveryState.ACCEPTED: 2,
    DeliveryState.DEFERRED: 3,
    DeliveryState.FAILED: 4,
    DeliveryState.QUEUED: 5,
    DeliveryState.UNKNOWN: 6,
}
"""What an entry may say: `handing` is an intent, the others are outcomes."""
STATES = {code: state for state, code in CODES.items()}
INTENT = CODES[DeliveryState.HANDING]
SUPPRESS = 1
HEAD = struct.Struct("<BBHHqqqqI")
"""State, flags, octets of Message-ID and reply, edition, subscriber, epoch, retry_at in
Unix milliseconds (0: none), checksum of the texts."""
CHECKSUM = struct.Struct("<I")
SIZE = HEAD.size + CHECKSUM.size

Key = tuple[int, int, int]
"""Edition, subscriber, epoch: one claim."""


class Entry(NamedTuple):
    """An intent (state `handing`) or an outcome, as it was written."""

    edition_id: int
    subscriber_id: int
    epoch: int
    state: DeliveryState
    retry_at: int | None = None
    """Unix milliseconds; with a deferred one."""
    suppress: bool = False
    reply: str = ""
    message_id: str = ""

    @property
    def key(self) -> Key:
        """Whose it is."""
        return self[:3]


class Ending(StrEnum):
    """How a journal ends."""

    WHOLE = "whole"
    """Behind an entry, or behind the opening."""
    TORN = "torn"
    """Within an entry: its write never returned."""
    BLANK = "blank"
    """In zeros: what a power cut leaves where data had not arrived."""
    DAMAGED = "damaged"
    """In something nobody wrote; what came after it is not known."""


class Journaled(NamedTuple):
    """What a journal says."""

    entries: list[Entry]
    """In the order in which they were written."""
    ending: Ending


def reply_text(outcome: Outcome) -> str:
    """The server's words as kept: one line without controls, `REPLY_LIMIT` at most."""
    return _kept(outcome.reply) if outcome.reply else ""


@lru_cache(maxsize=64)  # asked for the journal and for SQLite, and often said again
def _kept(reply: Reply) -> str:
    words = str(reply)
    if not words.isprintable():
        words = words.translate(CONTROLS)
    if "  " in words or len(words) > REPLY_LIMIT:
        words = " ".join(words.split())[:REPLY_LIMIT]
    return words.strip()


def opening(ledger_id: str, run: int) -> bytes:
    """The first line: of which ledger and run it is, so that no other one reads it."""
    return f"postroom journal 1 {ledger_id} {run}\n".encode("utf-8", "replace")


def pack_entries(
    results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
) -> bytes:
    """Outcomes, then intents, as they stand in the file."""
    packed = [
        _pack(
            claim,
            CODES[outcome.state],
            SUPPRESS if outcome.suppress else 0,
            from_instant(retry_at) if retry_at else 0,
            message_id,
            reply_text(outcome),
        )
        for claim, outcome, retry_at, message_id in results
    ]
    for claim, message_id in intents:
        packed.append(_pack(claim, INTENT, 0, 0, message_id, ""))
    return b"".join(packed)


def _pack(
    claim: Claim, code: int, flags: int, retry_at: int, message_id: str, reply: str
) -> bytes:
    id_ = message_id.encode("utf-8", "replace")[:MESSAGE_ID_LIMIT]
    said = reply.encode("utf-8", "replace")
    texts = id_ + said
    head = HEAD.pack(
        code,
        flags,
        len(id_),
        len(said),
        claim[1],  # edition_id, subscriber_id, epoch: names cost twice as much
        claim[2],
        claim[7],
        retry_at,
        crc32(texts),
    )
    return head + CHECKSUM.pack(crc32(head)) + texts


def read_journal(
    path: Path, begins: bytes, wanted: Container[Key] | None = None
) -> Journaled:
    """Every entry (or those of `wanted` claims) up to the first that is not whole.

    A file that does not begin with `begins` is damaged. Raises OSError alone.
    """
    return parse_journal(path.read_bytes(), begins, wanted)


def parse_journal(
    data: bytes, begins: bytes, wanted: Container[Key] | None = None
) -> Journaled:
    """As `read_journal`, of octets."""
    entries: list[Entry] = []
    if not data.startswith(begins):
        return Journaled(entries, Ending.DAMAGED)
    view = memoryview(data)
    at, end = len(begins), len(data)
    while at + SIZE <= end:
        head = view[at : at + HEAD.size]
        if crc32(head) != CHECKSUM.unpack_from(data, at + HEAD.size)[0]:
            break
        (
            code,
            flags,
            id_size,
            reply_size,
            edition,
            subscriber,
            epoch,
            retry_at,
            checked,
        ) = HEAD.unpack(head)
        texts = view[at + SIZE : at + SIZE + id_size + reply_size]
        if len(texts) < id_size + reply_size:
            return Journaled(entries, Ending.TORN)
        if crc32(texts) != checked or code not in STATES:
            return Journaled(entries, Ending.DAMAGED)
        at += SIZE + len(texts)
        if wanted is None or (edition, subscriber, epoch) in wanted:
            state = STATES[code]
            entries.append(
                Entry(
                    edition,
                    subscriber,
                    epoch,
                    state,
                    retry_at if state is DeliveryState.DEFERRED else None,
                    bool(flags & SUPPRESS),
                    str(texts[id_size:], "utf-8", "replace"),
                    str(texts[:id_size], "utf-8", "replace"),
                )
            )
    return Journaled(entries, _ending(data[at:]))


def _ending(rest: bytes) -> Ending:
    """What octets that begin with no sound head are."""
    if not rest:
        return Ending.WHOLE
    if not any(rest):
        return Ending.BLANK
    return Ending.TORN if len(rest) < SIZE else Ending.DAMAGED

"""Replies to outcomes: what a relay's words mean for one delivery (RFC 5321, 3463)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    """A row of the ledger; `TRANSITIONS` says what may follow what."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDING = "handing"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"


TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset(
        {DeliveryState.CLAIMED, DeliveryState.SKIPPED, DeliveryState.EXPIRED}
    ),
    DeliveryState.DEFERRED: frozenset(
        {DeliveryState.CLAIMED, DeliveryState.SKIPPED, DeliveryState.EXPIRED}
    ),
    DeliveryState.CLAIMED: frozenset(
        {
            DeliveryState.QUEUED,
            DeliveryState.HANDING,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.SKIPPED,
        }
    ),
    DeliveryState.HANDING: frozenset(
        {
            DeliveryState.ACCEPTED,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
        }
    ),
    DeliveryState.UNKNOWN: frozenset(
        {DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.FAILED}
    ),
    DeliveryState.ACCEPTED: frozenset(),
    DeliveryState.FAILED: frozenset(),
    DeliveryState.SKIPPED: frozenset(),
    DeliveryState.EXPIRED: frozenset(),
}

OPEN_STATES = frozenset(state for state, following in TRANSITIONS.items() if following)


class Phase(StrEnum):
    """How far a transaction had come when the reply (or the silence) arrived."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An SMTP reply: basic code, enhanced status (`""` when there is none), text."""

    code: int
    status: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt: accepted, deferred, failed, unknown, or queued again.

    `suppress` is true only for replies that say the address does not exist.
    """

    state: DeliveryState
    phase: Phase
    reply: Reply | None
    suppress: bool = False

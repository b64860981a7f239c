"""What a store is told and tells: facts, runs, claims, results, rows of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from postroom.mail.outcome import DeliveryState, Outcome
    from postroom.subscribers.subscriber import Cadence


class UnknownPolicy(StrEnum):
    """What happens to a delivery whose fate is not known (`mail.on_unknown`)."""

    RESEND = "resend"
    """Queued again, once, with the same Message-ID."""
    HOLD = "hold"
    """Stays unknown until someone decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is fixed when a ledger is made, and its counters."""

    authority: str
    """Of every `tag:` URI: `host,YYYY-MM-DD` (RFC 4151 §2.1), never changed later."""
    serial: int
    """Grows with every run, slot, edition, batch of numbers and erasure: a copy made
    before one shows it."""
    counter: int
    """The last publication number given."""
    published_before: bool
    """Whether a publish run has ended on this ledger."""
    ledger_id: str = ""
    """Random, fixed when the ledger is made: tells it from any other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What is fixed for good when a ledger is made."""

    authority: str
    ledger_id: str
    salt: bytes
    """Random; the key of the hashes by which erased addresses are known again."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits for a run: asked first, so that a run with nothing to do is cheap."""

    new_publications: bool
    """Some publication is still `new`."""
    immediate: bool
    """A confirmed subscriber to `immediate` has a mark below the counter."""
    deliveries: bool
    """A delivery is queued or claimed or handing, deferred and due, or unknown and not yet sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who runs: enough to tell whether an earlier run is dead."""

    host: str
    boot_id: str
    pid: int


class Claim(NamedTuple):
    """A delivery taken for one attempt; the fence is its `epoch`, one more per claim.

    A tuple, because a run makes one for every message.
    """

    edition: str
    edition_id: int
    subscriber_id: int
    variant: int
    email: str
    name: str
    attempts: int
    """Verdicts so far that were about this recipient."""
    epoch: int
    dated: datetime
    """When the edition was frozen, or its slot where that is later: the letter's date."""


class Claimed(NamedTuple):
    """What one claim took, and what it passed over on the way."""

    claims: list[Claim]
    passed_over: Mapping[DeliveryState, int]
    """How many were skipped or expired instead."""


class Result(NamedTuple):
    """The outcome of a claim; `retry_at` only with a deferred one."""

    claim: Claim
    outcome: Outcome
    retry_at: datetime | None = None
    message_id: str = ""
    """Of the message that was, or may have been, handed over."""


class Durability(StrEnum):
    """What intents and outcomes survive from the moment they are on record."""

    PROCESS = "process"
    """The end of this process, however sudden: they are with the operating system."""
    POWER = "power"
    """A power cut as well: no dot leaves before its intent is on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the ledger, for people and `--json`.

    `reply` is the server's words, or why it was skipped; `updated_at` is by the
    database's clock. `email` is as frozen, and empty once the person was erased.
    """

    edition: str
    email: str
    state: DeliveryState
    attempts: int
    message_id: str
    reply: str
    retry_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A frozen edition. `posts` are publication numbers, newest first."""

    key: str
    cadence: Cadence
    slot: datetime
    frozen_at: datetime
    posts: tuple[int, ...]
    audience: int
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HubState:
    """How it stands with the WebSub hub; empty where there is none."""

    mark: str
    """Of the build whose feeds were recorded last."""
    due: bool
    """A ping is to be sent, and the hub does not rest."""
    failures: int
    """How often in a row the hub itself failed."""


class FeedFile(NamedTuple):
    """What a feed's file was in one build."""

    stamp: str
    """Its time and size: while they stay, so do the bytes."""
    digest: str
    """SHA-256 of its bytes, in hexadecimal digits."""


class Ping(NamedTuple):
    """A feed that the hub is to be told of."""

    path: str
    """Of the file, in the output folder."""
    digest: str
    """As in `FeedFile`, when it became due."""
    attempts: int
    """In vain so far, as the hub did not know what to do with this feed."""
    since: datetime
    """When its first change that the hub does not know was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """How many subscribers a table or command added, changed, or left as they were."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    suppressed: tuple[str, ...] = ()
    """Addresses not touched because they were erased or suppressed."""

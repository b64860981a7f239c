"""A subscriber: consent, rhythm, topics, language, and the mark of what was offered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Cadence(StrEnum):
    """How often a subscriber wants letters."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Consent(StrEnum):
    """Whether we may mail; `suppressed` means that *we* stopped."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"


CONSENT_CHANGES: dict[Consent, frozenset[Consent]] = {
    Consent.PENDING: frozenset(
        {Consent.CONFIRMED, Consent.UNSUBSCRIBED, Consent.SUPPRESSED}
    ),
    Consent.CONFIRMED: frozenset({Consent.UNSUBSCRIBED, Consent.SUPPRESSED}),
    Consent.UNSUBSCRIBED: frozenset({Consent.CONFIRMED, Consent.SUPPRESSED}),
    Consent.SUPPRESSED: frozenset({Consent.CONFIRMED, Consent.UNSUBSCRIBED}),
}
"""Which consent may follow which; suppressed → confirmed only by the operator's hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One reader of letters. `key` is the address folded for comparison (`address.py`).

    `mark` is the highest publication number already put into the ledger (or passed
    over for good) for this subscriber; empty `topics` means all; empty `language`
    means the site's.
    """

    id: int
    email: str
    key: str
    name: str = ""
    consent: Consent = Consent.PENDING
    cadence: Cadence = Cadence.WEEKLY
    topics: tuple[str, ...] = ()
    language: str = ""
    mark: int = 0
    added_at: datetime
    consent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberChange:
    """What an `add`, `set` or table row says of one address; None leaves it as it is."""

    email: str
    key: str
    name: str | None = None
    consent: Consent | None = None
    cadence: Cadence | None = None
    topics: tuple[str, ...] | None = None
    language: str | None = None

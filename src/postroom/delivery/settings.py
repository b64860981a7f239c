"""What a delivery run is told, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from postroom.store.values import Durability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from postroom.errors import PostroomError
    from postroom.mail.message import Message
    from postroom.mail.outcome import DeliveryState
    from postroom.store.values import Claim

    Progress = Callable[[int, int], None]
    """Called with (decided so far, in all)."""

LEASE_SECONDS = 1800
"""How long a claim is ours: a batch's wait, a slow transaction and its verdict."""
VERDICT_RESERVE = 660.0
"""Of the lease; no dot leaves later, for a verdict may take 600 s (RFC 5321 §4.5.3.2.6)."""
BACK_OFF = (0.0, 0.5, 1.0, 2.0)
"""Seconds before each new connection of a lane that gets nowhere; then it gives up."""
GRACE_SECONDS = 30.0
"""How long a stopped run waits for verdicts under way."""


class Draft(Protocol):
    """A message without its signatures (`mail.message`)."""

    def sign(self) -> Message:
        """Make them, which takes long and may be done in any thread."""
        ...


class Compose(Protocol):
    """Makes a claim's message; called by the event loop's thread."""

    def __call__(self, claim: Claim) -> Message | Draft:
        """What it raises fails that one delivery."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """What a run is told; `clock` may be simulated, leases go by the real one."""

    run: int
    """As the store's `begin_run` gave it."""
    clock: Callable[[], datetime]
    random: Callable[[], float]
    """0 to 1, for the random part of retries."""
    max_retry: timedelta
    """Editions frozen longer ago than this expire."""
    durability: Durability = Durability.PROCESS
    domain_rate: float = 0.0
    """Messages a second to any one recipient domain; 0 is no limit."""
    domain_rates: Mapping[str, float] = field(default_factory=dict)
    """The same for the domains it names."""
    lease: int = LEASE_SECONDS
    """Seconds; more than `VERDICT_RESERVE`."""
    grace: float = GRACE_SECONDS
    back_off: tuple[float, ...] = BACK_OFF

    def __post_init__(self) -> None:
        if self.lease <= VERDICT_RESERVE:
            raise ValueError(f"a lease must be longer than {VERDICT_RESERVE:g} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a run decided. Conservation is the store's to check (`unbalanced`)."""

    counts: Mapping[DeliveryState, int]
    """Deliveries by the state this run put them into, `queued` left out."""
    failures: tuple[tuple[str, str], ...] = ()
    """(address, reply) of the first failed ones."""
    fault: PostroomError | None = None
    """Why the run ended before its work did; the rest is queued still."""
    troubles: tuple[PostroomError, ...] = ()
    """Relays that were no use while others did their work."""
    stopped: bool = False
    """Whether a signal ended it."""

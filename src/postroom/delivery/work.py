"""A claim on its way to a verdict, as the parts of a run hand it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroom.mail.message import Message
    from postroom.store.values import Claim


class Work:
    """One delivery of this run; compared by identity."""

    __slots__ = (
        "breaks",
        "claim",
        "claimed_at",
        "composed",
        "message",
        "obstacle",
        "settled",
    )

    message: Message
    """Set once `composed` is true and `obstacle` is empty."""

    def __init__(self, claim: Claim, claimed_at: float) -> None:
        self.claim = claim
        self.claimed_at = claimed_at
        """By the monotonic clock, before the store was asked."""
        self.composed = False
        self.obstacle = ""
        """Why there is no message, and never will be."""
        self.breaks = 0
        """How often the relay broke off over this recipient."""
        self.settled = False

    @property
    def domain(self) -> str:
        """Where it goes."""
        return self.claim.email.rpartition("@")[2].lower()

    def put(self, message: Message) -> None:
        """This is what will be handed over."""
        self.message = message
        self.composed = True

    def refuse(self, error: Exception) -> None:
        """No message can be made."""
        self.obstacle = str(error) or type(error).__name__
        self.composed = True

    @property
    def message_id(self) -> str:
        """Of its message; "" while there is none."""
        return self.message.message_id if self.composed and not self.obstacle else ""

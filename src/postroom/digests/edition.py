"""An edition as values: what one cadence sends for one slot, to whom, in which variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.subscribers.subscriber import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A numbered post as planning sees it."""

    number: int
    path: str
    tags: tuple[str, ...]
    published: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceGroup:
    """Confirmed subscribers of one cadence who share language, topics and mark."""

    language: str
    topics: tuple[str, ...]
    mark: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlan:
    """One rendering: the posts (numbers, newest first) and the groups that share it."""

    number: int
    """From 1 within the edition."""
    language: str
    posts: tuple[int, ...]
    groups: tuple[AudienceGroup, ...]

    @property
    def audience(self) -> int:
        """How many subscribers receive this variant."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPlan:
    """What would go out for one slot; frozen by the store in one transaction."""

    key: str
    """Unique and permanent: `weekly-20261123T0800`, `immediate-12-20261123T1731`."""
    cadence: Cadence
    slot: datetime
    mark: int
    """The highest number offered: every considered subscriber's new mark."""
    variants: tuple[VariantPlan, ...]

    @property
    def audience(self) -> int:
        """How many subscribers receive this edition."""
        return sum(variant.audience for variant in self.variants)

    @property
    def posts(self) -> tuple[int, ...]:
        """Every number in any variant, newest first."""
        return tuple(
            sorted(
                {n for variant in self.variants for n in variant.posts}, reverse=True
            )
        )

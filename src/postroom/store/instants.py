"""Instants as the store writes them: Unix milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=1024)
def to_instant(milliseconds: int) -> datetime:
    """Unix milliseconds → an aware instant in UTC; many rows share one."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def from_instant(instant: datetime) -> int:
    """An aware instant → Unix milliseconds, what is finer cut off."""
    return (instant - EPOCH) // MILLISECOND

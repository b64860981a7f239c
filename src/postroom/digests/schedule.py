"""When a cadence is due: cron expressions in the site's zone, missed slots merged.

Every slot is returned in UTC: two times of one zone compare by the wall clock, which
is wrong in the hour that a change of the clocks repeats. An expression with a fixed
minute and hour behaves like Debian's cron: a slot in the skipped hour moves to its
end, one in the repeated hour comes once. `*` in minute or hour follows real time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""The names of crontab(5); `@reboot` is no time."""

FIELDS = 5
"""Minute, hour, day of month, month, day of week; seconds would be slots we cannot name."""

MAX_COMING = 1000
"""Slots listed at most: about three years of a daily one."""

AN_ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
"""Any fixed time does to ask whether an expression ever comes true."""


def check_cron(expression: str) -> None:
    """Raise ValueError, in words for the operator, unless `expression` can come due."""
    text = _five_fields(expression)
    if next(_iterate(text, AN_ANCHOR), None) is None:
        raise ValueError(f'"{expression}" never comes: no such day exists')


def due_slot(
    expression: str, zone: tzinfo, last: datetime, now: datetime
) -> datetime | None:
    """Return the newest slot with `last` < slot ≤ `now` in UTC, or None.

    Slots missed in between merge into it. Searched backward from `now`, so ten years
    of absence cost no more than a day; a clock set back behind `last` finds nothing.
    """
    for slot in _iterate(_five_fields(expression), _wall_end(now, zone), reverse=True):
        if slot <= last:
            return None
        if slot <= now:
            return slot
    return None


def coming_slots(
    expression: str,
    zone: tzinfo,
    after: datetime,
    *,
    until: datetime | None = None,
    count: int = MAX_COMING,
) -> list[datetime]:
    """Return the slots with `after` < slot ≤ `until` in UTC, the first `count` of them."""
    slots: list[datetime] = []
    latest = after
    for slot in _iterate(_five_fields(expression), after.astimezone(zone)):
        if len(slots) >= min(count, MAX_COMING) or (until is not None and slot > until):
            break
        if slot > latest:  # the skipped hour can yield its end twice
            slots.append(slot)
            latest = slot
    return slots


def _five_fields(expression: str) -> str:
    text = ALIASES.get(expression.strip().lower(), expression)
    if text.strip().startswith("@"):
        known = ", ".join(ALIASES)
        raise ValueError(f'"{expression}" is not one of {known}')
    if len(text.split()) != FIELDS:
        raise ValueError(
            f'"{expression}" must have five fields: minute, hour, day of month, month, '
            'day of week, such as "0 8 * * 1"'
        )
    return text


def _iterate(
    expression: str, start: datetime, *, reverse: bool = False
) -> Iterator[datetime]:
    """Slots after (before, in reverse) `start`, in UTC; empty when there are none."""
    from cronsim import (  # noqa: PLC0415  a run with letters switched off skips it
        CronSim,
        CronSimError,
    )

    try:
        slots = CronSim(expression, start, reverse=reverse)
    except CronSimError as error:
        what = str(error).removeprefix("Bad ")
        raise ValueError(f'"{expression}": the {what} is not valid') from None
    return (slot.astimezone(UTC) for slot in slots)


def _wall_end(now: datetime, zone: tzinfo) -> datetime:
    """A local time from which a search backward meets every slot up to `now`.

    In the second pass of a repeated hour, slots of the first pass that the wall clock
    has yet to reach again are in the past already.
    """
    local = now.astimezone(zone)
    passed = local.replace(fold=0).utcoffset()
    offset = local.utcoffset()
    if local.fold and passed is not None and offset is not None:
        local += passed - offset
    return local + timedelta(seconds=1)

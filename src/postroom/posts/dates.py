"""Dates as authors write them, in front matter and in file names; nothing is guessed.

A date without zone is in the site's zone, never the server's, and a date alone is its
midnight there. Never now, never the file's time.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

FIRST_YEAR = 1000
"""Earlier years are misread numbers, and lose their zeros in many formats."""

DATE = re.compile(
    r"""
    (?P<year>\d{4}) \s* (?:[-/.]|년) \s*
    (?P<month>\d{1,2}) \s* (?:[-/.]|월) \s*
    (?P<day>\d{1,2}) \s* (?:\.|일)?
    (?:
        (?: \s*[Tt]\s* | \s+ )
        (?P<hour>\d{1,2}) : (?P<minute>\d{2})
        (?: : (?P<second>\d{2}) (?: [.,] (?P<fraction>\d{1,9}) )? )?
        (?: \s* (?P<zone> [Zz] | UTC | GMT
            | (?P<sign>[+-]) (?P<hours>\d{1,2}) (?: :? (?P<minutes>[0-5]\d) )? ) )?
    )?
    """,
    re.VERBOSE | re.ASCII,
)
HOW = "write it as 2026-01-31 or 2026-01-31 09:00 +0900"

IN_NAME = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:[-_ ]+(?P<rest>.*))?",
    re.ASCII | re.DOTALL,
)
IN_FOLDERS = re.compile(
    r"(?:^|/)(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})(?:/|$)", re.ASCII
)


def parse_date(text: str, zone: tzinfo) -> datetime:
    """Return the instant `text` names, as an aware datetime in `zone`, the site's.

    Accepts `2026-1-2`, `/` and `.` as separators, `2026. 1. 2.`, `2026년 1월 2일`,
    then `T` or blanks with hours and minutes, seconds, a fraction, then `Z`, `+09:00`,
    `+0900`, `+9`. Raises ValueError with what is wrong.
    """
    found = DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a date that can be read")
    fraction = (found["fraction"] or "").ljust(6, "0")[:6]
    moment = datetime(
        int(found["year"]),
        int(found["month"]),
        int(found["day"]),
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int(fraction),
        tzinfo=_zone(found) if found["zone"] else zone,
    )
    if moment.year < FIRST_YEAR:
        raise ValueError(f"the year must be {FIRST_YEAR} or later")
    return _in_zone(moment, zone)


def _zone(found: re.Match[str]) -> tzinfo:
    if not found["sign"]:
        return UTC
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(offset if found["sign"] == "+" else -offset)


def _in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """Convert to the site's zone; feeds convert to UTC, so that must be possible too."""
    try:
        moment.astimezone(UTC)
        return moment.astimezone(zone)
    except OverflowError:
        raise ValueError("beyond the year 9999") from None


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the beginning of `day` in the site's zone."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def parse_day(found: re.Match[str] | None) -> date | None:
    """Return the day a match of IN_NAME or IN_FOLDERS names, None when there is none."""
    if found is None or int(found["year"]) < FIRST_YEAR:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


def day_in_address(address: str) -> date | None:
    """Return the day of a path such as `2026/01/31/slug`, as Jekyll and Zola use it."""
    return parse_day(IN_FOLDERS.search(address))

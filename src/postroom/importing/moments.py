"""Dates of foreign files: RFC 822, RFC 3339, WordPress's pairs of local and UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from postroom.posts.dates import FIRST_YEAR, parse_date

OFFSETS = timedelta(hours=14)
QUARTER = 900
"""Seconds: offsets of time zones are whole quarters of an hour."""
MIDNIGHT = re.compile(r"\b24:00(?::00)?\b")
ZONES = {
    "KST": "+0900", "JST": "+0900", "CET": "+0100", "CEST": "+0200", "WET": "+0000",
    "WEST": "+0100", "EET": "+0200", "EEST": "+0300", "MSK": "+0300", "HKT": "+0800",
    "SGT": "+0800", "AEST": "+1000", "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300",
    "BST": "+0100",
}  # fmt: skip
"""Names that feeds use and RFC 822 does not have; those with two meanings are left out."""
NAMED = re.compile(r"\b[A-Z]{3,4}$")
MAX_TEXT = 60


def parse_moment(text: str) -> datetime | None:
    """Return the instant `text` names, naive when it names no offset; None for none."""
    text = " ".join(text.split())
    if not text or len(text) > MAX_TEXT or _says_none(text):
        return None
    return _parse_iso(text) or _parse_822(text)


def _says_none(text: str) -> bool:
    return text.startswith(("0000", "-0001")) or " -0001 " in text


def _parse_iso(text: str) -> datetime | None:
    """RFC 3339 and what is near it; a marked zone tells naive from aware."""
    if not text[:4].isdigit():
        return None
    try:
        moment = parse_date(text, UTC)
        other = parse_date(text, timezone(timedelta(hours=1)))
    except (ValueError, OverflowError):
        return None
    if moment != other:
        return moment.replace(tzinfo=None)  # the zone was ours, not the text's
    return _as_written(text, moment)


def _as_written(text: str, moment: datetime) -> datetime:
    """Give an aware moment the offset it was written with."""
    found = re.search(r"([+-])(\d{1,2}):?(\d{2})?$", text)
    if found is None:
        return moment
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    try:
        return moment.astimezone(timezone(-offset if found[1] == "-" else offset))
    except (ValueError, OverflowError):
        return moment


def _offset_of(found: re.Match[str]) -> str:
    return ZONES.get(found[0], found[0])


def _parse_822(text: str) -> datetime | None:
    """RFC 822 with names or numbers as zone; `-0000` and none at all are UTC."""
    try:
        parts = parsedate_tz(NAMED.sub(_offset_of, MIDNIGHT.sub("00:00:00", text)))
        if parts is None or parts[0] < FIRST_YEAR:
            return None
        zone = timezone(timedelta(seconds=parts[9] or 0)) if parts[9] else UTC
        moment = datetime(*parts[:6], tzinfo=zone)
        moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment


def local_moment(local: str, utc: str) -> datetime | None:
    """Return WordPress's local date with the offset that its UTC date tells.

    Drafts have `0000-00-00` as one or both: then the other counts, or there is none.
    """
    here, there = parse_moment(local), parse_moment(utc)
    if here is None:
        return there.replace(tzinfo=UTC) if there else None
    if there is None or here.tzinfo is not None:
        return here
    offset = here - there.replace(tzinfo=None)
    seconds = round(offset.total_seconds() / QUARTER) * QUARTER
    if abs(seconds) > OFFSETS.total_seconds():
        return there.replace(tzinfo=UTC)
    zone = timezone(timedelta(seconds=seconds))
    try:
        return there.replace(tzinfo=UTC).astimezone(zone)
    except OverflowError:
        return None


def parse_stamp(value: object) -> datetime | None:
    """Return a date of JSON: text, or milliseconds since 1970 (old Ghost exports)."""
    if isinstance(value, str):
        return parse_moment(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return None

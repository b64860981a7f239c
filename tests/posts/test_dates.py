"""Dates as authors write them; the site's zone where none is written, never a guess."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.dates import day_in_address, midnight, parse_date

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-02 09:00",
        "2024-1-2 9:00",
        "2024/01/02 09:00:00",
        "2024.01.02 09:00",
        "2024. 1. 2. 09:00",
        "2024년 1월 2일 09:00",
        "2024-01-02T09:00:00.000",
        "2024-01-02T00:00:00Z",
        "2024-01-02t00:00:00z",
        "2024-01-02 00:00 UTC",
        "2024-01-02 09:00:00 +0900",
        "2024-01-02 09:00:00 +09:00",
        "2024-01-02T09:00:00+9",
        "2024-01-01 20:00:00 -4",
        "2024-01-01 18:30:00 -0530",
        "  2024-01-02   09:00  ",
    ],
)
def test_every_spelling_names_the_same_instant(text: str) -> None:
    """Nine in the morning in Seoul."""
    moment = parse_date(text, SEOUL)
    assert moment == datetime(2024, 1, 2, tzinfo=UTC)
    assert moment.tzinfo is SEOUL


@pytest.mark.parametrize(
    "text", ["2024-01-02", "2024. 1. 2.", "2024. 1. 2", "2024년 1월 2일", "2024/1/2"]
)
def test_a_day_is_its_midnight_in_the_zone_of_the_site(text: str) -> None:
    """A Korean day begins at 15:00 UTC of the day before, and shows as itself."""
    moment = parse_date(text, SEOUL)
    assert moment == midnight(date(2024, 1, 2), SEOUL)
    assert moment.astimezone(UTC) == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert moment.date() == date(2024, 1, 2)
    assert parse_date(text, UTC) == datetime(2024, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30",
        "2026-13-45",
        "2017-09-24 16:21:61",
        "2024-01-02 24:00",
        "2024-01-02 00:10::00",
        "2023-01-29 18:30:22 2023 -0800",
        "Fri Sep  3 11:21:31 CEST 2021",
        "2024-01-02 09:00 +09:75",
        "2024-01-02 09:00 +99",
        "2024-01-02 09:00 KST",
        "2024-01",
        "2024",
        "0000-01-01",
        "0123-01-01",
        "9999-12-31 23:59 -0800",
        "yesterday",
        "１２３４-01-02",
        "",
    ],
)
def test_other_texts_are_refused_with_a_reason(text: str) -> None:
    """Nothing is clamped and nothing is guessed."""
    with pytest.raises(ValueError, match=r"\w+ "):
        parse_date(text, SEOUL)


def test_the_end_of_time_can_be_written() -> None:
    """`9999-12-31` is how many write `never`."""
    assert parse_date("9999-12-31", SEOUL).year == 9999


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - the offset follows
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_8601_is_read_back(moment: datetime, minutes: int) -> None:
    """Whatever instant and offset `isoformat` writes."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(aware.isoformat(), SEOUL) == aware


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    """Nothing else is raised, and a date is always aware."""
    try:
        moment = parse_date(text, SEOUL)
    except ValueError:
        return
    assert moment.utcoffset() is not None


@pytest.mark.parametrize(
    ("address", "day"),
    [
        ("2024/01/02/slug", date(2024, 1, 2)),
        ("inside/2024/1/2/slug", date(2024, 1, 2)),
        ("2024/13/02/slug", None),
        ("2024/01/slug", None),
        ("12024/01/02/slug", None),
        ("", None),
    ],
)
def test_folders_name_a_day(address: str, day: date | None) -> None:
    """Year, month and day as three folders, real days only."""
    assert day_in_address(address) == day

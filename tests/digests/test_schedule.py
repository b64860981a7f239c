"""A cadence is due once per slot, whatever the clock, the zone and the gaps between runs."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from postroom.digests.schedule import (
    ALIASES,
    MAX_COMING,
    check_cron,
    coming_slots,
    due_slot,
)

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
SYDNEY = ZoneInfo("Australia/Sydney")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SANTIAGO = ZoneInfo("America/Santiago")
ZONES = [SEOUL, BERLIN, NEW_YORK, SYDNEY, LORD_HOWE, SANTIAGO, ZoneInfo("UTC"), UTC]
CRONS = [
    "0 8 * * *",
    "0 8 * * 1",
    "0 8 1 * *",
    "30 2 * * *",
    "30 1 * * *",
    "0 0 * * *",
    "0,30 2 * * *",
    "15 */6 * * *",
    "*/20 * * * *",
    "@weekly",
    "0 9 29 2 *",
    "0 9 L * *",
]
CHANGES = [
    datetime.fromisoformat(f"2026-{text}:00+00:00")
    for text in (
        *("03-29 01:00", "10-25 01:00"),  # Berlin
        *("03-08 07:00", "11-01 06:00"),  # New York
        *("04-04 16:00", "10-03 16:00"),  # Sydney
        *("04-04 15:00", "10-03 15:30"),  # Lord Howe
        *("04-05 03:00", "09-06 04:00"),  # Santiago
    )
]
"""When the clocks of these zones change."""
TIMES = st.integers(0, 10 * 366 * 24 * 60 * 60).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
) | st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-300, 300),
)
STEPS = st.integers(0, 60 * 24 * 40) | st.integers(0, 400)


def at(text: str, zone: ZoneInfo = SEOUL, *, fold: int = 0) -> datetime:
    """Read a wall time such as `2026-11-23 08:00` in a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def wall(slot: datetime | None, zone: ZoneInfo = SEOUL) -> str:
    """Show a slot as the wall clock of a zone does."""
    return f"{slot.astimezone(zone):%Y-%m-%d %H:%M %z}" if slot else "none"


@pytest.mark.parametrize(
    "expression",
    [
        *CRONS,
        *(alias for alias in ALIASES if alias != "@weekly"),
        "0 8 * * MON-FRI",
        "0 8 * * 1#1",
    ],
)
def test_usual_expressions_pass(expression: str) -> None:
    """Five fields, names, lists, steps, the last day, and the aliases are taken."""
    check_cron(expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "five fields"),
        ("8 o'clock", "five fields"),
        ("0 0 8 * * *", "five fields"),
        ("61 8 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 8 32 * *", "day-of-month"),
        ("0 8 * 13 *", "month"),
        ("0 8 * * 9", "day-of-week"),
        ("0 8 * * MOON", "day-of-week"),
        ("0 8 30 2 *", "day-of-month"),
        ("@reboot", "@daily"),
        ("@fortnightly", "@weekly"),
    ],
)
def test_others_are_refused_in_words(expression: str, words: str) -> None:
    """The error repeats the expression and names the field that is wrong."""
    with pytest.raises(ValueError, match=words) as caught:
        check_cron(expression)
    assert f'"{expression}"' in str(caught.value)


@given(st.text("0123456789*/,-#L W@", max_size=20) | st.text(max_size=20))
def test_no_expression_raises_anything_else(expression: str) -> None:
    """Whatever stands in the configuration is a ValueError or a schedule."""
    try:
        check_cron(expression)
    except ValueError:
        return
    assert coming_slots(expression, SEOUL, at("2026-01-01 00:00"), count=1)


def test_a_slot_is_due_once() -> None:
    """Before 08:00 nothing is due, from 08:00 on that slot, and not again after it."""
    monday = at("2026-11-23 08:00")
    week_before = monday - timedelta(days=7)
    cron = "0 8 * * 1"
    assert due_slot(cron, SEOUL, week_before, at("2026-11-23 07:59")) is None
    assert due_slot(cron, SEOUL, week_before, monday) == monday
    assert due_slot(cron, SEOUL, week_before, at("2026-11-29 23:59")) == monday
    assert due_slot(cron, SEOUL, monday, at("2026-11-29 23:59")) is None


def test_missed_slots_are_one() -> None:
    """Three weeks of absence make one edition, for the newest slot."""
    due = due_slot("0 8 * * 1", SEOUL, at("2026-11-02 08:00"), at("2026-11-25 12:00"))
    assert wall(due) == "2026-11-23 08:00 +0900"


def test_a_clock_set_back_finds_nothing() -> None:
    """Now before the last slot: no new edition."""
    last = at("2026-11-23 08:00")
    assert due_slot("0 8 * * *", SEOUL, last, last - timedelta(days=400)) is None
    assert due_slot("* * * * *", SEOUL, last, last) is None


@pytest.mark.parametrize("expression", ["* * * * *", "0 8 * * *", "0 9 29 2 *"])
def test_ten_years_of_absence_cost_nothing(expression: str) -> None:
    """The search goes back from now, so it does not walk through what was missed."""
    started = time.process_time()
    due = due_slot(expression, BERLIN, at("2016-01-01 00:00"), at("2026-03-01 00:00"))
    assert due is not None
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    ("zone", "expression", "day", "slot"),
    [
        # The clock jumps from 02:00 to 03:00: what the hour held comes at its end.
        (BERLIN, "30 2 * * *", "2026-03-29", "2026-03-29 03:00 +0200"),
        (NEW_YORK, "30 2 * * *", "2026-03-08", "2026-03-08 03:00 -0400"),
        (SYDNEY, "30 2 * * *", "2026-10-04", "2026-10-04 03:00 +1100"),
        # Half an hour on Lord Howe Island; midnight itself in Chile.
        (LORD_HOWE, "15 2 * * *", "2026-10-04", "2026-10-04 02:30 +1100"),
        (SANTIAGO, "0 0 * * *", "2026-09-06", "2026-09-06 01:00 -0300"),
        # The clock goes back over the hour: it comes in the first pass.
        (BERLIN, "30 2 * * *", "2026-10-25", "2026-10-25 02:30 +0200"),
        (NEW_YORK, "30 1 * * *", "2026-11-01", "2026-11-01 01:30 -0400"),
        (SYDNEY, "30 2 * * *", "2026-04-05", "2026-04-05 02:30 +1100"),
        (LORD_HOWE, "45 1 * * *", "2026-04-05", "2026-04-05 01:45 +1100"),
    ],
)
def test_changes_of_the_clock(
    zone: ZoneInfo, expression: str, day: str, slot: str
) -> None:
    """Each day has its slot exactly once, also where an hour is missing or comes twice."""
    before = at(f"{day} 12:00", zone) - timedelta(days=2)
    slots = coming_slots(expression, zone, before, count=3)
    (today,) = [found for found in slots if wall(found, zone).startswith(day)]
    assert wall(today, zone) == slot
    noon = at(f"{day} 12:00", zone)
    assert due_slot(expression, zone, before, noon) == today
    assert due_slot(expression, zone, today, noon) is None


def test_a_slot_is_past_in_the_repeated_hour() -> None:
    """At 02:10 for the second time, the slot of 02:30 has been, and is due."""
    cron, last = "30 2 * * *", at("2026-10-24 02:30", BERLIN)
    first = at("2026-10-25 02:10", BERLIN)
    second = at("2026-10-25 02:10", BERLIN, fold=1)
    assert due_slot(cron, BERLIN, last, first) is None
    due = due_slot(cron, BERLIN, last, second)
    assert wall(due, BERLIN) == "2026-10-25 02:30 +0200"
    assert coming_slots(cron, BERLIN, second, count=1) == [
        at("2026-10-26 02:30", BERLIN)
    ]


def test_seoul_has_no_change_of_clocks() -> None:
    """A year of days at 08:00 in Seoul are 365 slots, each 24 hours after the other."""
    slots = coming_slots(
        "0 8 * * *", SEOUL, at("2026-01-01 00:00"), until=at("2027-01-01 00:00")
    )
    assert len(slots) == 365
    assert {b - a for a, b in pairwise(slots)} == {timedelta(days=1)}


def test_coming_slots_are_bounded() -> None:
    """Neither a far end nor a large count lists without end; nothing may come at all."""
    start = at("2026-01-01 00:00")
    far = start + timedelta(days=36500)
    assert len(coming_slots("* * * * *", SEOUL, start, until=far)) == MAX_COMING
    assert len(coming_slots("* * * * *", SEOUL, start, count=10**9)) == MAX_COMING
    assert coming_slots("0 8 1 * *", SEOUL, start, until=at("2026-01-01 07:00")) == []
    assert coming_slots("0 8 * * *", SEOUL, start, count=0) == []


@given(st.sampled_from(CRONS), st.sampled_from(ZONES), TIMES, STEPS)
def test_looking_back_agrees_with_looking_forward(
    expression: str, zone: ZoneInfo, last: datetime, minutes: int
) -> None:
    """The due slot is the last of those that were coming, at any time in any zone."""
    # cronsim steps by whole hours when it looks forward: a change by half an hour can
    # hide one slot of a stepped hour from the listing. What is due is found all the same.
    assume(zone is not LORD_HOWE or "/" not in expression)
    now = last + timedelta(minutes=minutes)
    coming = coming_slots(expression, zone, last, until=now)
    due = due_slot(expression, zone, last, now)
    if len(coming) < MAX_COMING:
        assert due == (coming[-1] if coming else None)
    assert due is None or (last < due <= now and due.tzinfo is UTC)


@given(st.sampled_from(CRONS), st.sampled_from(ZONES), TIMES, st.data())
def test_each_slot_is_dealt_with_once_or_merged(
    expression: str, zone: ZoneInfo, start: datetime, data: st.DataObject
) -> None:
    """Runs at any times never meet a slot twice, and the last run leaves none behind."""
    steps = data.draw(st.lists(STEPS, min_size=1, max_size=12))
    last, now, met = start, start, []
    for step in steps:
        now += timedelta(minutes=step)
        due = due_slot(expression, zone, last, now)
        if due is not None:
            met.append(due)
            last = due
    assert met == sorted(set(met))
    assert not coming_slots(expression, zone, last, until=now)


def test_the_library_loads_only_when_asked() -> None:
    """Reading the module costs nothing: cronsim comes with the first question."""
    script = "import sys; import postroom.digests.schedule; sys.exit('cronsim' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

"""Letters speak the reader's language, and name dates and issues as it does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from postroom.mail.words import (
    WORDS,
    LetterWords,
    count_posts,
    fonts_for,
    format_moment,
    letter_words,
    name_issue,
)
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Iterator

SEOUL = ZoneInfo("Asia/Seoul")
SLOT = datetime(2026, 11, 23, 8, tzinfo=SEOUL)
KOREAN, ENGLISH = WORDS["ko"], WORDS["en"]


def texts(words: LetterWords) -> Iterator[tuple[str, str]]:
    """Every word of a language with its name, tables laid out."""
    for name in LetterWords.__dataclass_fields__:
        value = getattr(words, name)
        if isinstance(value, str):
            yield name, value
            continue
        items = value.items() if hasattr(value, "items") else enumerate(value)
        for key, text in items:
            yield f"{name}.{key}", text


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_language_has_every_word(words: LetterWords) -> None:
    """The same names as English, none empty, and all of it in use."""
    named = dict(texts(words))
    assert named.keys() == dict(texts(ENGLISH)).keys()
    assert all(text.strip() for text in named.values())
    assert words.more_of.startswith(words.more)


def test_no_particle_follows_what_is_filled_in() -> None:
    """`{site}은` would be wrong after half of all titles."""
    for _, text in texts(KOREAN):
        for hole in ("{site}", "{title}", "{rhythm}"):
            if hole in text:
                after = text.partition(hole)[2]
                assert not after or after[0] in " .:"


@pytest.mark.parametrize(
    ("at", "korean", "english"),
    [
        ((2026, 11, 22, 9, 5), "11월 22일 오전 9:05", "22 November, 9:05 am"),
        ((2026, 11, 1, 12, 30), "11월 1일 오후 12:30", "1 November, 12:30 pm"),
        ((2026, 11, 1, 0, 1), "11월 1일 오전 12:01", "1 November, 12:01 am"),
        ((2026, 11, 1, 0, 0), "11월 1일", "1 November"),
        ((2025, 12, 31, 23, 59), "2025년 12월 31일 오후 11:59", "31 December 2025, 11:59 pm"),
    ],
)  # fmt: skip
def test_moments(at: tuple[int, int, int, int, int], korean: str, english: str) -> None:
    """Half days; the year when it is another; no time when the author gave none."""
    year, month, day, hour, minute = at
    moment = datetime(year, month, day, hour, minute, tzinfo=SEOUL)
    assert format_moment(moment, KOREAN, SEOUL, around=SLOT) == korean
    assert format_moment(moment, ENGLISH, SEOUL, around=SLOT) == english


def test_moments_are_read_in_the_zone_of_the_site() -> None:
    """Not in the one the post was written in."""
    utc = datetime(2026, 11, 22, 0, 5, tzinfo=ZoneInfo("UTC"))
    assert format_moment(utc, KOREAN, SEOUL, around=SLOT) == "11월 22일 오전 9:05"


@pytest.mark.parametrize(
    ("cadence", "day", "korean", "english"),
    [
        (Cadence.WEEKLY, (2026, 11, 23), "2026년 11월 넷째 주", "November 2026, fourth week"),
        (Cadence.WEEKLY, (2026, 11, 30), "2026년 12월 첫째 주", "December 2026, first week"),
        (Cadence.WEEKLY, (2026, 12, 28), "2026년 12월 다섯째 주", "December 2026, fifth week"),
        (Cadence.MONTHLY, (2026, 12, 1), "2026년 11월", "November 2026"),
        (Cadence.MONTHLY, (2027, 1, 1), "2026년 12월", "December 2026"),
        (Cadence.DAILY, (2026, 11, 23), "2026년 11월 23일 월요일", "Monday, 23 November 2026"),
        (Cadence.IMMEDIATE, (2026, 11, 23), "2026년 11월 23일", "23 November 2026"),
    ],
)  # fmt: skip
def test_issues(
    cadence: Cadence, day: tuple[int, int, int], korean: str, english: str
) -> None:
    """A week belongs to the month of its Thursday; a monthly letter looks back."""
    year, month, date = day
    slot = datetime(year, month, date, 8, tzinfo=SEOUL)
    assert name_issue(slot, cadence, KOREAN, SEOUL) == korean
    assert name_issue(slot, cadence, ENGLISH, SEOUL) == english


def test_counts_and_fallbacks() -> None:
    """One is singular where the language has one; unknown languages speak English."""
    assert count_posts(1, ENGLISH) == "1 new post"
    assert count_posts(2, ENGLISH) == "2 new posts"
    assert count_posts(12, KOREAN) == "새 글 12편"
    assert letter_words("ko-KR") is KOREAN
    assert letter_words("fr") is ENGLISH
    assert fonts_for("ko-KR").startswith("'Apple SD Gothic Neo'")
    assert fonts_for("xx") == fonts_for("en")

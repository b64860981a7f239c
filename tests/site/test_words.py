"""Every language has every word, and writes its dates its own way."""

from __future__ import annotations

import string
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from postroom.site.words import (
    ENGLISH,
    WORDS,
    Words,
    direction_of,
    format_date,
    format_day,
    language_attributes,
    words_attributes,
    words_for,
)

SEOUL = timezone(timedelta(hours=9))
DATES = {"date", "day", "months"}
"""What languages may build differently; every other word has the same holes in all."""


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", WORDS)
def test_no_word_is_missing(language: str) -> None:
    """Each word is there, and is not empty."""
    words = WORDS[language]
    assert [
        field.name
        for field in fields(Words)
        if field.name != "months" and not getattr(words, field.name)
    ] == []
    assert words.cadences.keys() == ENGLISH.cadences.keys()
    assert all(words.cadences.values())


@pytest.mark.parametrize("language", WORDS)
def test_every_language_fills_the_same_holes(language: str) -> None:
    """A translation names the values that the English word names."""
    for field in fields(Words):
        if field.type == "str" and field.name not in DATES:
            ours = _holes(getattr(WORDS[language], field.name))
            assert ours == _holes(getattr(ENGLISH, field.name)), field.name


def test_no_word_is_translated_for_nothing() -> None:
    """Each word is said by a template or a module of the site."""
    root = Path(__file__).parents[2]
    places = [*root.glob("templates/site/*.html"), *root.glob("src/postroom/site/*.py")]
    said = "".join(place.read_text(encoding="utf-8") for place in places)
    assert [
        field.name for field in fields(Words) if f"words.{field.name}" not in said
    ] == []


@pytest.mark.parametrize("language", WORDS)
def test_the_name_of_a_link_contains_its_visible_words(language: str) -> None:
    """Who speaks to a browser says what is seen (WCAG 2.5.3)."""
    words = WORDS[language]
    assert words.read_more in words.read_more_of


@pytest.mark.parametrize(
    ("language", "chosen"),
    [("ko", "ko"), ("ko-KR", "ko"), ("KO_kr", "ko"), ("en-GB", "en"), ("fr", "en"), ("", "en")],
)  # fmt: skip
def test_words_follow_the_primary_subtag_and_fall_back(
    language: str, chosen: str
) -> None:
    """A region changes nothing; an unknown language reads English."""
    assert words_for(language).language == chosen


def test_dates_are_written_as_the_language_writes_them() -> None:
    """Korean by numbers with full stops, English with the month's name."""
    instant = datetime(2024, 11, 2, 12, tzinfo=UTC)
    assert format_date(instant, "ko", UTC) == "2024. 11. 2."
    assert format_date(instant, "en-GB", UTC) == "2 November 2024"
    assert format_day(instant, "ko", UTC) == "11. 2."
    assert format_day(instant, "en", UTC) == "2 November"


def test_a_date_is_read_in_the_zone_of_the_site() -> None:
    """An evening in London is the next day in Seoul."""
    instant = datetime(2024, 12, 31, 20, tzinfo=UTC)
    assert format_date(instant, "ko", SEOUL) == "2025. 1. 1."
    assert format_date(instant, "en", UTC) == "31 December 2024"


def test_the_ends_of_the_calendar_do_not_stop_a_build() -> None:
    """A date that has no room for another zone stays as it is."""
    last = datetime(9999, 12, 31, 23, tzinfo=UTC)
    assert format_date(last, "ko", SEOUL) == "9999. 12. 31."


def test_direction_and_language_are_said_only_where_they_change() -> None:
    """No attribute repeats what is already so around it."""
    assert direction_of("fa-IR") == "rtl"
    assert language_attributes("ko", "ko") == ""
    assert language_attributes("", "ko") == ""
    assert language_attributes("en", "ko") == ' lang="en"'
    assert language_attributes("he", "ko") == ' lang="he" dir="rtl"'
    assert language_attributes("en", "ar") == ' lang="en" dir="ltr"'
    assert words_attributes(ENGLISH, "en-GB") == ""
    assert words_attributes(ENGLISH, "ar") == ' lang="en" dir="ltr"'


def test_a_hostile_language_stays_inside_its_attribute() -> None:
    """A tag that is no language tag is escaped all the same."""
    assert '"><' not in language_attributes('en"><script>', "ko")

"""The words of letters in each language, and how each names dates and issues.

No word is joined to a title or name: Korean particles depend on the sound before them.
A new language is one more `LetterWords` in `WORDS`: a word that is missing there is a
TypeError on import, an empty one fails the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.site.words import local_time, primary_subtag
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, tzinfo

FALLBACK = "en"
NOON = 12

KOREAN_FONTS = (
    "'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR','Nanum Gothic',sans-serif"
)
LATIN_FONTS = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
JAPANESE_FONTS = "'Hiragino Sans','Yu Gothic UI','Noto Sans JP',Meiryo,sans-serif"
FONTS = {"ko": KOREAN_FONTS, "ja": JAPANESE_FONTS}
"""A stack never starts with a font that lacks the script: two designs in one line."""

UNSPACED_LANGUAGES = frozenset({"ja", "zh", "th", "lo", "km", "my"})
"""Written without blanks between words: lines break between characters."""
UPRIGHT_LANGUAGES = frozenset({"ko", "ja", "zh"})
"""Have no italics: emphasis is bold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWords:
    """Every word that a letter says by itself; `{…}` is filled in."""

    language: str
    view: str
    keep_reading: str
    more: str
    more_of: str
    """The name of that link, unambiguous; begins with `more` (WCAG 2.5.3)."""
    on_the_web: str
    rest: str
    why: str
    """Of `{site}` and `{rhythm}`."""
    rhythms: Mapping[Cadence, str]
    preferences: str
    leave: str
    feed: str
    one_post: str
    many_posts: str
    and_more: str
    """Ends a subject after its first title."""
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    """From Monday."""
    ordinals: tuple[str, ...]
    """Of the weeks of a month."""
    day: str
    """Of `{year}`, `{month}` (its name), `{day}`; so are the three below."""
    year_day: str
    moment: str
    """Of `{date}`, `{half}` (of the day), `{hour}` (1 to 12), `{minute}`."""
    halves: tuple[str, str]
    issues: Mapping[Cadence, str]
    """Also of `{weekday}` and `{week}`."""


KOREAN = LetterWords(
    language="ko",
    view="웹에서 보기",
    keep_reading="이어서 읽기",
    more="더보기",
    more_of="더보기: {title}",
    on_the_web="웹에서 읽기",
    rest="이 편지의 다른 글",
    why="{site} 새 글을 {rhythm} 받기로 하셔서 보내 드리는 편지입니다.",
    rhythms={
        Cadence.IMMEDIATE: "나올 때마다",
        Cadence.DAILY: "매일",
        Cadence.WEEKLY: "매주",
        Cadence.MONTHLY: "매월",
    },
    preferences="받는 방식 바꾸기",
    leave="그만 받기",
    feed="피드",
    one_post="새 글 {count}편",
    many_posts="새 글 {count}편",
    and_more="외 {count}편",
    months=tuple(f"{month}월" for month in range(1, 13)),
    weekdays=tuple(f"{day}요일" for day in "월화수목금토일"),
    ordinals=("첫째", "둘째", "셋째", "넷째", "다섯째"),
    day="{month} {day}일",
    year_day="{year}년 {month} {day}일",
    moment="{date} {half} {hour}:{minute:02}",
    halves=("오전", "오후"),
    issues={
        Cadence.IMMEDIATE: "{year}년 {month} {day}일",
        Cadence.DAILY: "{year}년 {month} {day}일 {weekday}",
        Cadence.WEEKLY: "{year}년 {month} {week} 주",
        Cadence.MONTHLY: "{year}년 {month}",
    },
)

ENGLISH = LetterWords(
    language="en",
    view="View in browser",
    keep_reading="Keep reading",
    more="Read more",
    more_of="Read more: {title}",
    on_the_web="Read on the web",
    rest="Also in this letter",
    why="You get this letter because you signed up for new posts from {site}, {rhythm}.",
    rhythms={
        Cadence.IMMEDIATE: "as they appear",
        Cadence.DAILY: "every day",
        Cadence.WEEKLY: "every week",
        Cadence.MONTHLY: "every month",
    },
    preferences="Change preferences",
    leave="Unsubscribe",
    feed="Feed",
    one_post="{count} new post",
    many_posts="{count} new posts",
    and_more="and {count} more",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    weekdays=(
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ),
    ordinals=("first", "second", "third", "fourth", "fifth"),
    day="{day} {month}",
    year_day="{day} {month} {year}",
    moment="{date}, {hour}:{minute:02} {half}",
    halves=("am", "pm"),
    issues={
        Cadence.IMMEDIATE: "{day} {month} {year}",
        Cadence.DAILY: "{weekday}, {day} {month} {year}",
        Cadence.WEEKLY: "{month} {year}, {week} week",
        Cadence.MONTHLY: "{month} {year}",
    },
)

WORDS: dict[str, LetterWords] = {words.language: words for words in (KOREAN, ENGLISH)}


def letter_words(language: str) -> LetterWords:
    """Return the words of `language` by its primary subtag (RFC 5646), else English."""
    return WORDS.get(primary_subtag(language), WORDS[FALLBACK])


def fonts_for(language: str) -> str:
    """Return the value of `font-family` for text in `language`."""
    return FONTS.get(primary_subtag(language), LATIN_FONTS)


def count_posts(count: int, words: LetterWords) -> str:
    """Return `새 글 12편`, `12 new posts`."""
    return (words.one_post if count == 1 else words.many_posts).format(count=count)


def format_moment(
    instant: datetime, words: LetterWords, zone: tzinfo, *, around: datetime
) -> str:
    """Return `11월 22일 오전 9:05`, `22 November, 9:05 am`, read in `zone`.

    The year is said when it is not that of `around`. Midnight sharp is how a date
    without a time arrives, so no time is said then.
    """
    local = local_time(instant, zone)
    same_year = local.year == local_time(around, zone).year
    date = _fill(words.day if same_year else words.year_day, words, local)
    if not (local.hour or local.minute or local.second):
        return date
    return words.moment.format(
        date=date,
        half=words.halves[local.hour >= NOON],
        hour=local.hour % NOON or NOON,
        minute=local.minute,
    )


def name_issue(
    slot: datetime, cadence: Cadence, words: LetterWords, zone: tzinfo
) -> str:
    """Return what this edition is called: `2026년 11월 넷째 주`, `November 2026`.

    A week is that of the month its Thursday is in (as ISO 8601 does for years). A
    monthly letter is named after the day before, since it looks back: on 1 December it
    is November's.
    """
    day = local_time(slot, zone).date()
    week = ""
    if cadence is Cadence.MONTHLY:
        day -= timedelta(days=1)
    elif cadence is Cadence.WEEKLY:
        day += timedelta(days=3 - day.weekday())
        week = words.ordinals[(day.day - 1) // 7]
    return _fill(words.issues[cadence], words, day, week)


def _fill(form: str, words: LetterWords, day: date, week: str = "") -> str:
    return form.format(
        year=day.year,
        month=words.months[day.month - 1],
        day=day.day,
        weekday=words.weekdays[day.weekday()],
        week=week,
    )

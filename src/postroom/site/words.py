"""The words around the posts in each language, and how each writes a date.

A new language is one more `Words` in `WORDS`: a word that is missing there is a
TypeError on import, an empty or unfilled one fails the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, tzinfo

RTL_LANGUAGES = frozenset({"ar", "fa", "he", "ur"})
FALLBACK = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Every word that the pages say by themselves; `{…}` is filled in."""

    language: str
    skip: str
    menu: str
    posts: str
    topics: str
    archive: str
    follow: str
    posts_page: str
    read_more: str
    read_more_of: str
    """The name of that link, unambiguous; contains `read_more` (WCAG 2.5.3)."""
    topic_of: str
    one_post: str
    many_posts: str
    no_posts: str
    pages: str
    newer: str
    older: str
    page: str
    neighbours: str
    previous: str
    next: str
    updated: str
    by: str
    undated: str
    code: str
    table: str
    how_to_follow: str
    follow_lead: str
    by_mail: str
    mail_text: str
    email: str
    cadence: str
    cadences: Mapping[str, str]
    subscribe: str
    leave_empty: str
    by_feed: str
    feed_text: str
    add_to: str
    """Before the names of feed readers."""
    by_part: str
    part_text: str
    by_language: str
    by_author: str
    by_topic: str
    feed_of: str
    """The name of a link whose visible words are `{format}` (WCAG 2.5.3)."""
    show_all: str
    all_feeds: str
    all_feeds_text: str
    box_title: str
    box_text: str
    not_found: str
    not_found_text: str
    to_posts: str
    date: str
    """Of `{year}`, `{month}` (a number), `{name}` (of the month), `{day}`."""
    day: str
    """The same without the year."""
    months: tuple[str, ...] = ()


KOREAN = Words(
    language="ko",
    skip="본문 바로가기",
    menu="둘러보기",
    posts="글",
    topics="주제",
    archive="모아 보기",
    follow="구독",
    posts_page="글, {page}쪽",
    read_more="더보기",
    read_more_of="{title} 더보기",
    topic_of="주제: {topic}",
    one_post="글 {count}편",
    many_posts="글 {count}편",
    no_posts="아직 글이 없습니다.",
    pages="쪽 이동",
    newer="새 글",
    older="지난 글",
    page="{page}쪽",
    neighbours="앞뒤 글",
    previous="이전 글",
    next="다음 글",
    updated="고침",
    by="글쓴이: {names}",
    undated="그 밖의 글",
    code="코드 {number}",
    table="표 {number}",
    how_to_follow="구독 방법",
    follow_lead="새 글을 놓치지 않는 방법입니다. 모두 무료이고, 읽는 사람을 추적하지 않습니다.",
    by_mail="새 글을 메일로 받기",
    mail_text="원하는 주기로 모아서 보내 드립니다. 추적하지 않고, 한 번에 그만 받을 수 있습니다.",
    email="메일 주소",
    cadence="받는 주기",
    cadences={
        "immediate": "바로",
        "daily": "매일",
        "weekly": "매주",
        "monthly": "매월",
    },
    subscribe="구독",
    leave_empty="비워 두세요",
    by_feed="피드 리더로 읽기",
    feed_text="피드 리더는 여러 사이트의 새 글을 한곳에 모아 보여 주는 앱입니다. 아래 주소 하나를 리더에 넣으세요.",
    add_to="바로 더하기:",
    by_part="일부만 받아 보기",
    part_text="관심 있는 글만 담은 피드도 있습니다.",
    by_language="언어",
    by_author="글쓴이",
    by_topic="주제",
    feed_of="{label} {format}",
    show_all="{count}개 모두 보기",
    all_feeds="한꺼번에 더하기",
    all_feeds_text="이 사이트의 모든 피드를 담은 OPML 파일입니다. 리더의 ‘가져오기’에서 고르세요.",
    box_title="새 글 받아 보기",
    box_text="피드 리더로 새 글을 놓치지 않고 읽을 수 있습니다.",
    not_found="그런 쪽이 없습니다",
    not_found_text="주소가 바뀌었거나 글이 내려갔을 수 있습니다.",
    to_posts="글 목록으로",
    date="{year}. {month}. {day}.",
    day="{month}. {day}.",
)

ENGLISH = Words(
    language="en",
    skip="Skip to content",
    menu="Site",
    posts="Posts",
    topics="Topics",
    archive="Archive",
    follow="Follow",
    posts_page="Posts, page {page}",
    read_more="Read more",
    read_more_of="Read more: {title}",
    topic_of="Topic: {topic}",
    one_post="{count} post",
    many_posts="{count} posts",
    no_posts="There are no posts yet.",
    pages="Pages",
    newer="Newer posts",
    older="Older posts",
    page="Page {page}",
    neighbours="Posts before and after",
    previous="Previous post",
    next="Next post",
    updated="Updated",
    by="By {names}",
    undated="Other pages",
    code="Code {number}",
    table="Table {number}",
    how_to_follow="How to follow",
    follow_lead="Ways not to miss a new post. All of them are free, and none of them tracks you.",
    by_mail="New posts by e-mail",
    mail_text="Collected at the rhythm you choose. No tracking, and one click to leave.",
    email="E-mail address",
    cadence="How often",
    cadences={
        "immediate": "At once",
        "daily": "Daily",
        "weekly": "Weekly",
        "monthly": "Monthly",
    },
    subscribe="Subscribe",
    leave_empty="Leave this empty",
    by_feed="With a feed reader",
    feed_text="A feed reader is an app that gathers new posts from many sites in one place. Give it one of these addresses.",
    add_to="Add it to:",
    by_part="Only some of the posts",
    part_text="There are also feeds with only the posts that interest you.",
    by_language="Languages",
    by_author="Authors",
    by_topic="Topics",
    feed_of="{label} {format}",
    show_all="Show all {count}",
    all_feeds="All of them at once",
    all_feeds_text="An OPML file with every feed of this site. Choose it where your reader imports feeds.",
    box_title="Follow new posts",
    box_text="Read every new post in a feed reader, without missing one.",
    not_found="There is no such page",
    not_found_text="The address may have changed, or the post was taken down.",
    to_posts="To the posts",
    date="{day} {name} {year}",
    day="{day} {name}",
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
)

WORDS: dict[str, Words] = {words.language: words for words in (KOREAN, ENGLISH)}


NAMES = {
    "ar": "العربية", "cs": "čeština", "da": "dansk", "de": "Deutsch", "el": "Ελληνικά",
    "en": "English", "es": "español", "fa": "فارسی", "fi": "suomi", "fr": "français",
    "he": "עברית", "hi": "हिन्दी", "hu": "magyar", "id": "Bahasa Indonesia",
    "it": "italiano", "ja": "日本語", "ko": "한국어", "nb": "norsk bokmål",
    "nl": "Nederlands", "no": "norsk", "pl": "polski", "pt": "português",
    "ro": "română", "ru": "русский", "sv": "svenska", "th": "ไทย", "tr": "Türkçe",
    "uk": "українська", "ur": "اردو", "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip
"""What languages call themselves; those who read one find it by that name."""


def name_of_language(tag: str) -> str:
    """Return the own name of a language, with the rest of its tag: `English (GB)`."""
    name = NAMES.get(primary_subtag(tag), "")
    rest = tag.replace("_", "-").partition("-")[2]
    if not name:
        return tag
    return f"{name} ({rest})" if rest else name


def words_for(language: str) -> Words:
    """Return the words of `language` by its primary subtag (RFC 5646), else English."""
    return WORDS.get(primary_subtag(language), WORDS[FALLBACK])


def primary_subtag(language: str) -> str:
    """Return `ko` for `ko-KR` and `KO_kr`."""
    return language.replace("_", "-").partition("-")[0].lower()


def direction_of(language: str) -> str:
    """Return the value of `dir` for text in `language`: `rtl` or `ltr`."""
    return "rtl" if primary_subtag(language) in RTL_LANGUAGES else "ltr"


def language_attributes(language: str, around: str) -> Markup:
    """Return ` lang="…"` (and ` dir="…"`) where text differs from what is `around` it."""
    if not language or language.lower() == around.lower():
        return Markup()
    direction = direction_of(language)
    if direction == direction_of(around):
        return Markup(' lang="{}"').format(language)
    return Markup(' lang="{}" dir="{}"').format(language, direction)


def words_attributes(words: Words, around: str) -> Markup:
    """Return the same for our own words, which are as good in `en` as in `en-GB`."""
    if words.language == primary_subtag(around):
        return Markup()
    return language_attributes(words.language, around)


def local_time(instant: datetime, zone: tzinfo) -> datetime:
    """Return `instant` in `zone`; at the ends of the calendar as it is."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def format_date(instant: datetime, language: str, zone: tzinfo) -> str:
    """Return the day of `instant` in `zone`: `2024. 11. 2.`, `2 November 2024`."""
    words = words_for(language)
    return _fill(words.date, words, local_time(instant, zone))


def format_day(instant: datetime, language: str, zone: tzinfo) -> str:
    """Return the same without the year: `11. 2.`, `2 November`."""
    words = words_for(language)
    return _fill(words.day, words, local_time(instant, zone))


def _fill(form: str, words: Words, day: date) -> str:
    name = words.months[day.month - 1] if words.months else ""
    return form.format(year=day.year, month=day.month, day=day.day, name=name)

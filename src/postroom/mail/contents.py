"""What a letter shows, cleaned and worded, before it becomes HTML and text.

Both parts are rendered from one `Contents`, so they say the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_language, clean_url
from postroom.mail.characters import clean_line, clean_text
from postroom.mail.columns import columns_of, cut_to_columns
from postroom.mail.words import (
    LetterWords,
    count_posts,
    format_moment,
    letter_words,
    name_issue,
)
from postroom.posts.permalink import page_url
from postroom.site.words import direction_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from postroom.mail.settings import LetterSettings
    from postroom.posts.post import Post

SUBJECT_COLUMNS = 60
"""Phones show 33 to 40, desktops about 60; 30 Hangul."""
PREHEADER_MIN = 80
PREHEADER_MAX = 140
"""Columns that in-boxes show after the subject."""
SEPARATOR = " · "
# Gmail shows neither; a letter must not depend on a format that stays blank.
_NO_MAIL_IMAGE = re.compile(r"\.(?:svgz?|avif)(?:[?#]|$)", re.IGNORECASE)
# A "name" that is an address would publish it.
_BARE_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A picture over the lead post; `alt` is never empty, as the picture is a link."""

    url: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One post in a letter."""

    title: str
    url: str
    byline: str
    """Author and date, or one of them, or empty."""
    excerpt: str
    language: str
    """Where it differs from the letter's, else empty."""
    more_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A letter's words in reading order."""

    language: str
    direction: str
    words: LetterWords
    subject: str
    preheader: str
    site_title: str
    site_url: str
    issue: str
    """`2026년 11월 넷째 주 · 새 글 12편`."""
    cover: Cover | None
    items: tuple[Item, ...]
    """With excerpts; the first is the lead."""
    rest: tuple[Item, ...]
    """Titles only."""
    why: str
    view_url: str
    feed_url: str
    postal_address: tuple[str, ...]
    """Lines."""


def build_contents(posts: Sequence[Post], settings: LetterSettings) -> Contents:
    """Gather what the letter of `posts` (at least one, the lead first) shows."""
    words = letter_words(settings.language)
    language = clean_language(settings.language) or words.language
    site_title = clean_line(settings.site_title) or clean_url(settings.site_url)
    items = tuple(_build_item(post, settings, words, language) for post in posts)
    count = count_posts(len(posts), words)
    issue = name_issue(settings.slot, settings.cadence, words, settings.zone)
    return Contents(
        language=language,
        direction=direction_of(language),
        words=words,
        subject=_subject(posts[0], items, words),
        preheader=_preheader(posts[0], items),
        site_title=site_title,
        site_url=clean_url(settings.site_url),
        issue=issue + SEPARATOR + count,
        cover=_cover(posts[0], items[0]),
        items=items[: settings.max_posts],
        rest=items[settings.max_posts :],
        why=words.why.format(site=site_title, rhythm=words.rhythms[settings.cadence]),
        view_url=clean_url(settings.view_url),
        feed_url=clean_url(settings.feed_url),
        postal_address=_lines(settings.postal_address),
    )


def direction_within(text: str, around: str) -> str:
    """Return the `dir` that `text` needs within text that runs `around`, or nothing.

    By its first strong character (UAX #9, P2 and P3), as `dir=auto` does in the clients
    that know it.
    """
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"L", "R", "AL"}:
            own = "ltr" if kind == "L" else "rtl"
            return "" if own == around else own
    return ""


def _build_item(
    post: Post, settings: LetterSettings, words: LetterWords, around: str
) -> Item:
    own_url = page_url(post, settings.site_url)
    url = clean_url(post.canonical_url) or clean_url(own_url)
    title = clean_line(post.title) or clean_line(post.slug) or url
    language = clean_language(post.language)
    return Item(
        title=title,
        url=url,
        byline=SEPARATOR.join(filter(None, _byline(post, settings, words))),
        excerpt=clean_line(post.excerpt),
        language="" if language.lower() == around.lower() else language,
        more_label=words.more_of.format(title=title),
    )


def _byline(post: Post, settings: LetterSettings, words: LetterWords) -> Iterable[str]:
    names = [clean_line(person.name) for person in post.authors]
    names = [name for name in names if name and not _BARE_EMAIL.fullmatch(name)]
    yield ", ".join(dict.fromkeys(names)) or clean_line(settings.author)
    if post.published is not None:
        yield format_moment(post.published, words, settings.zone, around=settings.slot)


def _subject(lead: Post, items: Sequence[Item], words: LetterWords) -> str:
    """Return the lead's title, so that no two editions share a subject.

    Gmail threads mails of one subject and folds what they repeat.
    """
    if len(items) == 1:
        own = clean_line(lead.subject) or items[0].title
        return cut_to_columns(own, SUBJECT_COLUMNS)
    more = " " + words.and_more.format(count=len(items) - 1)
    room = SUBJECT_COLUMNS - columns_of(more)
    return cut_to_columns(items[0].title, room) + more


def _preheader(lead: Post, items: Sequence[Item]) -> str:
    """Return the author's own, else the titles that the subject does not say."""
    own = clean_line(lead.preheader)
    if own:
        return cut_to_columns(own, PREHEADER_MAX)
    text = ""
    for item in items[1:]:
        text += (SEPARATOR if text else "") + item.title
        if columns_of(text) >= PREHEADER_MIN:
            break
    return cut_to_columns(text or items[0].excerpt, PREHEADER_MAX)


def _cover(lead: Post, item: Item) -> Cover | None:
    if lead.image is None:
        return None
    url = clean_url(lead.image.url)
    if not url or _NO_MAIL_IMAGE.search(url):
        return None
    return Cover(url=url, alt=clean_line(lead.image.alt) or item.title)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(clean_line, clean_text(text).split("\n"))))

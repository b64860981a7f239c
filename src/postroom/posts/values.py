"""Values of front matter become clean text, yes or no, tags and people.

Every dialect is first brought to text, lists and maps (`Value`); all typing is here
and in `dates`. Text that reaches a mail header or a feed title is one line without
control characters or bidirectional overrides (they disguise what a reader sees).
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, TypeAlias

from postroom.posts.decode import CONTROLS
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

LINE_LIMIT = 500
"""Characters of a title or name; a longer one is a mistake of the author's."""
TAG_LIMIT = 100
"""Characters of one tag, so that `tags/TAG/` stays a file name."""
MAX_TAGS = 50
"""Tags of one post: each makes a page and three feeds."""

BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
LINE_BREAKS = re.compile(r"[ \t\n\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]+")

YES = frozenset({"true", "yes", "on", "1", "y"})
NO = frozenset({"false", "no", "off", "0", "n"})

TAG_SEPARATORS = re.compile(r"[,;，；]")
HASHTAGS = re.compile(" (?=#)")
MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>@\s]+@[^<>@\s]+)>")
EMAIL = re.compile(r"[^<>@\s]+@[^<>@\s]+\.[^<>@\s]+")
WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)


def clean(text: str) -> str:
    """Return NFC text without control characters and bidirectional overrides."""
    return unicodedata.normalize("NFC", BIDI_CONTROLS.sub("", CONTROLS.sub("", text)))


def parse_line(text: str) -> str:
    """Return one clean line: HTML entities decoded, runs of blanks and breaks folded."""
    return fold_line(html.unescape(text) if "&" in text else text)


def fold_line(text: str) -> str:
    """Return one clean line: runs of blanks and line breaks become one blank."""
    return clean(LINE_BREAKS.sub(" ", text)).strip()


def shorten(line: str, limit: int = LINE_LIMIT) -> str:
    """Cut a line of more than `limit` characters at a blank and add an ellipsis."""
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    blank = head.rfind(" ", limit // 2)
    return (head if blank < 0 else head[:blank]).rstrip() + "…"


def parse_flag(value: Value) -> bool | None:
    """Return what `true`, `no`, `1`, … mean, None for anything else."""
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in YES:
        return True
    return False if word in NO else None


def texts_of(value: Value) -> Iterator[str]:
    """Yield the texts of a value and of lists within it, maps left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


def parse_tags(value: Value) -> tuple[str, ...]:
    """Return the tags of a list or of text parted by `,` or `;`, without `#`, in order.

    Text is never split at blanks: Korean tags have several words. `#one #two` is.
    """
    pieces = (
        TAG_SEPARATORS.split(value) if isinstance(value, str) else [*texts_of(value)]
    )
    lines = map(parse_line, pieces)
    tags = (
        tag
        for line in lines
        for tag in (HASHTAGS.split(line) if line.startswith("#") else [line])
    )
    return merge_tags(tag.strip("[]").lstrip("#").strip() for tag in tags)


def merge_tags(tags: Iterator[str]) -> tuple[str, ...]:
    """Drop empty and repeated tags (case ignored), keep the order and first spelling."""
    merged: dict[str, str] = {}
    for tag in tags:
        short = shorten(tag, TAG_LIMIT)
        if short:
            merged.setdefault(short.casefold(), short)
    return tuple(merged.values())[:MAX_TAGS]


def parse_people(value: Value) -> tuple[Person, ...]:
    """Return authors from text (parted by `;`), a map with `name`, or a list of both."""
    people: dict[str, Person] = {}
    for person in _people(value):
        if person.name:
            people.setdefault(person.name, person)
    return tuple(people.values())[:MAX_TAGS]


def _people(value: Value) -> Iterator[Person]:
    if isinstance(value, str):
        for text in value.split(";"):
            yield _person(parse_line(text))
    elif isinstance(value, list):
        for item in value:
            yield from _people(item)
    elif isinstance(value, dict):
        yield _mapped_person({key.lower(): item for key, item in value.items()})


def _person(text: str) -> Person:
    """Read `Name <mail>`, a bare mail address (its local part is shown) or a name."""
    mailbox = MAILBOX.fullmatch(text)
    if mailbox is not None:
        email = mailbox["email"]
        name = mailbox["name"].strip().strip('"')
        return Person(name=shorten(name or email.partition("@")[0]), email=email)
    if EMAIL.fullmatch(text):
        return Person(name=shorten(text.partition("@")[0]), email=text)
    return Person(name=shorten(text.strip("[]").strip()))


def _mapped_person(fields: dict[str, Value]) -> Person:
    def first(*keys: str) -> str:
        lines = (parse_line(text) for key in keys for text in texts_of(fields.get(key)))
        return next((line for line in lines if line), "")

    named = _person(first("name", "title", "display_name"))
    url = first("url", "uri", "website", "link", "homepage")
    return Person(
        name=named.name,
        email=first("email", "mail") or named.email,
        url=url if WEB_ADDRESS.fullmatch(url) else "",
    )

"""From the bytes of a source file to its `Head`: typed, checked, with warnings.

Whatever the bytes, the result is a Head or a PostError with place and cure.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from postroom.errors import Problem
from postroom.posts import dates, keys, slug, values
from postroom.posts.decode import parse_text
from postroom.posts.enclosures import read_enclosures
from postroom.posts.episodes import read_episode
from postroom.posts.front_matter import parse_front_matter
from postroom.posts.keys import Keys
from postroom.posts.permalink import parse_permalink
from postroom.posts.place import read_url
from postroom.posts.post import Head
from postroom.posts.reading import Reading, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from postroom.posts.keys import Entry
    from postroom.posts.post import Person, Rules, Source
    from postroom.posts.values import Value

DRAFT_WORDS = """
    draft drafts hidden pending private review future trash skip unpublished wip idea
    todo 초안 임시저장 비공개
"""
DRAFT_STATUS = frozenset(DRAFT_WORDS.split())
"""Words of Pelican, Ghost, WordPress and note takers for `not yet` and `not for all`."""
SCHEDULED = "scheduled"
"""Ghost's word: public once its date has come, so a draft only without one."""

EMBARGO = ("publishDate", "publish_date")
"""Hugo: not before this day, whatever `date` says."""

IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:[^\s<>\"{}|\\^`]{1,1000}")
"""An absolute IRI (RFC 3987), which `atom:id` must be (RFC 4287, section 4.2.6)."""


def parse_head(source: Source, rules: Rules) -> Head:
    """Return the head of `source`, raising PostError when it cannot be read safely.

    A fault that could mail something unmeant (bad date, unreadable block) is an error;
    one that costs a detail is a warning in `Head.warnings`.
    """
    text = parse_text(source, rules.encoding)
    front = parse_front_matter(text, pelican=rules.pelican_header)
    reading = Reading(
        path=source.path,
        rules=rules,
        front=front,
        keys=Keys(front.values),
        name=slug.parse_name(source.path),
        problems=list(front.warnings),
    )
    for remark in reading.keys.remarks():
        reading.warn(remark.key, remark.message, remark.cure)
    return _build_head(reading)


def _build_head(reading: Reading) -> Head:
    draft = _is_draft(reading)
    published = _published(reading, draft=draft)
    title, subject = _title_and_subject(reading)
    own_slug, url_path = _addresses(reading, published)
    image, image_alt = _image(reading)
    mailed = _is_mailed(reading)
    enclosures = read_enclosures(reading)
    return Head(
        path=reading.path,
        title=title,
        published=published,
        updated=_updated(reading, published),
        expires=_expires(reading, draft=draft),
        draft=draft or _waits_for_a_date(reading, published),
        slug=own_slug,
        url_path=url_path,
        language=_language(reading),
        tags=_tags(reading),
        authors=_authors(reading),
        summary=reading.text("summary"),
        subject=subject,
        preheader=reading.line("preheader"),
        image=image,
        image_alt=image_alt,
        canonical_url=_web_address(reading, "canonical_url"),
        link=_web_address(reading, "link"),
        enclosures=enclosures,
        episode=read_episode(reading) if enclosures else None,
        id=_id(reading),
        mailed=mailed,
        body=reading.front.body,
        body_line=reading.front.body_line,
        warnings=tuple(_finish(reading, title, published)),
    )


def _finish(
    reading: Reading, title: str, published: datetime | None
) -> Iterator[Problem]:
    """Yield all warnings, with those about the whole file last."""
    yield from reading.problems
    front = reading.front
    unknown = bool(front.values) and not reading.keys.any_known()
    if unknown and not title and published is None:
        line = front.block.line
        message = "the front matter has neither title nor date"
        cure = "if the first line is a rule, write it as ***"
        yield Problem(path=reading.path, line=line, message=message, cure=cure)
    if reading.name.misdated and published is None:
        message = "the file name begins like a date, but there is no such day"
        yield Problem(path=reading.path, message=message, cure="rename the file")
    if not front.body:
        message = "empty body: the post is not mailed"
        yield Problem(path=reading.path, message=message, cure="write the text")


# -- texts ---------------------------------------------------------------------


def _title_and_subject(reading: Reading) -> tuple[str, str]:
    """`subject` is the title where there is no other (Buttondown)."""
    entry = reading.keys.first("title")
    if entry is not None and keys.fold(entry.key) == "subject":
        only_subject = not reading.keys.all(("email_subject",))
        return reading.line("title"), "" if only_subject else reading.line("subject")
    return reading.line("title"), reading.line("subject")


def _tags(reading: Reading) -> tuple[str, ...]:
    """Tags, then categories: many blogs file their posts by category alone."""
    entries = [reading.keys.first("tags"), reading.keys.first("categories")]
    tags = [tag for entry in entries if entry for tag in values.parse_tags(entry.value)]
    return values.merge_tags(iter(tags))


def _authors(reading: Reading) -> tuple[Person, ...]:
    entry = reading.keys.first("authors")
    return values.parse_people(entry.value) if entry else ()


def _language(reading: Reading) -> str:
    entry = reading.keys.first("language")
    if entry is None:
        return reading.name.language or reading.rules.language
    written = reading.line("language")
    language = slug.parse_language(written)
    if not language:
        message = f"`{written}` is no language tag; the site's counts"
        reading.warn(entry.key, message, "write a tag such as ko or en-GB")
    return language or reading.rules.language


def _web_address(reading: Reading, canonical: str) -> str:
    url = reading.whole_line(canonical)
    entry = reading.keys.first(canonical)
    if entry is None or values.WEB_ADDRESS.fullmatch(url):
        return url
    reading.warn(entry.key, f"`{entry.key}` is no web address", "begin with https://")
    return ""


def _id(reading: Reading) -> str:
    """Return the author's id if a feed can hold it; a bare UUID becomes a URN."""
    written = reading.whole_line("id")
    entry = reading.keys.first("id")
    if entry is None or IRI.fullmatch(written):
        return written
    try:
        return uuid.UUID(written).urn
    except ValueError:
        message = f"`{entry.key}` is no permanent id, and not used"
        reading.warn(entry.key, message, "write a UUID, a tag: or a https: address")
        return ""


def _image(reading: Reading) -> tuple[str, str]:
    """Return the picture's address as written, and what it shows."""
    entry = reading.keys.first("image")
    alt = reading.line("image_alt")
    if entry is None:
        return "", alt
    value = entry.value
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        fields = {key.lower(): item for key, item in value.items()}
        alt = alt or _first_line(fields, ("alt", "caption"))
        url = _first_line(fields, ("src", "url", "path", "image", "relative"))
    else:
        url = _first_line({"": value}, ("",))
    url = url.removeprefix("!").strip("[]")
    if url and not is_address(url):
        message = f"`{entry.key}` is no address of a picture"
        reading.warn(entry.key, message, "write a path or a https: address")
        url = ""
    return url, alt


def _first_line(fields: dict[str, Value], names: tuple[str, ...]) -> str:
    lines = [
        values.parse_line(text)
        for name in names
        for text in values.texts_of(fields.get(name))
    ]
    return next((line for line in lines if line), "")


# -- visibility ----------------------------------------------------------------


def _is_draft(reading: Reading) -> bool:
    """Any sign of a draft wins: a letter cannot be called back."""
    if reading.name.draft:
        return True
    if any(_is_true_or_odd(reading, key) for key in keys.DRAFT_WHEN_TRUE):
        return True
    when_true = (keys.EXCLUDED, *keys.HANGUL_DRAFT)
    if any(
        values.parse_flag(each.value) is True for each in reading.keys.all(when_true)
    ):
        return True
    when_false = reading.keys.all(keys.DRAFT_WHEN_FALSE)
    if any(values.parse_flag(entry.value) is False for entry in when_false):
        return True
    return any(status in DRAFT_STATUS for status in _statuses(reading))


def _is_true_or_odd(reading: Reading, key: str) -> bool:
    """`draft: maybe` is a draft too, with a warning."""
    for entry in reading.keys.all((key,)):
        flag = values.parse_flag(entry.value)
        if flag is None:
            message = f"`{entry.key}` is neither true nor false; taken as a draft"
            reading.warn(entry.key, message, "write true or false")
        if flag is not False:
            return True
    return False


def _statuses(reading: Reading) -> list[str]:
    entries = reading.keys.all((keys.STATUS,))
    return [
        values.parse_line(text).casefold()
        for entry in entries
        for text in values.texts_of(entry.value)
    ]


def _waits_for_a_date(reading: Reading, published: datetime | None) -> bool:
    return published is None and SCHEDULED in _statuses(reading)


def _is_mailed(reading: Reading) -> bool:
    """`email: false` and `send: false` keep a post out of letters, as an empty body does."""
    entries = reading.keys.all(keys.ALIASES["mailed"])
    refused = any(values.parse_flag(entry.value) is False for entry in entries)
    return bool(reading.front.body) and not refused


# -- dates ---------------------------------------------------------------------


def _published(reading: Reading, *, draft: bool) -> datetime | None:
    """Front matter, file name, folders, `path`, then the day of creation; or None."""
    written = [
        entry for entry in reading.keys.all(keys.ALIASES["date"]) if _is_dated(entry)
    ]
    if written:
        moment = reading.date(written[0], lenient=draft)
        return _embargoed(reading, written[1:], moment, draft=draft)
    address = reading.keys.all(("path",))
    addressed = [
        dates.day_in_address(text)
        for entry in address
        for text in values.texts_of(entry.value)
    ]
    day = reading.name.day or next((found for found in addressed if found), None)
    if day is not None:
        return dates.midnight(day, reading.rules.zone)
    created = reading.keys.first("created")
    return reading.date(created, lenient=draft) if created else None


def _is_dated(entry: Entry) -> bool:
    """`published: true` is Jekyll's switch, `published: 2026-01-31` Hugo's date."""
    if keys.fold(entry.key) != "published":
        return True
    return values.parse_flag(entry.value) is None


def _embargoed(
    reading: Reading, others: list[Entry], moment: datetime | None, *, draft: bool
) -> datetime | None:
    """Return the later one of the date and Hugo's `publishDate`."""
    names = {keys.fold(name) for name in EMBARGO}
    for entry in others:
        if keys.fold(entry.key) in names and moment is not None:
            embargo = reading.date(entry, lenient=draft)
            moment = max(moment, embargo) if embargo else moment
    return moment


def _updated(reading: Reading, published: datetime | None) -> datetime | None:
    """Return the last change; a bad one is left out with a warning."""
    entry = reading.keys.first("updated")
    updated = reading.date(entry, lenient=True) if entry else None
    if not (entry and updated and published and updated < published):
        return updated
    if updated.date() < published.date():
        message = f"`{entry.key}` lies before the date of the post, and is not used"
        reading.warn(entry.key, message, "correct one of the two")
        return None
    return published  # a day alone means its midnight, before the post of that day


def _expires(reading: Reading, *, draft: bool) -> datetime | None:
    entry = reading.keys.first("expires")
    return reading.date(entry, lenient=draft) if entry else None


# -- addresses -----------------------------------------------------------------


def _addresses(reading: Reading, published: datetime | None) -> tuple[str, str]:
    """Return the slug and the path of the page below the output folder, or its URL."""
    own = _own_slug(reading) or slug.slug_of_name(reading.path, reading.name)
    if reading.rules.permalink:
        pattern = parse_permalink(reading.rules.permalink)
        return own, read_url(reading, pattern, slug=own, published=published)
    if published is not None:
        return own, f"posts/{own}/"
    if own in slug.RESERVED:
        message = f"`{own}/` is the site's own address; the page is `{own}-page/`"
        reading.warn("", message, "set another slug, or a date if it is a post")
        own += "-page"
    return own, f"{own}/"


def _own_slug(reading: Reading) -> str:
    """Return the slug of the front matter, from its key or the end of its address."""
    entry = reading.keys.first("slug")
    if entry is not None:
        written = reading.line("slug")
        built = slug.build_slug(written.rstrip("/").rpartition("/")[2])
        if built:
            return built
        message = f"`{written}` has no letters for an address"
        reading.warn(entry.key, message, "write letters or digits")
    for address in reading.keys.all(keys.ALIASES["address"]):
        for text in values.texts_of(address.value):
            built = slug.slug_of_address(values.parse_line(text))
            if built:
                return built
    return ""

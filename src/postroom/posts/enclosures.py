"""From front matter to enclosures: sound, films and papers that belong to a post.

Podcast themes of Hugo and Jekyll, and exports of WordPress, have their own notations:
`podcast_file` with `podcast_duration`, `audio: {mp3: …}`, three lines of text. What a
key of theirs holds may be something else altogether, so only `enclosure` is warned of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.posts import keys, values
from postroom.posts.media_types import TYPES, type_of
from postroom.posts.post import Enclosure
from postroom.posts.reading import SHOWN, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from postroom.posts.reading import Reading
    from postroom.posts.values import Value

MAX_ENCLOSURES = 50
"""Of one post; more are a mistake."""
MAX_LENGTH = 2**50
"""Octets: a thousand terabytes are no file of a post."""
MAX_DURATION = 31 * 24 * 3600
"""Seconds: a month without a pause."""

OWN_KEYS = frozenset(map(keys.fold, ("enclosures", "enclosure")))
URL_FIELDS = ("url", "src", "file", "href", "link", "path")
LENGTH_FIELDS = ("length", "bytes", "size", "size_in_bytes", "filesize", "file_size")
TYPE_FIELDS = ("type", "mime_type", "media_type", "mime")
DURATION_FIELDS = ("duration", "duration_in_seconds")
TITLE_FIELDS = ("title", "name", "label")

WORDPRESS = re.compile(
    r"(?P<url>\S+)\s+(?P<length>[0-9]+)\s+(?P<type>[\w.+-]+/[\w.+-]+)(?:\s.*)?",
    re.DOTALL,
)
"""Address, octets and type, as WordPress keeps them in one text."""
LENGTH = re.compile(r"[0-9]{1,3}(?:[,_ ][0-9]{3})+|[0-9]{1,16}")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
DURATION = re.compile(
    r"(?:(?:(?P<hours>[0-9]{1,4}):)?(?P<minutes>[0-9]{1,4}):)?"
    r"(?P<seconds>[0-9]{1,7})(?:\.[0-9]*)?"
)
SIXTY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """An enclosure as written: texts, each may be empty."""

    url: str
    length: str = ""
    media_type: str = ""
    duration: str = ""
    title: str = ""


def read_enclosures(reading: Reading) -> tuple[Enclosure, ...]:
    """Return the enclosures of a post; what is wrong with one is a warning."""
    for entry in reading.keys.all(keys.ALIASES["enclosures"]):
        strict = keys.fold(entry.key) in OWN_KEYS
        found = list(_fields(entry.value))
        usable = [one for one in found if _is_file(one, strict=strict)]
        if strict and len(usable) < max(len(found), 1):
            message = f"`{entry.key}` has no address of a file"
            reading.warn(
                entry.key, message, "write url: with a path or a https: address"
            )
        if len(usable) > MAX_ENCLOSURES:
            message = f"`{entry.key}` names more than {MAX_ENCLOSURES} files"
            reading.warn(entry.key, message, "link the others in the text")
        if usable:
            first = _completed(reading, usable[0])
            written = (first, *usable[1:MAX_ENCLOSURES])
            return tuple(_enclosure(reading, entry.key, one) for one in written)
    return ()


def parse_duration(text: str) -> int | None:
    """Return the seconds of `1830`, `30:30` or `00:30:30`, None for anything else."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if (found["minutes"] and seconds >= SIXTY) or (found["hours"] and minutes >= SIXTY):
        return None
    total = (hours * SIXTY + minutes) * SIXTY + seconds
    return total if total <= MAX_DURATION else None


# -- notations -----------------------------------------------------------------


def _fields(value: Value) -> Iterator[_Fields]:
    """Yield each enclosure of a value; of what is none, nothing."""
    if isinstance(value, str):
        if values.parse_flag(value) is None:
            yield _of_text(value)
    elif isinstance(value, list):
        for item in value:
            yield from _fields(item)
    elif isinstance(value, dict):
        yield from _of_map({keys.fold(key): item for key, item in value.items()})


def _of_text(text: str) -> _Fields:
    found = WORDPRESS.fullmatch(text.strip())
    if found is None:
        return _Fields(url=values.parse_line(text))
    return _Fields(url=found["url"], length=found["length"], media_type=found["type"])


def _of_map(fields: Mapping[str, Value]) -> Iterator[_Fields]:
    """Read a map with an address, or one from endings (`mp3`) to addresses."""
    url = _first(fields, URL_FIELDS)
    formats = [key for key in fields if key in TYPES]
    if url or not formats:
        yield _Fields(
            url=url,
            length=_first(fields, LENGTH_FIELDS),
            media_type=_first(fields, TYPE_FIELDS),
            duration=_first(fields, DURATION_FIELDS),
            title=_first(fields, TITLE_FIELDS),
        )
        return
    for key in formats:
        for text in values.texts_of(fields[key]):
            yield _Fields(url=values.parse_line(text), media_type=TYPES[key])


def _first(fields: Mapping[str, Value], names: tuple[str, ...]) -> str:
    lines = (
        values.parse_line(text)
        for name in names
        for text in values.texts_of(fields.get(keys.fold(name)))
    )
    return next((line for line in lines if line), "")


def _is_file(one: _Fields, *, strict: bool) -> bool:
    """Tell whether an enclosure has an address; a lone word may be a show's name."""
    if not one.url or not is_address(one.url):
        return False
    return strict or bool(values.WEB_ADDRESS.match(one.url) or type_of(one.url))


def _completed(reading: Reading, one: _Fields) -> _Fields:
    """Return the first enclosure with what stands beside it in the front matter."""
    return replace(
        one,
        length=one.length or reading.whole_line("enclosure_length"),
        duration=one.duration or reading.whole_line("duration"),
    )


# -- values --------------------------------------------------------------------


def _enclosure(reading: Reading, key: str, one: _Fields) -> Enclosure:
    media_type = _media_type(reading, key, one.media_type)
    if not media_type and not type_of(one.url):
        message = f"`{key}`: the name does not say what {_shown(one.url)} is"
        reading.warn(key, message, "add its type: such as audio/mpeg")
    return Enclosure(
        url=one.url,
        media_type=media_type,
        length=_length(reading, key, one.length),
        duration=_duration(reading, key, one.duration),
        title=values.shorten(one.title),
    )


def _media_type(reading: Reading, key: str, written: str) -> str:
    essence = written.partition(";")[0].strip().lower()
    if not essence or MEDIA_TYPE.fullmatch(essence):
        return essence
    reading.warn(key, f"`{key}`: {_shown(written)} is no type", "write audio/mpeg")
    return ""


def _length(reading: Reading, key: str, written: str) -> int:
    if not written:
        return 0
    digits = re.sub("[,_ ]", "", written)
    if LENGTH.fullmatch(written) and int(digits) <= MAX_LENGTH:
        return int(digits)
    message = f"`{key}`: {_shown(written)} is no length in bytes"
    cure = "write digits, such as 48211; leave it out for a file in the posts folder"
    reading.warn(key, message, cure)
    return 0


def _duration(reading: Reading, key: str, written: str) -> int:
    if not written:
        return 0
    seconds = parse_duration(written)
    if seconds is None:
        message = f"`{key}`: {_shown(written)} is no duration"
        reading.warn(key, message, "write seconds, MM:SS or HH:MM:SS")
    return seconds or 0


def _shown(text: str) -> str:
    return f"`{values.shorten(text, SHOWN)}`"

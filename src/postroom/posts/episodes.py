"""From front matter to what podcast readers ask of an episode.

`season`, `chapters` and their like are words of stories and courses too: they count,
and are warned of, only where a post has an enclosure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.posts import keys, slug, values
from postroom.posts.media_types import TRANSCRIPT_TYPES, ending_of
from postroom.posts.post import Episode, Transcript
from postroom.posts.reading import SHOWN, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.posts.reading import Reading
    from postroom.posts.values import Value

NUMBER = re.compile(r"#?\s*([0-9]{1,6})")
KINDS = ("full", "trailer", "bonus")
RATINGS = {"clean": False, "explicit": True}
"""Apple's words of old, beside yes and no."""
MAX_TRANSCRIPTS = 50


def read_episode(reading: Reading) -> Episode | None:
    """Return what the front matter says of the episode; None when it says nothing."""
    episode = Episode(
        number=_number(reading, "episode"),
        season=_number(reading, "season"),
        kind=_kind(reading),
        explicit=_explicit(reading),
        image=_address(reading, "episode_image", "of a picture"),
        chapters=_address(reading, "chapters", "of a JSON chapters file"),
        transcripts=tuple(_transcripts(reading))[:MAX_TRANSCRIPTS],
    )
    return None if episode == Episode() else episode


def _number(reading: Reading, canonical: str) -> int:
    entry = reading.keys.first(canonical)
    if entry is None:
        return 0
    written = reading.line(canonical)
    found = NUMBER.fullmatch(written)
    number = int(found[1]) if found else 0
    if not number:
        message = f"`{entry.key}: {_shown(written)}` is no number from 1"
        reading.warn(entry.key, message, "write digits")
    return number


def _kind(reading: Reading) -> str:
    entry = reading.keys.first("episode_kind")
    if entry is None:
        return ""
    word = reading.line("episode_kind").casefold()
    if word in KINDS:
        return word
    message = f"`{entry.key}: {_shown(word)}` is none of {', '.join(KINDS)}"
    reading.warn(entry.key, message, "write one of them, or leave it out")
    return ""


def _explicit(reading: Reading) -> bool | None:
    entry = reading.keys.first("explicit")
    if entry is None:
        return None
    flag = values.parse_flag(entry.value)
    if flag is None:
        flag = RATINGS.get(reading.line("explicit").casefold())
    if flag is None:
        message = f"`{entry.key}` is neither true nor false"
        reading.warn(entry.key, message, "write true or false")
    return flag


def _address(reading: Reading, canonical: str, what: str) -> str:
    entry = reading.keys.first(canonical)
    if entry is None:
        return ""
    texts = [values.parse_line(text) for text in values.texts_of(entry.value)]
    if len(texts) == 1 and is_address(texts[0]):
        return texts[0]
    message = f"`{entry.key}` is no address {what}"
    reading.warn(entry.key, message, "write a path or a https: address")
    return ""


def _transcripts(reading: Reading) -> Iterator[Transcript]:
    entry = reading.keys.first("transcripts")
    if entry is None:
        return
    for one in _written(entry.value):
        if is_address(one.url):
            yield one
        else:
            message = f"`{entry.key}` is no address of a transcript"
            reading.warn(entry.key, message, "write a path or a https: address")


def _written(value: Value) -> Iterator[Transcript]:
    if isinstance(value, str):
        yield _transcript(value, "", "")
    elif isinstance(value, list):
        for item in value:
            yield from _written(item)
    elif isinstance(value, dict):
        fields = {
            keys.fold(key): text
            for key, item in value.items()
            for text in values.texts_of(item)
        }
        url = next((fields[n] for n in ("url", "src", "file") if n in fields), "")
        language = fields.get("language", fields.get("lang", ""))
        yield _transcript(url, fields.get("type", ""), language)


def _transcript(url: str, media_type: str, language: str) -> Transcript:
    url = values.parse_line(url)
    known = TRANSCRIPT_TYPES.get(ending_of(url), "text/plain")
    return Transcript(
        url=url,
        media_type=values.parse_line(media_type).lower() or known,
        language=slug.parse_language(language),
    )


def _shown(text: str) -> str:
    return values.shorten(text, SHOWN)

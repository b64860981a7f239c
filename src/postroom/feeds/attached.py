"""What hangs on a post, cleaned for feeds: enclosures and an episode's particulars.

Posts come from a front matter or a cache; whatever they say, a feed stays valid.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_language, clean_line, clean_url
from postroom.feeds.feed import Enclosure
from postroom.posts.media_types import OCTETS
from postroom.posts.post import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from postroom.posts.post import Enclosure as Written
    from postroom.posts.post import Episode

MAX_NUMBER = 2**53 - 1
"""Largest whole number that every reader of JSON keeps exactly (RFC 8259 §6)."""
KINDS = frozenset({"full", "trailer", "bonus"})

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


def build_enclosures(
    written: Iterable[Written], file_sizes: Mapping[str, int]
) -> tuple[Enclosure, ...]:
    """Return the enclosures that a reader can fetch, each address once.

    `file_sizes` maps paths of the posts folder to octets: the truth about a file that
    lies there, whatever its author wrote.
    """
    made: dict[str, Enclosure] = {}
    for one in written:
        url = clean_url(one.url)
        if url:
            enclosure = Enclosure(
                url=url,
                media_type=_media_type(one.media_type),
                length=_bounded(file_sizes.get(one.path, one.length)),
                duration=_bounded(one.duration),
                title=clean_line(one.title),
            )
            made.setdefault(url, enclosure)
    return tuple(made.values())


def build_episode(written: Episode | None) -> Episode | None:
    """Return the episode with what cannot be used left out."""
    if written is None:
        return None
    return replace(
        written,
        number=_bounded(written.number),
        season=_bounded(written.season),
        kind=written.kind if written.kind in KINDS else "",
        image=clean_url(written.image),
        chapters=clean_url(written.chapters),
        transcripts=tuple(_transcripts(written.transcripts)),
    )


def _transcripts(written: Iterable[Transcript]) -> Iterator[Transcript]:
    for one in written:
        url = clean_url(one.url)
        if url:
            yield Transcript(
                url=url,
                media_type=_media_type(one.media_type),
                language=clean_language(one.language),
            )


def _media_type(written: str) -> str:
    essence = written.partition(";")[0].strip().lower()
    return essence if _MEDIA_TYPE.fullmatch(essence) else OCTETS


def _bounded(number: int) -> int:
    return number if 0 <= number <= MAX_NUMBER else 0

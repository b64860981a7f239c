"""A rendered post as a card's text and back, its spine, and whether it is still right.

For the cache of rendered posts. Reading is most of a run in which little changed, so
this module imports nothing that renders.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from postroom.errors import Problem
from postroom.posts.fingerprint import fingerprint
from postroom.posts.lookup import find
from postroom.posts.post import (
    Card,
    Enclosure,
    Episode,
    Image,
    Person,
    Post,
    Spine,
    Transcript,
    seconds_of,
)

if TYPE_CHECKING:
    from postroom.posts.post import SiteMap

FORMAT = "postroom card 1"
"""First item of every such text; a change of `Card` or of this module counts it up."""

TEXTS = (
    "path", "title", "slug", "url_path", "language", "excerpt", "subject", "preheader",
    "canonical_url", "id", "digest", "link",
)  # fmt: skip
TIMES = ("published", "updated", "expires")
FLAGS = ("draft", "mailed")


def build_spine(post: Post, card: str) -> Spine:
    """Return the spine of `post`; `card` is what `dump_card` made of it."""
    days = (_day(post.published), _day(post.updated))
    named = (post.title, post.url_path, post.language, post.canonical_url, *days)
    return Spine(
        path=post.path,
        title=post.title,
        published_at=seconds_of(post.published),
        updated_at=seconds_of(post.updated),
        expires_at=seconds_of(post.expires),
        slug=post.slug,
        url_path=post.url_path,
        language=post.language,
        tags=post.tags,
        authors=post.authors,
        canonical_url=post.canonical_url,
        id=post.id,
        mailed=post.mailed,
        digest=post.digest,
        files=post.files,
        asks=bool(post.links),
        seen=fingerprint((card, post.html, post.page_html)),
        listed=fingerprint((*named, post.excerpt)),
        named=fingerprint(named),
    )


def _day(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()


def dump_card(card: Card) -> str:
    """Return `card` as a text that `load_card` turns back into an equal one."""
    return json.dumps(
        [
            FORMAT,
            [getattr(card, name) for name in TEXTS],
            [_dump_time(getattr(card, name)) for name in TIMES],
            [getattr(card, name) for name in FLAGS],
            card.tags,
            [(person.name, person.email, person.url) for person in card.authors],
            card.image and (card.image.url, card.image.alt),
            card.files,
            card.links,
            [_dump_enclosure(enclosure) for enclosure in card.enclosures],
            card.episode and _dump_episode(card.episode),
            [(p.path, p.line, p.column, p.message, p.cure) for p in card.warnings],
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def load_card(text: str) -> Card:
    """Return the card that `dump_card` made `text` of; ValueError for any other text."""
    return Card(**_load(text))


def load_post(text: str, *, html: str, page_html: str, plain: str) -> Post:
    """Return a card with its text, as a post; raises as `load_card`."""
    return Post(**_load(text), html=html, page_html=page_html, text=plain)


def _load(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
        if read[0] != FORMAT:
            raise ValueError("not a card of this version")
        _, texts, times, flags, tags, authors, image, files, links, *rest = read
        enclosures, episode, warnings = rest
        if not all(type(flag) is bool for flag in flags):
            raise ValueError("a flag of the card is none")
        return {
            **dict(zip(TEXTS, _texts(texts), strict=True)),
            **dict(zip(TIMES, map(_load_time, times), strict=True)),
            **dict(zip(FLAGS, flags, strict=True)),
            "tags": _texts(tags),
            "authors": tuple(_load_person(person) for person in authors),
            "image": None if image is None else _load_image(image),
            "files": _texts(files),
            "links": tuple(_load_link(link) for link in links),
            "enclosures": tuple(_load_enclosure(each) for each in enclosures),
            "episode": None if episode is None else _load_episode(episode),
            "warnings": tuple(_load_problem(problem) for problem in warnings),
        }
    except (TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise ValueError(f"not a card: {error}") from None


def links_hold(post: Card, site_map: SiteMap) -> bool:
    """Tell whether every question `post` asked has the same answer in `site_map`."""
    return all(find(site_map, key) == answer for key, answer in post.links)


# -- parts ---------------------------------------------------------------------------


def _dump_time(time: datetime | None) -> list[str | float] | None:
    """Return wall time, which of two equal ones, and zone: name or offset in seconds."""
    if time is None:
        return None
    wall = time.replace(tzinfo=None).isoformat()
    zone: str | float | None
    if isinstance(time.tzinfo, ZoneInfo) and time.tzinfo.key:
        zone = time.tzinfo.key
    else:
        offset = time.utcoffset()
        zone = None if offset is None else offset.total_seconds()
    return [wall, time.fold] if zone is None else [wall, time.fold, zone]


def _load_time(read: Any) -> datetime | None:
    if read is None:
        return None
    wall, fold, *zone = read
    time = datetime.fromisoformat(wall).replace(fold=fold)
    return time.replace(tzinfo=_load_zone(*zone)) if zone else time


def _load_zone(zone: Any) -> tzinfo:
    if isinstance(zone, str):
        return ZoneInfo(zone)
    return timezone(timedelta(seconds=zone)) if zone else UTC


def _texts(read: Any) -> tuple[str, ...]:
    if type(read) is not list or not all(type(text) is str for text in read):
        raise ValueError("a text of the card is none")
    return tuple(read)


def _numbers(*read: Any) -> tuple[int, ...]:
    if not all(type(number) is int for number in read):
        raise ValueError("a number of the card is none")
    return read


def _load_person(read: Any) -> Person:
    name, email, url = _texts(read)
    return Person(name=name, email=email, url=url)


def _load_image(read: Any) -> Image:
    url, alt = _texts(read)
    return Image(url=url, alt=alt)


def _load_link(read: Any) -> tuple[str, str]:
    key, answer = _texts(read)
    return key, answer


def _dump_enclosure(enclosure: Enclosure) -> list[str | int]:
    texts = (enclosure.url, enclosure.media_type, enclosure.title, enclosure.path)
    return [*texts, enclosure.length, enclosure.duration]


def _load_enclosure(read: Any) -> Enclosure:
    *texts, length, duration = read
    url, media_type, title, path = _texts(texts)
    length, duration = _numbers(length, duration)
    return Enclosure(
        url=url,
        media_type=media_type,
        length=length,
        duration=duration,
        title=title,
        path=path,
    )


def _dump_episode(episode: Episode) -> list[Any]:
    return [
        [episode.kind, episode.image, episode.chapters],
        [episode.number, episode.season],
        episode.explicit,
        [(t.url, t.media_type, t.language) for t in episode.transcripts],
    ]


def _load_episode(read: Any) -> Episode:
    texts, numbers, explicit, transcripts = read
    kind, image, chapters = _texts(texts)
    number, season = _numbers(*numbers)
    if explicit is not None and type(explicit) is not bool:
        raise ValueError("a flag of the card is none")
    return Episode(
        number=number,
        season=season,
        kind=kind,
        explicit=explicit,
        image=image,
        chapters=chapters,
        transcripts=tuple(_load_transcript(each) for each in transcripts),
    )


def _load_transcript(read: Any) -> Transcript:
    url, media_type, language = _texts(read)
    return Transcript(url=url, media_type=media_type, language=language)


def _load_problem(read: Any) -> Problem:
    path, line, column, message, cure = read
    path, message, cure = _texts([path, message, cure])
    line, column = _numbers(line, column)
    return Problem(path=path, line=line, column=column, message=message, cure=cure)

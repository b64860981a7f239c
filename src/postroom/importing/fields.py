"""The front matter of an imported post: which keys, in which order, with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.importing.front import entry_line
from postroom.importing.markdown_text import markdown_line
from postroom.importing.texts import path_of, web_url
from postroom.posts.slug import parse_language

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.importing.found import Found
    from postroom.importing.naming import Place
    from postroom.posts.post import Enclosure, Episode, Person
    from postroom.posts.values import Value

MAX_SUMMARY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the operator chose for all posts."""

    language: str
    """Of the site: posts in it say nothing."""
    mail: bool = False
    """False keeps imported posts out of letters for ever (`email: false`)."""
    canonical: bool = False


def front_of(
    found: Found, place: Place, image: str, choices: Choices
) -> dict[str, Value]:
    """Return the pairs of one post's front matter; empty ones are left out when written."""
    dated = not found.page
    language = parse_language(found.language)
    return {
        "title": entry_line(found.title),
        "date": moment_text(found.published) if dated else "",
        "updated": moment_text(_updated(found)),
        "id": entry_line(place.id),
        "slug": place.slug,
        "lang": "" if _is_usual(language, choices.language) else language,
        "tags": [entry_line(tag) for tag in found.tags],
        "authors": [_person(person) for person in found.authors],
        "summary": markdown_line(found.summary[:MAX_SUMMARY]) if found.summary else "",
        "image": entry_line(image),
        "image_alt": entry_line(found.image_alt) if image else "",
        "draft": "true" if found.draft else "",
        "visibility": found.visibility,
        "email": "" if choices.mail or found.page else "false",
        "permalink": entry_line(path_of(found.url)),
        "canonical_url": entry_line(found.url) if choices.canonical else "",
        "link": entry_line(web_url(found.link)),
        "enclosures": [_enclosure(item) for item in found.enclosures],
        **(_episode(found.episode) if found.episode else {}),
    }


def _is_usual(language: str, usual: str) -> bool:
    """Tell whether a language is the site's own: `ko-KR` is, where the site says `ko`."""
    return language == usual or language.partition("-")[0] == usual


def moment_text(moment: datetime | None) -> str:
    """Return a date as front matter has it; a naive one is the site's own time."""
    if moment is None:
        return ""
    offset = moment.utcoffset()
    if offset is None:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < timedelta(0) else "+"
    return f"{moment:%Y-%m-%d %H:%M:%S} {sign}{minutes // 60:02}{minutes % 60:02}"


def _updated(found: Found) -> datetime | None:
    """An edit counts when it came after the post; programs write the same date twice."""
    first, last = found.published, found.updated
    if last is None or first is None or found.page:
        return last
    if (first.tzinfo is None) != (last.tzinfo is None):
        return None
    return last if last > first else None


def _person(person: Person) -> Value:
    if person.url or ";" in person.name or "<" in person.name or "@" in person.name:
        return {"name": entry_line(person.name), "url": entry_line(person.url)}
    return entry_line(person.name)


def _enclosure(item: Enclosure) -> dict[str, Value]:
    return {
        "url": entry_line(item.url),
        "type": entry_line(item.media_type),
        "length": f"{item.length or ''}",
        "duration": f"{item.duration or ''}",
        "title": entry_line(item.title),
    }


def _episode(episode: Episode) -> dict[str, Value]:
    explicit = "" if episode.explicit is None else str(episode.explicit).lower()
    return {
        "episode": f"{episode.number or ''}",
        "season": f"{episode.season or ''}",
        "episode_type": episode.kind,
        "explicit": explicit,
        "episode_image": entry_line(episode.image),
        "chapters": entry_line(episode.chapters),
        "transcripts": [
            {
                "url": entry_line(item.url),
                "type": item.media_type,
                "language": item.language,
            }
            for item in episode.transcripts
        ],
    }

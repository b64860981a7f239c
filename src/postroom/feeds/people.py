"""Authors as feeds name them: by name and page, never by e-mail address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_line, clean_url
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Iterable

# A "name" that is an address would publish it; `@kim@mastodon.example` is a name.
_BARE_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def named_people(people: Iterable[Person]) -> tuple[Person, ...]:
    """Return those with a name, each once, without their e-mail addresses."""
    cleaned = [
        Person(name=clean_line(person.name), url=clean_url(person.url))
        for person in people
    ]
    return tuple(
        person
        for person in dict.fromkeys(cleaned)
        if person.name and not _BARE_EMAIL.fullmatch(person.name)
    )

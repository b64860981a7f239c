"""What each reader is known to do with a feed that is right: its limits, not ours.

Everything was seen with the versions named; a test fails when a reader does better, so
that this table (and docs/feeds-readers.md) stays true.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.readers.blog import Attached

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.readers.blog import Essay
    from tests.readers.clients import Seen

FILES = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
XML = ("atom", "rss")


class Edit(StrEnum):
    """What becomes of an entry whose title and `updated` change."""

    REPLACED = "replaced"
    TWICE = "twice"
    """It is there with the old title and with the new one."""
    IGNORED = "ignored"


class Files(StrEnum):
    """How much a reader keeps of an enclosure."""

    ALL = "url, type and length"
    TYPED = "url and type"
    URLS = "url"
    NONE = "nothing"


class People(StrEnum):
    """How much a reader keeps of several authors."""

    ALL = "all"
    FIRST = "the first"
    LAST = "the last"
    JOINED = "all, in one text"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One reader; a mapping names what differs by format."""

    formats: tuple[str, ...] = (*XML, "json")
    asks: int = 0
    """The visit (from 1) from which it asks conditionally; 0: it never does."""
    edit: Edit = Edit.REPLACED
    files: Files = Files.ALL
    files_of: Mapping[str, Files] = field(default_factory=dict)
    people: People = People.ALL
    people_of: Mapping[str, People] = field(default_factory=dict)
    tags: bool = True
    tags_of: Mapping[str, bool] = field(default_factory=dict)


FACTS = {
    "newsboat": Facts(  # 2.21
        formats=XML,
        asks=3,
        files=Files.TYPED,
        people=People.JOINED,
        people_of={"rss": People.LAST},
        tags=False,
    ),
    "sfeed": Facts(  # 1.7
        formats=XML,
        edit=Edit.TWICE,
        files=Files.URLS,
        people=People.FIRST,
    ),
    "rss2email": Facts(  # 3.13.1
        formats=XML,
        asks=2,
        edit=Edit.IGNORED,
        files=Files.URLS,
        people=People.NONE,
    ),
    "reader": Facts(  # 3.26
        asks=2,
        people=People.LAST,
        people_of={"json": People.ALL},
        tags=False,
    ),
    "feedparser": Facts(formats=XML, asks=2),  # 6.0.14
    "fastfeedparser": Facts(  # 0.6.5
        files_of={"atom": Files.NONE},
        people=People.FIRST,
    ),
    "feedsmith": Facts(),  # 3.0.1
    "rss-parser": Facts(  # 3.13.0
        formats=XML,
        files_of={"atom": Files.NONE},
        people=People.FIRST,
        tags_of={"atom": False},
    ),
}

CELLS = [(name, form) for name, facts in FACTS.items() for form in facts.formats]
"""Every reader with every format it reads."""
REFUSED = [
    (name, form)
    for name, facts in FACTS.items()
    for form in FILES
    if form not in facts.formats
]


def kept(essay: Essay, name: str, form: str) -> tuple[object, ...]:
    """What the reader should keep of an essay: compare with `fields` of what it has."""
    facts = FACTS[name]
    return (
        essay.title,
        essay.url,
        essay.tags if facts.tags_of.get(form, facts.tags) else (),
        _people(essay.authors, facts.people_of.get(form, facts.people)),
    )


def fields(seen: Seen) -> tuple[object, ...]:
    """The same of an entry as a reader has it."""
    return (seen.title, seen.url, seen.tags, seen.authors)


def kept_files(essay: Essay, name: str, form: str) -> tuple[Attached, ...]:
    """What the reader should keep of an essay's enclosures."""
    facts = FACTS[name]
    files = facts.files_of.get(form, facts.files)
    if files is Files.NONE:
        return ()
    return tuple(_file(file, files) for file in essay.attached)


def _file(file: Attached, files: Files) -> Attached:
    if files is Files.ALL:
        return file
    if files is Files.TYPED:
        return replace(file, length=0)
    return Attached(url=file.url)


def _people(authors: tuple[str, ...], people: People) -> tuple[str, ...]:
    kept = {
        People.ALL: authors,
        People.FIRST: authors[:1],
        People.LAST: authors[-1:],
        People.JOINED: (", ".join(authors),),
        People.NONE: (),
    }
    return kept[people]

"""Where `posts import` reads ids from: tables, feeds, and whole output folders."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.errors import ConfigError, Problem
from postroom.posts.id_table import IdTable, parse_id_table
from postroom.posts.published_ids import (
    MAX_OCTETS,
    PublishedEntry,
    is_feed,
    parse_published_feed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STANDARD_INPUT = "-"
FEED_FILES = ("atom.xml", "feed.json", "rss.xml")
"""Of one folder, all with the same ids: the first sound one is enough."""
ARCHIVES = (".atom", ".json")
"""Endings of archived months, as above."""


@dataclass(slots=True)
class Sources:
    """Everything that was read."""

    table: IdTable = field(default_factory=IdTable)
    entries: list[PublishedEntry] = field(default_factory=list)
    authority: str = ""
    """What a table says, else the first feed that says one."""
    problems: list[Problem] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether there is no id at all."""
        return not (self.table.rows or self.entries)


def read_sources(names: Iterable[str]) -> Sources:
    """Read each file, `-`, or folder of feeds; raise ConfigError for what is not there."""
    sources = Sources()
    authorities: list[str] = []
    for name in names:
        if name != STANDARD_INPUT and Path(name).is_dir():
            authorities.append(_read_folder(name, sources))
        elif data := _read(name, sources):
            authorities.append(_read_ids(data, name, sources))
    sources.authority = sources.table.authority or next(filter(None, authorities), "")
    return sources


def _read_ids(data: bytes, name: str, sources: Sources) -> str:
    """Take one file's ids; return the authority it tells."""
    if is_feed(data):
        feed = parse_published_feed(data, name)
        sources.entries += feed.entries
        sources.problems += feed.problems
        return feed.authority
    table = parse_id_table(data, name)
    sources.table = IdTable(
        rows=sources.table.rows + table.rows,
        authority=sources.table.authority or table.authority,
    )
    sources.problems += table.problems
    return table.authority


def _read_folder(name: str, sources: Sources) -> str:
    """Read the feeds of an output folder, those of its top first."""
    authority = ""
    groups = sorted(_groups(name), key=lambda group: (group[0].count(os.sep), group))
    for group in groups:
        for path in group:
            before = len(sources.problems)
            data = _read(path, sources)
            if data and is_feed(data):
                found = _read_ids(data, path, sources)
                authority = authority or found
                if len(sources.problems) == before:
                    break
    if not groups:
        sources.problems.append(Problem(path=name, message="no feeds in this folder"))
    return authority


def _groups(root: str) -> Iterator[list[str]]:
    """Files with the same entries in several formats, by folder and month."""
    for folder, _, names in os.walk(root):
        if feeds := [name for name in FEED_FILES if name in names]:
            yield [f"{folder}{os.sep}{name}" for name in feeds]
        months: dict[str, list[str]] = {}
        for ending in ARCHIVES:
            for name in names:
                if name.endswith(ending) and name not in FEED_FILES:
                    stem = name.removesuffix(ending)
                    months.setdefault(stem, []).append(f"{folder}{os.sep}{name}")
        yield from months.values()


def _read(name: str, sources: Sources) -> bytes:
    """The octets of a file; empty, and a problem, when there are too many."""
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_OCTETS + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_OCTETS + 1)
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}") from None
    if len(data) <= MAX_OCTETS:
        return data
    limit = f"larger than {MAX_OCTETS // 1024 // 1024} MiB"
    sources.problems.append(Problem(path=name, message=limit, cure="split it"))
    return b""

"""What an imported post is called, and whether it is there already."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from postroom.importing.texts import path_of
from postroom.posts.slug import build_slug, slug_of_address

if TYPE_CHECKING:
    from postroom.importing.found import Found

LAST = 500
"""Posts of one name that are counted; of more, each gets a digest."""


class State(StrEnum):
    """What becomes of an entry."""

    NEW = "new"
    THERE = "there"
    TWICE = "twice"
    """The same file has it a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an entry goes, or lies already; `path` is relative to the folder."""

    state: State
    path: str
    slug: str
    id: str
    """Empty where another entry has it."""


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Names and ids that are taken: by posts of the folder, and by this import."""

    ids: dict[str, str] = field(default_factory=dict)
    """Id → path, of posts that were there before."""
    paths: dict[str, str] = field(default_factory=dict)
    """Path → id or nothing, of posts that were there before."""
    slugs: dict[str, str] = field(default_factory=dict)
    """Slug → path, of all."""
    seen: dict[str, str] = field(default_factory=dict)
    """Id → digest of the entry, of this import."""
    used: set[str] = field(default_factory=set)
    """Paths of this import."""
    bundles: bool = False

    def place(self, found: Found) -> Place:
        """Return where `found` goes; asked once for each entry, in the file's order."""
        digest = hashlib.sha256(
            repr((found.title, found.published, found.text)).encode("utf-8", "replace")
        ).hexdigest()
        own = found.id
        if own and self.seen.get(own) == digest:
            return Place(state=State.TWICE, path="", slug="", id=own)
        if own in self.seen:
            return self._find_name(found, "")
        if own:
            self.seen[own] = digest
        if own in self.ids:
            path = self.ids[own]
            self.used.add(path)
            return Place(state=State.THERE, path=path, slug=slug_for(found), id=own)
        return self._find_name(found, own)

    def _find_name(self, found: Found, id: str) -> Place:
        wanted = slug_for(found)
        for number in range(1, LAST):
            slug = wanted if number == 1 else f"{wanted}-{number}"
            path = self._path(found, slug)
            if path in self.used:
                continue
            if path in self.paths:
                other = self.paths[path]
                if not (id and other):
                    self.used.add(path)
                    return Place(
                        state=State.THERE, path=path, slug=slug, id=id or other
                    )
            elif self.slugs.get(slug, path) == path:
                break
        else:
            slug = f"{wanted}-{hashlib.sha256(repr(found).encode('utf-8', 'replace')).hexdigest()[:12]}"
            path = self._path(found, slug)
        self.used.add(path)
        self.slugs[slug] = path
        return Place(state=State.NEW, path=path, slug=slug, id=id)

    def _path(self, found: Found, slug: str) -> str:
        dated = found.published is not None and not found.page
        name = f"{found.published:%Y-%m-%d}-{slug}" if dated else slug
        return f"{name}/index.md" if self.bundles else f"{name}.md"


def slug_for(found: Found) -> str:
    """Return the slug of the old address, else one from the title, never empty."""
    slug = build_slug(found.slug) or slug_of_address(path_of(found.url))
    slug = slug or build_slug(found.title)
    if not slug:
        key = found.id or found.name or found.text
        slug = f"post-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return slug

"""What was seen in a blog's folder: the settings that differ from our defaults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OWN_OUTPUT = "postroom-feeds"
"""Where feeds go when the program has no folder that it copies as it stands. `public`
would not do: Hugo and others empty it."""


class Kind(StrEnum):
    """Whose folder it is."""

    HUGO = "hugo"
    JEKYLL = "jekyll"
    PELICAN = "pelican"
    ELEVENTY = "eleventy"
    ASTRO = "astro"
    OBSIDIAN = "obsidian"

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return self.value.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One blog as postroom.toml would say it; empty is not found."""

    kind: Kind
    title: str = ""
    url: str = ""
    """Of the site, ends with `/`."""
    language: str = ""
    timezone: str = ""
    description: str = ""
    author: str = ""
    posts: str = ""
    """Folder of the posts below the blog's root; empty when there is none to be seen."""
    permalink: str = ""
    """Pattern of an address, to be put behind `url`."""
    pages: bool = False
    media: bool = False
    pelican: bool = False
    hard_breaks: bool = False
    encoding: str = ""
    exclude: tuple[str, ...] = ()
    """Folders below `posts`."""
    home: str = ""
    """Folder for postroom.toml and what postroom keeps, below the blog's root."""
    output: str = OWN_OUTPUT
    """Below the blog's root."""
    output_words: str = ""
    """How the feeds get onto the site."""
    seen: tuple[str, ...] = ()
    """Files that were read."""
    notes: tuple[str, ...] = ()
    """What could not be found or told, as sentences."""

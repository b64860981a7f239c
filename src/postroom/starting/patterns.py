"""Patterns of addresses as other programs write them become ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.posts.permalink import parse_permalink

if TYPE_CHECKING:
    from collections.abc import Mapping

COLON = re.compile(r":([A-Za-z_]+)(\[[^\]]*\])?")
CURLY = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
PYTHON = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
SLASHES = re.compile("/{2,}")

# In patterns Hugo writes names as it writes titles; only its default keeps them as names.
HUGO: Mapping[str, str] = {
    "year": "{year}",
    "month": "{month}",
    "monthname": "{date:%-B}",
    "day": "{day}",
    "weekdayname": "{date:%-A}",
    "yearday": "{date:%-j}",
    "title": "{title:hugo_title}",
    "slug": "{own_slug:hugo_title|title:hugo_title}",
    "filename": "{name:hugo_title}",
    "contentbasename": "{name:hugo_title}",
    "slugorfilename": "{own_slug:hugo_title|name:hugo_title}",
    "slugorcontentbasename": "{own_slug:hugo_title|name:hugo_title}",
}
JEKYLL: Mapping[str, str] = {
    "year": "{year}",
    "short_year": "{date:%y}",
    "month": "{month}",
    "i_month": "{date:%-m}",
    "short_month": "{date:%b}",
    "long_month": "{date:%B}",
    "day": "{day}",
    "i_day": "{date:%-d}",
    "y_day": "{date:%j}",
    "short_day": "{date:%a}",
    "long_day": "{date:%A}",
    "hour": "{hour}",
    "minute": "{minute}",
    "second": "{second}",
    "title": "{own_slug:jekyll|stem:jekyll}",
    "slug": "{own_slug:slug|stem:slug}",
    "categories": "{categories:lower}",
    "slugified_categories": "{categories:slug}",
    "output_ext": ".html",
    "collection": "posts",
}
JEKYLL_STYLES: Mapping[str, str] = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
ELEVENTY: Mapping[str, str] = {
    "page.fileSlug": "{stem}",
    "page.filePathStem": "{folder}/{stem}",
    "title | slug": "{title:astro}",
    "title | slugify": "{title:astro}",
    "slug": "{own_slug}",
    "slug | slugify": "{own_slug:astro}",
}


def translate_colons(
    pattern: str, table: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return `/:year/:title/` in our words, and the tokens that have none."""
    unknown: list[str] = []

    def token(found: re.Match[str]) -> str:
        # `:title:output_ext` and `:day_name`: the longest known beginning counts.
        written = found[1]
        for end in range(0 if found[2] else len(written), 0, -1):
            if written[:end] in table:
                return table[written[:end]] + written[end:]
        unknown.append(found[0])
        return ""

    return tidy(COLON.sub(token, pattern)), tuple(unknown)


def translate_python(
    pattern: str, table: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return Pelican's `{date:%Y}/{slug}.html` in our words, and what has none."""
    unknown: list[str] = []

    def token(found: re.Match[str]) -> str:
        if found[1] == "date" and found[2]:
            return found[0]
        if found[1] in table and not found[2]:
            return table[found[1]]
        unknown.append(found[0])
        return ""

    return tidy(PYTHON.sub(token, pattern)), tuple(unknown)


def translate_curly(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Return Eleventy's `/blog/{{ page.fileSlug }}/` in our words, and what has none."""
    unknown: list[str] = []

    def token(found: re.Match[str]) -> str:
        words = re.sub(r"\s*\|\s*", " | ", found[1])
        if words in ELEVENTY:
            return ELEVENTY[words]
        unknown.append(found[0])
        return ""

    text = tidy(CURLY.sub(token, pattern))
    return re.sub(r"(^|/)index\.html$", r"\1", text), tuple(unknown)


def tidy(pattern: str) -> str:
    """Return a pattern to be put behind the address of a site."""
    return SLASHES.sub("/", pattern).lstrip("/")


def is_usable(pattern: str) -> bool:
    """Whether `pattern` can stand behind an address."""
    try:
        parse_permalink(f"https://blog.example/{pattern}")
    except ValueError:
        return False
    return True

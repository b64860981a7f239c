"""The headings of a post: its title, their ids, and the fragments that lead to them."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from postroom.posts.flat_text import text_of
from postroom.posts.links import FRAGMENT
from postroom.posts.sanitise import MORE
from postroom.posts.slug import build_slug

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADING = re.compile(r"<h([1-6])([^<>]*)>(.*?)</h\1>\n?", re.DOTALL)
ID = re.compile(r' id="([^"]*)"')
MARKED = re.compile(f'"{FRAGMENT}([^"]*)"')
TITLE_LENGTH = 300
"""A longer H1 is a paragraph with a line of `=` below it by accident."""
TOP = frozenset(("", "top"))
"""Fragments that every page has (HTML, section 7.4.6.4)."""


def take_title(html: str, title: str) -> tuple[str, str]:
    """Return title and `html` without the heading that says it.

    Without `title` the first H1 with a text is the title; with one, an H1 at the very
    beginning that repeats it goes. The title is empty when there is neither.
    """
    for heading in _main_headings(html):
        text = text_of(heading[3].replace(MORE, ""))
        if title and (html[: heading.start()].strip() or not _same(text, title)):
            break
        if text and (title or len(text) <= TITLE_LENGTH):
            return title or text, html[: heading.start()] + html[heading.end() :]
    return title, html


def _main_headings(html: str) -> Iterator[re.Match[str]]:
    return (match for match in HEADING.finditer(html) if match[1] == "1")


def _same(text: str, title: str) -> bool:
    return text.casefold() == " ".join(title.casefold().split())


def number_headings(html: str, prefix: str) -> str:
    """Return `html` with an id on every heading, unique within the post.

    It is the slug of the heading's text, Hangul and all, after `prefix`.
    """
    if "<h" not in html:
        return html
    taken = set(ID.findall(html))
    numbers: dict[str, int] = {}

    def add_id(heading: re.Match[str]) -> str:
        level, attributes, inner = heading.group(1, 2, 3)
        if ID.search(attributes):
            return heading[0]
        name = base = prefix + (
            build_slug(text_of(inner.replace(MORE, ""))) or "section"
        )
        while name in taken:
            numbers[base] = numbers.get(base, 0) + 1
            name = f"{base}-{numbers[base]}"
        taken.add(name)
        end = heading[0][heading.end(3) - heading.start() :]
        return f'<h{level} id="{name}"{attributes}>{inner}{end}'

    return HEADING.sub(add_id, html)


def point_fragments(html: str, prefix: str) -> tuple[str, tuple[str, ...]]:
    """Return `html` whose marked fragments name ids of it, and those that name none.

    The mark stays before the `#`: it becomes the page's URL, or nothing on the page.
    """
    if FRAGMENT not in html:
        return html, ()
    ids = {unescape(name) for name in ID.findall(html)}
    lost: dict[str, None] = {}

    def point(mark: re.Match[str]) -> str:
        name = unquote(mark[1])
        for candidate in (prefix + name, prefix + build_slug(name)):
            if candidate in ids:
                return f'"{FRAGMENT}#{quote(candidate)}"'
        if name not in TOP:
            lost[name] = None
        return f'"{FRAGMENT}#{quote(name)}"'

    return MARKED.sub(point, html), tuple(lost)

"""The body of a post on its page: what may be wider than a phone scrolls by itself.

A code block takes the keyboard's focus and a name, a table gets a section that has both,
so that they can be scrolled without a mouse (WCAG 2.1.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from postroom.site.words import Words

TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]*)
        (?P<rest>(?:[^<>"']|"[^"]*"|'[^']*')*)>""",
    re.VERBOSE,
)
"""Every tag, attributes read as a whole: `<table>` in an `alt` text is no table."""


def build_body(page_html: str, words: Words) -> Markup:
    """Return `page_html`, sanitised before, with its code and tables made scrollable."""
    if "<table" not in page_html and "<pre" not in page_html:
        return Markup(page_html)  # noqa: S704 - sanitised by posts.render, as all of it
    return Markup(TAG.sub(_Frames(words).frame, page_html))  # noqa: S704 - the same


class _Frames:
    """One pass over the tags of a post; counts, because names must differ."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.tables = 0
        self.codes = 0
        self.depth = 0

    def frame(self, tag: re.Match[str]) -> str:
        name = tag["name"].lower()
        if name == "pre":
            return tag[0] if tag["end"] else self._open_code(tag["rest"])
        if name == "table":
            return self._close_table(tag[0]) if tag["end"] else self._open_table(tag[0])
        return tag[0]

    def _open_code(self, rest: str) -> str:
        self.codes += 1
        label = Markup.escape(self.words.code.format(number=self.codes))
        return f'<pre tabindex="0" role="group" aria-label="{label}"{rest}>'

    def _open_table(self, tag: str) -> str:
        self.depth += 1
        if self.depth > 1:  # a table in a cell scrolls with the outer one
            return tag
        self.tables += 1
        label = Markup.escape(self.words.table.format(number=self.tables))
        return f'<section class="scroll" tabindex="0" aria-label="{label}">{tag}'

    def _close_table(self, tag: str) -> str:
        self.depth -= 1
        return tag if self.depth else f"{tag}</section>"

"""Text that flows (RFC 3676): short lines for every reader, whole paragraphs for some.

A line that ends in a blank goes on in the next. Languages with blanks between words
break at one and keep it. Those without break between characters, where the blank was
never written: `DelSp=yes` says that readers take it away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.mail.columns import GRAPHEME, columns_of, split_columns
from postroom.mail.words import UNSPACED_LANGUAGES
from postroom.site.words import primary_subtag

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_COLUMNS = 72
CONTENT_COLUMNS = LINE_COLUMNS - 2
"""Room for the blank that stuffs a line and the one (of DelSp: two) that ends it."""
SIGNATURE = "-- "
"""Begins the footer; fixed, although it ends in a blank (§4.3)."""

_URL = re.compile(r"[<(\[]*https?://", re.IGNORECASE)
_STUFFED = re.compile(r"[ >]|From ")
# Kinsoku: what no line may begin with, and what none may end with.
_NOT_FIRST = frozenset(
    "、。，．・：；？！）」』】》〉］｝’”ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…"
)
_NOT_LAST = frozenset("（「『【《〈［｛‘“")


def deletes_blanks(language: str) -> bool:
    """Whether text in `language` flows with DelSp=yes (§4.2)."""
    return primary_subtag(language) in UNSPACED_LANGUAGES


def flow_paragraph(text: str, *, delsp: bool) -> str:
    """Return one paragraph as lines of at most `CONTENT_COLUMNS`, blanks not counted.

    A URL is never broken. Any other token wider than a line is: with `delsp` it is
    joined again, else the break stays.
    """
    lines: list[str] = []
    line = ""
    for blank, unit in _units(text, delsp=delsp):
        joined = line + (" " if blank and line else "") + unit
        if not line or columns_of(joined) <= CONTENT_COLUMNS:
            line = joined
            continue
        # One blank says "goes on"; with DelSp it is deleted, so a real one needs two.
        lines.append(line + " " * (blank + delsp))
        line = unit
    lines.append(line)
    # A dash alone on its line would begin a footer.
    return "\n".join("--" if each == SIGNATURE else each for each in lines)


def flow_text(text: str, *, delsp: bool) -> str:
    """Return many lines, each a paragraph; what is indented is code and stays."""
    return "\n".join(
        line.rstrip(" ") if line.startswith("  ") else flow_paragraph(line, delsp=delsp)
        for line in text.split("\n")
    )


def stuff_lines(text: str) -> str:
    """Return `text` with a blank before lines that flowing would misread (§4.4)."""
    return "\n".join(
        f" {line}" if _STUFFED.match(line) else line for line in text.split("\n")
    )


def _units(text: str, *, delsp: bool) -> Iterator[tuple[bool, str]]:
    """Yield what stays on one line, and whether a blank stands before it."""
    for index, token in enumerate(text.split()):
        pieces = [token]
        if not _URL.match(token):
            pieces = list(_characters(token)) if delsp else _fit(token)
        yield bool(index), pieces[0]
        for piece in pieces[1:]:
            yield False, piece


def _fit(token: str) -> list[str]:
    return split_columns(token, CONTENT_COLUMNS)


def _characters(token: str) -> Iterator[str]:
    """Yield the wide characters of `token` one by one, what lies between them whole."""
    unit = ""
    for cluster in GRAPHEME.findall(token):
        wide = columns_of(cluster) > 1
        bound = cluster in _NOT_FIRST or unit[-1:] in _NOT_LAST
        narrow = unit and not wide and columns_of(unit[-1]) <= 1
        if unit and not bound and not narrow:
            yield from _fit(unit)
            unit = ""
        unit += cluster
    yield from _fit(unit)

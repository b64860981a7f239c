"""A block of front matter: its text, where it lies in the file, and what it may hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import PostError, Problem
from postroom.posts.values import fold_line, shorten

if TYPE_CHECKING:
    from postroom.posts.values import Value

MAX_CHARACTERS = 64 * 1024
"""Of one block: libyaml is quadratic in places, and no real block has 10 KiB."""
MAX_DEPTH = 20
"""Levels of lists and maps within each other; real posts have up to five."""

QUOTE_IT = "put the value in quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The text between two fences of one file."""

    path: str
    text: str
    line: int
    """Line of the file, from 1, on which `text` begins, in column 1."""

    def problem(self, index: int, message: str, cure: str = "") -> Problem:
        """Return a problem at character `index` of the block, placed in the file.

        The message may quote what escapes in the block made: it is cleaned.
        """
        return Problem(
            path=self.path,
            line=self.line + self.text.count("\n", 0, index),
            column=index - self.text.rfind("\n", 0, index),
            message=shorten(fold_line(message)),
            cure=cure,
        )

    def error(self, index: int, message: str, cure: str = "") -> PostError:
        """Return the error to raise for a problem at character `index`."""
        return PostError(self.problem(index, message, cure))

    def find_key(self, key: str) -> int:
        """Return the index of `key`: in YAML, TOML, JSON or a header, outermost first."""
        name = r"""["']?""" + re.escape(key) + r"""["']?[ \t]*[:=]"""
        outer = re.search("^" + name, self.text, re.MULTILINE)
        inner = outer or re.search(
            r"(?:^|[{,])[ \t\n]*" + name, self.text, re.MULTILINE
        )
        if inner is None:
            return 0
        return inner.start() + inner[0].index(key)

    def line_at(self, index: int) -> str:
        """Return the line that holds character `index`."""
        start = self.text.rfind("\n", 0, index) + 1
        return self.text[start:].split("\n", 1)[0]


def parse_plain(block: Block, value: object, depth: int = 1) -> Value:
    """Bring what a TOML or JSON reader made to text, lists and maps.

    Dates become ISO 8601 text, numbers and booleans their spelling in lower case.
    Raises PostError when lists and maps lie deeper than MAX_DEPTH.
    """
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        raise too_deep(block, 0)
    if isinstance(value, dict):
        return {
            str(key): parse_plain(block, item, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list):
        return [parse_plain(block, item, depth + 1) for item in value]
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def too_deep(block: Block, index: int) -> PostError:
    """Return the error for a block with too many levels."""
    message = f"front matter is nested deeper than {MAX_DEPTH} levels"
    return block.error(index, message, "front matter must be key: value pairs")


def not_pairs(block: Block) -> PostError:
    """Return the error for a block that is a list or a single value."""
    message = "front matter must be key: value pairs"
    return block.error(0, message, "write each line as `key: value`")

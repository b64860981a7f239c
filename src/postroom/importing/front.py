"""Front matter is written so that posts/front_matter.py reads back the very values."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

from postroom.posts.values import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.posts.values import Value

PLAIN = re.compile(r"[^\W_][\w ./()+-]*")
"""What needs no quotes in YAML, whatever parser reads it: no sign of its own."""
NULLS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
NUMBER = re.compile(r"[\d._+-]+|0[xob]\w+|[\d.]+e[+-]?\d+", re.IGNORECASE)


def render_front(pairs: dict[str, Value]) -> str:
    """Return a YAML block between its fences; pairs without a value are left out."""
    return "---\n" + "".join(f"{line}\n" for line in _lines(pairs, "")) + "---\n"


def entry_line(text: str) -> str:
    """Return a line for a key that is read with HTML's entities, such as a title."""
    return text if html.unescape(text) == text else text.replace("&", "&amp;")


def _lines(pairs: dict[str, Value], indent: str) -> Iterator[str]:
    for key, value in pairs.items():
        if isinstance(value, str) and value:
            yield f"{indent}{key}: {_scalar(value, key)}"
        elif isinstance(value, list) and value:
            yield from _list(key, value, indent)
        elif isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")


def _list(key: str, values: list[Value], indent: str) -> Iterator[str]:
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        yield f"{indent}{key}: [{', '.join(map(_scalar, texts))}]"
        return
    yield f"{indent}{key}:"
    for value in values:
        if isinstance(value, dict):
            first, *rest = _lines(value, indent + "    ")
            yield f"{indent}  - {first.strip()}"
            yield from rest
        elif isinstance(value, str):
            yield f"{indent}  - {_scalar(value)}"


BARE = frozenset((
    "date", "updated", "draft", "email", "length", "duration", "episode", "season",
    "explicit",
))  # fmt: skip
"""Keys whose values are ours: dates, switches and counts."""


def _scalar(text: str, key: str = "") -> str:
    """Return text plain where any YAML reads it as text, else in double quotes."""
    text = clean(text).replace("\u2028", "\n").replace("\u2029", "\n")
    simple = PLAIN.fullmatch(text) and not text.endswith(" ")
    if key in BARE or (
        simple and text.casefold() not in NULLS and not NUMBER.fullmatch(text)
    ):
        return text
    return json.dumps(text, ensure_ascii=False)

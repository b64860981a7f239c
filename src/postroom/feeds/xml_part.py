"""A small XML element as a value."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """An element: a text, or elements within it, or neither."""

    name: str
    """With a prefix, `podcast:guid`, or bare."""
    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Part, ...] = ()

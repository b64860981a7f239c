"""Topics are tags a reader chose: compared without case, with or without a `#`."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from postroom.subscribers.address import parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR = ";"
"""Between topics in one cell or option; no topic contains it."""


def parse_topics(text: str) -> tuple[str, ...]:
    """Return the topics of a `;`-separated text, each once, in an order of their own.

    `#Python; 여행;python` and `여행;Python` name the same topics and give the same
    tuple but for the spelling, which is the first one's. No topics means all of them.
    """
    return build_topics(text.split(SEPARATOR))


def build_topics(topics: Iterable[str]) -> tuple[str, ...]:
    """Return topics named one by one as `parse_topics` would."""
    named: dict[str, str] = {}
    for topic in topics:
        if plain := _plain(topic):
            named.setdefault(fold_topic(plain), plain)
    return tuple(named[key] for key in sorted(named))


def render_topics(topics: Iterable[str]) -> str:
    """Return the text that `parse_topics` reads back."""
    return SEPARATOR.join(topics)


def fold_topic(topic: str) -> str:
    """Return the form by which a topic and a post's tag are compared."""
    plain = unicodedata.normalize("NFD", _plain(topic))
    return unicodedata.normalize("NFC", plain.casefold())


def _plain(topic: str) -> str:
    return parse_name(topic.replace(SEPARATOR, " ")).lstrip("# ")

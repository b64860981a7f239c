"""Topics: the tags of posts, one page for all spellings of the same word."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.posts.slug import build_slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from postroom.posts.post import Card, Spine

    Tagged = Card | Spine

FOLDER = "tags/"
PLUS = re.compile(r"(?<=[\w+])\+")
SHARP = re.compile(r"(?<=\w)#")
"""Signs that make another word of the one before them: C, C++ and C# are three."""
DIGEST_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic and its posts, in the order they came."""

    label: str
    slug: str
    posts: tuple[Tagged, ...]

    @property
    def path(self) -> str:
        """The folder of its page and feeds, relative to the output: `tags/SLUG/`."""
        return f"{FOLDER}{self.slug}/"


def slug_of_topic(tag: str) -> str:
    """Return the address of `tag`, the same for its case and NFC variants; never empty."""
    label = _label(tag)
    slug = build_slug(SHARP.sub("-sharp", PLUS.sub("-plus", label)))
    if slug:
        return slug
    folded = label.casefold().encode()
    return f"topic-{hashlib.sha256(folded).hexdigest()[:DIGEST_LENGTH]}"


def gather_topics(posts: Sequence[Tagged]) -> tuple[dict[str, Topic], list[Topic]]:
    """Return the topic of each tag as written, and all topics by their label.

    A topic is called what most posts call it; among equals the order of the alphabet
    decides, so that a new post seldom renames it.
    """
    slugs = {tag: slug_of_topic(tag) for tag in _tags(posts)}
    members: defaultdict[str, dict[str, Tagged]] = defaultdict(dict)
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for post in posts:
        for tag in post.tags:
            members[slugs[tag]][post.path] = post
            labels[slugs[tag]][_label(tag)] += 1
    topics = {
        slug: Topic(
            label=_favourite(labels[slug]), slug=slug, posts=tuple(own.values())
        )
        for slug, own in members.items()
    }
    ordered = sorted(topics.values(), key=lambda one: (one.label.casefold(), one.slug))
    return {tag: topics[slug] for tag, slug in slugs.items()}, ordered


def topics_of(post: Tagged, topics: Mapping[str, Topic]) -> tuple[Topic, ...]:
    """Return the topics of one post, each once, in the author's order."""
    found = {topics[tag].slug: topics[tag] for tag in post.tags}
    return tuple(found.values())


def _tags(posts: Iterable[Tagged]) -> set[str]:
    return {tag for post in posts for tag in post.tags}


def _label(tag: str) -> str:
    return unicodedata.normalize("NFC", tag.strip())


def _favourite(labels: Counter[str]) -> str:
    return min(labels, key=lambda label: (-labels[label], label))

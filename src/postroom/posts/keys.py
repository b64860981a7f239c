"""The names that Jekyll, Hugo, Pelican, Ghost and others give to the same key, as data.

Keys are compared without regard to case, `_` and `-`: `publishDate` is `publish_date`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from postroom.posts.values import parse_flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from postroom.posts.values import Value

ALIASES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "subject"),
    "subject": ("email_subject", "subject"),
    "date": (
        "date",
        "publishDate",
        "publish_date",
        "pubdate",
        "pubDatetime",
        "published_at",
        "published_date",
        "published",
    ),
    "created": ("created", "created_at"),
    "updated": (
        "updated",
        "lastmod",
        "modified",
        "updated_at",
        "last_modified_at",
        "last_modified",
    ),
    "expires": ("expires", "expiryDate", "unpublishDate"),
    "slug": ("slug",),
    "address": ("permalink", "url", "path"),
    "summary": ("summary", "excerpt", "custom_excerpt", "description", "deck"),
    "preheader": ("preheader", "preview_text", "email_preheader"),
    "tags": ("tags", "tag", "keywords", "topics"),
    "categories": ("categories", "category", "series"),
    "authors": ("authors", "author"),
    "image": (
        "image",
        "cover",
        "images",
        "feature_image",
        "featured_image",
        "thumbnail",
        "og_image",
        "hero",
    ),
    "image_alt": ("image_alt", "feature_image_alt", "featured_image_alt"),
    "language": ("lang", "language", "locale"),
    "canonical_url": ("canonical_url", "canonical", "canonicalURL"),
    "link": ("link", "link_url", "external_url"),
    "id": ("id", "uuid", "guid"),
    "mailed": ("email", "send"),
    "enclosures": (
        "enclosures",
        "enclosure",
        "audio",
        "audio_url",
        "audio_file",
        "podcast_file",
        "podcast",
        "mp3",
        "video",
    ),
    "enclosure_length": (
        "enclosure_length",
        "podcast_bytes",
        "audio_bytes",
        "audio_length",
        "audio_size",
    ),
    "duration": ("duration", "podcast_duration", "audio_duration"),
    "episode": ("episode", "episode_number", "podcast_episode"),
    "season": ("season", "season_number", "podcast_season"),
    "episode_kind": ("episode_type", "podcast_episode_type"),
    "explicit": ("explicit", "podcast_explicit"),
    "episode_image": ("episode_image", "episode_cover", "podcast_image"),
    "chapters": ("chapters", "chapters_url", "podcast_chapters"),
    "transcripts": ("transcripts", "transcript", "transcript_url"),
}
"""What postroom asks for → what authors write; the first that is not empty wins."""

EXCLUSIVE = frozenset(
    {"date", "updated", "expires", "authors", "language", "canonical_url", "id"}
)
"""Names of which two with different values contradict each other: worth a warning.

The others have two meanings side by side: `description` for search engines and
`excerpt` for readers, `image` and its `thumbnail`.
"""

QUIET = (
    "enclosure_length",
    "duration",
    "episode",
    "season",
    "episode_kind",
    "explicit",
    "episode_image",
    "chapters",
    "transcripts",
)
"""Names that are words of other trades too: `chapter: 3` is no misspelling of one."""

DRAFT_WHEN_TRUE = ("draft", "is_draft", "private", "hidden")
DRAFT_WHEN_FALSE = ("published", "publish", "public")
EXCLUDED = "eleventyExcludeFromCollections"
STATUS = "status"
HANGUL_DRAFT = ("초안", "비공개")

CONTAINERS = ("params", "extra", "taxonomies")
"""Maps whose pairs count as if they stood outside (Hugo, Zola)."""

TEXT_KEYS = frozenset(
    {*ALIASES["title"], *ALIASES["subject"], *ALIASES["summary"], *ALIASES["preheader"]}
)
"""Keys that hold a line of text, whatever signs stand in it."""

HANGUL_KEYS: Mapping[str, str] = {
    "제목": "title",
    "날짜": "date",
    "작성일": "date",
    "발행일": "date",
    "수정일": "updated",
    "태그": "tags",
    "분류": "categories",
    "카테고리": "categories",
    "요약": "summary",
    "설명": "summary",
    "저자": "authors",
    "글쓴이": "authors",
    "작성자": "authors",
    "언어": "lang",
    "초안": "draft",
    "비공개": "draft",
}

HARMLESS_WORDS = """
    layout template type outputs weight featured pin order sticky toc math comments
    aliases redirect_from lists email_only email_type isCJKLanguage version parent
    resource related class cssclass publisher header footer theme source data media
    nav_order license edition headline state format start end
"""
"""Keys of other generators: not used, and no misspelling of ours."""

SIMILAR = 0.8
"""Ratio of difflib from which a key is a likely misspelling: `titl`, `dat`."""
MAX_UNKNOWN = 50
"""Unknown keys of one post that are compared; each costs a tenth of a millisecond."""
SHORTEST, LONGEST = 3, 24
"""Characters of a key that is compared; only one of ours is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A pair as written."""

    key: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A warning about a key; its place in the file is found by the key."""

    key: str
    message: str
    cure: str


@lru_cache(maxsize=4096)
def fold(key: str) -> str:
    """Return a key in the form in which keys are compared."""
    folded = unicodedata.normalize("NFC", key).casefold()
    return folded.replace("_", "").replace("-", "").replace(" ", "")


@lru_cache(maxsize=256)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(fold, names)))


KNOWN: Mapping[str, str] = {
    fold(name): name
    for names in (
        *ALIASES.values(),
        DRAFT_WHEN_TRUE,
        DRAFT_WHEN_FALSE,
        (EXCLUDED, STATUS),
        CONTAINERS,
    )
    for name in names
}
IGNORED = frozenset(map(fold, HARMLESS_WORDS.split()))
OFFERED = frozenset(KNOWN) - {fold(n) for name in QUIET for n in ALIASES[name]}
"""Those that an unknown key may be meant to be."""
FOLDED_ALIASES = {name: _folded(names) for name, names in ALIASES.items()}
MEANINGS: Mapping[str, tuple[str, ...]] = {
    folded: tuple(name for name, names in FOLDED_ALIASES.items() if folded in names)
    for folded in KNOWN
}
"""Of each known key, folded: the names of ALIASES it may stand for."""
FOLDED_TEXT_KEYS = frozenset(map(fold, TEXT_KEYS))


def is_text_key(key: str) -> bool:
    """Tell whether `key` holds one line of text, such as a title."""
    return fold(key) in FOLDED_TEXT_KEYS


class Keys:
    """The pairs of one front matter, asked for by any of their names."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.entries: dict[str, list[Entry]] = {}
        for key, value in _unpacked(values):
            entry = Entry(key=key, value=value)
            self.entries.setdefault(fold(key), []).append(entry)

    def all(self, names: tuple[str, ...]) -> list[Entry]:
        """Return the pairs with a value under `names`, in the order of `names`."""
        found: list[Entry] = []
        for folded in _folded(names):
            for entry in self.entries.get(folded, ()):
                if is_set(entry.value) and entry not in found:
                    found.append(entry)
        return found

    def first(self, canonical: str) -> Entry | None:
        """Return the pair that counts for a name of ALIASES, None when all are empty."""
        for folded in FOLDED_ALIASES[canonical]:
            for entry in self.entries.get(folded, ()):
                if is_set(entry.value):
                    return entry
        return None

    def any_known(self) -> bool:
        """Tell whether one key at least is ours or another generator's."""
        return any(folded in KNOWN or folded in IGNORED for folded in self.entries)

    def remarks(self) -> Iterator[Remark]:
        """Yield warnings: contradictions, Korean keys, likely misspellings."""
        times = Counter(
            canonical
            for folded, entries in self.entries.items()
            for canonical in MEANINGS.get(folded, ()) * len(entries)
        )
        for canonical in ALIASES:
            if times[canonical] > 1:
                yield from self._clashes(canonical)
        unknown = [
            entries[0].key
            for folded, entries in self.entries.items()
            if folded not in KNOWN and folded not in IGNORED
        ]
        for key in unknown[:MAX_UNKNOWN]:
            name = near_miss(key)
            if name:
                message = f"the key `{key}` is not read"
                yield Remark(key=key, message=message, cure=f"did you mean `{name}`?")

    def _clashes(self, canonical: str) -> Iterator[Remark]:
        found = self.all(ALIASES[canonical])
        for other in found[1:]:
            same_name = fold(other.key) == fold(found[0].key)
            if other.value == found[0].value or parse_flag(other.value) is not None:
                continue
            if same_name or canonical in EXCLUSIVE:
                message = f"`{found[0].key}` and `{other.key}` differ; the first counts"
                yield Remark(key=other.key, message=message, cure="keep one of the two")


def is_set(value: Value) -> bool:
    """Tell whether a pair holds anything: `key:` and `key: ""` are as if absent."""
    return bool(value.strip() if isinstance(value, str) else value)


@lru_cache(maxsize=4096)
def near_miss(key: str) -> str:
    """Return the known key that an unknown one is likely meant to be, or nothing.

    `author_site` is a key of its own, not a misspelling of `authors`.
    """
    folded = fold(key)
    if folded in FOLDED_HANGUL:
        return FOLDED_HANGUL[folded]
    compound = any(part in OFFERED for part in re.split("[_-]", key.casefold()))
    if compound or not SHORTEST <= len(folded) <= LONGEST:
        return ""
    close = difflib.get_close_matches(folded, OFFERED, n=1, cutoff=SIMILAR)
    return KNOWN[close[0]] if close else ""


FOLDED_HANGUL = {fold(key): name for key, name in HANGUL_KEYS.items()}


def _unpacked(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the pairs, then those of Hugo's and Zola's inner maps that add to them."""
    outer = {fold(key) for key in values}
    yield from values.items()
    for container, inner in values.items():
        if container.lower() in CONTAINERS and isinstance(inner, dict):
            for key, value in inner.items():
                if fold(key) not in outer:
                    yield key, value

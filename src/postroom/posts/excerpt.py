"""The excerpt of a post: plain text that ends at a sentence, or at least at a word.

Lengths are counted in grapheme clusters (UAX #29), so that no syllable of Hangul in
jamo and no family of emoji is ever cut.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from postroom.posts.markdown import ILLEGAL

if TYPE_CHECKING:
    from types import ModuleType

CODE_POINTS_PER_CLUSTER = 20
"""Only so much text is looked at: no script comes near it, decomposed jamo need 3."""
SENTENCE_FROM = 0.6
"""A sentence that ends in the last 40 % of the space fills it well enough."""
WORD_WITHIN = 30
"""Clusters an eojeol may be pushed out for; longer words are cut."""

ELLIPSIS = "…"
CLOSING = "\"'”’»\u203a)\\]}」』】〉》）\u3015］"
SENTENCE_END = re.compile(
    rf"[。．！？]+[{CLOSING}]*"
    rf"|[.!?…]+[{CLOSING}]*(?=\s|$)"
    r"|(?<=[가-힣])\.(?=[가-힣])"
)
"""The last alternative is Korean habit: `했다.그리고`."""
SINGLE = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fc\u4e00-\u9fff가-힣]*"
)
"""Signs each of which is a cluster by itself, beside any of the others: most of Korean
and English. Counting them takes a tenth of the time that looking for clusters does."""
TRAILING = " ,，、·・:：;；([{（［｛\u3014【「『《〈“‘«\u2039\"'"


def build_excerpt(text: str, limit: int) -> str:
    """Return the beginning of plain `text` in at most `limit` clusters.

    All of it if it fits; else up to the last sentence end in the last 40 %, without a
    sign; else up to the last word, with an ellipsis (which counts).
    """
    if limit < 1:
        return ""
    text, whole = _collapse(text, limit)
    end = _offset(text, limit)
    if whole and end == len(text):
        return text
    sentence = _sentence_end(text, _offset(text, int(limit * SENTENCE_FROM)), end)
    if sentence:
        return text[:sentence]
    kept = text[: _word_end(text, limit - len(ELLIPSIS))].rstrip(TRAILING)
    if not SINGLE.fullmatch(kept[-1:]):
        kept = _clusters().without_prepended(kept)
    return kept + ELLIPSIS


def _collapse(text: str, limit: int) -> tuple[str, bool]:
    """Return `text` in NFC with single blanks, and whether that is all of it."""
    cap = limit * CODE_POINTS_PER_CLUSTER
    whole = len(text) <= cap
    start = ILLEGAL.sub(" ", unicodedata.normalize("NFC", text[:cap]))
    start = " ".join(start.split())
    if not whole and _offset(start, limit) == len(start):
        start = start[: _clusters().last_start(start)]  # the cap may stand within it
    return start, whole


def _offset(text: str, count: int) -> int:
    """Return where the first `count` clusters of `text` end."""
    single = SINGLE.match(text, 0, count + 1)
    if single and single.end() == min(count + 1, len(text)):
        return min(count, len(text))
    end: int = _clusters().end_of(text, count)
    return end


def _sentence_end(text: str, start: int, end: int) -> int:
    """Return the last end of a sentence from `start` to `end`, 0 when there is none."""
    last = 0
    for match in SENTENCE_END.finditer(text):
        here = match.end()
        if here > end:
            break
        if here >= start and not _joins(text, here):
            last = here
    return last


def _joins(text: str, place: int) -> bool:
    """Whether the sign at `place` belongs to the cluster of the one before it."""
    following = text[place : place + 1]
    return not SINGLE.fullmatch(following) and _clusters().joins_before(text, place)


def _clusters() -> ModuleType:
    from postroom.posts import clusters  # noqa: PLC0415 - regex takes 12 ms, and most texts do without

    return clusters


def _word_end(text: str, limit: int) -> int:
    """Return where the last word within `limit` clusters ends, or the last cluster."""
    end = _offset(text, limit)
    if text[end : end + 1] == " ":
        return end
    blank = text.rfind(" ", _offset(text, max(limit - WORD_WITHIN, 0)), end)
    return blank if blank > 0 else end

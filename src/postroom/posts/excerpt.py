"""The excerpt of a post: plain text that ends at a sentence, or at least at a word.

Lengths are counted in grapheme clusters (UAX #29), so that no syllable of Hangul in
jamo and no family of emoji is ever cut.
"""

from __future__ import annotations

import re
import unicodedata

import regex

from postroom.posts.markdown import ILLEGAL

CODE_POINTS_PER_CLUSTER = 20
"""Only so much text is looked at: no script comes near it, decomposed jamo need 3."""
SENTENCE_FROM = 0.6
"""A sentence that ends in the last 40 % of the space fills it well enough."""
WORD_WITHIN = 30
"""Clusters an eojeol may be pushed out for; longer words are cut."""

ELLIPSIS = "…"
CLOSING = "\"'”’»›)\\]}」』】〉》）〕］"
SENTENCE_END = re.compile(
    rf"[。．！？]+[{CLOSING}]*"
    rf"|[.!?…]+[{CLOSING}]*(?=\s|$)"
    r"|(?<=[가-힣])\.(?=[가-힣])"
)
"""The last alternative is Korean habit: `했다.그리고`."""
EXTENDS = regex.compile(r"[\p{M}\p{Cf}\p{Emoji_Modifier}]")
TRAILING = " ,，、·・:：;；([{（［｛〔【「『《〈“‘«‹\"'"


def build_excerpt(text: str, limit: int) -> str:
    """Return the beginning of plain `text` in at most `limit` clusters.

    All of it if it fits; else up to the last sentence end in the last 40 %, without a
    sign; else up to the last word, with an ellipsis (which counts).
    """
    if limit < 1:
        return ""
    text, whole = _collapse(text, limit)
    if whole and _offset(text, limit) == len(text):
        return text
    end = _offset(text, limit)
    sentence = _sentence_end(text, _offset(text, int(limit * SENTENCE_FROM)), end)
    if sentence:
        return text[:sentence]
    return text[: _word_end(text, limit)].rstrip(TRAILING) + ELLIPSIS


def _collapse(text: str, limit: int) -> tuple[str, bool]:
    """Return `text` in NFC with single blanks, and whether that is all of it."""
    cap = limit * CODE_POINTS_PER_CLUSTER
    start = ILLEGAL.sub("", text[:cap])
    start = " ".join(unicodedata.normalize("NFC", start).split())
    if len(text) <= cap:
        return start, True
    *_, last = [0, *(match.start() for match in regex.finditer(r"\X", start))]
    return start[:last], False  # the last cluster may have gone on

"""What may stand in a letter: text without controls, overrides of direction, or holes.

Gmail clips mail that holds C1 controls; an override of direction in a title reverses
what follows it; U+2028 ends a line for some parsers. Noncharacters (U+FDD0–U+FDEF, never
for interchange, Unicode §23.7) are what holes are made of: no post can bring one.
"""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
# Embeddings, overrides and isolates; the marks U+200E, U+200F and U+061C stay, as
# Hebrew and Arabic writers need them and they reach no further than themselves.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
# U+3000 and the no-break space stay: they are typography.
_BLANKS = re.compile("[ \t\n]+")
_REFERENCE = re.compile("&#(?:[xX]([0-9A-Fa-f]+)|([0-9]+));?")
_REPLACEMENT = "\ufffd"
_TAB = 4


def clean_text(text: str) -> str:
    """Return `text` with LF as its only control character."""
    text = _LINE_END.sub("\n", text).expandtabs(_TAB)
    return _DIRECTION.sub("", _ILLEGAL.sub("", text))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line, runs of blanks as one space."""
    return _BLANKS.sub(" ", clean_text(text)).strip()


def clean_html(html: str) -> str:
    """Return `html` cleaned of the same characters, also of those written as numbers.

    An HTML parser turns `&#xFDD0;` into the character itself. What stood for one
    becomes U+FFFD: taken away, it could join its neighbours to another.
    """
    html = _ILLEGAL.sub("", _LINE_END.sub("\n", html))
    return _REFERENCE.sub(_keep_harmless, html)


def _keep_harmless(reference: re.Match[str]) -> str:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    # Seven digits say every code point; int() of a very long number is refused.
    number = int(digits, base) if len(digits.lstrip("0")) <= 7 else 0  # noqa: PLR2004 - digits of 10FFFF and of 1114111
    try:
        character = chr(number)
    except (OverflowError, ValueError):
        return _REPLACEMENT
    dropped = _ILLEGAL.match(character) or _LINE_END.match(character)
    return _REPLACEMENT if dropped else reference[0]

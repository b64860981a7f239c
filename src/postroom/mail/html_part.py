"""The HTML part: template, inlined styles, and only the classes that still do something.

Webmails keep at most one `<style>` block in ten, so every rule is written into the
elements; the three blocks that stay (phone, dark, Outlook.com) only improve the letter.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import css_inline
from markupsafe import Markup, escape

from postroom.errors import TemplateError
from postroom.mail.columns import columns_of
from postroom.mail.contents import direction_within
from postroom.mail.holes import (
    HOLE_END,
    HOLE_START,
    PREFERENCES_HOLE,
    UNSUBSCRIBE_HOLE,
)
from postroom.mail.palette import DARK, LIGHT
from postroom.mail.words import UPRIGHT_LANGUAGES, fonts_for
from postroom.site.theme import render_template
from postroom.site.words import primary_subtag

if TYPE_CHECKING:
    import jinja2

    from postroom.mail.contents import Contents

TEMPLATE = "letter/letter.html"

LONG_TOKEN = 24
"""Columns: a longer run without a blank may be wider than a phone's line."""
PREVIEW_COLUMNS = 120
"""In-boxes show this much; what the preheader leaves, they take from the letter."""
BLANK_COLUMN = "\u034f\u2007"
"""A grapheme joiner and a figure space: a column that is not collapsed."""

_TOKEN = re.compile(rf"\S{{{LONG_TOKEN // 2},}}")
_BREAK_AFTER = re.compile(r"(?<=[/\-._?&=])(?=[^/\-._?&=])")
# Serialised HTML5: attributes are quoted, `"` within them is escaped, and so is `<`
# in text; hence these patterns cannot meet text.
_TAG_WITH_CLASS = re.compile(
    r'<[a-z][a-z0-9]*(?: [^\s=<>"]+="[^"]*")*? (class="([^"]*)")'
)
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_CLASS_NAME = re.compile(r"\.([A-Za-z][\w-]*)")
_PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
_INDENT = re.compile(r"\s*\n\s*")
_KEEP_MARK = ' data-css-inline="keep"'


def render_html(
    contents: Contents,
    environment: jinja2.Environment,
    *,
    body: str = "",
    cut: bool = False,
) -> str:
    """Return the letter as HTML, ready for every client, with its holes.

    `body` is a single post's own HTML; `cut` says that it goes on on the web. Raises
    TemplateError.
    """
    left_to_right = contents.direction == "ltr"
    primary = primary_subtag(contents.language)
    own = contents.words.language
    values = {
        "letter": contents,
        "words": contents.words,
        "body": Markup(body),  # noqa: S704 - sanitised when the post was rendered
        "cut": cut,
        "light": LIGHT,
        "dark": DARK,
        "fonts": Markup(fonts_for(contents.language)),  # noqa: S704 - our own constant
        "own": "" if own == primary else own,
        "korean": primary == "ko",
        "upright": primary in UPRIGHT_LANGUAGES,
        "start": "left" if left_to_right else "right",
        "end": "right" if left_to_right else "left",
        "preheader": contents.preheader + _padding(contents.preheader),
        "unsubscribe": UNSUBSCRIBE_HOLE,
        "preferences": PREFERENCES_HOLE,
        "breakable": breakable,
        "marks": functools.partial(_marks, contents.direction),
    }
    html = render_template(environment, TEMPLATE, values)
    return _check_holes(_tidy(_inline(html)))


def breakable(text: str) -> Markup:
    """Return `text` escaped, long tokens with places to break (`<wbr>`).

    Few clients know `overflow-wrap: anywhere`; without, one URL in an excerpt makes the
    letter wider than a phone.
    """
    pieces = []
    end = 0
    for token in _TOKEN.finditer(text):
        if columns_of(token[0]) <= LONG_TOKEN:
            continue
        pieces.append(escape(text[end : token.start()]))
        pieces.append(Markup("<wbr>").join(_BREAK_AFTER.split(token[0])))
        end = token.end()
    pieces.append(escape(text[end:]))
    return Markup().join(pieces)


def _marks(around: str, text: str, language: str = "") -> Markup:
    """Return ` lang="…" dir="…"`, each only where `text` differs from the letter."""
    direction = direction_within(text, around)
    marks = Markup(' lang="{}"').format(language) if language else Markup()
    return marks + Markup(' dir="{}"').format(direction) if direction else marks


def _padding(preheader: str) -> str:
    missing = PREVIEW_COLUMNS - columns_of(preheader)
    # From 80 columns on nothing of the letter shows through in the clients that matter.
    return BLANK_COLUMN * missing if missing > PREVIEW_COLUMNS // 3 else ""


def _inline(html: str) -> str:
    inliner = css_inline.CSSInliner(
        # A block marked "keep" stays verbatim and in place; this option would gather
        # all at-rules in one block before the charset.
        keep_at_rules=False,
        load_remote_stylesheets=False,
        minify_css=True,
    )
    try:
        return inliner.inline(html)
    except (css_inline.InlineError, ValueError) as error:
        raise TemplateError(
            f"templates/{TEMPLATE}: styles cannot be inlined: {error}"
        ) from None


def _tidy(html: str) -> str:
    """Drop what did its work: marks for the inliner, classes, indentation."""
    html = html.replace(_KEEP_MARK, "")
    styled = {
        name for block in _STYLE.findall(html) for name in _CLASS_NAME.findall(block)
    }

    def keep_styled(tag: re.Match[str]) -> str:
        kept = " ".join(name for name in tag[2].split() if name in styled)
        head = tag[0].removesuffix(tag[1])
        return f'{head}class="{kept}"' if kept else head.rstrip()

    parts = _PREFORMATTED.split(_TAG_WITH_CLASS.sub(keep_styled, html))
    parts[::2] = [_INDENT.sub("\n", part) for part in parts[::2]]
    return "".join(parts).strip() + "\n"


def _check_holes(html: str) -> str:
    """Return `html`; raise TemplateError when its reader could not leave."""
    if UNSUBSCRIBE_HOLE not in html:
        raise TemplateError(
            f"templates/{TEMPLATE}: there is no link to leave",
            cure='write href="{{ unsubscribe }}" where readers find it',
        )
    rest = html.replace(UNSUBSCRIBE_HOLE, "").replace(PREFERENCES_HOLE, "")
    if HOLE_START in rest or HOLE_END in rest:
        raise TemplateError(f"templates/{TEMPLATE}: a hole is damaged")
    return html

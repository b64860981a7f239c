"""Colours for code: Pygments' classes on pages, inline styles in letters."""

from __future__ import annotations

import functools
import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.formatter import Formatter
    from pygments.lexer import Lexer

BLOCK = re.compile(
    r'<pre([^<>]*)><code class="language-([^" ]+)([^<>]*)>([^<]*)</code></pre>'
)
CLASS = re.compile(r' class="[^"]*"')

PAGE_LIMIT = 50_000
"""Characters of a block on a page: some lexers are slow on text that is not theirs."""
LETTER_LIMIT = 4_000
"""Colours triple the size of a block, and Gmail cuts a letter at 102 kB."""
POST_LIMIT = 200_000
"""Characters of all blocks of a post, coloured in about a second."""
KEPT = 256
"""Blocks remembered: a preview renders the same post again and again."""

LETTER_STYLE = "xcode"
"""Its colours reach a contrast of 4.5 on a light ground (WCAG 2.1, 1.4.3)."""

PLAIN = re.compile(r'<span style="color: #000">([^<]*)</span>')
"""What has no colour of its own keeps that of the text around it."""


def highlight_code(html: str, *, inline: bool) -> str:
    """Return sanitised `html` with its `<pre><code class="language-x">` coloured.

    `inline` writes `style` attributes for mail, else classes below `.highlight`. Code
    of an unknown language, or longer than the limits, stays as it is.
    """
    if '<code class="language-' not in html:
        return html
    limit = LETTER_LIMIT if inline else PAGE_LIMIT
    left = POST_LIMIT

    def colour(block: re.Match[str]) -> str:
        nonlocal left
        before, language, after, code = block.groups()
        if len(code) > min(limit, left):
            return block[0]
        left -= len(code)
        coloured = _colour(language.lower(), unescape(code), inline)
        if coloured is None:
            return block[0]
        if not inline:
            before = CLASS.sub("", before) + ' class="highlight"'
        return f'<pre{before}><code class="language-{language}{after}>{coloured}</code></pre>'

    return BLOCK.sub(colour, html)


@functools.lru_cache(maxsize=KEPT)
def _colour(language: str, code: str, inline: bool) -> str | None:  # noqa: FBT001 - a cache wants positions
    lexer = _lexer(language)
    if lexer is None:
        return None
    from pygments import highlight  # noqa: PLC0415 - 41 ms, only for posts with code

    try:
        html = highlight(code, lexer, _formatter(inline))
    except Exception:  # noqa: BLE001 - one of 500 lexers failing must not cost the post
        return None
    return PLAIN.sub(r"\1", html).removesuffix("\n") + "\n"


@functools.cache
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - only for posts with code
    from pygments.util import ClassNotFound  # noqa: PLC0415 - the same

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


@functools.cache
def _formatter(inline: bool) -> Formatter[str]:  # noqa: FBT001 - a cache wants positions
    from pygments.formatters.html import HtmlFormatter  # noqa: PLC0415 - only for posts with code

    return HtmlFormatter(nowrap=True, noclasses=inline, style=LETTER_STYLE)

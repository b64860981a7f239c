"""Markdown to HTML: comrak with its limits, and what Korean text needs beyond it.

The result still holds whatever HTML the author wrote: `sanitise` must follow.
"""

from __future__ import annotations

import functools
import re
from html import escape, unescape

import comrak

from postroom.errors import PostError, Problem
from postroom.posts.links import WIKI, encode_url

if not hasattr(comrak, "render_markdown"):  # comrak-ext installs the same import name
    raise ImportError(
        "comrak is overwritten by comrak-ext: uninstall both, install comrak"
    )

# -- limits: what a small file could otherwise make of processor and memory ------------

MAX_LENGTH = 1024 * 1024
"""Characters of a body; the longest of 16,000 public posts has 0.85 million bytes."""
MAX_QUOTES = 100
"""Levels of `>`: 200,000 of them cost the sanitiser more than a minute."""
MAX_CELLS = 20_000
"""Columns times rows: 14 kB of table text, filled up to 4 million cells, is 40 MB."""
MAX_BYTES = 5_000_000
"""Of the HTML of one post; a footnote named 50,000 times makes 14 MB of 250 kB."""

QUOTES = re.compile(rf"^(?:[ \t]*+>){{{MAX_QUOTES + 1}}}", re.MULTILINE)
DELIMITER_ROW = re.compile(
    r"^[ \t>]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)++\|?[ \t]*+$",
    re.MULTILINE,
)
BLANK_LINE = re.compile(r"\n[ \t>]*+\n")

# -- what is mended in comrak's output ----------------------------------------------

ILLEGAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""What XML 1.0 forbids or discourages; TAB and LF stay."""

POSITION = re.compile(
    r'<(?:pre|code)(?: [^>]*?)?data-sourcepos="(\d+):(\d+)-(\d+):(\d+)"'
)
HTML_CODE = re.compile(r"<(pre|code)\b[^<>]*>", re.IGNORECASE)

TASK = re.compile(r'<input type="checkbox"( checked="")? disabled="" />')
WIKI_LINK = re.compile(r'<a href="([^"]*)" data-wikilink="true">')
MATHS = re.compile(r'<span data-math-style="(display|inline)">(.*?)</span>', re.DOTALL)

BARE_LINK = re.compile(
    r'<a href="(?:https?://|http://www\.)[^"]*">((?:https?://|www\.)[^<]*)</a>'
)
CJK_STOP = re.compile("[。、，！？）」』】》〉；：“”…]")
PARTICLE = re.compile(
    r"(?<=[A-Za-z0-9)\]\"'*])(?:[ㄱ-ㆎ가-힣]+(?:[.,!?~]+[ㄱ-ㆎ가-힣]+)*|[ぁ-ゟ].*)$"
)
"""Hangul, or anything from Hiragana on, that follows the end of a URL without a blank."""

CJK = "\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
INLINE = r"</?(?:a|b|code|del|em|i|mark|s|span|strong|sub|sup|u)\b[^<>]*>"
SOFT_BREAK = re.compile(rf"(?<=[{CJK}])((?:{INLINE})*)\n((?:{INLINE})*)(?=[{CJK}])")
PREFORMATTED = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)
JOINED_LANGUAGES = ("ja", "zh")
"""Written without blanks between words; Hangul needs the blank of a line's end."""


def check_source(text: str, path: str, line: int) -> None:
    """Raise PostError when rendering `text` could cost more than a post ever does.

    `line` is the line of the file on which `text` begins.
    """
    if len(text) > MAX_LENGTH:
        raise _limit(path, 0, f"the body has {len(text):,} characters, more than 1 Mi")
    deep = QUOTES.search(text)
    if deep:
        where = line + text.count("\n", 0, deep.start())
        raise _limit(path, where, f"block quotes are nested deeper than {MAX_QUOTES}")
    cells = 0
    lines = text.count("\n") + 1
    for row in DELIMITER_ROW.finditer(text):
        columns = row[0].count("|") + 1
        if columns * lines > MAX_CELLS:
            end = BLANK_LINE.search(text, row.end())
            stop = end.start() if end else len(text)
            cells += columns * (text.count("\n", row.end(), stop) + 1)
        if cells > MAX_CELLS:
            where = line + text.count("\n", 0, row.start())
            raise _limit(path, where, f"tables have more than {MAX_CELLS:,} cells")


def check_size(html: str, path: str) -> None:
    """Raise PostError when `html` is larger than what a feed or page may carry."""
    if len(html) * 4 > MAX_BYTES and len(html.encode()) > MAX_BYTES:
        raise _limit(path, 0, f"the HTML has more than {MAX_BYTES:,} bytes")


def _limit(path: str, line: int, message: str) -> PostError:
    cure = "split the post, or make it simpler"
    return PostError(Problem(path=path, line=line, message=message, cure=cure))


def render_markdown(text: str, *, hard_breaks: bool = False) -> str:
    """Return `text` (no characters of `ILLEGAL`) as HTML that is not yet safe.

    Wiki links get the scheme `wiki:`, maths stays text between its dollar signs.
    """
    html = ILLEGAL.sub("", _to_html(text, hard_breaks=hard_breaks))
    if "data-wikilink" in html:
        html = WIKI_LINK.sub(_mark_wiki_link, html)
    if "data-math-style" in html:
        html = MATHS.sub(_show_maths, html)
    if "<input" in html:
        html = TASK.sub(lambda task: "☑" if task[1] else "☐", html)
    if "://" in text or "www." in text:
        html = BARE_LINK.sub(functools.partial(_end_link, text), html)
    return html


def find_code(text: str) -> list[tuple[int, int]]:
    """Return where the code of `text` is, as sorted (start, end), comrak being judge."""
    found = _find_html_code(text)
    source = text.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", source)), len(source)]
    spans = []
    html = _to_html(text, hard_breaks=False, positions=True)
    for match in POSITION.finditer(html):
        line, column, last_line, last_column = map(int, match.groups())
        start = starts[min(line, len(starts)) - 1] + column - 1
        end = starts[min(last_line, len(starts)) - 1] + last_column
        spans.append((start, end))
    if text.isascii():
        return sorted(found + spans)
    places = _characters(source, {place for span in spans for place in span})
    return sorted(found + [(places[start], places[end]) for start, end in spans])


def _find_html_code(text: str) -> list[tuple[int, int]]:
    """Return where `<pre>` and `<code>` of the author's own HTML are."""
    found = []
    endless = set()
    at = 0
    while opening := HTML_CODE.search(text, at):
        name, at = opening[1].lower(), opening.end()
        if name in endless:
            continue
        closing = re.compile(f"</{name}>", re.IGNORECASE).search(text, at)
        if closing is None:  # then no later one is closed either
            endless.add(name)
            continue
        at = closing.end()
        found.append((opening.start(), at))
    return found


def _characters(source: bytes, places: set[int]) -> dict[int, int]:
    """Return the character at each byte: comrak counts those only in quadratic time."""
    characters = {}
    last = count = 0
    for place in sorted(places):
        count += len(source[last:place].decode("utf-8", "ignore"))
        last = max(last, place)
        characters[place] = count
    return characters


def _to_html(text: str, *, hard_breaks: bool, positions: bool = False) -> str:
    extensions, parsing, rendering = _options(
        maths="$$" in text, hard_breaks=hard_breaks, positions=positions
    )
    return comrak.render_markdown(text, extensions, parsing, rendering)


@functools.cache
def _options(
    *, maths: bool, hard_breaks: bool, positions: bool
) -> tuple[comrak.ExtensionOptions, comrak.ParseOptions, comrak.RenderOptions]:
    """Alerts stay off: on deep quotes they are quadratic."""
    extensions = comrak.ExtensionOptions()
    extensions.autolink = True
    extensions.cjk_friendly_emphasis = True
    extensions.footnotes = True
    extensions.math_dollars = maths
    extensions.strikethrough = True
    extensions.table = True
    extensions.tasklist = True
    extensions.wikilinks_title_after_pipe = True
    rendering = comrak.RenderOptions()
    rendering.unsafe_ = True
    rendering.hardbreaks = hard_breaks
    rendering.sourcepos = positions
    return extensions, comrak.ParseOptions(), rendering


def _mark_wiki_link(link: re.Match[str]) -> str:
    return f'<a href="{WIKI}{link[1]}">'


def _show_maths(span: re.Match[str]) -> str:
    sign = "$$" if span[1] == "display" else "$"
    return sign + span[2] + sign


def _end_link(source: str, link: re.Match[str]) -> str:
    """End a bare URL before the particle that follows it: `https://a.kr/x입니다`.

    A URL the author marked (`<…>`, `[…](…)`) is left alone, and so is Hangul that
    follows a sign (`/한글`, `?q=한글`).
    """
    text = unescape(link[1])
    if text.isascii() or f"<{text}>" in source or f"]({text}" in source:
        return link[0]
    stop = CJK_STOP.search(text)
    kept = text[: stop.start()] if stop else text
    particle = PARTICLE.search(kept)
    if particle:
        kept = _without_closing(kept[: particle.start()])
    if kept == text or not kept.rpartition("/")[2] + kept.partition("://")[2]:
        return link[0]
    scheme = "http://" if kept.startswith("www.") else ""
    url = escape(encode_url(scheme + kept))
    rest = escape(text[len(kept) :])
    return f'<a href="{url}">{escape(kept)}</a>{rest}'


def _without_closing(url: str) -> str:
    """Return `url` without quotes and brackets at its end that it does not open."""
    end = len(url)
    unopened = url.count(")") - url.count("(")
    while end and (url[end - 1] in "\"'*]" or (url[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]


def join_lines(html: str, language: str) -> str:
    """Return sanitised `html` without the line ends that Japanese or Chinese would show.

    Only between two characters of those scripts, and never in Hangul or in code.
    """
    if language.partition("-")[0].lower() not in JOINED_LANGUAGES:
        return html
    parts = PREFORMATTED.split(html)
    parts[::2] = [SOFT_BREAK.sub(r"\1\2", part) for part in parts[::2]]
    return "".join(parts)

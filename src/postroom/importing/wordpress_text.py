"""WordPress's stored text as HTML: paragraphs, shortcodes, block comments.

A theme and its plugins do this when a page is shown; an export has what was typed.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from postroom.importing.html_tree import TooDeepError
from postroom.posts.embeds import PLAYERS

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK_COMMENT = re.compile(r"<!--\s*/?wp:(?:(?!-->).)*-->\n?", re.DOTALL)
HAS_BLOCKS = re.compile(r"<!--\s*wp:")
BLOCKS = (
    "table|thead|tfoot|caption|col|colgroup|tbody|tr|td|th|div|dl|dd|dt|ul|ol|li|pre|form|"
    "map|area|blockquote|address|style|p|h[1-6]|hr|fieldset|legend|section|article|aside|"
    "header|footer|nav|figure|figcaption|details|summary|iframe|video|audio|script"
)
STARTS_BLOCK = re.compile(rf"</?(?:{BLOCKS})[\s/>]|<!--more", re.IGNORECASE)
VERBATIM = re.compile(
    r"(<(pre|script|style|table|ul|ol|figure|blockquote)\b.*?</\2\s*>)",
    re.DOTALL | re.IGNORECASE,
)
BLANK = re.compile(r"\n[ \t]*\n\s*")

ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))""")
CAPTION = re.compile(
    r"\[(?:wp_)?caption([^\[\]]{0,2000})\](.*?)\[/(?:wp_)?caption\]", re.DOTALL
)
PICTURE = re.compile(r"(?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?", re.IGNORECASE)
GALLERY = re.compile(r"\[gallery([^\[\]]{0,2000})\]")
EMBED = re.compile(r"\[embed[^\[\]]{0,2000}\]\s*(https?://[^\s\[\]<>\"]+)\s*\[/embed\]")
PLAYER = re.compile(
    r"\[(audio|video|playlist|youtube|vimeo)([^\[\]]{0,2000})\](?:\s*\[/\1\])?"
)
CODE = re.compile(
    r"\[(code|sourcecode|source)([^\[\]]{0,2000})\](.*?)\[/\1\]", re.DOTALL
)
MEDIA = ("src", "mp3", "mp4", "m4a", "ogg", "webm", "m4v", "wav", "url")
MAX_GALLERY = 200
OPENING = re.compile(
    r"<!--|\[(?:wp_)?(?:caption|code|source)|<(?:pre|script|style|table|ul|ol|figure|blockquote)\b",
    re.IGNORECASE,
)
"""What the patterns above search an end for, to the end of the text if there is none."""
MAX_STEPS = 400_000_000
"""Openings times characters: 400 of them in a text of the largest size."""


def render_wordpress(text: str, gallery: Mapping[str, str]) -> str:
    """Return stored text as HTML; `gallery` maps attachment numbers to addresses."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(OPENING.findall(text)) * len(text) > MAX_STEPS:
        raise TooDeepError("its text has too many shortcodes, comments and blocks")
    blocks = HAS_BLOCKS.search(text) is not None
    text = CODE.sub(_code, text)
    text = BLOCK_COMMENT.sub("", text)
    text = CAPTION.sub(_caption, text)
    text = GALLERY.sub(lambda found: _gallery(found, gallery), text)
    text = EMBED.sub(lambda found: f"\n\n<p>{_link(found[1])}</p>\n\n", text)
    text = PLAYER.sub(_player, text)
    return text if blocks else add_paragraphs(text)


def add_paragraphs(text: str) -> str:
    """Return text with blank lines as paragraphs and line ends as breaks (wpautop)."""
    pieces = []
    for number, part in enumerate(VERBATIM.split(text)):
        if number % 3 == 1:
            pieces.append(part)
        elif number % 3 == 0:
            pieces += [_paragraph(chunk) for chunk in BLANK.split(part)]
    return "\n\n".join(filter(None, pieces))


def _paragraph(chunk: str) -> str:
    chunk = chunk.strip()
    if not chunk or STARTS_BLOCK.match(chunk):
        return chunk
    return "<p>" + chunk.replace("\n", "<br>\n") + "</p>"


def _attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): double or single or bare
        for name, double, single, bare in ATTRIBUTE.findall(text)
    }


def _caption(found: re.Match[str]) -> str:
    inner = found[2].strip()
    picture = PICTURE.match(inner)
    if picture is None:
        return inner
    text = inner[picture.end() :].strip() or escape(
        _attributes(found[1]).get("caption", "")
    )
    return f"\n\n<figure>{picture[0]}<figcaption>{text}</figcaption></figure>\n\n"


def _gallery(found: re.Match[str], gallery: Mapping[str, str]) -> str:
    numbers = re.split(r"[,\s]+", _attributes(found[1]).get("ids", ""))
    urls = [gallery[number] for number in numbers[:MAX_GALLERY] if gallery.get(number)]
    pictures = (f'<p><img src="{escape(url)}" alt=""></p>' for url in urls)
    return "\n\n" + "\n\n".join(pictures) + "\n\n"


def _player(found: re.Match[str]) -> str:
    """Return a link in place of a player; what names nothing stays as it is."""
    named = _attributes(found[2])
    url = next((named[key] for key in MEDIA if named.get(key)), "")
    bare = found[2].strip(" =")
    if not url and bare.startswith(("https://", "http://")):
        url = bare.split()[0]
    if not url and found[1] in PLAYERS and re.fullmatch(r"[\w-]+", bare):
        url = PLAYERS[found[1]].format(bare)
    return f"\n\n<p>{_link(url)}</p>\n\n" if url else found[0]


def _link(url: str) -> str:
    return f'<a href="{escape(url)}">{escape(url)}</a>'


def _code(found: re.Match[str]) -> str:
    named = _attributes(found[2])
    language = named.get("lang") or named.get("language") or ""
    marked = f' class="language-{escape(language)}"' if language else ""
    code = found[3].strip("\n")
    if "&lt;" not in code and "&amp;" not in code:
        code = escape(code, quote=False)
    return f"\n\n<pre><code{marked}>{code}</code></pre>\n\n"

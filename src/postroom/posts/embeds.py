"""Pictures and players of other notations: figures stay, players become links."""

from __future__ import annotations

import re
from html import escape, unescape

PLAYERS = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "gist": "https://gist.github.com/{}",
    "instagram": "https://www.instagram.com/p/{}/",
    "tweet": "https://x.com/i/status/{}",
    "twitter": "https://x.com/i/status/{}",
    "x": "https://x.com/i/status/{}",
    "codepen": "https://codepen.io/pen/{}",
    "soundcloud": "https://soundcloud.com/{}",
    "spotify": "https://open.spotify.com/{}",
    "asciinema": "https://asciinema.org/a/{}",
}
PLAYER_ID = re.compile(r"[\w./-]{1,100}")
FIGURES = frozenset(["figure", "img", "image", "picture", "asset_img"])

FRAMED = re.compile(
    r"<(iframe|video|audio|object)\b([^<>]*)>|<(embed)\b([^<>]*)>", re.IGNORECASE
)
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
SOURCE = re.compile(r"<source\b([^<>]*)>", re.IGNORECASE)
YOUTUBE_FRAME = re.compile(
    r"(?:https?:)?//(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+)"
)
VIMEO_FRAME = re.compile(r"(?:https?:)?//player\.vimeo\.com/video/(\d+)")


def render_figure(
    name: str, named: dict[str, str], positional: list[str]
) -> str | None:
    """Return the HTML of a figure shortcode, None when `name` is none."""
    source = named.get("src") or named.get("url") or next(iter(positional), "")
    if name not in FIGURES or not source:
        return None
    caption = named.get("caption") or named.get("title") or ""
    alt = named.get("alt") or caption or " ".join(positional[1:])
    image = f'<img src="{escape(source)}" alt="{escape(alt)}">'
    if named.get("link"):
        image = f'<a href="{escape(named["link"])}">{image}</a>'
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{image}{text}</figure>"


def render_embed(name: str, named: dict[str, str], positional: list[str]) -> str | None:
    """Return a link in place of a player's shortcode, None when `name` is none."""
    address = PLAYERS.get(name.lower())
    if address is None:
        return None
    if name == "gist" and positional:
        key = positional[0] if "/" in positional[0] else "/".join(positional[:2])
    else:
        key = named.get("id") or next(iter(positional), "")
    if key.startswith(("https://", "http://")):
        return f"<{key}>"
    return f"<{address.format(key)}>" if PLAYER_ID.fullmatch(key) else None


def replace_players(html: str) -> str:
    """Return `html`, not yet sanitised, with links in place of frames and players."""
    if not FRAMED.search(html):
        return html
    pieces = []
    done = at = 0
    endless: set[str] = set()
    while found := FRAMED.search(html, at):
        name = (found[1] or found[3]).lower()
        at = found.end()
        inner = ""
        if found[1] and name not in endless:
            close = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(html, at)
            if close:
                inner, at = html[at : close.start()], close.end()
            else:
                endless.add(name)
        pieces += [html[done : found.start()], _link(found[2] or found[4] or "", inner)]
        done = at
    return "".join((*pieces, html[done:]))


def _link(attributes: str, inner: str) -> str:
    """Return a link to what a player plays, with its poster if it has one."""
    values = _read_attributes(attributes)
    inside = SOURCE.search(inner)
    source = values.get("src") or values.get("data") or values.get("data-src")
    if not source and inside:
        source = _read_attributes(inside[1]).get("src")
    if not source:
        return ""
    source = _watch_page(source)
    text = values.get("title") or values.get("aria-label") or source
    shown = escape(text)
    if values.get("poster"):
        shown = f'<img src="{escape(values["poster"])}" alt="{shown}">'
    return f'<p><a href="{escape(source)}">{shown}</a></p>'


def _read_attributes(text: str) -> dict[str, str]:
    return {
        name.lower(): unescape(double or single or bare).strip()
        for name, double, single, bare in ATTRIBUTE.findall(text)
    }


def _watch_page(source: str) -> str:
    """Return the page a frame's address belongs to: frames alone show poorly."""
    youtube = YOUTUBE_FRAME.match(source)
    if youtube:
        return PLAYERS["youtube"].format(youtube[1])
    vimeo = VIMEO_FRAME.match(source)
    return PLAYERS["vimeo"].format(vimeo[1]) if vimeo else source

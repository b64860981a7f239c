"""The text of an entry, whatever it was written in, becomes the body of a post."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from postroom.importing.found import Found, Text
from postroom.importing.html_plain import prepare
from postroom.importing.html_tree import DATA_PICTURE, parse_html
from postroom.importing.markdown_text import MORE, convert
from postroom.importing.texts import join_url
from postroom.importing.wordpress_text import render_wordpress
from postroom.posts.decode import CONTROLS
from postroom.posts.embeds import replace_players

if TYPE_CHECKING:
    from collections.abc import Mapping

MORE_COMMENT = re.compile(
    r"<!--\s*more\b[^<>]*?-->|<span id=\"more-\d+\"></span>", re.IGNORECASE
)
PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
"""Where sites that load pictures late keep the address."""


class Body:
    """The tree of one text, its addresses absolute, its pictures known by address."""

    def __init__(self, found: Found) -> None:
        """Parse the text; raises TooDeepError for what no parser should be given."""
        text = MORE_COMMENT.sub(MORE, _html_of(found).replace(MORE, ""))
        text = CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        soup = parse_html(replace_players(text))
        _resolve(soup, found.base)
        self.tree: Any = prepare(soup)

    def pictures(self) -> list[str]:
        """Return the addresses of the pictures, each once, in order."""
        found = (str(tag["src"]) for tag in self.tree.find_all("img", src=True))
        return [*dict.fromkeys(found)]

    def place(self, places: Mapping[str, str]) -> None:
        """Give pictures their new addresses, also where the text links to them."""
        for tag in self.tree.find_all("img", src=True):
            tag["src"] = places.get(str(tag["src"]), tag["src"])
        for tag in self.tree.find_all("a", href=True):
            tag["href"] = places.get(str(tag["href"]), tag["href"])

    def markdown(self) -> str:
        """Return the text as Markdown; the tree is spent then."""
        for tag in self.tree.find_all("img", src=DATA_PICTURE):
            tag.decompose()
        return convert(self.tree)


def _html_of(found: Found) -> str:
    if found.form is Text.WORDPRESS:
        return render_wordpress(found.text, found.gallery)
    if found.form is Text.HTML:
        return found.text
    lines = found.text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    paragraphs = (html.escape(part, quote=False) for part in PARAGRAPHS.split(lines))
    return "".join("<p>" + part.replace("\n", "<br>\n") + "</p>" for part in paragraphs)


def _resolve(soup: Any, base: str) -> None:
    for tag in soup.find_all("img"):
        lazy = next((tag[name] for name in LAZY if tag.get(name)), "")
        source = str(tag.get("src") or "").strip()
        if lazy and (not source or source.startswith("data:")):
            source = str(lazy)
        tag["src"] = join_url(base, source) if source else ""
        if not tag["src"]:
            del tag["src"]
    for tag in soup.find_all("a", href=True):
        href = str(tag["href"]).strip()
        if not href.startswith("#"):
            tag["href"] = join_url(base, href)

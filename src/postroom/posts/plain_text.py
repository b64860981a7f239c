"""Sanitised HTML as plain text, whole: for the text part of a letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from postroom.posts.tokens import BLOCKS, Token, read_attributes, read_tokens

BLANKS = re.compile("[ \t\n\r\f\u2028\u2029]+")
CODE_INDENT = "    "
QUOTE = "> "
BULLET = "- "
RULE = "* * *"
SOFT_LINE = "\n"
"""A `<br>`; line ends of the source are blanks by then."""
CELL_END = "\0"
CELL_RULE = " | "
MAX_DIGITS = 10
"""Of the number a list starts with."""
ROWS = frozenset(["table", "caption", "tr", "td", "th"])
READING_SIGNS = re.compile("<rp>[^<]*</rp>")
"""Parentheses of a ruby text, which get ours."""


@dataclass(slots=True, kw_only=True)
class _Level:
    """A quote, list item or definition around the text."""

    first: str
    """What stands before its first line: the bullet of an item."""
    rest: str
    begun: bool = False


def render_text(html: str) -> str:
    """Return `html` as text: one line for each paragraph, a blank line between blocks.

    Links are numbered (`text [3]`), their addresses stand at the end; footnotes are
    `[^1]`; code is indented by four blanks; a table has a line for each row; an image
    is its alternative text. Lines are not wrapped.
    """
    writer = _Writer()
    for token in read_tokens(READING_SIGNS.sub("", html)):
        if not token.name:
            writer.add(unescape(token.text))
        elif token.closing:
            writer.close(token.name)
        else:
            writer.open(token)
    return writer.finish()


class _Page:
    """Lines so far, and the quotes and items the next one stands in."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.levels: list[_Level] = []
        self.gap = False
        """A blank line is due before the next block."""

    def write(self, lines: list[str]) -> None:
        if self.gap and self.lines:
            blank = "".join(level.rest for level in self.levels if level.begun)
            self.lines.append(blank.rstrip(" "))
        self.gap = False
        for line in lines:
            before = ""
            for level in self.levels:
                before += level.rest if level.begun else level.first
                level.begun = True
            self.lines.append((before + line).rstrip(" "))


class _Writer:
    """Takes tags and text in order; a block's tag ends the line before it."""

    def __init__(self) -> None:
        self.page = _Page()
        self.inline: list[str] = []
        self.code: list[str] | None = None
        self.tables = 0
        self.numbers: list[int | None] = []
        """The open lists: number of the next item, None for bullets."""
        self.anchors: list[tuple[str, int]] = []
        self.addresses: dict[str, int] = {}
        self.notes = False
        self.mark = False
        """Within the mark of a footnote."""
        self.hidden = False
        """Within the arrow that leads back from a footnote."""

    def add(self, text: str) -> None:
        if self.code is not None:
            self.code.append(text)
        elif not self.hidden and (self.inline or not text.isspace()):
            self.inline.append(BLANKS.sub(" ", text))

    def finish(self) -> str:
        self._end_line()
        lines = self.page.lines
        if self.addresses:
            lines.append("")
            lines += [f"[{number}] {url}" for url, number in self.addresses.items()]
        return "\n".join(lines).strip("\n")

    # -- opening ---------------------------------------------------------------------

    def open(self, token: Token) -> None:
        if self.code is not None or self.hidden:
            return
        if token.name not in BLOCKS:
            self._open_inline(token)
        elif token.name in ROWS:
            self._open_row(token.name)
        elif not self.tables:
            self._end_line()
            self._open_block(token)

    def _open_inline(self, token: Token) -> None:
        attributes = read_attributes(token)
        if token.name == "a":
            self.hidden = attributes.get("class") == "footnote-backref"
            url = "" if self.mark else unescape(attributes.get("href", ""))
            self.anchors.append((url, len(self.inline)))
        elif token.name == "br":
            self.inline.append(" " if self.tables else SOFT_LINE)
        elif token.name == "img":
            alt = " ".join(unescape(attributes.get("alt", "")).split())
            self.inline.append(f"[{alt}]" if alt else "")
        elif token.name == "sup" and attributes.get("class") == "footnote-ref":
            self.mark = True
            self.inline.append("[^")
        elif token.name == "rt":
            self.inline.append("(")

    def _open_row(self, name: str) -> None:
        if name == "table":
            if not self.tables:
                self._end_line()
            self.tables += 1

    def _open_block(self, token: Token) -> None:
        name = token.name
        levels = self.page.levels
        if name == "pre":
            self.code = []
        elif name == "hr":
            self.page.write([RULE])
            self.page.gap = True
        elif name == "blockquote":
            levels.append(_Level(first=QUOTE, rest=QUOTE))
        elif name == "dd":
            levels.append(_Level(first="  ", rest="  "))
        elif name in {"ul", "ol"}:
            self._open_list(token)
        elif name == "li":
            levels.append(self._next_item())
        elif name == "section":
            self.notes = "footnotes" in token.attributes

    def _open_list(self, token: Token) -> None:
        number = None
        if token.name == "ol":
            start = read_attributes(token).get("start", "1")
            number = int(start) if start.isdecimal() and len(start) < MAX_DIGITS else 1
        if self.numbers:
            self.page.gap = False
        self.numbers.append(number)

    def _next_item(self) -> _Level:
        number = self.numbers[-1] if self.numbers else None
        if number is None:
            return _Level(first=BULLET, rest=" " * len(BULLET))
        self.numbers[-1] = number + 1
        first = f"[^{number}] " if self.notes else f"{number}. "
        return _Level(first=first, rest=" " * min(len(first), 3))

    # -- closing ---------------------------------------------------------------------

    def close(self, name: str) -> None:
        if self.code is not None:
            self._close_code(name)
        elif self.hidden:
            self._close_hidden(name)
        elif name not in BLOCKS:
            self._close_inline(name)
        elif name in ROWS:
            self._close_row(name)
        elif not self.tables:
            self._end_line()
            self._close_block(name)

    def _close_code(self, name: str) -> None:
        if name == "pre":
            text = "".join(self.code or ()).removeprefix("\n").rstrip()
            self.code = None
            self.page.write([CODE_INDENT + line for line in text.split("\n")])
            self.page.gap = True

    def _close_hidden(self, name: str) -> None:
        if name == "a":
            self.hidden = False
            self.anchors.pop()

    def _close_inline(self, name: str) -> None:
        if name == "a" and self.anchors:
            self._number_link(*self.anchors.pop())
        elif name == "sup" and self.mark:
            self.mark = False
            self.inline.append("]")
        elif name == "rt":
            self.inline.append(")")

    def _number_link(self, url: str, start: int) -> None:
        text = "".join(self.inline[start:]).strip()
        if url and text and text not in {url, url.removeprefix("mailto:")}:
            number = self.addresses.setdefault(url, len(self.addresses) + 1)
            self.inline.append(f" [{number}]")

    def _close_row(self, name: str) -> None:
        if name in {"td", "th", "caption"}:
            self.inline.append(CELL_END)
        if name in {"tr", "caption"}:
            cells = "".join(self.inline).split(CELL_END)[:-1]
            self.inline.clear()
            self.page.write([CELL_RULE.join(" ".join(cell.split()) for cell in cells)])
        elif name == "table":
            self.tables -= 1
            self.page.gap = True

    def _close_block(self, name: str) -> None:
        page = self.page
        if name in {"blockquote", "dd", "li"} and page.levels:
            page.levels.pop()
            page.gap = name != "li"
        elif name in {"ul", "ol"} and self.numbers:
            self.numbers.pop()
            page.gap = True
        elif name == "section":
            self.notes = False

    def _end_line(self) -> None:
        """Write the inline text so far as a paragraph."""
        if not self.inline:
            return
        text = "".join(self.inline)
        self.inline.clear()
        lines = [BLANKS.sub(" ", line).strip(" ") for line in text.split(SOFT_LINE)]
        if any(lines):
            self.page.write("\n".join(lines).strip("\n").split("\n"))
            self.page.gap = True

"""A feed is cut into its items before any XML parser sees it.

One damaged item then costs itself and no other, a truncated file gives all that is
whole, every item knows its line, and memory holds one item, however long the file. The
document type is taken away first: no entity can be declared, expanded or fetched.
"""

from __future__ import annotations

import html.entities
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_ITEM = 8 * 1024 * 1024
"""Characters of one item; a post holds at most one million."""
MAX_OUTSIDE = 16 * 1024 * 1024
"""Characters kept of what is no item; a WordPress export lists all its tags there."""
MAX_PROLOG = 64 * 1024
"""Characters before the root element."""
HOLD = 256
"""Characters kept back at a chunk's end, so that no mark is cut in two."""

PROLOG = re.compile(r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
DOCTYPE_PLAIN = re.compile(r"<!DOCTYPE[^<>\[\]]*(?:\[\s*\]\s*)?>\s*", re.IGNORECASE)
ROOT = re.compile(
    r"<(?P<prefix>[A-Za-z_][\w.-]*:)?(?P<name>[A-Za-z_][\w.-]*)(?P<rest>[^<>]*)>"
)
CHANNEL = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?channel\b(?P<rest>[^<>]*?)/?>")
ATTRIBUTES = re.compile(r"""\s[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);|#\d{1,7};|#x[0-9A-Fa-f]{1,6};)(?:([A-Za-z][A-Za-z0-9]{1,31});)?"
)
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ILLEGAL_NUMBER = re.compile(
    r"&#(?:x0*(?:[0-8b-cB-CeEfF]|1[0-9a-fA-F]|[dD][89a-fA-F][0-9a-fA-F]{2}|[fF]{3}[eEfF])|0*(?:[0-8]|1[124-9]|2\d|3[01]));"
)
VERBATIM = re.compile(r"<!(?:(\[CDATA\[)|--)")
TITLE = re.compile(r"<(?:[\w.-]+:)?title\b[^<>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,120})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One item as text, or a stretch outside of all of them."""

    text: str
    line: int
    item: bool
    fault: str = ""
    """Why the item is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The start of a document, without its document type."""

    name: str
    """`rss`, `RDF`, `feed`, …"""
    prefix: str
    tag: str
    """The start tag as written."""
    rest: str
    """What follows it."""
    line: int
    """On which `rest` begins."""

    @property
    def item(self) -> str:
        """The name of the elements that hold items, as a pattern."""
        if self.name == "feed":
            return re.escape(self.prefix) + "entry"
        return "(?:[A-Za-z]+:)?item" if self.name == "RDF" else "item"


def read_root(chunks: Iterator[str]) -> Root:
    """Read up to the end of the root's start tag.

    Raises SourceError when there is none, or when the document declares entities.
    """
    text = ""
    for chunk in chunks:
        text += chunk
        found = _find_root(text)
        if found is not None:
            return found
        if len(text) > MAX_PROLOG:
            break
    found = _find_root(text + " ")
    if found is None:
        raise SourceError(
            "no XML: there is no root element", cure="name a feed or an export"
        )
    return found


def _find_root(text: str) -> Root | None:
    start = PROLOG.match(text)
    at = start.end() if start else 0
    if DOCTYPE.match(text, at):
        plain = DOCTYPE_PLAIN.match(text, at)
        if plain is None:
            if "[" in text[at : at + MAX_PROLOG] and "<!E" in text[at:]:
                raise SourceError(
                    "declares entities in its document type, which is how XML bombs and "
                    "thefts of files are made; nothing was read",
                    cure="take the <!DOCTYPE …> away if you trust the file",
                )
            return None
        after = PROLOG.match(text, plain.end())
        at = after.end() if after else plain.end()
    found = ROOT.match(text, at)
    if found is None:
        return None
    return Root(
        name=found["name"],
        prefix=found["prefix"] or "",
        tag=found[0],
        rest="" if found["rest"].endswith("/") else text[found.end() :],
        line=1 + text.count("\n", 0, found.end()),
    )


def cut(root: Root, chunks: Iterable[str]) -> Iterator[Piece]:
    """Yield the items of a document and the stretches between them, in order."""
    return _Cutter(root, chunks).pieces()


class _Cutter:
    """Walks from mark to mark; the present piece begins at `start` of `buffer`."""

    def __init__(self, root: Root, chunks: Iterable[str]) -> None:
        self.mark = re.compile(
            rf"(?P<cdata><!\[CDATA\[)|(?P<comment><!--)"
            rf"|<(?P<close>/)?(?:{root.item})(?=[\s/>])[^<>]*>"
        )
        self.chunks = iter(chunks)
        self.buffer = root.rest
        self.line = root.line
        self.start = self.at = 0
        self.inside = False
        self.looked: dict[str, int] = {}
        """End of CDATA or comment → up to where of `buffer` there is none."""

    def pieces(self) -> Iterator[Piece]:
        while True:
            found = self.mark.search(self.buffer, self.at)
            if found is None:
                self.at = max(self.at, len(self.buffer) - HOLD)
                yield from self._relieve()
                if not self._more():
                    break
            elif found["cdata"]:
                self._pass_over(found.end(), "]]>")
            elif found["comment"]:
                self._pass_over(found.end(), "-->")
            else:
                yield from self._meet(found.start(), found.end(), found[0])
        yield from self._finish()

    def _meet(self, start: int, end: int, tag: str) -> Iterator[Piece]:
        """An item begins or ends, or begins where the one before never ended."""
        if tag.startswith("</"):
            if self.inside:
                yield self._take(end)
                self.inside = False
            self.at = end
            return
        if self.inside:
            yield self._take(start, fault="it never ends: another begins within it")
        elif start > self.start:
            yield self._take(start)
        self.inside = True
        self.at = end
        if tag.endswith("/>"):
            yield self._take(end)
            self.inside = False

    def _take(self, end: int, fault: str = "") -> Piece:
        text = self.buffer[self.start : end]
        piece = Piece(text=text, line=self.line, item=self.inside, fault=fault)
        self.line += text.count("\n")
        self.start = end
        return piece

    def _more(self) -> bool:
        """Add a chunk, and drop what was taken; False at the end of the file."""
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self.buffer = self.buffer[self.start :] + chunk
        self.at -= self.start
        self.looked = {end: at - self.start for end, at in self.looked.items()}
        self.start = 0
        return True

    def _pass_over(self, begins: int, end: str) -> None:
        """Go on behind `end`, or behind the mark when it does not come for very long."""
        self.at = begins
        while True:
            begins = max(self.at, self.looked.get(end, 0))
            found = self.buffer.find(end, begins)
            if found >= 0:
                self.at = found + len(end)
                return
            self.looked[end] = max(begins, len(self.buffer) - len(end) + 1)
            if len(self.buffer) - self.start > MAX_ITEM or not self._more():
                return

    def _relieve(self) -> Iterator[Piece]:
        """Give up an item longer than any post; hand over what is no item in parts."""
        if self.at - self.start < MAX_ITEM:
            return
        piece = self._take(self.at)
        if self.inside:
            fault = f"it has more than {MAX_ITEM:,} characters"
            piece = replace(piece, text=piece.text[:MAX_PROLOG], fault=fault)
        yield piece
        self.inside = False

    def _finish(self) -> Iterator[Piece]:
        if self.start < len(self.buffer) or self.inside:
            fault = "the file ends in the middle of it" if self.inside else ""
            yield self._take(len(self.buffer), fault=fault)


def find_verbatim(text: str) -> Iterator[tuple[int, int]]:
    """Yield where CDATA and comments begin and end; one without an end is none."""
    endless: set[str] = set()
    at = 0
    while found := VERBATIM.search(text, at):
        end = "]]>" if found[1] else "-->"
        stop = -1 if end in endless else text.find(end, found.end())
        if stop < 0:
            endless.add(end)
            at = found.end()
            continue
        at = stop + len(end)
        yield found.start(), at


def clean_xml(text: str) -> str:
    """Return `text` without what XML forbids; HTML's entities become characters.

    A bare `&` is escaped, as half of all damaged feeds need it. CDATA stays.
    """
    text = ILLEGAL.sub("", text)
    if "&" not in text:
        return text
    pieces = []
    at = 0
    for start, end in find_verbatim(text):
        pieces += [_clean_references(text[at:start]), text[start:end]]
        at = end
    return "".join((*pieces, _clean_references(text[at:])))


def _clean_references(text: str) -> str:
    text = ILLEGAL_NUMBER.sub("", text) if "&#" in text else text
    return REFERENCE.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    meaning = html.entities.html5.get(f"{found[1]};", "") if found[1] else ""
    if meaning:
        return "".join(f"&#{ord(sign)};" for sign in meaning)
    return f"&amp;{found[0][1:]}"


def title_in(text: str) -> str:
    """Return the title of an item that cannot be parsed, or nothing."""
    found = TITLE.search(text)
    return " ".join(found[1].split()) if found else ""

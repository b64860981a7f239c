"""From an opened source to its entries: what kind it is, and the reader for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.errors import SourceError
from postroom.importing import (
    feed_items,
    ghost,
    html_pages,
    json_feed,
    substack,
    wordpress,
)
from postroom.importing.found import Channel, Fault, Kind, Note
from postroom.importing.json_source import MAX_BYTES, read_json
from postroom.importing.pieces import MAX_OUTSIDE, Piece, Root, cut, read_root, title_in
from postroom.importing.source import Source
from postroom.importing.texts import decode
from postroom.importing.xml_tree import XmlError, parse_piece

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from postroom.importing.found import Step
    from postroom.importing.xml_tree import Element

WXR = re.compile(r"xmlns:wp\s*=\s*[\"']http://wordpress\.org/export/")
JSON = re.compile(r"\{|\[\s*[{\]]")
FEEDS = frozenset(("rss", "RDF", "feed"))
DOCUMENT = (".xml", ".rss", ".atom", ".json", ".wxr")
CURE = "name a feed or an export, or say what it is with --format"


class Reader:
    """Reads one source; `channel` is known when the first entry is."""

    def __init__(
        self, source: Source, opened: ExitStack, *, kind: Kind | None, site: str
    ) -> None:
        """Tell the kind; raises SourceError when it is none that can be read."""
        self.opened = opened
        self.source = source
        self.site = site.rstrip("/")
        self.channel = Channel(url=source.url)
        self.inner = source
        self.kind = kind or self._find_kind()

    # -- what it is ------------------------------------------------------------------

    def _find_kind(self) -> Kind:
        members = self.source.members
        if members is None:
            return self._kind_of_file(self.source)
        if substack.find_table(members):
            return Kind.SUBSTACK
        document = self._find_document()
        if document:
            return self._kind_of_file(self._open_inner(document))
        if html_pages.page_names(members):
            return Kind.HTML
        raise SourceError(
            f"{self.source.name}: neither an export nor HTML pages are in it", cure=CURE
        )

    def _find_document(self) -> str:
        """Return the member of a zip that is a feed or an export by itself."""
        members = self.source.members
        names = (
            [name for name in members.names if name.casefold().endswith(DOCUMENT)]
            if members
            else []
        )
        return min(
            names,
            key=lambda name: (
                name.count("/"),
                DOCUMENT.index(name[name.rfind(".") :].casefold()),
                name,
            ),
            default="",
        )

    def _open_inner(self, name: str) -> Source:
        members = self.source.members
        file = members.stream(name, self.opened) if members else None
        self.inner = Source(name=f"{self.source.name}:{name}", file=file)
        return self.inner

    def _kind_of_file(self, source: Source) -> Kind:
        head = decode(source.head()[:65536]).lstrip("\ufeff \t\r\n")
        if JSON.match(head):
            return Kind.GHOST if _is_ghost(decode(source.head())) else Kind.JSON
        if head.startswith("<"):
            root = self._root(source)
            if WXR.search(root.tag) or WXR.search(root.rest[:4096]):
                return Kind.WORDPRESS
            if root.name in FEEDS:
                return Kind.FEED
            if root.name.casefold() == "html":
                raise SourceError(
                    f"{source.name}: an HTML page, not a feed",
                    cure="look in it for the address of its feed (rel=alternate)",
                )
            raise SourceError(
                f"{source.name}: XML, but <{root.name}> is no feed", cure=CURE
            )
        what = "empty" if not head else "neither XML, JSON nor a zip"
        raise SourceError(f"{source.name}: {what}", cure=CURE)

    def _root(self, source: Source) -> Root:
        try:
            return read_root(source.chunks())
        except SourceError as error:
            raise SourceError(f"{source.name}: {error.what}", cure=error.cure) from None

    # -- what is in it ---------------------------------------------------------------

    def steps(self) -> Iterator[Step]:
        """Yield entries, faults and notes, in the file's order."""
        members = self.source.members
        for name in (members.refused if members else ())[:20]:
            yield Note(
                message=f"not read: {name!a} leads out of the archive, is a link, or is locked"
            )
        match self.kind:
            case Kind.FEED | Kind.WORDPRESS:
                self._expect_file()
                yield from self._xml()
            case Kind.JSON | Kind.GHOST:
                self._expect_file()
                yield from self._json()
            case Kind.SUBSTACK | Kind.HTML:
                yield from self._members()

    def _expect_file(self) -> None:
        if self.inner.file is None:
            document = self._find_document()
            if not document:
                raise SourceError(
                    f"{self.source.name}: no {self.kind} in it", cure=CURE
                )
            self._open_inner(document)

    def _members(self) -> Iterator[Step]:
        members = self.source.members
        if members is None:
            raise SourceError(
                f"{self.source.name}: a {self.kind} export is a zip or a folder",
                cure=CURE,
            )
        if self.kind is Kind.HTML:
            yield from html_pages.parse_pages(members, self.site)
            return
        if not substack.find_table(members):
            raise SourceError(
                f"{self.source.name}: there is no {substack.TABLE} in it", cure=CURE
            )
        yield from substack.parse_posts(members, self.site)

    def _json(self) -> Iterator[Step]:
        text = decode(self.inner.whole(MAX_BYTES)).lstrip("\ufeff \t\r\n")
        names = ghost.TABLES if self.kind is Kind.GHOST else (json_feed.ITEMS,)
        try:
            value, faults = read_json(text, names)
        except SourceError as error:
            raise SourceError(
                f"{self.inner.name}: {error.what}", cure=error.cure
            ) from None
        if self.kind is Kind.GHOST:
            if not self.site:
                yield Note(
                    message="a Ghost export does not say where the site was: --site fills in addresses of pictures and pages"
                )
            yield from ghost.parse_posts(value, self.site)
        else:
            self.channel = json_feed.parse_channel(value, self.source.url)
            yield from json_feed.parse_items(value, self.channel)
        yield from faults

    # -- XML -------------------------------------------------------------------------

    def _xml(self) -> Iterator[Step]:
        root = self._root(self.inner)
        if root.name not in FEEDS:
            raise SourceError(f"{self.inner.name}: <{root.name}> is no feed", cure=CURE)
        blog = wordpress.Blog()
        yield from self._survey(root, blog)
        for piece in self._pieces():
            if not piece.item:
                continue
            if piece.fault:
                yield _fault(piece, piece.fault, piece.line)
                continue
            step = self._item(root, piece, blog)
            if step is not None:
                yield step

    def _pieces(self) -> Iterator[Piece]:
        chunks = self.inner.chunks()
        return cut(read_root(chunks), chunks)

    def _survey(self, root: Root, blog: wordpress.Blog) -> Iterator[Note | Fault]:
        """Read what stands outside of the items, and what items refer to, first."""
        outside: list[str] = []
        size = 0
        last = None
        for last in self._pieces():
            if last.item:
                if self.kind is Kind.WORDPRESS:
                    blog.note_attachment(last.text)
            elif size + len(last.text) < MAX_OUTSIDE:
                outside.append(last.text)
                size += len(last.text)
        end = f"</{root.prefix}{root.name}"
        text = "".join(outside)
        if end not in text[-4096:] and (last is None or not last.item):
            yield Fault(
                message="the file ends early: what is whole was read",
                cure="export it again",
            )
        element = self._outside(root, text.rpartition(end)[0] or text)
        if element is not None:
            blog.note_authors(element)
            self.channel = _with_address(
                feed_items.parse_channel(element), self.source.url, self.site
            )

    def _outside(self, root: Root, text: str) -> Element | None:
        try:
            return parse_piece(root, text, recover=True)
        except XmlError:
            return None

    def _item(self, root: Root, piece: Piece, blog: wordpress.Blog) -> Step | None:
        try:
            tree = parse_piece(root, piece.text)
        except XmlError as error:
            return _fault(
                piece,
                f"damaged XML: {error.message}",
                piece.line + max(error.line - 1, 0),
            )
        element = next((child for child in tree if isinstance(child.tag, str)), None)
        if element is None:
            return None
        if self.kind is Kind.WORDPRESS:
            return wordpress.parse_post(element, self.channel, blog, piece.line)
        return feed_items.parse_item(element, self.channel, piece.line)


def _with_address(channel: Channel, url: str, site: str) -> Channel:
    home = channel.url or site or url
    return replace(channel, url=home, base=channel.base or url or home)


def _fault(piece: Piece, message: str, line: int) -> Fault:
    title = title_in(piece.text)
    named = f"`{title}`: " if title else ""
    return Fault(
        message=named + message,
        line=line,
        cure="mend it, and import again: what is there stays",
    )


def _is_ghost(text: str) -> bool:
    return bool(
        re.search(
            r'"db"\s*:\s*\[|"posts_tags"\s*:|"posts_authors"\s*:|"exported_on"\s*:',
            text[:200_000],
        )
    )

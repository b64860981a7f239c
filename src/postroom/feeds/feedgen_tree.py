"""feedgen 1.0.0's trees of a feed, from which atom.py and rss.py make documents.

feedgen loses or invents things on the way to text (each cure says which, beside it),
so neither writer lets it serialise: they take the tree of its private `_create_…`
methods, mend it and write it here. The version is pinned; tests/feeds/
test_feedgen_tree.py fails when the tree is no longer the one mended.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml import etree

from postroom.feeds.parts import GENERATOR, NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element as Element

    from postroom.feeds.feed import Entry, Feed
    from postroom.feeds.xml_part import Part


class FeedTree(FeedGenerator):  # type: ignore[misc]  # feedgen ships no types
    """A feedgen generator, filled with what Atom and RSS share."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.generator(GENERATOR)
        self.id(feed.id)
        self.title(feed.title)
        # Unset, it is the time of the run: other bytes each time.
        self.updated(feed.updated)
        if feed.subtitle:
            self.subtitle(feed.subtitle)
        if feed.language:
            self.language(feed.language)

    def add(self, entry: Entry) -> FeedEntry:
        """Append `entry` with its shared parts and return feedgen's form of it."""
        made = FeedEntry()
        made.id(entry.id)
        made.title(entry.title)
        made.updated(entry.updated)
        made.link(href=entry.url, rel="alternate")
        made.category([{"term": tag} for tag in entry.tags])
        if entry.summary:
            # As HTML in both formats: readers take RSS's description as HTML anyway,
            # where `a<b` would vanish, and plain text that names a tag is doubtful.
            made.summary(escape(entry.summary, quote=False), type="html")
        if entry.content is not None:
            made.content(entry.content, type="html")
        # The default order is "prepend": a feed the wrong way round.
        self.add_entry(made, order="append")
        return made

    def atom_tree(self) -> Element:
        """Return the `feed` element. Its tags are in no namespace: xmlns is a literal."""
        root, _ = self._create_atom()
        return root

    def rss_tree(self) -> Element:
        """Return the `rss` element, without lastBuildDate.

        To write that date feedgen switches the locale of the whole process, three
        times, which no other thread may see.
        """
        self._FeedGenerator__rss_lastBuildDate = None
        root, _ = self._create_rss()
        return root


def qualified(name: str) -> str:
    """Return the tag `prefix:name` as lxml writes it; a bare one stays."""
    prefix, colon, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if colon else name


def add_parts(parent: Element, parts: Iterable[Part], place: int | None = None) -> None:
    """Put elements into `parent`: at its end, or one after another from `place` on."""
    for offset, part in enumerate(parts):
        element = etree.Element(qualified(part.name), dict(part.attributes))
        element.text = part.text or None
        add_parts(element, part.children)
        if place is None:
            parent.append(element)
        else:
            parent.insert(place + offset, element)


def render_tree(root: Element, stylesheet: str) -> bytes:
    """Return the document as UTF-8, one element a line, used prefixes on the root."""
    etree.cleanup_namespaces(root, top_nsmap=NAMESPACES)
    if stylesheet:
        link = f'type="text/css" href="{escape(stylesheet)}"'
        root.addprevious(etree.ProcessingInstruction("xml-stylesheet", link))
    document: bytes = etree.tostring(
        root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True
    )
    return document

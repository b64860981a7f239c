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

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from postroom.feeds.feed import Entry, Feed

# Constant: with a version in it, every release would change every feed's bytes.
GENERATOR = "postroom"

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}


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


def qualified(prefix: str, name: str) -> str:
    """Return the tag `prefix:name` as lxml writes it."""
    return f"{{{NAMESPACES[prefix]}}}{name}"


def add_element(
    parent: Element, tag: str, text: str | None = None, **attributes: str
) -> Element:
    """Append an element to `parent` and return it."""
    element = etree.SubElement(parent, tag, attributes)
    element.text = text
    return element


def add_thumbnail(parent: Element, entry: Entry) -> None:
    """Show `entry`'s picture (Media RSS): neither format has an element of its own."""
    if entry.image:
        add_element(parent, qualified("media", "thumbnail"), url=entry.image)


def render_tree(root: Element) -> bytes:
    """Return the document as UTF-8, one element a line, used prefixes on the root."""
    etree.cleanup_namespaces(root, top_nsmap=NAMESPACES)
    document: bytes = etree.tostring(
        root, pretty_print=True, encoding="UTF-8", xml_declaration=True
    )
    return document

"""A feed as an Atom document (RFC 4287; hub and archive links: WebSub, RFC 5005)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.feedgen_tree import FeedTree, add_parts, render_tree
from postroom.feeds.parts import atom_entry_parts, atom_feed_parts, feed_links

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element as Element

    from postroom.feeds.feed import Entry, Feed
    from postroom.posts.post import Person

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def atom_xml(feed: Feed) -> bytes:
    """Return `feed` as an Atom document in UTF-8; equal feeds give equal bytes.

    Titles are plain text; summaries (escaped) and content are `type="html"`. The feed's
    own address (rel=self) is left out when `feed.urls` has none for `atom.xml`.
    """
    tree = FeedTree(feed)
    tree.author(_authors(feed.authors))
    for rel, href, kind in feed_links(feed, "atom"):
        tree.link(rel=rel, href=href, type=kind or None)
    tree.link(rel="alternate", href=feed.home_url, type="text/html")
    for entry in feed.entries:
        made = tree.add(entry)
        made.published(entry.published)
        made.author(_authors(entry.authors))
    root = tree.atom_tree()
    for element, entry in zip(root.findall("entry"), feed.entries, strict=True):
        _mend_entry(element, entry, feed)
    add_parts(root, atom_feed_parts(feed), len(root) - len(feed.entries))
    return render_tree(root, feed.stylesheet)


def _authors(people: Iterable[Person]) -> list[dict[str, str]]:
    return [{"name": person.name, "uri": person.url} for person in people]


def _mend_entry(element: Element, entry: Entry, feed: Feed) -> None:
    """Add what feedgen's entry lacks: link attributes, language, and its other parts."""
    if entry.language and entry.language != feed.language:
        element.set(_LANG, entry.language)
    # feedgen writes only href: every link of an entry becomes an alternate.
    link = element.find("link")
    link.set("rel", "alternate")
    link.set("type", "text/html")
    add_parts(element, atom_entry_parts(entry, feed))

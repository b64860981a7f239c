"""A feed as an Atom document (RFC 4287; hub and paging links: WebSub, RFC 5005)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.feedgen_tree import (
    FeedTree,
    add_element,
    add_thumbnail,
    render_tree,
)
from postroom.feeds.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element as Element

    from postroom.feeds.feed import Entry, Feed
    from postroom.posts.post import Person

_FORMAT = FORMATS["atom"]
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def atom_xml(feed: Feed) -> bytes:
    """Return `feed` as an Atom document in UTF-8; equal feeds give equal bytes.

    Titles are plain text; summaries (escaped) and content are `type="html"`. The feed's
    own address (rel=self) is left out when `feed.urls` has none for `atom.xml`.
    """
    tree = FeedTree(feed)
    tree.author(_authors(feed.authors))
    own_url = feed.urls.get(_FORMAT.file_name, "")
    for rel, href, kind in (
        ("self", own_url, _FORMAT.media_type),
        ("hub", feed.hub, None),
        ("prev-archive", feed.prev_archive, _FORMAT.media_type),
        ("next", feed.next_url, _FORMAT.media_type),
        ("alternate", feed.home_url, "text/html"),
    ):
        if href:
            tree.link(rel=rel, href=href, type=kind)
    for entry in feed.entries:
        made = tree.add(entry)
        made.published(entry.published)
        made.author(_authors(entry.authors))
    root = tree.atom_tree()
    for element, entry in zip(root.findall("entry"), feed.entries, strict=True):
        _mend_entry(element, entry, feed)
    return render_tree(root)


def _authors(people: Iterable[Person]) -> list[dict[str, str]]:
    return [{"name": person.name, "uri": person.url} for person in people]


def _mend_entry(element: Element, entry: Entry, feed: Feed) -> None:
    """Add what feedgen's entry lacks: link attributes, language, enclosures, picture."""
    if entry.language and entry.language != feed.language:
        element.set(_LANG, entry.language)
    # feedgen writes only href: every link of an entry becomes an alternate.
    link = element.find("link")
    link.set("rel", "alternate")
    link.set("type", "text/html")
    for enclosure in entry.enclosures:
        add_element(
            element,
            "link",
            href=enclosure.url,
            rel="enclosure",
            type=enclosure.media_type,
            length=str(enclosure.length),
        )
    add_thumbnail(element, entry)

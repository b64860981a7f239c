"""A feed as an RSS 2.0 document, with the content, dc, media and atom modules.

The words of RSS live here: channel, item, guid, pubDate, description. Rules of the
RSS Advisory Board's profile are kept: plain titles, one enclosure, a self link.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from postroom.feeds.feedgen_tree import (
    FeedTree,
    add_element,
    add_thumbnail,
    qualified,
    render_tree,
)
from postroom.feeds.formats import FORMATS

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from postroom.feeds.feed import Entry, Feed

_FORMAT = FORMATS["rss"]


def rss_xml(feed: Feed) -> bytes:
    """Return `feed` as an RSS 2.0 document in UTF-8; equal feeds give equal bytes.

    RSS carries one enclosure an item: an entry's first. Authors are `dc:creator`,
    because `author` must be an e-mail address. RSS has no date of an edit: an edited
    entry carries `atom:updated`.
    """
    tree = FeedTree(feed)
    tree.description(feed.subtitle or feed.title)
    # The only link given to feedgen: RSS's `link` becomes whichever came last.
    tree.link(rel="alternate", href=feed.home_url)
    for entry in feed.entries:
        made = tree.add(entry)
        for enclosure in entry.enclosures[:1]:
            made.enclosure(enclosure.url, enclosure.length, enclosure.media_type)
    root = tree.rss_tree()
    channel = root.find("channel")
    _mend_channel(channel, feed)
    for item, entry in zip(channel.findall("item"), feed.entries, strict=True):
        _mend_item(item, entry, feed)
    return render_tree(root)


def _mend_channel(channel: Element, feed: Feed) -> None:
    """Add the atom:links, of which feedgen knows one, and the date, before the items."""
    own_url = feed.urls.get(_FORMAT.file_name, "")
    place = channel.index(channel.find("description"))
    for rel, href, kind in (
        ("self", own_url, _FORMAT.media_type),
        ("hub", feed.hub, ""),
        ("prev-archive", feed.prev_archive, FORMATS["atom"].media_type),
        ("next", feed.next_url, _FORMAT.media_type),
    ):
        if href:
            link = add_element(channel, qualified("atom", "link"), rel=rel, href=href)
            if kind:
                link.set("type", kind)
            place += 1
            channel.insert(place, link)
    date = add_element(channel, "lastBuildDate", format_datetime(feed.updated))
    channel.insert(place + 1, date)


def _mend_item(item: Element, entry: Entry, feed: Feed) -> None:
    """Add what feedgen's item lacks: dates, creators, language, picture."""
    add_element(item, "pubDate", format_datetime(entry.published))
    if entry.updated != entry.published:
        add_element(item, qualified("atom", "updated"), entry.updated.isoformat())
    for person in entry.authors:
        add_element(item, qualified("dc", "creator"), person.name)
    if entry.language and entry.language != feed.language:
        add_element(item, qualified("dc", "language"), entry.language)
    add_thumbnail(item, entry)

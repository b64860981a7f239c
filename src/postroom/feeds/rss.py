"""A feed as an RSS 2.0 document, with the modules that NAMESPACES of `parts` names.

The words of RSS live here, in `stream_rss` and in `parts`: channel, item, guid,
pubDate, description. Rules of the RSS Advisory Board's profile are kept: plain titles,
one enclosure, a self link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.feedgen_tree import FeedTree, add_parts, render_tree
from postroom.feeds.moments import rss_date
from postroom.feeds.parts import feed_links, rss_channel_parts, rss_item_parts
from postroom.feeds.xml_part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.feeds.feed import Feed


def rss_xml(feed: Feed) -> bytes:
    """Return `feed` as an RSS 2.0 document in UTF-8; equal feeds give equal bytes.

    RSS carries one enclosure an item: the entry's sound, else its first. Authors are
    `dc:creator`, because `author` must be an e-mail address. RSS has no date of an
    edit: an edited entry carries `atom:updated`.
    """
    tree = FeedTree(feed)
    tree.description(feed.subtitle or feed.title)
    # The only link given to feedgen: RSS's `link` becomes whichever came last.
    tree.link(rel="alternate", href=feed.home_url)
    for entry in feed.entries:
        tree.add(entry)
    root = tree.rss_tree()
    channel = root.find("channel")
    for item, entry in zip(channel.findall("item"), feed.entries, strict=True):
        add_parts(item, rss_item_parts(entry, feed))
    add_parts(channel, rss_channel_parts(feed), len(channel) - len(feed.entries))
    after = channel.index(channel.find("description")) + 1
    add_parts(channel, _links_and_date(feed), after)
    return render_tree(root, feed.stylesheet)


def _links_and_date(feed: Feed) -> Iterator[Part]:
    """Yield what feedgen cannot write: more than one atom:link, a date of our own."""
    for rel, href, kind in feed_links(feed, "rss"):
        typed = (("type", kind),) if kind else ()
        yield Part("atom:link", "", (("rel", rel), ("href", href), *typed))
    yield Part("lastBuildDate", rss_date(feed.updated))

"""What Atom and RSS have beyond feedgen's reach, as values: both XML writers write them.

A part is an element with a prefix of NAMESPACES, or bare in the format's own namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from postroom.feeds.formats import FORMATS
from postroom.feeds.moments import rss_date
from postroom.feeds.podcast import episode_parts, podcast_parts
from postroom.feeds.xml_part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.feeds.feed import Enclosure, Entry, Feed

# Constant: with a version in it, every release would change every feed's bytes.
GENERATOR = "postroom"

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "podcast": "https://podcastindex.org/namespace/1.0",
}


class Link(NamedTuple):
    """A link of a feed. `media_type` may be empty."""

    rel: str
    href: str
    media_type: str


def feed_links(feed: Feed, format: str) -> list[Link]:
    """Return the links of `feed` in the XML format of that name that have a target."""
    own, atom = FORMATS[format], FORMATS["atom"].media_type
    links = [
        Link("self", feed.urls.get(own.file_name, ""), own.media_type),
        Link("hub", feed.hub, ""),
        Link("current", feed.current, ""),
        Link("prev-archive", feed.prev_archive, atom),
        Link("next-archive", feed.next_archive, atom),
    ]
    return [link for link in links if link.href]


def main_enclosure(entry: Entry) -> Enclosure | None:
    """Return the one enclosure that RSS and podcast readers take: sound, else the first."""
    sounds = (one for one in entry.enclosures if one.media_type.startswith("audio/"))
    return next(sounds, next(iter(entry.enclosures), None))


def atom_feed_parts(feed: Feed) -> Iterator[Part]:
    """Yield what an Atom feed has between its subtitle and its entries."""
    yield from _feed_parts(feed, "rights")


def rss_channel_parts(feed: Feed) -> Iterator[Part]:
    """Yield what an RSS channel has between its language and its items."""
    yield from _feed_parts(feed, "copyright")


def _feed_parts(feed: Feed, rights: str) -> Iterator[Part]:
    if feed.archive:
        yield Part("fh:archive")
    if feed.podcast is not None:
        if feed.podcast.copyright:
            yield Part(rights, feed.podcast.copyright)
        yield from podcast_parts(feed.podcast, feed.authors)


def atom_entry_parts(entry: Entry, feed: Feed) -> Iterator[Part]:
    """Yield what an Atom entry has at its end: enclosures, what it is about, and more."""
    if entry.link:
        yield Part("link", "", (("href", entry.link), ("rel", "related")))
    for enclosure in entry.enclosures:
        yield Part("link", "", tuple(_enclosure_link(enclosure)))
    yield from _entry_parts(entry, feed)


def _enclosure_link(enclosure: Enclosure) -> Iterator[tuple[str, str]]:
    yield "href", enclosure.url
    yield "rel", "enclosure"
    yield "type", enclosure.media_type
    if enclosure.length:
        yield "length", str(enclosure.length)
    if enclosure.title:
        yield "title", enclosure.title


def rss_item_parts(entry: Entry, feed: Feed) -> Iterator[Part]:
    """Yield what an RSS item has at its end: enclosure, dates, creators, and more.

    RSS carries one enclosure an item, and of it must say a length: 0 when nobody knows.
    """
    enclosure = main_enclosure(entry)
    if enclosure is not None:
        described = (
            ("url", enclosure.url),
            ("length", str(enclosure.length)),
            ("type", enclosure.media_type),
        )
        yield Part("enclosure", "", described)
    yield Part("pubDate", rss_date(entry.published))
    if entry.updated != entry.published:
        yield Part("atom:updated", entry.updated.isoformat())
    if entry.link:
        yield Part("atom:link", "", (("rel", "related"), ("href", entry.link)))
    for person in entry.authors:
        yield Part("dc:creator", person.name)
    if entry.language and entry.language != feed.language:
        yield Part("dc:language", entry.language)
    yield from _entry_parts(entry, feed)


def _entry_parts(entry: Entry, feed: Feed) -> Iterator[Part]:
    if entry.image:  # Media RSS: neither format has an element of its own
        yield Part("media:thumbnail", "", (("url", entry.image),))
    if feed.podcast is not None:
        yield from episode_parts(entry, main_enclosure(entry))

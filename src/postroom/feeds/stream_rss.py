"""RSS 2.0 as text: for feeds of topics, authors and languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.moments import rss_date
from postroom.feeds.parts import (
    GENERATOR,
    feed_links,
    rss_channel_parts,
    rss_item_parts,
)
from postroom.feeds.stream import (
    attribute,
    declarations,
    html,
    octets,
    prologue,
    text,
    write_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.feeds.feed import Entry, Feed

DOCS = "http://www.rssboard.org/rss-specification"


def rss_text(feed: Feed) -> bytes:
    """Return `feed` as an RSS 2.0 document in UTF-8: the same as `rss.rss_xml` says."""
    return b"".join(rss_pieces(feed))


def rss_pieces(feed: Feed) -> Iterator[bytes]:
    """Yield the document in UTF-8, some pieces for each item."""
    yield "".join(_head(feed)).encode()
    for entry in feed.entries:
        yield "".join(_beginning(entry)).encode()
        if entry.content is not None:
            name = b"content:encoded" if entry.summary else b"description"
            yield b"      <%b>%b</%b>\n" % (name, octets(entry.content), name)
        yield "".join(_end(entry, feed)).encode()
    yield b"  </channel>\n</rss>\n"


def _head(feed: Feed) -> Iterator[str]:
    yield from prologue(feed.stylesheet)
    yield (
        f'<rss{declarations(feed, *_prefixes(feed))} version="2.0">\n'
        "  <channel>\n"
        f"    <title>{text(feed.title)}</title>\n"
        f"    <link>{text(feed.home_url)}</link>\n"
        f"    <description>{text(feed.subtitle or feed.title)}</description>\n"
    )
    for rel, href, kind in feed_links(feed, "rss"):
        typed = f' type="{kind}"' if kind else ""
        yield f'    <atom:link rel="{rel}" href="{attribute(href)}"{typed}/>\n'
    yield (
        f"    <lastBuildDate>{rss_date(feed.updated)}</lastBuildDate>\n"
        f"    <docs>{DOCS}</docs>\n"
        f"    <generator>{GENERATOR}</generator>\n"
    )
    if feed.language:
        yield f"    <language>{text(feed.language)}</language>\n"
    yield from write_parts(rss_channel_parts(feed), "    ")


def _prefixes(feed: Feed) -> Iterator[str]:
    """Yield the namespaces of RSS's own modules that `feed` has need of."""
    entries = feed.entries
    if feed_links(feed, "rss") or any(
        entry.link or entry.updated != entry.published for entry in entries
    ):
        yield "atom"
    if any(entry.content is not None and entry.summary for entry in entries):
        yield "content"
    if any(
        entry.authors or entry.language not in {"", feed.language} for entry in entries
    ):
        yield "dc"


def _beginning(entry: Entry) -> Iterator[str]:
    """Yield what stands before the content."""
    yield (
        "    <item>\n"
        f"      <title>{text(entry.title)}</title>\n"
        f"      <link>{text(entry.url)}</link>\n"
    )
    if entry.summary:
        yield f"      <description>{html(entry.summary)}</description>\n"


def _end(entry: Entry, feed: Feed) -> Iterator[str]:
    """Yield what stands behind the content."""
    yield f'      <guid isPermaLink="false">{text(entry.id)}</guid>\n'
    for tag in entry.tags:
        yield f"      <category>{text(tag)}</category>\n"
    yield from write_parts(rss_item_parts(entry, feed), "      ")
    yield "    </item>\n"

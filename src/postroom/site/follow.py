"""What the page on how to follow shows: addresses of feeds, readers, parts of the posts.

It runs no script: an address is a field to copy from, a reader is a link that carries
the address along, and nothing is asked of another host before that link is followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from postroom.site.address import quote_path, quote_url
from postroom.site.info import FeedGroup, FeedLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.site.info import SiteInfo
    from postroom.site.words import Words

FEED_STYLE = "feed.css"
"""The style sheet that feeds name, beside the index. Its name holds no hash: an archive
of a past month (RFC 5005) keeps its bytes when the looks change."""

READERS = (
    ("Feedly", "https://feedly.com/i/subscription/feed%2F"),
    ("Inoreader", "https://www.inoreader.com/?add_feed="),
    ("NewsBlur", "https://www.newsblur.com/?url="),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url="),
    ("Feedbin", "https://feedbin.com/?subscribe="),
)
"""Readers on the web that take a feed from the address of a link, encoded, at its end.
Of Inoreader's two forms this one also takes a feed that nobody follows there yet. Readers
that people host themselves have no address that we could know."""

READ_BY_ALL = ("application/atom+xml", "application/rss+xml")
"""What every one of those readers understands; JSON Feed is read by some."""

KINDS = ("language", "author", "topic")
"""Kinds of `FeedGroup`, in the order of the page."""

SHOWN = 12
"""More groups of a kind than these are folded up: about one screen of a phone."""


class Address(NamedTuple):
    """A feed of all posts, in one format."""

    title: str
    """Of the format: `Atom`."""
    file_name: str
    """As people see it: `atom.xml`."""
    path: str
    """Relative to the site, encoded."""
    url: str
    """Absolute, in ASCII: what one copies."""
    media_type: str


class Reader(NamedTuple):
    """A link that adds the feed of all posts to a reader on the web."""

    name: str
    url: str


class GroupLink(NamedTuple):
    """The feed of a part of the posts, in one format."""

    title: str
    path: str
    media_type: str
    name: str
    """For those who hear the link without the line it stands in."""


class Part(NamedTuple):
    """A part of the posts and its feeds, one per format."""

    label: str
    links: tuple[GroupLink, ...]


class Section(NamedTuple):
    """All parts of one kind."""

    kind: str
    heading: str
    fold: str
    """What is shown in their place while they are folded up; empty when all are shown."""
    parts: tuple[Part, ...]


def build_follow(site: SiteInfo, words: Words) -> dict[str, object]:
    """Return the values of `site/follow.html` that other pages have no need of.

    `addresses` is one `Address` per format, `readers` the `Reader` links of the first
    format that all of them understand, `sections` the `Section` of each kind that has
    groups, `opml` the path of the list of feeds or nothing. Groups without formats to
    write them in are not listed. Raises ValueError for a group of no known kind.
    """
    addresses = _addresses(site)
    return {
        "addresses": addresses,
        "readers": _readers(addresses),
        "sections": tuple(_sections(site, words)) if addresses else (),
        "opml": quote_path(site.opml),
    }


def _addresses(site: SiteInfo) -> tuple[Address, ...]:
    base = quote_url(site.url)
    return tuple(
        Address(
            title=feed.title,
            file_name=feed.file_name.rpartition("/")[2],
            path=quote_path(feed.file_name),
            url=base + quote_path(feed.file_name),
            media_type=feed.media_type,
        )
        for feed in (FeedLink(*feed) for feed in site.feeds)
    )


def _readers(addresses: tuple[Address, ...]) -> tuple[Reader, ...]:
    read = [each.url for each in addresses if each.media_type in READ_BY_ALL]
    if not read:
        return ()
    encoded = quote(read[0], safe="")
    return tuple(Reader(name, form + encoded) for name, form in READERS)


def _sections(site: SiteInfo, words: Words) -> Iterator[Section]:
    headings = (words.by_language, words.by_author, words.by_topic)
    members: dict[str, list[Part]] = {kind: [] for kind in KINDS}
    for group in (FeedGroup(*group) for group in site.feed_groups):
        if group.kind not in members:
            raise ValueError(f"no kind of feed is called {group.kind!r}")
        members[group.kind].append(_part(group, site, words))
    for heading, (kind, parts) in zip(headings, members.items(), strict=True):
        if parts:
            fold = words.show_all.format(count=len(parts))
            yield Section(
                kind=kind,
                heading=heading,
                fold=fold if len(parts) > SHOWN else "",
                parts=tuple(parts),
            )


def _part(group: FeedGroup, site: SiteInfo, words: Words) -> Part:
    return Part(
        label=group.label,
        links=tuple(
            GroupLink(
                title=feed.title,
                path=quote_path(group.path + feed.file_name),
                media_type=feed.media_type,
                name=words.feed_of.format(label=group.label, format=feed.title),
            )
            for feed in (FeedLink(*feed) for feed in site.feeds)
        ),
    )

"""A list of feeds that readers import in one go (OPML 2.0, opml.org/spec2)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from postroom.feeds.characters import clean_line, clean_url
from postroom.feeds.stream import write_parts
from postroom.feeds.xml_part import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILE_NAME = "feeds.opml"
MEDIA_TYPE = "text/x-opml"


class ListedFeed(NamedTuple):
    """A feed of the list."""

    title: str
    xml_url: str
    """Of one format: Atom where there is a choice."""
    html_url: str
    kind: str = ""
    """Heading of the group it stands in, as people read it; empty: before the groups."""


def opml_xml(title: str, feeds: Iterable[ListedFeed]) -> bytes:
    """Return the list `title` of `feeds` as OPML in UTF-8, grouped by their kinds.

    Feeds keep their order, kinds that of their first feed. One without an address is
    left out. No date is in it: equal lists give equal bytes.
    """
    listed = [feed for feed in feeds if clean_url(feed.xml_url)]
    ranks = {
        kind: rank for rank, kind in enumerate(dict.fromkeys(f.kind for f in listed))
    }
    listed.sort(key=lambda feed: (bool(feed.kind), ranks[feed.kind]))
    head = Part("head", children=(Part("title", clean_line(title)),))
    body = Part("body", children=tuple(_outlines(listed)))
    document = Part("opml", "", (("version", "2.0"),), (head, body))
    pieces = ("<?xml version='1.0' encoding='UTF-8'?>\n", *write_parts([document], ""))
    return "".join(pieces).encode()


def _outlines(listed: Iterable[ListedFeed]) -> Iterator[Part]:
    for kind, group in groupby(listed, key=lambda feed: feed.kind):
        outlines = tuple(_outline(feed) for feed in group)
        if kind:
            yield Part("outline", "", (("text", clean_line(kind)),), outlines)
        else:
            yield from outlines


def _outline(feed: ListedFeed) -> Part:
    url = clean_url(feed.xml_url)
    title = clean_line(feed.title) or url
    page = clean_url(feed.html_url)
    return Part(
        "outline",
        "",
        (
            ("type", "rss"),  # of Atom too: the word that readers look for
            ("text", title),
            ("title", title),
            ("xmlUrl", url),
            *((("htmlUrl", page),) if page else ()),
        ),
    )

"""What a published file is: its media type, how long it keeps, who may read it.

By its path alone, with a table of our own: the system's differs from machine to machine,
and says `text/xml` for a feed.
"""

from __future__ import annotations

import re
from enum import StrEnum

from postroom.feeds.formats import FORMATS
from postroom.posts.media_types import OCTETS, TRANSCRIPT_TYPES, TYPES, ending_of

FEED_TYPES = {each.file_name: each.media_type for each in FORMATS.values()}
ATOM, JSON_FEED = FORMATS["atom"].media_type, FORMATS["json"].media_type
ARCHIVE = re.compile(r"(?:^|/)archive/\d{4}-\d{2}\.(?:atom|json)$")
IMMUTABLE = re.compile(r"^assets/[^/]+-[0-9a-f]{8,64}\.[a-z0-9]+$")
"""A name with the hash of its content: another content has another name."""

OPML = "text/x-opml"
"""As OPML's own specification has it. A browser that is given `application/xml` shows a
tree of elements; this it saves, and a saved file is what feed readers import."""
WEB_TYPES = {
    **TRANSCRIPT_TYPES,
    **TYPES,
    "atom": ATOM,
    "css": "text/css",
    "gz": "application/gzip",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "js": "text/javascript",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "opml": OPML,
    "rss": FORMATS["rss"].media_type,
    "ttf": "font/ttf",
    "webmanifest": "application/manifest+json",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xml": "application/xml",
}
MEDIA = ("audio/", "font/", "image/", "video/")
TEXT = ("text/",)
TEXT_ENDINGS = ("+json", "+xml", "/json", "/xml")


class Kind(StrEnum):
    """What a file is to a cache and to a browser."""

    PAGE = "page"
    FEED = "feed"
    ARCHIVE = "archive"
    """A month of a feed (RFC 5005 §4)."""
    OUTLINE = "outline"
    """feeds.opml."""
    ASSET = "asset"
    """Named by its content."""
    MEDIA = "media"
    OTHER = "other"


def media_type(path: str) -> str:
    """Return the media type of a file of the output folder."""
    if ARCHIVE.search(path):
        return ATOM if path.endswith(".atom") else JSON_FEED
    named = FEED_TYPES.get(path.rpartition("/")[2])
    return named or WEB_TYPES.get(ending_of(path), OCTETS)


def content_type(path: str) -> str:
    """Return the value of Content-Type; text is UTF-8, whatever writes it here."""
    kind = media_type(path)
    is_text = kind.startswith(TEXT) or kind.endswith(TEXT_ENDINGS)
    return f"{kind}; charset=utf-8" if is_text else kind


def kind_of(path: str) -> Kind:
    """Return what the file at `path` of the output folder is."""
    if IMMUTABLE.search(path):
        return Kind.ASSET
    if ARCHIVE.search(path):
        return Kind.ARCHIVE
    kind = media_type(path)
    if kind in FEED_TYPES.values():
        return Kind.FEED
    if kind == OPML:
        return Kind.OUTLINE
    if kind == "text/html":
        return Kind.PAGE
    return Kind.MEDIA if kind.startswith(MEDIA) else Kind.OTHER

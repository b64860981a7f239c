"""Addresses at which other publishers had their feeds: readers are led to ours.

They are only asked for when there is no such file. Hugo writes index.xml, Jekyll feed.xml,
WordPress answers at feed/, Pelican at feeds/all.atom.xml, Blogger at feeds/posts/default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

ATOM, RSS, JSON = ("atom", "rss"), ("rss", "atom"), ("json",)
"""Formats in the order in which they replace what was there; readers of one XML format
take the other, but not JSON."""
OLD_NAMES = {
    "atom": ATOM,
    "atom.xml": ATOM,
    "feed": RSS,
    "feed.atom": ATOM,
    "feed.rss": RSS,
    "feed.xml": ATOM,
    "feed/atom": ATOM,
    "feed/json": JSON,
    "feed/rss": RSS,
    "feed/rss2": RSS,
    "feeds/all.atom.xml": ATOM,
    "feeds/all.rss.xml": RSS,
    "feeds/posts/default": ATOM,
    "index.atom": ATOM,
    "index.rss": RSS,
    "index.xml": RSS,
    "rss": RSS,
    "rss.xml": RSS,
    "rss2.xml": RSS,
}
LONGEST = 3
"""Segments in a name above."""


def old_feed_targets(path: str) -> Iterator[str]:
    """Yield the feeds that may be what `path` was, the nearest first.

    A name counts in every folder, as in `tags/design/index.xml`.
    """
    segments = path.rstrip("/").split("/")
    for length in range(min(LONGEST, len(segments)), 0, -1):
        folders, name = segments[:-length], "/".join(segments[-length:])
        for each in OLD_NAMES.get(name, ()):
            yield "/".join([*folders, FORMATS[each].file_name])

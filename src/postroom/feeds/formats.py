"""The formats a feed is written in; a new one is a module and a line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.feed import Feed


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: what people call it, its file under the feed's folder, its writers."""

    title: str
    file_name: str
    media_type: str
    writer: str
    """`module:function` in this package, called as `function(feed) -> bytes`."""
    streamer: str
    """The same for feeds that a site has by the hundred, without feedgen and lxml."""

    def render(self, feed: Feed) -> bytes:
        """Return `feed` as the UTF-8 bytes of this format's file.

        The writer is imported here, not above: feedgen and lxml cost 60 ms, and a run
        in which no feed changed renders none.
        """
        return _writer(self.writer)(feed)

    def stream(self, feed: Feed) -> bytes:
        """Return a document that says the same as `render`'s, several times as fast."""
        return _writer(self.streamer)(feed)


def _writer(name: str) -> Callable[[Feed], bytes]:
    module, function = name.split(":")
    writer: Callable[[Feed], bytes] = getattr(
        import_module(f"postroom.feeds.{module}"), function
    )
    return writer


FORMATS = {
    "atom": Format(
        title="Atom",
        file_name="atom.xml",
        media_type="application/atom+xml",
        writer="atom:atom_xml",
        streamer="stream_atom:atom_text",
    ),
    "rss": Format(
        title="RSS",
        file_name="rss.xml",
        media_type="application/rss+xml",
        writer="rss:rss_xml",
        streamer="stream_rss:rss_text",
    ),
    "json": Format(
        title="JSON Feed",
        file_name="feed.json",
        media_type="application/feed+json",
        writer="json_feed:json_feed",
        streamer="json_feed:json_feed",
    ),
}

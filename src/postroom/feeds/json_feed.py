"""A feed as JSON Feed 1.1 (jsonfeed.org/version/1.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postroom.feeds.feed import Enclosure, Entry, Feed
    from postroom.posts.post import Person

VERSION = "https://jsonfeed.org/version/1.1"

_FORMAT = FORMATS["json"]


def json_feed(feed: Feed) -> bytes:
    """Return `feed` as a JSON Feed in UTF-8; equal feeds give equal bytes.

    A feed of excerpts carries each summary as `content_text` too, because an item
    must have content. `external_url` is what a link post is about.
    """
    document = _present(
        version=VERSION,
        title=feed.title,
        home_page_url=feed.home_url,
        feed_url=feed.urls.get(_FORMAT.file_name),
        description=feed.subtitle,
        icon=feed.podcast.image if feed.podcast else "",
        language=feed.language,
        authors=_authors(feed.authors),
        hubs=[{"type": "WebSub", "url": feed.hub}] if feed.hub else [],
        next_url=feed.next_url,
    )
    document["items"] = [_item(entry, feed) for entry in feed.entries]
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _item(entry: Entry, feed: Feed) -> dict[str, object]:
    item = _present(
        id=entry.id,
        url=entry.url,
        external_url=entry.link,
        title=entry.title,
        summary=entry.summary,
        image=entry.image,
        date_published=entry.published.isoformat(),
        date_modified=entry.updated.isoformat(),
        authors=_authors(entry.authors),
        tags=list(entry.tags),
        language=entry.language if entry.language != feed.language else "",
        attachments=[_attachment(enclosure) for enclosure in entry.enclosures],
    )
    if entry.content is None:
        item["content_text"] = entry.summary
    else:
        item["content_html"] = entry.content
    return item


def _attachment(enclosure: Enclosure) -> dict[str, object]:
    return _present(
        url=enclosure.url,
        mime_type=enclosure.media_type,
        title=enclosure.title,
        size_in_bytes=enclosure.length,
        duration_in_seconds=enclosure.duration,
    )


def _authors(people: Iterable[Person]) -> list[dict[str, object]]:
    return [_present(name=person.name, url=person.url) for person in people]


def _present(**members: object) -> dict[str, object]:
    """Return the members that have a value, in the order given."""
    return {name: value for name, value in members.items() if value}

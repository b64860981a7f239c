"""JSON Feed 1.0 and 1.1 (jsonfeed.org): items become entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.importing.feed_items import own_summary
from postroom.importing.found import Channel, Fault, Found, Text
from postroom.importing.json_source import Object, number_of, objects_of, text_of
from postroom.importing.moments import parse_moment
from postroom.importing.texts import (
    build_id,
    join_url,
    line_of,
    plain_line,
    tags_of,
    web_url,
)
from postroom.posts.post import Enclosure, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEMS = "items"


def parse_channel(feed: Object, url: str) -> Channel:
    """Return what a JSON Feed says of itself; `url` is where it was read."""
    home = web_url(text_of(feed, "home_page_url"))
    return Channel(
        title=line_of(text_of(feed, "title")),
        url=home or url,
        base=text_of(feed, "feed_url") or url,
        language=text_of(feed, "language"),
        author=next((person.name for person in _people(feed)), ""),
        next_url=join_url(url, text_of(feed, "next_url")),
    )


def parse_items(feed: Object, channel: Channel) -> Iterator[Found | Fault]:
    """Yield the entries of a feed in its order."""
    for number, item in enumerate(objects_of(feed.get(ITEMS)), 1):
        yield parse_item(item, channel, number)


def parse_item(item: Object, channel: Channel, number: int) -> Found:
    """Return one item."""
    base = channel.url or channel.base
    url = web_url(join_url(base, text_of(item, "url")))
    content, plain = text_of(item, "content_html"), text_of(item, "content_text")
    updated = parse_moment(text_of(item, "date_modified"))
    tags = item.get("tags")
    return Found(
        name=f"item {number}",
        id=build_id(text_of(item, "id") or url),
        title=plain_line(text_of(item, "title")),
        published=parse_moment(text_of(item, "date_published")) or updated,
        updated=updated,
        language=text_of(item, "language") or channel.language,
        tags=tags_of(tag for tag in tags if isinstance(tag, str))
        if isinstance(tags, list)
        else (),
        authors=_people(item)
        or ((Person(name=channel.author),) if channel.author else ()),
        summary=own_summary(text_of(item, "summary"), content or plain),
        image=join_url(base, text_of(item, "image", "banner_image")),
        url=url,
        link=web_url(text_of(item, "external_url")),
        enclosures=tuple(_enclosures(item, base)),
        text=content or plain,
        form=Text.HTML if content else Text.PLAIN,
        base=url or base,
    )


def _people(item: Object) -> tuple[Person, ...]:
    """Return the authors: 1.1 has a list, 1.0 one object."""
    authors = objects_of(item.get("authors")) or objects_of([item.get("author")])
    people = [
        Person(
            name=line_of(text_of(author, "name")), url=web_url(text_of(author, "url"))
        )
        for author in authors
    ]
    return tuple(person for person in people if person.name)


def _enclosures(item: Object, base: str) -> Iterator[Enclosure]:
    for attachment in objects_of(item.get("attachments")):
        url = web_url(join_url(base, text_of(attachment, "url")))
        if url:
            yield Enclosure(
                url=url,
                media_type=text_of(attachment, "mime_type"),
                length=number_of(attachment, "size_in_bytes"),
                duration=number_of(attachment, "duration_in_seconds"),
                title=line_of(text_of(attachment, "title")),
            )

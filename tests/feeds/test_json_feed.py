"""Our JSON Feed keeps every rule of JSON Feed 1.1 that a reader may rely on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.feeds.json_feed import json_feed

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed

FEED_MEMBERS: dict[str, type] = {
    "version": str,
    "title": str,
    "home_page_url": str,
    "feed_url": str,
    "description": str,
    "icon": str,
    "next_url": str,
    "language": str,
    "authors": list,
    "hubs": list,
    "items": list,
}
ITEM_MEMBERS: dict[str, type] = {
    "id": str,
    "url": str,
    "external_url": str,
    "title": str,
    "content_html": str,
    "content_text": str,
    "summary": str,
    "image": str,
    "date_published": str,
    "date_modified": str,
    "authors": list,
    "tags": list,
    "language": str,
    "attachments": list,
}

ATTACHMENT_MEMBERS: dict[str, type] = {
    "url": str,
    "mime_type": str,
    "title": str,
    "size_in_bytes": int,
    "duration_in_seconds": int,
}


def faults_of(document: dict[str, Any]) -> list[str]:
    """Return what breaks JSON Feed 1.1, or a rule of our own, in words."""
    faults = member_faults("feed", document, FEED_MEMBERS)
    faults += [
        f"feed: no {name}"
        for name in ("version", "title", "home_page_url", "feed_url", "items")
        if name not in document
    ]
    if document.get("version") != "https://jsonfeed.org/version/1.1":
        faults.append("feed: version")
    seen = set()
    for item in document.get("items", []):
        faults += item_faults(item)
        if item.get("id") in seen:
            faults.append(f"item: id {item.get('id')} twice")
        seen.add(item.get("id"))
    return faults


def member_faults(
    where: str, given: dict[str, Any], known: dict[str, type]
) -> list[str]:
    """Return unknown, empty or wrongly typed members, and relative addresses."""
    faults = [f"{where}: unknown {name}" for name in given if name not in known]
    for name, value in given.items():
        if not isinstance(value, known.get(name, object)):
            faults.append(f"{where}: {name} is {type(value).__name__}")
        if value == "" or (value == [] and name != "items"):
            faults.append(f"{where}: {name} is empty")
        if name.endswith("url") and not str(value).startswith("https://"):
            faults.append(f"{where}: {name} is not absolute")
    for author in given.get("authors", []):
        faults += member_faults("author", author, {"name": str, "url": str})
    return faults


def item_faults(item: dict[str, Any]) -> list[str]:
    """Return what breaks a rule for items."""
    faults = member_faults("item", item, ITEM_MEMBERS)
    if not item.get("id"):
        faults.append("item: no id")
    if ("content_html" in item) == ("content_text" in item):
        faults.append("item: not exactly one content")
    for name in ("date_published", "date_modified"):
        moment = datetime.fromisoformat(item[name])
        if moment.utcoffset() is None or moment.microsecond:
            faults.append(f"item: {name} is not RFC 3339 in whole seconds")
    for attachment in item.get("attachments", []):
        faults += member_faults(
            "attachment",
            attachment,
            ATTACHMENT_MEMBERS,
        )
        if not {"url", "mime_type"} <= attachment.keys():
            faults.append("attachment: url or mime_type missing")
    return faults


def test_every_kind_of_feed_keeps_the_rules(kind: Feed) -> None:
    """With everything an entry can carry, and with what it may leave out."""
    assert faults_of(json.loads(json_feed(kind))) == []


def test_every_enclosure_is_an_attachment(kinds: dict[str, Feed]) -> None:
    """With all that is known of it; what is unknown is not said."""
    items = json.loads(json_feed(kinds["podcast"]))["items"]
    assert [item.get("attachments") for item in items] == [
        None,
        [
            {
                "url": "https://cdn.example/two.mp4",
                "mime_type": "video/mp4",
                "size_in_bytes": 4_000,
            },
            {
                "url": "https://cdn.example/two.m4a",
                "mime_type": "audio/mp4",
                "size_in_bytes": 2_000,
                "duration_in_seconds": 59,
            },
        ],
        [
            {
                "url": "https://blog.example.kr/media/one.mp3",
                "mime_type": "audio/mpeg",
                "title": "소리",
                "size_in_bytes": 48_211,
                "duration_in_seconds": 1830,
            }
        ],
    ]


def test_an_empty_feed_keeps_the_rules(site: FeedSettings) -> None:
    """`items` is there and empty."""
    document = json.loads(json_feed(build_feed([], {}, site)))
    assert faults_of(document) == []
    assert document["items"] == []


def test_a_feed_of_excerpts_has_text_content(feed: Feed) -> None:
    """An item must have content: the summary serves."""
    excerpts = tuple(replace(entry, content=None) for entry in feed.entries)
    document = json.loads(json_feed(replace(feed, entries=excerpts)))
    assert faults_of(document) == []
    assert all(item["content_text"] == item["summary"] for item in document["items"])


def test_hub_and_next_page_are_announced_when_set(feed: Feed) -> None:
    """WebSub as `hubs`, paging as `next_url`."""
    url = "https://blog.example.kr/feed-2.json"
    document = json.loads(json_feed(replace(feed, next_url=url)))
    assert document["next_url"] == url
    assert document["hubs"] == [{"type": "WebSub", "url": "https://hub.example/"}]
    silent = json.loads(json_feed(replace(feed, hub="")))
    assert not {"hubs", "next_url"} & silent.keys()


def test_only_a_foreign_language_is_named_at_the_item(feed: Feed) -> None:
    """The feed's own language is said once."""
    document = json.loads(json_feed(feed))
    named = {item["title"]: item.get("language") for item in document["items"]}
    assert named == {
        "사진 한 장": None,
        "رسالة قصيرة": "ar",
        "AT&T < 1 & a quiet edit": "en",
        "평범한 글": None,
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": "1.1"}, "feed: version"),
        ({"home_page_url": "/"}, "feed: home_page_url is not absolute"),
        ({"language": ""}, "feed: language is empty"),
        ({"user": 1}, "feed: unknown user"),
        ({"items": [{}]}, "item: no id"),
    ],
)
def test_the_check_itself_sees_faults(
    feed: Feed, change: dict[str, Any], fault: str
) -> None:
    """A check that passes everything would prove nothing."""
    document = json.loads(json_feed(feed))
    items = change.get("items")
    if items:
        change = {"items": [{**document["items"][0], "id": ""}]}
    assert fault in faults_of(document | change)

"""A WordPress export (WXR 1.0 to 1.2): posts and pages, with their attachments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from postroom.importing.found import Found, Note, Text
from postroom.importing.media import enclosures_of
from postroom.importing.moments import local_moment, parse_moment
from postroom.importing.texts import (
    build_id,
    line_of,
    number_of,
    seconds_of,
    tags_of,
    web_url,
)
from postroom.importing.xml_tree import Node, attribute, text_of
from postroom.posts.post import Enclosure, Person

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.importing.found import Channel, Step
    from postroom.importing.xml_tree import Element

PUBLIC = "publish"
UNWRITTEN = frozenset(("trash", "auto-draft", "inherit"))
KINDS = frozenset(("post", "page"))
UNCATEGORIZED = frozenset(("uncategorized", "미분류", "분류되지-않음"))
"""The category of posts that have none; nobody wants the topic."""
ATTACHMENT = re.compile(r"<wp:post_type>\s*(?:<!\[CDATA\[)?\s*attachment\b")
ATTACHMENT_ID = re.compile(r"<wp:post_id>\s*(?:<!\[CDATA\[)?\s*(\d+)")
ATTACHMENT_URL = re.compile(r"<wp:attachment_url>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)")


@dataclass(slots=True, kw_only=True)
class Blog:
    """What posts of an export refer to, gathered before the first of them is read."""

    authors: dict[str, str] = field(default_factory=dict)
    """Login → display name."""
    attachments: dict[str, str] = field(default_factory=dict)
    """Number → address."""

    def note_attachment(self, text: str) -> None:
        """Keep an attachment's address; `text` is an item that is not parsed for it."""
        if not ATTACHMENT.search(text):
            return
        number, url = ATTACHMENT_ID.search(text), ATTACHMENT_URL.search(text)
        if number and url:
            self.attachments[number[1]] = url[1].replace("&amp;", "&")

    def note_authors(self, root: Element) -> None:
        """Keep the authors that the export's channel lists."""
        channel = next(Node(root).all("channel"), root)
        for element in Node(channel).all("wp:author"):
            author = Node(element)
            login = author.text("wp:author_login")
            self.authors[login] = (
                line_of(author.text("wp:author_display_name")) or login
            )


def parse_post(
    element: Element, channel: Channel, blog: Blog, line: int
) -> Step | None:
    """Return one post or page; None for what is neither, and for trash."""
    node = Node(element)
    kind, status = node.text("wp:post_type") or "post", node.text("wp:status") or PUBLIC
    if kind not in KINDS:
        return _other(kind, line)
    if status in UNWRITTEN:
        return None
    meta = _meta(node)
    url = web_url(node.text("link"))
    locked = bool(node.text("wp:post_password"))
    published, updated = _dates(node)
    return Found(
        line=line,
        id=build_id(node.text("guid")),
        title=line_of(node.text("title")),
        published=published,
        updated=updated,
        slug=unquote(node.text("wp:post_name")),
        language=channel.language,
        tags=tags_of(_tags(node)),
        authors=_authors(node, blog),
        summary=line_of(node.text("excerpt:encoded")),
        image=web_url(blog.attachments.get(meta.get("_thumbnail_id", ""), "")),
        draft=status not in {PUBLIC, "future"} or locked,
        page=kind == "page",
        visibility="password" if locked else "private" if status == "private" else "",
        url=url,
        enclosures=_enclosures(node, meta),
        text=node.text("content:encoded"),
        form=Text.WORDPRESS,
        base=url or channel.url,
        gallery=blog.attachments,
        notes=("it had a password: kept as a draft",) if locked else (),
    )


def _other(kind: str, line: int) -> Note | None:
    """Name kinds of a plugin, which may be what somebody wants; menus are nothing."""
    known = kind == "attachment" or kind.startswith(
        ("nav_", "wp_", "custom", "oembed", "revision")
    )
    return None if known else Note(message=f"left out, of the kind `{kind}`", line=line)


def _meta(node: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in node.all("wp:postmeta"):
        pair = Node(element)
        found.setdefault(pair.text("wp:meta_key"), pair.text("wp:meta_value"))
    return found


def _dates(node: Node) -> tuple[datetime | None, datetime | None]:
    published = local_moment(node.text("wp:post_date"), node.text("wp:post_date_gmt"))
    updated = local_moment(
        node.text("wp:post_modified"), node.text("wp:post_modified_gmt")
    )
    return published or parse_moment(node.text("pubDate")), updated


def _tags(node: Node) -> list[str]:
    """Tags, then categories; post formats and a plugin's own taxonomies stay out."""
    found: dict[str, list[str]] = {"post_tag": [], "category": [], "tag": []}
    for element in node.all("category"):
        domain = attribute(element, "domain") or "category"
        if domain in found and attribute(element, "nicename") not in UNCATEGORIZED:
            found[domain].append(text_of(element))
    return [*found["post_tag"], *found["tag"], *found["category"]]


def _authors(node: Node, blog: Blog) -> tuple[Person, ...]:
    login = node.text("dc:creator")
    name = blog.authors.get(login) or line_of(login)
    return (Person(name=name),) if name else ()


def _enclosures(node: Node, meta: dict[str, str]) -> tuple[Enclosure, ...]:
    """Return the feed's own enclosures, else PowerPress's or WordPress's in the meta."""
    found = enclosures_of(node, "")
    url, length, kind, *more = (meta.get("enclosure", "") + "\n\n\n").split("\n")
    if found or not web_url(url):
        return found
    duration = re.search(r'"duration";s:\d+:"([\d:]+)"', "\n".join(more))
    return (
        Enclosure(
            url=web_url(url),
            length=number_of(length),
            media_type=kind.strip(),
            duration=seconds_of(duration[1]) if duration else 0,
        ),
    )

"""Sounds, films and pictures an item of a feed names: RSS, media:, itunes:, podcast:."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.importing.texts import (
    join_url,
    line_of,
    number_of,
    seconds_of,
    web_url,
)
from postroom.importing.xml_tree import Node, attribute, text_of
from postroom.posts.post import Enclosure, Episode, Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.importing.xml_tree import Element

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")
EXPLICIT = {
    "true": True,
    "yes": True,
    "explicit": True,
    "false": False,
    "no": False,
    "clean": False,
}
KINDS = frozenset(("full", "trailer", "bonus"))
MAX_ENCLOSURES = 20


def enclosures_of(node: Node, base: str) -> tuple[Enclosure, ...]:
    """Return the files that belong to an item, but for its pictures."""
    duration = seconds_of(node.text("itunes:duration"))
    found: dict[str, Enclosure] = {}
    for element in _elements(node):
        url = web_url(
            join_url(base, attribute(element, "url") or attribute(element, "href"))
        )
        if not url or _is_image(element):
            continue
        size = attribute(element, "length") or attribute(element, "fileSize")
        found.setdefault(
            url,
            Enclosure(
                url=url,
                media_type=attribute(element, "type"),
                length=number_of(size),
                duration=number_of(attribute(element, "duration"))
                or (0 if found else duration),
                title=line_of(attribute(element, "title")),
            ),
        )
    return tuple(found.values())[:MAX_ENCLOSURES]


def _elements(node: Node) -> Iterator[Element]:
    yield from node.all("enclosure")
    for link in node.all("atom:link"):
        if attribute(link, "rel") == "enclosure":
            yield link
    yield from _media(node)


def _media(node: Node) -> Iterator[Element]:
    yield from node.all("media:content")
    for group in node.all("media:group"):
        yield from Node(group).all("media:content")


def _is_image(element: Element) -> bool:
    kind = attribute(element, "type")
    if kind:
        return kind.startswith("image/")
    if attribute(element, "medium"):
        return attribute(element, "medium") == "image"
    address = attribute(element, "url") or attribute(element, "href")
    return address.casefold().split("?")[0].endswith(IMAGES)


def image_of(node: Node) -> str:
    """Return the address of the picture that stands for an item, or nothing."""
    pictures = [*node.all("enclosure"), *_media(node)]
    for element in pictures:
        if _is_image(element) and attribute(element, "url"):
            return attribute(element, "url")
    for group in (node, *map(Node, node.all("media:group"))):
        for element in group.all("media:thumbnail"):
            return attribute(element, "url") or text_of(element)
    return ""


def episode_of(node: Node, base: str) -> Episode | None:
    """Return what podcast players ask of an item, None when it says nothing of it."""
    kind = node.text("itunes:episodeType").casefold()
    image = next((attribute(item, "href") for item in node.all("itunes:image")), "")
    chapters = next(
        (attribute(item, "url") for item in node.all("podcast:chapters")), ""
    )
    episode = Episode(
        number=number_of(node.text("itunes:episode", "podcast:episode")),
        season=number_of(node.text("itunes:season", "podcast:season")),
        kind=kind if kind in KINDS else "",
        explicit=EXPLICIT.get(node.text("itunes:explicit").casefold()),
        image=web_url(join_url(base, image)),
        chapters=web_url(join_url(base, chapters)),
        transcripts=tuple(
            Transcript(
                url=web_url(join_url(base, attribute(item, "url"))),
                media_type=attribute(item, "type"),
                language=attribute(item, "language"),
            )
            for item in node.all("podcast:transcript")
            if web_url(join_url(base, attribute(item, "url")))
        ),
    )
    return None if episode == Episode() else episode

"""Items of RSS 0.91 to 2.0 and RSS 1.0, entries of Atom 0.3 and 1.0 (RFC 4287)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from postroom.importing import xml_tree
from postroom.importing.found import Channel, Found, Text
from postroom.importing.media import enclosures_of, episode_of, image_of
from postroom.importing.moments import parse_moment
from postroom.importing.texts import (
    build_id,
    join_url,
    line_of,
    plain_line,
    tags_of,
    web_url,
)
from postroom.importing.xml_tree import Node, attribute, text_of
from postroom.posts.flat_text import text_of as plain_of
from postroom.posts.post import Person

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.importing.xml_tree import Element

DATES = (
    "pubDate", "dc:date", "dcterms:issued", "dcterms:created", "atom:published",
    "atom:issued", "atom:created", "published", "issued", "date",
)  # fmt: skip
EDITED = ("atom:updated", "atom:modified", "dcterms:modified", "updated", "modified")
MAILBOX = re.compile(r"[^\s()]+@[^\s()]+\s*\((?P<name>[^()]+)\)")
CUT = re.compile(
    r"(?:\[(?:…|\.\.\.|&hellip;|&#8230;)\]|…|\.\.\.|read more|더 ?보기|continue reading)\W*$",
    re.IGNORECASE,
)
SUMMARY_LIMIT = 1000
"""Characters; a longer one is a text, not a summary."""
HTML_TAG = re.compile(
    r"<[a-zA-Z/!][^<>]*>|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE
)
PREVIOUS = ("prev-archive", "next")


def parse_channel(root: Element) -> Channel:
    """Return what a document says outside of its items."""
    outer = Node(root)
    inner = next(outer.all("channel"), None)
    node = outer if inner is None else Node(inner)
    base = xml_tree.xml_base(root)
    links = [
        *outer.all("atom:link"),
        *(node.all("atom:link") if node is not outer else ()),
    ]
    related = {
        attribute(link, "rel") or "alternate": attribute(link, "href")
        for link in reversed(links)
        if attribute(link, "type") != "application/json"
    }
    url = web_url(join_url(base, node.text("link") or related.get("alternate", "")))
    older = next((related[rel] for rel in PREVIOUS if related.get(rel)), "")
    generator = node.text("generator", "atom:generator")
    return Channel(
        title=line_of(node.text("title", "atom:title")),
        url=url,
        base=base,
        language=node.text("language", "dc:language") or xml_tree.xml_lang(root),
        author=_channel_author(node),
        generator=generator,
        next_url=join_url(base, older),
        older_by_number="wordpress" in generator.casefold(),
    )


def _channel_author(node: Node) -> str:
    for author in node.all("atom:author"):
        return line_of(Node(author).text("atom:name"))
    return line_of(node.text("itunes:author", "dc:creator"))


def parse_item(element: Element, channel: Channel, line: int) -> Found:
    """Return one item or entry; what it does not say is empty."""
    node = Node(element)
    atom = xml_tree.name_of(element) == "atom:entry"
    base = inner_base(channel.base, element)
    url, link = _links(node, base or channel.url)
    text, summary, form, base = _texts(node, base or url or channel.url)
    own = node.text("guid", "atom:id", "id") or attribute(element, xml_tree.RDF_ABOUT)
    published, updated = _dates(node)
    return Found(
        line=line,
        id=build_id(own or url),
        title=_title(node),
        published=published,
        updated=updated,
        language=xml_tree.xml_lang(element)
        or node.text("dc:language")
        or channel.language,
        tags=tags_of(_tags(node)),
        authors=_authors(node, atom=atom) or _named(channel.author),
        summary=summary,
        image=join_url(base, image_of(node)),
        url=url,
        link=link,
        enclosures=enclosures_of(node, base),
        episode=episode_of(node, base),
        text=text,
        form=form,
        base=base,
    )


def inner_base(base: str, element: Element) -> str:
    """Return the base of an element: its own xml:base, resolved against the outer one."""
    return join_url(base, xml_tree.xml_base(element)) or base


def _title(node: Node) -> str:
    for title in node.all("title", "atom:title", "dc:title", "media:title"):
        kind = attribute(title, "type")
        text = xml_tree.inner_xml(title) if "xhtml" in kind else text_of(title)
        atom = xml_tree.name_of(title).startswith("atom:")
        line = line_of(text)
        if atom and kind in {"text", "text/plain"}:
            line = plain_line(text)
        elif atom and not kind:
            line = plain_line(html.unescape(text))
        if line:
            return line
    return ""


def _dates(node: Node) -> tuple[datetime | None, datetime | None]:
    published = next(filter(None, map(parse_moment, node.texts(*DATES))), None)
    updated = next(filter(None, map(parse_moment, node.texts(*EDITED))), None)
    return published or updated, updated


def _links(node: Node, base: str) -> tuple[str, str]:
    """Return the address of the old page, and what a link post is about."""
    own = node.text("link")
    guid = next(node.all("guid"), None)
    if not own and guid is not None and attribute(guid, "isPermaLink") != "false":
        own = web_url(text_of(guid))
    related = ""
    for link in node.all("atom:link"):
        rel = attribute(link, "rel") or "alternate"
        href = join_url(base, attribute(link, "href"))
        if rel == "alternate" and not own:
            own = href
        elif rel == "related":
            related = related or href
    return web_url(join_url(base, own)), web_url(related)


def _tags(node: Node) -> list[str]:
    texts = [text_of(item) for item in node.all("category", "dc:subject")]
    terms = [
        attribute(item, "label") or attribute(item, "term")
        for item in node.all("atom:category")
    ]
    return [text for text in (*texts, *terms) if text]


def _authors(node: Node, *, atom: bool) -> tuple[Person, ...]:
    people: dict[str, Person] = {}
    for author in node.all("atom:author"):
        inner = Node(author)
        name = line_of(
            inner.text("atom:name") or ("" if len(author) else text_of(author))
        )
        url = web_url(inner.text("atom:uri", "atom:url"))
        people.setdefault(name, Person(name=name, url=url))
    for text in node.texts(
        "dc:creator", *(() if atom else ("author", "itunes:author"))
    ):
        if people and text in node.texts("itunes:author"):
            continue
        mailbox = MAILBOX.fullmatch(text)
        name = line_of(mailbox["name"] if mailbox else text)
        people.setdefault(name, Person(name=name))
    return tuple(person for name, person in people.items() if name)


def _named(name: str) -> tuple[Person, ...]:
    return (Person(name=name),) if name else ()


# -- texts ---------------------------------------------------------------------------


def _texts(node: Node, base: str) -> tuple[str, str, Text, str]:
    """Return text, the author's own summary, how the text is written, and its base."""
    full = next(node.all("content:encoded", "atom:content", "content"), None)
    brief = next(node.all("description", "atom:summary", "summary"), None)
    base = base if full is None else inner_base(base, full)
    text, form = _construct(full)
    short, short_form = _construct(brief)
    if not text.strip():
        longer = node.text("itunes:summary", "media:description")
        return (
            (short, "", short_form, base) if short else (longer, "", Text.PLAIN, base)
        )
    return text, own_summary(short, text), form, base


def _construct(element: Element | None) -> tuple[str, Text]:
    """Return a text construct (RFC 4287 §3.1; `mode` of Atom 0.3)."""
    if element is None:
        return "", Text.HTML
    kind = attribute(element, "type").casefold()
    if attribute(element, "src"):
        address = html.escape(attribute(element, "src"))
        return f'<p><a href="{address}">{address}</a></p>', Text.HTML
    if len(element) and (kind in {"xhtml", "application/xhtml+xml"} or len(element)):
        return xml_tree.inner_xml(element), Text.HTML
    text = text_of(element)
    escaped = attribute(element, "mode") == "escaped"
    plain = kind in {"text", "text/plain"} and not escaped
    if plain or (not kind and not HTML_TAG.search(text)):
        return text, Text.PLAIN
    return text, Text.HTML


def own_summary(summary: str, text: str) -> str:
    """Return a summary the author wrote; one cut from the text by a program is none."""
    summary = summary[: SUMMARY_LIMIT * 20]
    line = " ".join(plain_of(summary).split()) if "<" in summary else line_of(summary)
    if not line or len(line) > SUMMARY_LIMIT or CUT.search(line):
        return ""
    beginning = "".join(plain_of(text[: SUMMARY_LIMIT * 20]).split())
    return "" if beginning.startswith("".join(line.split())) else line

"""One item's XML as a tree, its names brought to the usual prefixes.

lxml parses with entities, document types and the network off, and its own limits on
depth and size on. The whole document is never parsed at once: see `pieces`.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

from lxml import etree

from postroom.importing.pieces import ATTRIBUTES, clean_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postroom.importing.pieces import Root

Element: TypeAlias = Any

PREFIXES = {
    "": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss2": "",
    "http://backend.userland.com/rss": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://www.w3.org/2005/Atom": "atom",
    "http://purl.org/atom/ns#": "atom",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/syndication/history/1.0": "history",
}
WORDPRESS = re.compile(r"http://wordpress\.org/export/1\.\d/(excerpt/)?")
USUAL = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "atom": "http://www.w3.org/2005/Atom",
    "wp": "http://wordpress.org/export/1.2/",
    "excerpt": "http://wordpress.org/export/1.2/excerpt/",
}
"""What a prefix means where nobody declared it."""
USED = re.compile(r"</?([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
PLACE = re.compile(r", line \d+.*$| line \d+")
"""In lxml's messages, counted in the piece; the caller knows the file's line."""
BUILT_IN = frozenset(("xml", "xmlns"))
PREFIXED_TAG = re.compile(r"<(/?)[A-Za-z][\w.-]*:(?=[A-Za-z])")
XML = "{http://www.w3.org/XML/1998/namespace}"
RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


class XmlError(Exception):
    """What is wrong with a piece of XML, and on which of its lines."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def _parser(*, recover: bool) -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def parse_piece(root: Root, text: str, *, recover: bool = False) -> Element:
    """Return a piece of a document below its root; raises XmlError."""
    body = clean_xml(text)
    start, end = _wrapping(root, body)
    source = f"{start}{body}{end}".encode()
    try:
        return etree.fromstring(source, _parser(recover=recover))
    except etree.XMLSyntaxError as error:
        raise XmlError(PLACE.sub("", str(error.msg)), (error.lineno or 1) - 1) from None
    except ValueError as error:
        raise XmlError(str(error), 0) from None


def _wrapping(root: Root, body: str) -> tuple[str, str]:
    """Return the root's own tags around a piece, every prefix of it declared."""
    attributes = " ".join(
        attribute.strip()
        for attribute in ATTRIBUTES.findall(clean_xml(root.tag))
        if attribute.strip().startswith(("xmlns", "xml:"))
    )
    # The parser would drop what an undeclared prefix stands before.
    declared = set(re.findall(r"xmlns:([\w.-]+)\s*=", attributes + body))
    used = {first or second for first, second in USED.findall(body)} | {
        root.prefix[:-1]
    }
    missing = " ".join(
        f'xmlns:{prefix}="{USUAL.get(prefix, "urn:undeclared:" + prefix)}"'
        for prefix in sorted(used - declared - BUILT_IN - {""})
    )
    name = root.prefix + root.name
    return f"<{name} {attributes} {missing}>\n", f"</{name}>"


def name_of(element: Element) -> str:
    """Return `dc:date`, `atom:link`, `title`, …; nothing for comments and the like."""
    if not isinstance(element.tag, str):
        return ""
    space, brace, local = element.tag.rpartition("}")
    if not brace:
        return str(element.tag)
    found = WORDPRESS.fullmatch(space[1:])
    if found is not None:
        return f"excerpt:{local}" if found[1] else f"wp:{local}"
    prefix = PREFIXES.get(space[1:], "other")
    return f"{prefix}:{local}" if prefix else local


class Node:
    """One element, asked for its children by their usual names."""

    def __init__(self, element: Element) -> None:
        self.element = element
        self.children: dict[str, list[Element]] = {}
        for child in element:
            self.children.setdefault(name_of(child), []).append(child)

    def all(self, *names: str) -> Iterator[Element]:
        """Yield the children of these names, name by name."""
        for name in names:
            yield from self.children.get(name, ())

    def text(self, *names: str) -> str:
        """Return the text of the first child that has any."""
        return next(filter(None, self.texts(*names)), "")

    def texts(self, *names: str) -> Iterator[str]:
        """Yield the text of each child of these names."""
        for child in self.all(*names):
            yield text_of(child)


def text_of(element: Element) -> str:
    """Return all text within an element."""
    return "".join(element.itertext()).strip()


def attribute(element: Element, name: str) -> str:
    """Return an attribute's value, or nothing."""
    return str(element.get(name) or "").strip()


def inner_xml(element: Element) -> str:
    """Return what stands within an element as HTML (Atom's `type="xhtml"`)."""
    children = [
        etree.tostring(child, encoding="unicode", method="html") for child in element
    ]
    return PREFIXED_TAG.sub(r"<\1", escape(element.text or "") + "".join(children))


def xml_base(element: Element) -> str:
    """Return the element's own xml:base."""
    return attribute(element, f"{XML}base")


def xml_lang(element: Element) -> str:
    """Return the element's own xml:lang."""
    return attribute(element, f"{XML}lang")

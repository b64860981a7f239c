"""Every Atom feed keeps the grammar of RFC 4287 (its appendix B, in our own words)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from postroom.feeds.formats import FORMATS

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed

SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("atom.rng"))))
ATOM = "{http://www.w3.org/2005/Atom}"
ATTRIBUTES = {
    "bad length": ("length", "-1"),
    "bad type": ("type", "mp3"),
    "bad language": ("{http://www.w3.org/XML/1998/namespace}lang", "ko_KR"),
}


def faults(root: etree._Element) -> list[str]:
    """Return what the grammar finds wrong."""
    SCHEMA.validate(root)
    return [str(error.message) for error in SCHEMA.error_log]


def test_every_kind_of_feed_keeps_the_grammar(kind: Feed) -> None:
    """From both writers."""
    for document in (FORMATS["atom"].render(kind), FORMATS["atom"].stream(kind)):
        assert faults(etree.fromstring(document)) == []


def test_every_entry_has_a_page_and_an_id_of_its_own(kind: Feed) -> None:
    """What a grammar cannot say (§4.1.2, §4.2.6)."""
    root = etree.fromstring(FORMATS["atom"].stream(kind))
    entries = root.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        rels = [link.get("rel") for link in entry.findall(f"{ATOM}link")]
        assert rels.count("alternate") == 1


@pytest.mark.parametrize(
    "fault",
    [
        "no id", "no title", "two titles", "no date", "local date", "no author",
        "relative id", "foreign order", "no name", "bad length", "bad type", "no href",
        "bad language", "unknown",
    ],
)  # fmt: skip
def test_the_grammar_sees_faults(kinds: dict[str, Feed], fault: str) -> None:
    """One that passes everything would prove nothing."""
    root = etree.fromstring(FORMATS["atom"].stream(kinds["podcast"]))
    entry = root.find(f"{ATOM}entry")
    spoil(fault, root, entry)
    assert faults(root) != []


def spoil(fault: str, root: etree._Element, entry: etree._Element) -> None:
    """Do one thing to the feed that RFC 4287 forbids."""
    enclosure = root.find(f".//{ATOM}link[@rel='enclosure']")
    removed = {
        "no id": [entry.find(f"{ATOM}id")],
        "no title": [root.find(f"{ATOM}title")],
        "no date": [entry.find(f"{ATOM}updated")],
        "no author": list(root.iter(f"{ATOM}author")),
    }
    rewritten = {
        "local date": (entry.find(f"{ATOM}updated"), "2026-03-01T09:00:00"),
        "relative id": (entry.find(f"{ATOM}id"), "posts/1"),
        "no name": (root.find(f"{ATOM}author/{ATOM}name"), ""),
    }
    appended = {
        "two titles": (entry, etree.Element(f"{ATOM}title")),
        "unknown": (entry, etree.Element(f"{ATOM}enclosure")),
        "foreign order": (root, root.find(f"{ATOM}title")),
    }
    for element in removed.get(fault, []):
        element.getparent().remove(element)
    if fault in rewritten:
        element, text = rewritten[fault]
        element.text = text
    if fault in appended:
        parent, element = appended[fault]
        parent.append(element)
    if fault in ATTRIBUTES:
        name, value = ATTRIBUTES[fault]
        element = entry if fault == "bad language" else enclosure
        element.set(name, value)
    if fault == "no href":
        del enclosure.attrib["href"]

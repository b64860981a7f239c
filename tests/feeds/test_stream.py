"""The streaming writers say what feedgen's trees say, without feedgen and lxml."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from lxml import etree

from postroom.feeds.formats import FORMATS
from postroom.feeds.stream import attribute, html, octets, text
from postroom.feeds.stream_atom import atom_pieces
from postroom.feeds.stream_rss import rss_pieces
from tests.stage import unmeasured

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed

LIGHT = """
import sys
import postroom.feeds.stream_atom, postroom.feeds.stream_rss, postroom.feeds.opml
import postroom.feeds.choice, postroom.feeds.archive
print(sorted({"feedgen", "lxml", "email", "json", "uuid"} & set(sys.modules)))
"""


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_both_writers_make_the_same_document(kind: Feed, name: str) -> None:
    """As XML (C14N), which is what readers see, and to the byte as well."""
    tree, stream = FORMATS[name].render(kind), FORMATS[name].stream(kind)
    canonical = [
        etree.canonicalize(etree.fromstring(document).getroottree())
        for document in (tree, stream)
    ]
    assert canonical[0] == canonical[1]
    assert stream.decode() == tree.decode()


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_feedparser_finds_the_same_in_both(kind: Feed, name: str) -> None:
    """Entries, links, enclosures, what is said of podcasts and archives."""
    found: list[Any] = [
        feedparser.parse(document)
        for document in (FORMATS[name].render(kind), FORMATS[name].stream(kind))
    ]
    tree, stream = found
    assert stream.bozo == 0
    assert stream.feed == tree.feed
    assert stream.entries == tree.entries
    assert len(stream.entries) == len(kind.entries)


@pytest.mark.parametrize("pieces", [atom_pieces, rss_pieces])
def test_a_document_comes_in_pieces(kinds: dict[str, Feed], pieces: Any) -> None:
    """An export of ten thousand entries need not lie in memory at once."""
    feed = kinds["full"]
    assert len(list(pieces(feed))) > 2 * len(feed.entries)


def test_nothing_heavy_is_imported() -> None:
    """A site of a thousand topics needs no XML library."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        check=True,
        capture_output=True,
        text=True,
        env=unmeasured(),
    )
    assert done.stdout == "[]\n"


def test_what_is_escaped() -> None:
    """`]]>` may not stand in a text; quotes only matter in attributes."""
    assert text('a<b>&"]]>') == 'a&lt;b&gt;&amp;"]]&gt;'
    assert octets("가<b>&") == "가&lt;b&gt;&amp;".encode()
    assert html("a<b") == "a&amp;lt;b"
    assert attribute('"&<') == "&quot;&amp;&lt;"

"""The W3C feed validator finds nothing to say, where a checkout of it is at hand.

POSTROOM_FEEDVALIDATOR names the checkout, POSTROOM_FEEDVALIDATOR_PYTHON an interpreter
that has lxml, html5lib and rdflib (default: the one that runs the tests).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from postroom.feeds.formats import FORMATS
from postroom.feeds.opml import MEDIA_TYPE, ListedFeed, opml_xml

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed

CHECKOUT = os.environ.get("POSTROOM_FEEDVALIDATOR")
PYTHON = os.environ.get("POSTROOM_FEEDVALIDATOR_PYTHON", sys.executable)

# It is called in a process of its own: what it imports is none of our tests' business.
VALIDATE = """
import io, sys
sys.path.insert(0, sys.argv[1] + "/src")
import feedvalidator
from feedvalidator import logging
found = feedvalidator.validateStream(
    io.BytesIO(sys.stdin.buffer.read()),
    firstOccurrenceOnly=0,
    contentType=sys.argv[2],
    base=sys.argv[3],
)["loggedEvents"]
for event in found:
    if isinstance(event, (logging.Error, logging.Warning)):
        print(type(event).__name__, event.params.get("element"), event.params.get("line"))
"""

pytestmark = pytest.mark.skipif(
    not CHECKOUT, reason="POSTROOM_FEEDVALIDATOR names no checkout"
)


def validate(document: bytes, media_type: str, url: str) -> str:
    """Return the errors and warnings on `document`, one a line."""
    return subprocess.run(
        [PYTHON, "-c", VALIDATE, str(CHECKOUT), f"{media_type}; charset=utf-8", url],
        input=document,
        check=True,
        capture_output=True,
    ).stdout.decode()


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_every_kind_of_feed_is_without_errors_and_warnings(
    kind: Feed, name: str
) -> None:
    """From both writers, whose bytes are the same."""
    form = FORMATS[name]
    document = form.stream(kind)
    assert form.render(kind) == document
    if form.file_name in kind.urls:  # archives are in Atom only
        assert validate(document, form.media_type, kind.urls[form.file_name]) == ""


def test_the_list_of_feeds_is_without_errors_and_warnings() -> None:
    """OPML 2.0, groups and all."""
    feeds = [
        ListedFeed("서랍", "https://a.example/atom.xml", "https://a.example/"),
        ListedFeed(
            "글", "https://a.example/tags/글/atom.xml", "https://a.example/", "글"
        ),
    ]
    document = opml_xml("서랍 & 편지", feeds)
    assert validate(document, MEDIA_TYPE, "https://a.example/feeds.opml") == ""

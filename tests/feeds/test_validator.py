"""The W3C feed validator finds nothing to say, where a checkout of it is at hand.

POSTROOM_FEEDVALIDATOR names the checkout, POSTROOM_FEEDVALIDATOR_PYTHON an interpreter
that has lxml, html5lib and rdflib (default: the one that runs the tests).
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.feed import Feed
    from postroom.posts.post import Post

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


def validate(feed: Feed, name: str) -> str:
    """Return the errors and warnings on `feed`, one a line."""
    form = FORMATS[name]
    return subprocess.run(
        [
            PYTHON,
            "-c",
            VALIDATE,
            str(CHECKOUT),
            f"{form.media_type}; charset=utf-8",
            feed.urls[form.file_name],
        ],
        input=form.render(feed),
        check=True,
        capture_output=True,
    ).stdout.decode()


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_full_feed_is_without_errors_and_warnings(feed: Feed, name: str) -> None:
    """With everything a feed can carry."""
    assert validate(feed, name) == ""


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_feed_of_excerpts_is_without_errors_and_warnings(
    feed: Feed, name: str
) -> None:
    """And without what it may leave out."""
    entries = tuple(replace(entry, content=None, authors=()) for entry in feed.entries)
    bare = replace(feed, entries=entries, hub="", prev_archive="", subtitle="")
    assert validate(bare, name) == ""


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_an_empty_feed_is_without_errors_and_warnings(
    site: FeedSettings, name: str
) -> None:
    """A new site starts clean."""
    assert validate(build_feed([], {}, site), name) == ""


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_feed_of_a_tag_is_without_errors_and_warnings(
    make_post: Callable[..., Post], site: FeedSettings, name: str
) -> None:
    """In a folder with a Korean name."""
    tagged = replace(site, path="tags/글/", id=f"{site.id}:tags:1")
    post = make_post(tags=("글",))
    feed = build_feed([post], {post.path: "tag:blog.example.kr,2026-01-01:1"}, tagged)
    assert validate(feed, name) == ""

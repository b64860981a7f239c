"""feedgen's private trees have the shape that atom.py and rss.py mend.

When a test here fails after a change of feedgen, read both writers before pinning it.
"""

from __future__ import annotations

import locale
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from postroom.feeds.feedgen_tree import FeedTree
from postroom.feeds.rss import rss_xml

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed


@pytest.fixture
def tree(feed: Feed) -> FeedTree:
    """Return feedgen's builder with one entry that has all shared parts."""
    tree = FeedTree(feed)
    tree.link(rel="alternate", href=feed.home_url)
    tree.add(
        next(replace(e, tags=e.tags[:1]) for e in feed.entries if e.language == "en")
    )
    return tree


def test_the_version_is_the_one_read() -> None:
    """Private methods are used: the version is pinned."""
    assert version("feedgen") == "1.0.0"


def test_the_atom_tree_has_bare_tags_in_the_known_order(tree: FeedTree) -> None:
    """Tags are in no namespace; the namespace is a literal attribute."""
    root = tree.atom_tree()
    assert (root.tag, root.get("xmlns")) == ("feed", "http://www.w3.org/2005/Atom")
    assert [child.tag for child in root] == [
        "id", "title", "updated", "link", "generator", "subtitle", "entry",
    ]  # fmt: skip
    assert [child.tag for child in root.find("entry")] == [
        "id", "title", "updated", "content", "link", "summary", "category",
    ]  # fmt: skip


def test_feedgen_still_loses_the_attributes_of_entry_links(tree: FeedTree) -> None:
    """The cure in atom.py can go when this fails."""
    assert tree.atom_tree().find("entry/link").keys() == ["href"]


def test_the_rss_tree_has_the_known_elements_in_order(tree: FeedTree) -> None:
    """No date, no self link, no author: rss.py adds them."""
    root = tree.rss_tree()
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    assert [child.tag for child in channel] == [
        "title", "link", "description", "docs", "generator", "language", "item",
    ]  # fmt: skip
    assert [etree.QName(child).localname for child in channel.find("item")] == [
        "title", "link", "description", "encoded", "guid", "category",
    ]  # fmt: skip


def test_feedgen_still_writes_the_summary_raw_into_html(tree: FeedTree) -> None:
    """So FeedTree escapes it before: escaped twice when this fails."""
    summary = tree.rss_tree().find("channel/item/description").text
    assert summary == "Why a&lt;b holds &amp; what &amp;amp; means."


def test_no_date_switches_the_locale_of_the_process(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feedgen's own formatting of dates would, three times a date."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("setlocale is not safe beside other threads")

    monkeypatch.setattr(locale, "setlocale", refuse)
    assert b"<lastBuildDate>Wed, 01 Apr 2026" in rss_xml(feed)

"""The list of feeds is OPML 2.0 that readers import."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from postroom.feeds.opml import ListedFeed, opml_xml

FEEDS = (
    ListedFeed("글 · 서랍", "https://a.example/tags/글/atom.xml", "https://a.example/tags/글/", "주제별"),
    ListedFeed("서랍 & <편지>", "https://a.example/atom.xml", "https://a.example/"),
    ListedFeed("en · 서랍", "https://a.example/languages/en/atom.xml", "", "언어별"),
    ListedFeed("비 · 서랍", "https://a.example/tags/비/atom.xml", "", "주제별"),
    ListedFeed("nowhere", "javascript:x", ""),
)  # fmt: skip


def test_feeds_are_listed_in_their_groups() -> None:
    """The site's own first; a reader makes a folder of each group."""
    root = etree.fromstring(opml_xml("서랍 & 편지", FEEDS))
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title") == "서랍 & 편지"
    body = root.find("body")
    assert [outline.get("text") for outline in body] == [
        "서랍 & <편지>",
        "주제별",
        "언어별",
    ]
    assert dict(body[0].attrib) == {
        "type": "rss",
        "text": "서랍 & <편지>",
        "title": "서랍 & <편지>",
        "xmlUrl": "https://a.example/atom.xml",
        "htmlUrl": "https://a.example/",
    }
    assert [outline.get("xmlUrl") for outline in body[1]] == [
        "https://a.example/tags/%EA%B8%80/atom.xml",
        "https://a.example/tags/%EB%B9%84/atom.xml",
    ]


def test_equal_lists_give_equal_bytes() -> None:
    """No date is in them."""
    assert opml_xml("a", FEEDS) == opml_xml("a", list(FEEDS))


@given(st.lists(st.text(st.characters()), min_size=3, max_size=3))
def test_any_words_are_well_formed(words: list[str]) -> None:
    """Controls, surrogates, quotes and markup in titles and kinds."""
    title, name, kind = words
    listed = ListedFeed(
        name, f"https://a.example/{name}", f"https://a.example/{kind}", kind
    )
    root = etree.fromstring(opml_xml(title, [listed]))
    assert len(list(root.iter("outline"))) in {1, 2}

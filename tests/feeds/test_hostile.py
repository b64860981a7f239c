"""Whatever a post holds, no format and no reader loses the feed."""

from __future__ import annotations

import html
import json
import xml.parsers.expat
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.post import Enclosure, Episode, Image, Person, Post, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.feed import Podcast

ATOM = "{http://www.w3.org/2005/Atom}"
ENCODED = "{http://purl.org/rss/1.0/modules/content/}encoded"

FRAGMENTS = (
    "]]>", "&nbsp;", "&amp;", "<b>굵게</b>", "<!--", "<?xml", "\x00", "\x0b", "\x85",
    "\ud800", "\udfff", "\ufffe", "\uffff", "\u2028", "\u202eلا", "👩‍👩‍👧‍👧", "\r\n", "\t", "https://",
    "%", "%EA", "@", "\U0001fffe",
)  # fmt: skip
ANY_TEXT = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(st.characters(), max_size=8)),
    max_size=4,
).map("".join)
ANY_DATE = st.datetimes(timezones=st.one_of(st.just(UTC), st.timezones()))


@st.composite
def hostile_posts(draw: st.DrawFn, make_post: Callable[..., Post]) -> Post:
    """Draw a post with any text in every field and any date."""
    words = [draw(ANY_TEXT) for _ in range(9)]
    numbers = st.integers(-(2**70), 2**70)
    tail = draw(st.sampled_from(["", "https://a.example/"]))
    return make_post(
        path="hostile.md",
        title=words[0],
        slug=words[1],
        url_path=words[2],
        language=words[3],
        tags=(words[4], words[0]),
        authors=(Person(name=words[5], email=words[0], url=tail + words[1]),),
        excerpt=words[6],
        html=words[7],
        image=Image(url=tail + words[8]),
        canonical_url=tail + words[4],
        published=draw(ANY_DATE),
        updated=draw(st.none() | ANY_DATE),
        link=tail + words[2],
        enclosures=tuple(
            Enclosure(
                url=tail + word,
                media_type=words[number],
                length=draw(numbers),
                duration=draw(numbers),
                title=words[number],
                path=word,
            )
            for number, word in enumerate(words[: draw(st.integers(0, 9))])
        ),
        episode=Episode(
            number=draw(numbers),
            season=draw(numbers),
            kind=words[0],
            explicit=draw(st.none() | st.booleans()),
            image=tail + words[3],
            chapters=tail + words[4],
            transcripts=(
                Transcript(url=tail + words[5], media_type=words[6], language=words[7]),
            ),
        ),
    )


@given(data=st.data())
def test_no_post_loses_the_feed(
    make_post: Callable[..., Post],
    site: FeedSettings,
    podcast: Podcast,
    data: st.DataObject,
) -> None:
    """Whatever one post holds, every format parses and says the same of both posts."""
    hostile = data.draw(hostile_posts(make_post))
    show = replace(
        podcast, author=data.draw(ANY_TEXT), category=data.draw(ANY_TEXT), guid="x"
    )
    named = replace(
        site,
        title=data.draw(ANY_TEXT),
        subtitle=data.draw(ANY_TEXT),
        stylesheet="https://a.example/" + data.draw(ANY_TEXT),
        podcast=data.draw(st.sampled_from((None, show))),
    )
    ids = {"plain.md": "tag:x,2026:plain", "hostile.md": data.draw(ANY_TEXT)}
    feed = build_feed([make_post(), hostile], ids, named)
    assert "tag:x,2026:plain" in {entry.id for entry in feed.entries}
    for name in ("atom", "rss"):
        assert FORMATS[name].stream(feed) == FORMATS[name].render(feed)
    expected = [
        (entry.id, entry.title, entry.url, entry.summary, entry.content)
        for entry in feed.entries
    ]
    assert atom_entries(FORMATS["atom"].stream(feed)) == expected
    assert rss_items(FORMATS["rss"].stream(feed)) == expected
    items = json.loads(FORMATS["json"].render(feed))["items"]
    assert [
        (
            item["id"],
            item["title"],
            item["url"],
            item["summary"],
            item.get("content_html"),
        )
        for item in items
    ] == expected


def atom_entries(document: bytes) -> list[tuple[str, ...]]:
    """Return id, title, address, summary and content of each entry."""
    xml.parsers.expat.ParserCreate(namespace_separator=" ").Parse(document, True)  # noqa: FBT003 - its name is C's
    return [
        (
            entry.findtext(f"{ATOM}id"),
            entry.findtext(f"{ATOM}title"),
            entry.find(f"{ATOM}link").get("href"),
            html.unescape(entry.findtext(f"{ATOM}summary")),
            entry.findtext(f"{ATOM}content"),
        )
        for entry in etree.fromstring(document).iter(f"{ATOM}entry")
    ]


def rss_items(document: bytes) -> list[tuple[str, ...]]:
    """Return the same of each item."""
    xml.parsers.expat.ParserCreate(namespace_separator=" ").Parse(document, True)  # noqa: FBT003 - its name is C's
    return [
        (
            item.findtext("guid"),
            item.findtext("title"),
            item.findtext("link"),
            html.unescape(item.findtext("description")),
            item.findtext(ENCODED),
        )
        for item in etree.fromstring(document).iter("item")
    ]


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_feedparser_takes_any_hostile_feed(
    make_post: Callable[..., Post], site: FeedSettings, podcast: Podcast, name: str
) -> None:
    """Every fragment in every field at once: still no fault (bozo) to be found."""
    show = replace(site, podcast=podcast, title="".join(FRAGMENTS), author="<b>&nbsp;")
    ids = {}
    posts = []
    for number, word in enumerate(FRAGMENTS):
        path = f"{number}.md"
        ids[path] = f"tag:x,2026:{number}"
        posts.append(
            make_post(
                path=path,
                title=word,
                excerpt=word * 3,
                html=word * 3,
                tags=(word,),
                authors=(Person(name=word),),
                language=word,
                link=f"https://a.example/{word}",
                enclosures=tuple(
                    Enclosure(
                        url=f"https://a.example/{word}{file}", title=word, length=-file
                    )
                    for file in range(40)
                ),
                episode=Episode(number=-1, kind=word, chapters=word),
            )
        )
    found: Any = feedparser.parse(FORMATS[name].stream(build_feed(posts, ids, show)))
    assert found.bozo == 0
    assert len(found.entries) == len(FRAGMENTS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_post_of_ten_megabytes_is_written(
    make_post: Callable[..., Post], site: FeedSettings, name: str
) -> None:
    """Length is no reason to lose a feed."""
    long = make_post(html="<p>긴 글입니다.</p>\n" * 400_000)
    feed = build_feed([long], {long.path: "id:1"}, site)
    document = FORMATS[name].render(feed)
    assert len(document) > 10_000_000
    assert FORMATS[name].stream(feed) == document

"""A feed becomes a podcast when it says so, and says what directories ask for."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from lxml import etree

from postroom.feeds.attached import MAX_NUMBER, build_enclosures, build_episode
from postroom.feeds.choice import FeedKind, FeedPlan, group_settings
from postroom.feeds.feed import Feed, Podcast
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.feeds.parts import NAMESPACES
from postroom.feeds.podcast import GUID_NAMESPACE, build_guid
from postroom.feeds.podcast_categories import CATEGORIES, parse_category
from postroom.posts.post import Enclosure, Episode, Post, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable


def channel_of(feed: Feed) -> etree._Element:
    """Return the channel of `feed` in RSS."""
    return etree.fromstring(FORMATS["rss"].stream(feed)).find("channel")


def said(element: etree._Element, prefix: str) -> list[tuple[Any, ...]]:
    """Return name, text and attributes of the children with a prefix."""
    return [
        (child.tag.partition("}")[2], (child.text or "").strip(), dict(child.attrib))
        for child in element
        if str(child.tag).startswith(f"{{{NAMESPACES[prefix]}}}")
    ]


def test_what_a_podcast_says_of_itself(kinds: dict[str, Feed]) -> None:
    """Apple's tags, and those of Podcasting 2.0."""
    channel = channel_of(kinds["podcast"])
    assert said(channel, "itunes") == [
        ("author", "김서연", {}),
        ("owner", "", {}),
        ("category", "", {"text": "Society & Culture"}),
        ("explicit", "false", {}),
        ("image", "", {"href": "https://blog.example.kr/media/cover.jpg"}),
        ("type", "episodic", {}),
    ]
    itunes = {"i": NAMESPACES["itunes"]}
    owner = channel.find("i:owner", itunes)
    assert [child.text for child in owner] == ["김서연", "seoyeon@blog.example.kr"]
    inner = channel.find("i:category/i:category", itunes)
    assert inner.get("text") == "Personal Journals"
    assert said(channel, "podcast") == [
        ("guid", build_guid("https://blog.example.kr/rss.xml"), {}),
        ("locked", "no", {"owner": "seoyeon@blog.example.kr"}),
        ("funding", "커피 한 잔", {"url": "https://blog.example.kr/thanks/"}),
    ]
    assert channel.findtext("copyright") == "© 2026 김서연"


def test_what_an_episode_says(kinds: dict[str, Feed]) -> None:
    """Everything that its front matter held, and the size of its file."""
    text, trailer, full = channel_of(kinds["podcast"]).findall("item")
    assert said(full, "itunes") == [
        ("author", "김서연, Jun Park", {}),
        ("duration", "1830", {}),
        ("season", "2", {}),
        ("episode", "1", {}),
        ("episodeType", "full", {}),
        ("explicit", "false", {}),
        ("image", "", {"href": "https://blog.example.kr/media/one.jpg"}),
    ]
    media = "https://blog.example.kr/media"
    vtt = {"url": f"{media}/one.vtt", "type": "text/vtt", "language": "ko"}
    chapters = {"url": f"{media}/one.json", "type": "application/json+chapters"}
    assert said(full, "podcast") == [
        ("season", "2", {}),
        ("episode", "1", {}),
        ("chapters", "", chapters),
        ("transcript", "", vtt),
        ("transcript", "", {"url": f"{media}/one.html", "type": "text/html"}),
    ]
    assert full.find("enclosure").get("length") == "48211"
    assert ("duration", "59", {}) in said(trailer, "itunes")
    assert said(text, "itunes") == said(text, "podcast") == []


def test_feedparser_reads_the_podcast_from_both_formats(
    kinds: dict[str, Feed],
) -> None:
    """Readers of podcasts that know Atom find the same there."""
    for name in ("atom", "rss"):
        found: Any = feedparser.parse(FORMATS[name].stream(kinds["podcast"]))
        assert found.feed.publisher_detail.email == "seoyeon@blog.example.kr"
        assert found.feed.image.href.endswith("cover.jpg")
        full = found.entries[-1]
        assert (full.itunes_duration, full.itunes_episode) == ("1830", "1")
        assert full.podcast_chapters["url"].endswith("one.json")


def test_without_a_category_there_is_no_podcast(
    kinds: dict[str, Feed], site: FeedSettings
) -> None:
    """Enclosures alone are no reason for half a podcast, which directories refuse."""
    for name in ("atom", "rss"):
        document = FORMATS[name].stream(kinds["enclosures without a podcast"])
        assert b"itunes" not in document
        assert b"podcastindex" not in document
    blank = replace(site, podcast=Podcast(category=" "))
    assert build_feed([], {}, blank).podcast is None


def test_the_guid_is_everybodys() -> None:
    """The one that the makers of the tag computed for their own feed."""
    known = "917393e3-1b1e-5cef-ace4-edaa54e1f810"
    for address in (
        "mp3s.nashownotes.com/pc20rss.xml",
        "mp3s.nashownotes.com/pc20rss.xml//",
    ):
        for scheme in ("http", "https"):
            assert build_guid(f"{scheme}://{address}") == known
    assert uuid.UUID(GUID_NAMESPACE).version == 5


def test_a_guid_that_is_set_stays(site: FeedSettings, podcast: Podcast) -> None:
    """A podcast that moves keeps its place in directories; its parts have their own."""
    own = replace(
        site, podcast=replace(podcast, guid="917393e3-1b1e-5cef-ace4-edaa54e1f810")
    )
    main = build_feed([], {}, own).podcast
    assert main is not None
    assert main.guid.startswith("917393e3")
    plan = FeedPlan(kind=FeedKind.TOPIC, folder="tags/go/", label="go", paths=())
    part = build_feed([], {}, group_settings(own, plan)).podcast
    assert part is not None
    assert part.guid == build_guid("https://blog.example.kr/tags/go/rss.xml")


def test_enclosures_are_cleaned() -> None:
    """The size of a file is what the folder says; nothing absurd leaves."""
    written = [
        Enclosure(url="https://a.example/소리.mp3", media_type="Audio/MPEG; x=y", length=1, path="소리.mp3"),
        Enclosure(url="https://a.example/b", media_type="mp3", length=-5, duration=-1),
        Enclosure(url="https://a.example/b", media_type="audio/mpeg"),
        Enclosure(url="javascript:x"),
        Enclosure(url="https://a.example/c", length=2**80, duration=2**80, title=" a\\nb "),
    ]  # fmt: skip
    found = build_enclosures(written, {"소리.mp3": 48_211})
    assert [(one.url, one.media_type, one.length, one.duration) for one in found] == [
        ("https://a.example/%EC%86%8C%EB%A6%AC.mp3", "audio/mpeg", 48_211, 0),
        ("https://a.example/b", "application/octet-stream", 0, 0),
        ("https://a.example/c", "application/octet-stream", 0, 0),
    ]
    assert MAX_NUMBER == 9_007_199_254_740_991


def test_an_episode_is_cleaned() -> None:
    """What cannot be used is left out, the rest stays."""
    written = Episode(
        number=-1,
        season=3,
        kind="weird",
        image="a.jpg",
        chapters="https://a.example/c.json",
        transcripts=(
            Transcript(url="x", media_type="text/vtt"),
            Transcript(url="https://a.example/t", media_type="", language="?"),
        ),
    )
    found = build_episode(written)
    assert found == Episode(
        season=3,
        chapters="https://a.example/c.json",
        transcripts=(
            Transcript(
                url="https://a.example/t", media_type="application/octet-stream"
            ),
        ),
    )
    assert build_episode(None) is None


def test_the_size_of_a_file_outside_is_the_authors(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """A file that is not in the folder has no entry in the sizes."""
    post = make_post(enclosures=(Enclosure(url="https://cdn.example/a.mp3", length=7),))
    feed = build_feed([post], {post.path: "id:1"}, site, {"a.mp3": 9})
    assert [one.length for one in feed.entries[0].enclosures] == [7]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("arts", "Arts"),
        (
            "Society & Culture>personal  journals",
            "Society & Culture > Personal Journals",
        ),
        ("True crime", "True Crime"),
    ],
)
def test_categories_are_spelt_as_apple_does(written: str, found: str) -> None:
    """Case and blanks are mended."""
    assert parse_category(written) == found


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Art", '"Arts"'),
        ("Arts > Book", '"Books"'),
        ("Technology > Podcasting", "none within it"),
        ("", '"Arts"'),
    ],
)
def test_other_categories_are_refused_with_a_hint(written: str, said: str) -> None:
    """One that is misspelt makes directories refuse the feed."""
    with pytest.raises(ValueError, match=said):
        parse_category(written)


def test_every_category_is_accepted() -> None:
    """The table itself holds no slip of the pen."""
    assert len(CATEGORIES) == 19
    for outer, within in CATEGORIES.items():
        assert parse_category(outer) == outer
        for inner in within:
            assert parse_category(f"{outer} > {inner}") == f"{outer} > {inner}"

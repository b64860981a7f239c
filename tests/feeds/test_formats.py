"""Three formats say the same, byte for byte the same on every machine."""

from __future__ import annotations

import hashlib
import html
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from postroom.config.sections import FeedsConfig
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.post import Image, Person, Post
from tests.stage import unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.feed import Feed

GOLDEN = Path(__file__).parents[1] / "golden" / "feeds"
ATOM = "{http://www.w3.org/2005/Atom}"
ENCODED = "{http://purl.org/rss/1.0/modules/content/}encoded"

RENDER = """
import hashlib, pickle, sys
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import build_feed
feed = build_feed(*pickle.load(sys.stdin.buffer))
print(*(hashlib.sha256(form.render(feed)).hexdigest() for form in FORMATS.values()))
"""
LIGHT = """
import sys
import postroom.feeds.formats, postroom.feeds.from_posts
print(sorted({"feedgen", "lxml", "email", "json"} & set(sys.modules)))
"""

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


# -- the table ------------------------------------------------------------------


def test_the_configuration_names_the_same_formats() -> None:
    """`[feeds] formats` may ask for what there is, and nothing else."""
    assert set(FeedsConfig().formats) == set(FORMATS)


def test_the_table_is_light_until_a_feed_is_written() -> None:
    """A run in which no feed changed must not pay for lxml."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        check=True,
        capture_output=True,
        text=True,
        env=unmeasured(),
    )
    assert done.stdout == "[]\n"


# -- bytes ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_the_bytes_are_those_of_the_golden_file(feed: Feed, name: str) -> None:
    """A change of bytes is a change for every reader: look at the difference.

    The golden files are old: no clock is in the bytes. POSTROOM_GOLDEN=1 writes them
    anew.
    """
    path = GOLDEN / FORMATS[name].file_name
    rendered = FORMATS[name].render(feed)
    if os.environ.get("POSTROOM_GOLDEN"):
        path.write_bytes(rendered)
    assert rendered.decode() == path.read_bytes().decode()


@pytest.mark.parametrize("name", FORMATS)
def test_a_document_ends_with_a_line_end(feed: Feed, name: str) -> None:
    """Text tools expect it; it is in the bytes, not in chance."""
    assert FORMATS[name].render(feed).endswith(b"\n")


@pytest.mark.parametrize(
    ("seed", "zone", "language"),
    [
        ("0", "Asia/Seoul", "C"),
        ("1", "America/New_York", "ko_KR.UTF-8"),
        ("2", "Asia/Seoul", "ko_KR.UTF-8"),
    ],
)
def test_the_bytes_are_the_same_in_any_environment(
    posts: tuple[Post, ...],
    ids: dict[str, str],
    site: FeedSettings,
    seed: str,
    zone: str,
    language: str,
) -> None:
    """Hash seed, time zone, locale and the order of the folder change nothing."""
    here = build_feed(posts, ids, site)
    digests = [
        hashlib.sha256(form.render(here)).hexdigest() for form in FORMATS.values()
    ]
    done = subprocess.run(
        [sys.executable, "-c", RENDER],
        input=pickle.dumps((posts[::-1], ids, site)),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LC_ALL": language,
        },
        check=True,
        capture_output=True,
    )
    assert done.stdout.decode().split() == digests


# -- contents -------------------------------------------------------------------


def parsed(name: str, feed: Feed) -> Any:
    """Return the most used library's view of `feed`."""
    found = feedparser.parse(FORMATS[name].render(feed))
    assert found.bozo == 0
    return found


def test_feedparser_reads_the_same_entries_from_atom_and_rss(feed: Feed) -> None:
    """Ids, titles, addresses, dates, texts, tags, authors, and all from the model."""
    atom, rss = parsed("atom", feed).entries, parsed("rss", feed).entries
    assert len(atom) == len(rss) == len(feed.entries)
    for a, r, entry in zip(atom, rss, feed.entries, strict=True):
        for found in (a, r):
            assert (found.id, found.title, found.link) == (
                entry.id,
                entry.title,
                entry.url,
            )
            published = entry.published.astimezone(UTC).timetuple()[:6]
            assert found.published_parsed[:6] == published
            assert [tag.term for tag in found.get("tags", [])] == list(entry.tags)
            assert [author.name for author in found.authors] == [
                person.name for person in entry.authors
            ]
        assert a.content[0].value == r.content[0].value
        assert a.summary == r.summary
        assert html.unescape(a.summary) == entry.summary
        updated = entry.updated.astimezone(UTC).timetuple()[:6]
        assert a.updated_parsed[:6] == updated
        # RSS says when an entry was edited, and nothing when it was not.
        assert ("updated" in r) == (entry.updated != entry.published)
        assert "updated" not in r or r.updated_parsed[:6] == updated


def test_json_feed_carries_the_same_entries(feed: Feed) -> None:
    """What feedparser cannot read is compared with the model itself."""
    document = json.loads(FORMATS["json"].render(feed))
    for item, entry in zip(document["items"], feed.entries, strict=True):
        assert item["id"] == entry.id
        assert item["url"] == entry.url
        assert item["title"] == entry.title
        assert item["summary"] == entry.summary
        assert item["content_html"] == entry.content
        assert item["date_published"] == entry.published.isoformat()
        assert item["date_modified"] == entry.updated.isoformat()
        assert item.get("tags", []) == list(entry.tags)
        names = [author["name"] for author in item["authors"]]
        assert names == [person.name for person in entry.authors]


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_the_feed_names_itself_its_page_hub_and_archive(feed: Feed, name: str) -> None:
    """rel=self, alternate, hub, prev-archive and next, in both XML formats."""
    form = FORMATS[name]
    following = f"https://blog.example.kr/2/{form.file_name}"
    found = parsed(name, replace(feed, next_url=following)).feed
    links = {link.rel: link.href for link in found.links}
    assert links == {
        "self": feed.urls[form.file_name],
        "alternate": feed.home_url,
        "hub": feed.hub,
        "prev-archive": feed.prev_archive,
        "next": following,
    }
    assert (found.title, found.subtitle) == (feed.title, feed.subtitle)
    assert (found.language, found.generator) == ("ko", "postroom")


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_links_that_are_not_set_are_not_written(feed: Feed, name: str) -> None:
    """A feed of an unpublished format has no address of its own."""
    bare = replace(feed, urls={}, hub="", prev_archive="")
    assert [link.rel for link in parsed(name, bare).feed.links] == ["alternate"]


def test_atom_has_every_enclosure_and_rss_the_first(feed: Feed) -> None:
    """RSS readers expect one at most; nothing becomes a plain link."""
    newest = feed.entries[0].enclosures
    listed = [(file.url, file.media_type, str(file.length)) for file in newest]
    for name, expected in (("atom", listed), ("rss", listed[:1])):
        entry = parsed(name, feed).entries[0]
        found = [(file.href, file.type, file.length) for file in entry.enclosures]
        assert found == expected
        assert [link.rel for link in entry.links].count("alternate") == 1


def test_the_picture_is_a_thumbnail(feed: Feed) -> None:
    """Media RSS in the XML formats, `image` in JSON."""
    for name in ("atom", "rss"):
        thumbnails = [e.get("media_thumbnail") for e in parsed(name, feed).entries]
        assert thumbnails == [[{"url": feed.entries[0].image}], None, None, None]


def test_rss_ids_are_no_addresses_and_authors_no_mail(feed: Feed) -> None:
    """`guid` is not a permalink; `author` would have to be an e-mail address."""
    channel = etree.fromstring(FORMATS["rss"].render(feed)).find("channel")
    assert {guid.get("isPermaLink") for guid in channel.iter("guid")} == {"false"}
    assert list(channel.iter("author")) == []
    for name in FORMATS:
        assert b"jun@example.com" not in FORMATS[name].render(feed)


def test_rss_puts_the_description_before_the_content(feed: Feed) -> None:
    """Readers that take the first of them get the summary."""
    for item in etree.fromstring(FORMATS["rss"].render(feed)).iter("item"):
        tags = [child.tag for child in item]
        assert tags.index("description") < tags.index(ENCODED)


def test_a_feed_of_excerpts_has_no_content(feed: Feed) -> None:
    """Summary and link only."""
    short = replace(
        feed, entries=tuple(replace(entry, content=None) for entry in feed.entries)
    )
    assert b"content" not in FORMATS["atom"].render(short)
    assert b"content:encoded" not in FORMATS["rss"].render(short)
    for name in ("atom", "rss"):
        assert all(entry.summary for entry in parsed(name, short).entries)


def test_an_empty_feed_is_a_document(site: FeedSettings) -> None:
    """A new site is valid before its first post, also without any words."""
    for wordless in (site, replace(site, title="", subtitle="", author="")):
        empty = build_feed([], {}, wordless)
        for name in ("atom", "rss"):
            assert parsed(name, empty).feed.title == empty.title


def test_every_foreign_language_is_marked(feed: Feed) -> None:
    """Readers choose font, voice and direction by it."""
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    atom = etree.fromstring(FORMATS["atom"].render(feed))
    marked = [entry.get(lang) for entry in atom.iter(f"{ATOM}entry")]
    assert (atom.get(lang), marked) == ("ko", [None, "ar", "en", None])
    rss = [entry.get("language") for entry in parsed("rss", feed).entries]
    assert rss == [None, "ar", "en", None]


# -- hostile posts --------------------------------------------------------------


@st.composite
def hostile_posts(draw: st.DrawFn, make_post: Callable[..., Post]) -> Post:
    """Draw a post with any text in every field and any date."""
    words = [draw(ANY_TEXT) for _ in range(9)]
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
    )


@given(data=st.data())
def test_no_post_loses_the_feed(
    make_post: Callable[..., Post], site: FeedSettings, data: st.DataObject
) -> None:
    """Whatever one post holds, every format parses and says the same of both posts."""
    hostile = data.draw(hostile_posts(make_post))
    named = replace(site, title=data.draw(ANY_TEXT), subtitle=data.draw(ANY_TEXT))
    ids = {"plain.md": "tag:x,2026:plain", "hostile.md": data.draw(ANY_TEXT)}
    feed = build_feed([make_post(), hostile], ids, named)
    assert "tag:x,2026:plain" in {entry.id for entry in feed.entries}
    atom = etree.fromstring(FORMATS["atom"].render(feed))
    rss = etree.fromstring(FORMATS["rss"].render(feed))
    items = json.loads(FORMATS["json"].render(feed))["items"]
    expected = [
        (entry.id, entry.title, entry.url, entry.summary, entry.content)
        for entry in feed.entries
    ]
    assert [
        (
            entry.findtext(f"{ATOM}id"),
            entry.findtext(f"{ATOM}title"),
            entry.find(f"{ATOM}link").get("href"),
            html.unescape(entry.findtext(f"{ATOM}summary")),
            entry.findtext(f"{ATOM}content"),
        )
        for entry in atom.iter(f"{ATOM}entry")
    ] == expected
    assert [
        (
            item.findtext("guid"),
            item.findtext("title"),
            item.findtext("link"),
            html.unescape(item.findtext("description")),
            item.findtext(ENCODED),
        )
        for item in rss.iter("item")
    ] == expected
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


@pytest.mark.parametrize("name", FORMATS)
def test_a_post_of_ten_megabytes_is_written(
    make_post: Callable[..., Post], site: FeedSettings, name: str
) -> None:
    """Length is no reason to lose a feed."""
    long = make_post(html="<p>긴 글입니다.</p>\n" * 400_000)
    feed = build_feed([long], {long.path: "id:1"}, site)
    assert len(FORMATS[name].render(feed)) > 10_000_000

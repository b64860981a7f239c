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
from lxml import etree

from postroom.config.sections import FeedsConfig
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from tests.stage import unmeasured

if TYPE_CHECKING:
    from postroom.feeds.feed import Feed
    from postroom.posts.post import Post

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


GOLDEN_FILES = {
    "atom.xml": ("full", "atom"),
    "rss.xml": ("full", "rss"),
    "feed.json": ("full", "json"),
    "podcast.atom": ("podcast", "atom"),
    "podcast.xml": ("podcast", "rss"),
    "podcast.json": ("podcast", "json"),
    "archive.atom": ("archive middle", "atom"),
    "archive.json": ("archive middle", "json"),
}


@pytest.mark.parametrize("file_name", GOLDEN_FILES)
def test_the_bytes_are_those_of_the_golden_file(
    kinds: dict[str, Feed], file_name: str
) -> None:
    """A change of bytes is a change for every reader: look at the difference.

    The golden files are old: no clock is in the bytes. POSTROOM_GOLDEN=1 writes them
    anew.
    """
    path = GOLDEN / file_name
    what, name = GOLDEN_FILES[file_name]
    rendered = FORMATS[name].render(kinds[what])
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
    """rel=self, alternate, hub and prev-archive, in both XML formats.

    `next_url` is JSON Feed's alone: a page of JSON is nothing to a reader of Atom.
    """
    form = FORMATS[name]
    paged = replace(feed, next_url="https://blog.example.kr/archive/2026-02.json")
    found = parsed(name, paged).feed
    links = {link.rel: link.href for link in found.links}
    assert links == {
        "self": feed.urls[form.file_name],
        "alternate": feed.home_url,
        "hub": feed.hub,
        "prev-archive": feed.prev_archive,
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


def test_rss_carries_the_sound_where_there_is_a_choice(kinds: dict[str, Feed]) -> None:
    """Podcast readers play what they find; a film beside it is in Atom and JSON."""
    trailer = parsed("rss", kinds["podcast"]).entries[1]
    assert [file.href for file in trailer.enclosures] == ["https://cdn.example/two.m4a"]
    atom = parsed("atom", kinds["podcast"]).entries[1]
    assert len(atom.enclosures) == 2


def test_a_link_post_is_read_here_and_names_the_page_elsewhere(
    kinds: dict[str, Feed],
) -> None:
    """`link` and `id` stay the post's own; rel=related and external_url lead away."""
    feed = kinds["links"]
    target = "https://elsewhere.example/%EA%B8%80?a=1&b=2"
    for name in ("atom", "rss"):
        entry = parsed(name, feed).entries[0]
        assert entry.link == feed.entries[0].url
        related = [link.href for link in entry.links if link.rel == "related"]
        assert related == [target]
    (item,) = json.loads(FORMATS["json"].render(feed))["items"]
    assert (item["url"], item["external_url"]) == (feed.entries[0].url, target)


def test_every_author_is_named(kinds: dict[str, Feed]) -> None:
    """In all formats, in the order of the front matter."""
    feed = kinds["several authors"]
    names = [person.name for person in feed.entries[0].authors]
    assert len(names) == 3
    for name in ("atom", "rss"):
        (entry,) = parsed(name, feed).entries
        assert [author.name for author in entry.authors] == names
    (item,) = json.loads(FORMATS["json"].render(feed))["items"]
    assert [author["name"] for author in item["authors"]] == names


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_style_sheet_stands_before_the_feed(
    kinds: dict[str, Feed], name: str
) -> None:
    """CSS only: browsers are giving up XSLT."""
    document = FORMATS[name].render(kinds["styled"])
    instruction = etree.fromstring(document).getprevious()
    href = "https://blog.example.kr/feed.css?a=1&amp;b=2"
    assert instruction.target == "xml-stylesheet"
    assert instruction.text == f'type="text/css" href="{href}"'
    assert b"xml-stylesheet" not in FORMATS[name].render(kinds["full"])


def test_an_archive_says_what_it_is_and_where_the_others_are(
    kinds: dict[str, Feed],
) -> None:
    """RFC 5005 §4 in Atom, `next_url` in JSON; the open document is no archive yet."""
    base = "https://blog.example.kr/archive"
    expected = {
        "archive open": ("2026-04", "2026-03", None),
        "archive newest": ("2026-03", "2026-02", "2026-04"),
        "archive oldest": ("2025-11", None, "2025-12"),
    }
    for name, (own, older, newer) in expected.items():
        found = parsed("atom", kinds[name]).feed
        links = {link.rel: link.href for link in found.links}
        assert links["self"] == f"{base}/{own}.atom"
        assert links["current"] == "https://blog.example.kr/atom.xml"
        assert links.get("prev-archive") == (older and f"{base}/{older}.atom")
        assert links.get("next-archive") == (newer and f"{base}/{newer}.atom")
        assert ("fh_archive" in found) == (newer is not None)
        assert found.id == "tag:blog.example.kr,2026-01-01:feed"
        document = json.loads(FORMATS["json"].render(kinds[name]))
        assert document["feed_url"] == f"{base}/{own}.json"
        assert document.get("next_url") == (older and f"{base}/{older}.json")


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

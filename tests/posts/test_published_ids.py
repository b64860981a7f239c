"""Ids are read back from feeds in every format, whoever wrote or damaged the file."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.published_ids import MAX_OCTETS, is_feed, parse_published_feed

ID = "tag:blog.example,2026-11-01:a8757ca2fadc0a90"
AUTHORITY = "blog.example,2026-11-01"
URL = "https://blog.example/posts/essay/"
WHEN = datetime(2026, 11, 2, 22, 0, tzinfo=UTC)

ATOM = f"""<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet href="feed.css"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>tag:{AUTHORITY}:feed</id>
<entry><id>{ID}</id><link rel="enclosure" href="https://blog.example/a.mp3"/>
<link rel="alternate" href="{URL}"/><published>2026-11-03T07:00:00+09:00</published>
<content type="html">&lt;p&gt;글&lt;/p&gt;</content></entry>
</feed>"""
RSS = f"""<rss version="2.0"><channel><link>https://blog.example/</link>
<item><title>글</title><link>{URL}</link><guid isPermaLink="false">{ID}</guid>
<pubDate>Tue, 03 Nov 2026 07:00:00 +0900</pubDate></item></channel></rss>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {"id": ID, "url": URL, "date_published": "2026-11-03T07:00:00+09:00"}
        ],
    },
    indent=1,
)


@pytest.mark.parametrize("text", [ATOM, RSS, JSON, "\ufeff" + JSON])
def test_an_entry_tells_id_address_and_date(text: str) -> None:
    """The same from all three formats, and the authority that ids were derived under."""
    data = text.encode()
    assert is_feed(data)

    feed = parse_published_feed(data, "feed")

    (entry,) = feed.entries
    assert (entry.id, entry.url, entry.published) == (ID, URL, WHEN)
    assert feed.authority == AUTHORITY
    assert feed.problems == ()


def test_a_permalink_is_address_and_id() -> None:
    """RSS: a guid without isPermaLink is a URL, and there may be no link."""
    feed = parse_published_feed(
        b"<rss><channel><item><guid>https://old.example/?p=4</guid></item></channel></rss>",
        "rss.xml",
    )

    (entry,) = feed.entries
    assert entry.id == entry.url == "https://old.example/?p=4"
    assert feed.authority == ""


@pytest.mark.parametrize(
    "text",
    [
        '<feed xmlns="http://www.w3.org/2005/Atom"></feed>',
        "<rss><channel/></rss>",
        '{"version": "https://jsonfeed.org/version/1.1", "items": []}',
    ],
)
def test_a_feed_without_entries_is_no_fault(text: str) -> None:
    """A young blog has one."""
    feed = parse_published_feed(text.encode(), "f")

    assert (feed.entries, feed.problems) == ((), ())


def test_what_stands_before_the_damage_counts() -> None:
    """A file cut off, as by a full disk, gives its first entries and names the line."""
    whole, rest = ATOM.removesuffix("</feed>"), "\n<entry><id>tag:x,2026:1</id>"

    feed = parse_published_feed((whole + rest).encode(), "public/atom.xml")

    assert [entry.id for entry in feed.entries] == [ID]
    (problem,) = feed.problems
    assert str(problem).startswith("public/atom.xml:9:1: damaged: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html/>", "no Atom or RSS feed"),
        ("<", "damaged"),
        ("{", "damaged"),
        ("[]", "no JSON Feed"),
        ('{"version": 1, "items": []}', "no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [1]}', "item 1"),
        ("<rss><item><title>x</title></item></rss>", "without an id"),
        ("<rss><item><guid>12</guid></item></rss>", "no IRI"),
        ("<!DOCTYPE rss><rss><item><guid>a:b</guid></item></rss>", "document type"),
    ],
)
def test_what_is_no_entry_of_a_feed_is_named(text: str, words: str) -> None:
    """And nothing is read from it."""
    feed = parse_published_feed(text.encode(), "f")

    assert feed.entries == ()
    assert words in str(feed.problems[0])


def test_a_hostile_file_is_read_safely(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """No entity is resolved, no file is opened, nothing is expanded, nothing is deep."""
    secret = tmp_path_factory.mktemp("x") / "secret"
    secret.write_text("tag:secret,2026:1")
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    hostile = [
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]><rss><item><guid>&x;</guid></item></rss>',
        f'<!DOCTYPE r [<!ENTITY l0 "l">{lol}]><rss><item><guid>&l11;</guid></item></rss>',
        "<rss>" + "<a>" * 100_000,
        "[" * 200_000,
    ]
    begun = time.process_time()

    for text in hostile:
        feed = parse_published_feed(text.encode(), "f")
        assert feed.entries == ()
        assert feed.problems

    assert time.process_time() - begun < 2


def test_a_file_out_of_all_measure_is_refused() -> None:
    """By its size alone, and by its octets when they are no text."""
    huge = parse_published_feed(b" " * (MAX_OCTETS + 1), "f")
    assert str(huge.problems[0]) == "f: larger than 64 MiB"

    noise = parse_published_feed(b'{"jsonfeed.org/version": "\xff"}', "f")
    assert noise.problems[0].message.startswith("no JSON: ")


def test_the_commonest_authority_counts() -> None:
    """A feed that quotes an entry of another site is still of this one."""
    other = "<item><guid>tag:a.example,2020-01-01:0123456789abcdef</guid></item>"
    more = RSS.replace("<item>", other + "<item>")
    again = more.replace("</channel>", f"<item><guid>{ID}</guid></item></channel>")

    assert parse_published_feed(again.encode(), "f").authority == AUTHORITY


@given(st.binary(max_size=100), st.sampled_from([ATOM, RSS, JSON]), st.data())
def test_any_octets_are_entries_or_problems(
    noise: bytes, text: str, data: st.DataObject
) -> None:
    """Nothing else is raised, whatever was spilt into the file."""
    at = data.draw(st.integers(0, len(text)))
    octets = text.encode()

    parse_published_feed(noise, "f")
    parse_published_feed(octets[:at] + noise + octets[at:], "f")

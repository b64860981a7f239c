"""Real clients of the served files: feedparser, newsboat, curl."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import time
from typing import TYPE_CHECKING

import feedparser
import pytest

from tests.web.served import EPISODE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.served import Server

ENTRY = """<entry><id>tag:blog.example,2026:{0}</id><title>글 {0}</title>
<updated>2026-11-0{0}T08:00:00Z</updated><link href="https://blog.example/{0}/"/></entry>"""
FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:blog.example,2026:feed</id>
<title>느린 우편함</title><updated>2026-11-03T08:00:00Z</updated>
<link href="https://blog.example/"/><author><name>한미나</name></author>
{}</feed>"""


def write_feed(server: Server, count: int) -> None:
    """Write a feed of so many entries, a minute old."""
    entries = "".join(ENTRY.format(number) for number in range(1, count + 1))
    (server.public / "atom.xml").write_text(FEED.format(entries), encoding="utf-8")


def test_feedparser_asks_conditionally(own: Server) -> None:
    """304 by the tag alone, by the date alone, and by both; a new entry is seen."""
    write_feed(own, 2)
    time.sleep(1.1)  # a file of this second has no date yet
    url = own.url("/atom.xml")
    first = feedparser.parse(url)
    assert (first.status, first.bozo, len(first.entries)) == (200, False, 2)
    assert first.headers["content-encoding"] == "gzip"
    known = {"etag": first.etag, "modified": first.modified}
    for name in ("etag", "modified"):
        again = feedparser.parse(url, **{name: known[name]})
        assert (again.status, len(again.entries)) == (304, 0)
    assert feedparser.parse(url, **known).status == 304
    write_feed(own, 3)
    fresh = feedparser.parse(url, **known)
    assert (fresh.status, len(fresh.entries)) == (200, 3)


def test_feedparser_follows_an_old_address(own: Server) -> None:
    """It reports the move, so that its user's list of feeds is mended."""
    write_feed(own, 2)
    parsed = feedparser.parse(own.url("/feed.xml"))
    assert parsed.status == 301
    assert parsed.href == own.url("/atom.xml")
    assert len(parsed.entries) == 2


@pytest.mark.skipif(not shutil.which("newsboat"), reason="newsboat is not installed")
def test_newsboat_gets_304(own: Server, tmp_path: Path) -> None:
    """It sends what it knows from its third visit on, and shows each entry once."""
    write_feed(own, 2)
    time.sleep(1.1)
    home = tmp_path / "newsboat"
    home.mkdir()
    (home / "urls").write_text(own.url("/atom.xml") + "\n")
    (home / "config").write_text("")
    reload = ["newsboat", "-u", f"{home}/urls", "-C", f"{home}/config"]
    reload += ["-c", f"{home}/cache.db", "-x", "reload"]
    for _ in range(4):
        subprocess.run(reload, check=True, timeout=60, env={"HOME": str(home)})
    with sqlite3.connect(home / "cache.db") as cache:
        titles = cache.execute("SELECT title FROM rss_item ORDER BY title").fetchall()
        (etag,) = cache.execute("SELECT etag FROM rss_feed").fetchone()
    cache.close()
    assert titles == [("글 1",), ("글 2",)]
    served = own.ask("/atom.xml", {"If-None-Match": etag, "Accept-Encoding": "gzip"})
    assert served.status == 304


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_goes_on_with_an_episode(own: Server, tmp_path: Path) -> None:
    """It fetches the rest of a file that it has the beginning of, and 304 by a saved tag."""
    part = tmp_path / "episode.mp3"
    part.write_bytes(EPISODE[:300_000])
    curl = ["curl", "-sS", "--fail", "-C", "-", "-o", str(part)]
    subprocess.run([*curl, own.url("/media/episode.mp3")], check=True, timeout=60)
    found = hashlib.sha256(part.read_bytes()).digest()
    assert found == hashlib.sha256(EPISODE).digest()
    tags = tmp_path / "tags"
    ask = ["curl", "-s", "--compressed", "-w", "%{http_code}", "-o", "/dev/null"]
    ask += ["--etag-save", str(tags), "--etag-compare", str(tags)]
    for status in ("200", "304"):
        ran = subprocess.run(
            [*ask, own.url("/atom.xml")], check=True, timeout=60, capture_output=True
        )
        assert ran.stdout.decode() == status

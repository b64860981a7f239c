"""Programs people read with take our feeds, on two visits with an edit in between."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import feedparser_sgmllib
import pytest
from reader import make_reader

from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from postroom.posts.post import Post

TYPES = {form.file_name: form.media_type for form in FORMATS.values()}
EDIT = "평범한 글, 고쳐 씀"


class FeedServer(SimpleHTTPRequestHandler):
    """Serves a folder of feeds with their media types, and keeps still."""

    def guess_type(self, path: object) -> str:
        """Return the media type a site should be served with."""
        return f"{TYPES[str(path).rpartition('/')[2]]}; charset=utf-8"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _sgmllib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reader find the fork of `sgmllib` that feedparser brings now.

    Its own copy of feedparser (reader 3.26) still imports the old name.
    """
    monkeypatch.setitem(sys.modules, "sgmllib", feedparser_sgmllib)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that is served; no proxy stands between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Serve `folder` on loopback while the test runs."""
    serve = partial(FeedServer, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(
    folder: Path, site: FeedSettings, ids: dict[str, str]
) -> Callable[..., dict[str, str]]:
    """Return what writes the feeds of given posts and answers titles by id."""

    def write(*posts: Post) -> dict[str, str]:
        named = ids | {"new.md": "tag:blog.example.kr,2026-01-01:new.md"}
        feed = build_feed(posts, named, site)
        for form in FORMATS.values():
            path = folder / form.file_name
            path.write_bytes(form.render(feed))
            # The server compares whole seconds: both visits would fall into one.
            os.utime(path, (feed.updated.timestamp(),) * 2)
        return {entry.id: entry.title for entry in feed.entries}

    return write


def second_visit(posts: tuple[Post, ...]) -> tuple[Post, ...]:
    """Return the posts after an edit of one and the publication of another."""
    plain = next(post for post in posts if post.path == "plain.md")
    others = [post for post in posts if post is not plain]
    assert plain.published is not None
    later = plain.published.replace(month=4, day=30)
    edited = replace(plain, title=EDIT, updated=later)
    new = replace(plain, path="new.md", title="새 글", published=later)
    return (*others, edited, new)


@pytest.mark.parametrize("name", FORMATS)
def test_the_reader_library_keeps_up_with_an_edit(
    address: str,
    publish: Callable[..., dict[str, str]],
    posts: tuple[Post, ...],
    name: str,
) -> None:
    """Same ids and titles in every format; an edit is an edit, not a second entry."""
    url = f"{address}/{FORMATS[name].file_name}"
    with closing(make_reader(":memory:")) as library:
        library.add_feed(url)
        titles = publish(*posts)
        first = library.update_feed(url)
        assert first is not None
        assert (first.new, first.modified) == (4, 0)
        assert {entry.id: entry.title for entry in library.get_entries()} == titles
        assert library.update_feed(url) is None
        titles = publish(*second_visit(posts))
        second = library.update_feed(url)
        assert second is not None
        assert (second.new, second.modified) == (1, 1)
        assert {entry.id: entry.title for entry in library.get_entries()} == titles


@pytest.mark.skipif(not shutil.which("newsboat"), reason="newsboat is not installed")
@pytest.mark.parametrize("name", ["atom", "rss"])
def test_newsboat_keeps_up_with_an_edit(
    address: str,
    publish: Callable[..., dict[str, str]],
    posts: tuple[Post, ...],
    tmp_path: Path,
    name: str,
) -> None:
    """One row a post with our id and title, before and after."""
    (tmp_path / "urls").write_text(f"{address}/{FORMATS[name].file_name}\n")
    (tmp_path / "config").write_text("")
    cache = tmp_path / "cache.db"
    command = ["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db"]
    for shown in (posts, second_visit(posts)):
        titles = publish(*shown)
        subprocess.run(
            [*command, "-x", "reload"],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "NO_PROXY": "127.0.0.1"},
            check=True,
            timeout=30,
            capture_output=True,
        )
        with closing(sqlite3.connect(cache)) as rows:
            found = dict(rows.execute("select guid, title from rss_item").fetchall())
        assert found == titles

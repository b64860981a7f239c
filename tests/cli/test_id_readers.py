"""Whatever an author or an operator moves, a reader program sees no post twice."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import feedparser_sgmllib
import pytest
from reader import make_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reader import Reader

    from tests.stage import Site

NOW = "2026-11-20T09:00+09:00"
LATER = "2026-11-21T09:00+09:00"
FEEDS = {
    "atom.xml": "application/atom+xml",
    "rss.xml": "application/rss+xml",
    "feed.json": "application/feed+json",
}
ESSAY = "---\ntitle: 글\ndate: 2026-11-0{day} 07:00\nslug: essay-{day}\n---\n\n글이다 {day}.\n"


class FeedServer(SimpleHTTPRequestHandler):
    """Serves a folder of feeds with their media types, and keeps still."""

    def guess_type(self, path: object) -> str:
        """Return the media type a site should be served with."""
        return f"{FEEDS[str(path).rpartition('/')[2]]}; charset=utf-8"

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _sgmllib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reader's own copy of feedparser find the fork of `sgmllib`; no proxy either."""
    monkeypatch.setitem(sys.modules, "sgmllib", feedparser_sgmllib)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def blog(site: Site) -> Site:
    """A blog of three posts that was built."""
    for day in (1, 2, 3):
        site.post(f"essay-{day}.md", ESSAY.format(day=day))
    site.run("build", "--now", NOW)
    return site


@pytest.fixture
def address(blog: Site) -> Iterator[str]:
    """Serve the output folder on loopback while the test runs."""
    serve = partial(FeedServer, directory=str(blog.root / "public"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def edit(site: Site, old: str, new: str) -> None:
    """Replace words of the second post."""
    path = site.root / "posts" / "essay-2.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def change_slug(site: Site) -> None:
    """The post moves to another address."""
    edit(site, "slug: essay-2", "slug: another")


def change_date(site: Site) -> None:
    """The post moves to another day and month."""
    edit(site, "2026-11-02", "2026-10-31")


def change_text(site: Site) -> None:
    """The post says something else, under another title."""
    edit(site, "글이다", "다른 글이다")
    edit(site, "title: 글", "title: 다른 글")


def rename_file(site: Site) -> None:
    """The file moves to a folder, under another name."""
    path = site.root / "posts" / "essay-2.md"
    (site.root / "posts" / "2026").mkdir()
    path.rename(site.root / "posts" / "2026" / "두번째.md")


def rename_and_edit(site: Site) -> None:
    """What recognition cannot know, a person does."""
    change_text(site)
    rename_file(site)
    site.run("posts", "adopt", "essay-2.md", "2026/두번째.md")


def change_domain(site: Site) -> None:
    """The whole site moves."""
    path = site.root / "postroom.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("blog.example/", "new.example/essays/"), "utf-8")


def lose_the_ledger(site: Site) -> None:
    """The state is gone, and the ids come back from the output folder."""
    (site.root / "state").rename(site.root / "state.lost")
    site.run("posts", "import", str(site.root / "public"))


def everything(site: Site) -> None:
    """All of it between two runs, but for the text."""
    change_domain(site)
    change_slug(site)
    change_date(site)
    site.run("build", "--now", NOW)
    rename_file(site)
    lose_the_ledger(site)


def visit(library: Reader, site: Site, minutes: int) -> int:
    """Let the library look at every feed; return how many entries are new to it."""
    new = 0
    for feed in library.get_feeds():
        path = site.root / "public" / feed.url.rpartition("/")[2]
        # The server compares whole seconds: two visits may fall into one.
        os.utime(path, (path.stat().st_mtime + 60 * minutes,) * 2)
        updated = library.update_feed(feed)
        new += updated.new if updated else 0
    return new


@pytest.mark.parametrize(
    "change",
    [
        change_slug,
        change_date,
        change_text,
        rename_file,
        rename_and_edit,
        change_domain,
        lose_the_ledger,
        everything,
    ],
)
def test_nothing_is_delivered_again(
    blog: Site, address: str, change: Callable[[Site], None]
) -> None:
    """In none of the formats does the library find a new entry, and every id it knew."""
    with closing(make_reader(":memory:")) as library:
        for name in FEEDS:
            library.add_feed(f"{address}/{name}")
        assert visit(library, blog, 0) == 3 * len(FEEDS)
        known = {entry.id for entry in library.get_entries()}

        change(blog)
        blog.run("build", "--now", LATER)

        assert visit(library, blog, 1) == 0
        assert {entry.id for entry in library.get_entries()} == known
        blog.post("new.md", ESSAY.format(day=9))
        blog.run("build", "--now", LATER)
        assert visit(library, blog, 2) == len(FEEDS)

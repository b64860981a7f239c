"""Addresses: folders, the path of the site, and where other publishers had their feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.web.old_feeds import OLD_NAMES
from tests.web.served import FILES, make_public, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.served import Server

OLD = {
    "/feed.xml": "/atom.xml",
    "/feed": "/rss.xml",
    "/feed/": "/rss.xml",
    "/feed/atom/": "/atom.xml",
    "/feed/json": "/feed.json",
    "/feeds/all.atom.xml": "/atom.xml",
    "/feeds/posts/default": "/atom.xml",
    "/index.xml": "/rss.xml",
    "/rss": "/rss.xml",
    "/rss/": "/rss.xml",
    "/tags/편지/index.xml": "/tags/%ED%8E%B8%EC%A7%80/atom.xml",
    "/tags/편지/rss.xml": "/tags/%ED%8E%B8%EC%A7%80/atom.xml",
}


@pytest.mark.parametrize("path", OLD)
def test_an_old_feed_leads_to_ours(server: Server, path: str) -> None:
    """301, by a path; the format that readers of the old one take, as far as there is one."""
    reply = server.ask(path)
    assert reply.status == 301
    assert reply.fields["location"] == OLD[path]
    assert "max-age=3600" in reply.fields["cache-control"]


def test_every_old_name_leads_to_a_feed(server: Server) -> None:
    """At the top, where all three formats are."""
    for name in OLD_NAMES:
        reply = server.ask(f"/{name}")
        if f"{name}" in FILES:
            assert reply.status == 200
        else:
            assert (
                server.ask(reply.fields["location"])
                .fields["content-type"]
                .startswith("application/")
            )


def test_a_file_of_that_name_comes_first(own: Server) -> None:
    """An author's page at /feed/ is no feed; where no feed is, an old name is nothing."""
    (own.public / "feed").mkdir()
    (own.public / "feed/index.html").write_text("<title>feed</title>")
    assert own.ask("/feed").fields["location"] == "/feed/"
    assert own.ask("/feed/").status == 200
    assert own.ask("/media/feed.xml").status == 404
    (own.public / "rss.xml").unlink()
    assert own.ask("/rss").fields["location"] == "/atom.xml"


def test_a_folder_ends_with_a_slash(server: Server) -> None:
    """Else the links of its page would lead elsewhere."""
    reply = server.ask("/tags/편지?utm=x")
    assert reply.status == 301
    assert reply.fields["location"] == "/tags/%ED%8E%B8%EC%A7%80/"
    assert reply.body == b""


def test_folders_are_not_listed(server: Server) -> None:
    """A folder without a page is nothing, with or without a slash."""
    for path in ("/media", "/media/", "/tags/", "/assets"):
        assert server.ask(path).status == 404


def test_a_site_in_a_folder_is_served_there(tmp_path: Path) -> None:
    """The top of the host leads to it; nothing else of the host is ours."""
    root = make_public(tmp_path / "site", "https://blog.example/~mina/글/")
    with serving(root) as server:
        top = server.ask("/")
        assert (top.status, top.fields["location"]) == (302, "/~mina/%EA%B8%80/")
        bare = server.ask("/~mina/글")
        assert (bare.status, bare.fields["location"]) == (301, "/~mina/%EA%B8%80/")
        assert server.ask("/~mina/글/").body.decode() == FILES["index.html"]
        feed = server.ask("/~mina/글/atom.xml")
        assert feed.status == 200
        address = "https://blog.example/~mina/%EA%B8%80/atom.xml"
        assert feed.fields["link"] == f'<{address}>; rel="self"'
        moved = server.ask("/~mina/글/feed")
        assert moved.fields["location"] == "/~mina/%EA%B8%80/rss.xml"
        for path in ("/atom.xml", "/~mina/", "/~mina/글자/", "/feed", "/~mina/글x/"):
            reply = server.ask(path)
            assert reply.status == 404
            assert reply.body.decode() == FILES["404.html"]

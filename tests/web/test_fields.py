"""Header fields: what a file is, how long it keeps, who may read it (RFC 9110, 9111, 8288)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.feeds.characters import clean_url
from postroom.web.headers import Policy
from tests.web.served import FILES

if TYPE_CHECKING:
    from tests.web.served import Server

FEED, PAGE = "public, max-age=300", "no-cache"
EXPECTED = {
    "/": ("text/html; charset=utf-8", PAGE),
    "/archive/": ("text/html; charset=utf-8", PAGE),
    "/atom.xml": ("application/atom+xml; charset=utf-8", FEED),
    "/rss.xml": ("application/rss+xml; charset=utf-8", FEED),
    "/feed.json": ("application/feed+json; charset=utf-8", FEED),
    "/tags/편지/atom.xml": ("application/atom+xml; charset=utf-8", FEED),
    "/feeds.opml": ("text/x-opml; charset=utf-8", FEED),
    "/archive/2026-01.atom": (
        "application/atom+xml; charset=utf-8",
        "public, max-age=86400",
    ),
    "/archive/2026-01.json": (
        "application/feed+json; charset=utf-8",
        "public, max-age=86400",
    ),
    "/sitemap.xml": ("application/xml; charset=utf-8", "public, max-age=300"),
    "/robots.txt": ("text/plain; charset=utf-8", "public, max-age=300"),
    "/feed.css": ("text/css; charset=utf-8", "public, max-age=300"),
    "/assets/style-73725b4827.css": (
        "text/css; charset=utf-8",
        "public, max-age=31536000, immutable",
    ),
    "/assets/style.css": ("text/css; charset=utf-8", "public, max-age=300"),
    "/media/postbox.svg": ("image/svg+xml; charset=utf-8", "public, max-age=3600"),
    "/media/episode.mp3": ("audio/mpeg", "public, max-age=3600"),
    "/media/transcript.vtt": ("text/vtt; charset=utf-8", "public, max-age=300"),
    "/.well-known/security.txt": ("text/plain; charset=utf-8", "public, max-age=300"),
}
READERS_MAY = {
    "/atom.xml", "/rss.xml", "/feed.json", "/feeds.opml", "/tags/편지/atom.xml",
    "/archive/2026-01.atom", "/archive/2026-01.json",
}  # fmt: skip
SELF = '<https://blog.example/{}>; rel="self"'
HUB = '<https://hub.example/>; rel="hub"'


@pytest.mark.parametrize("path", EXPECTED)
def test_a_file_says_what_it_is_and_how_long_it_keeps(
    server: Server, path: str
) -> None:
    """By the table in docs/serving.md; nobody guesses a type, nobody sees a whole address."""
    reply = server.ask(path)
    assert reply.status == 200
    kind, cache = EXPECTED[path]
    assert reply.fields["content-type"] == kind
    assert reply.fields["cache-control"] == cache
    assert reply.fields["x-content-type-options"] == "nosniff"
    assert reply.fields["referrer-policy"] == "strict-origin-when-cross-origin"
    assert reply.fields.get("vary") == (
        None if kind.startswith("audio/") else "Accept-Encoding"
    )
    assert "server" not in reply.fields


@pytest.mark.parametrize("path", EXPECTED)
def test_readers_in_browsers_may_fetch_feeds_and_nothing_else(
    server: Server, path: str
) -> None:
    """CORS without credentials, on the 304 too: a browser checks that one."""
    first = server.ask(path)
    allowed = "*" if path in READERS_MAY else None
    assert first.fields.get("access-control-allow-origin") == allowed
    again = server.ask(path, {"If-None-Match": first.fields["etag"]})
    assert again.status == 304
    assert again.fields.get("access-control-allow-origin") == allowed


def test_feeds_name_themselves_and_their_hub(server: Server) -> None:
    """WebSub §4 wants both as fields; an archive has no hub, as nothing new comes to it."""
    assert server.ask("/atom.xml").fields["link"] == f"{SELF.format('atom.xml')}, {HUB}"
    encoded = "tags/%ED%8E%B8%EC%A7%80/atom.xml"
    assert (
        server.ask("/tags/편지/atom.xml").fields["link"]
        == f"{SELF.format(encoded)}, {HUB}"
    )
    assert server.ask("/archive/2026-01.atom").fields["link"] == SELF.format(
        "archive/2026-01.atom"
    )
    assert "link" not in server.ask("/feeds.opml").fields
    assert "link" not in server.ask("/").fields


def test_pages_run_no_script_and_stand_in_no_frame(server: Server) -> None:
    """The missing page as well; a picture that could hold a script is locked in."""
    for path in ("/", "/nowhere"):
        fields = server.ask(path).fields
        policy = fields["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert fields["permissions-policy"].startswith("camera=()")
    picture = server.ask("/media/postbox.svg").fields["content-security-policy"]
    assert picture.endswith("sandbox")
    assert "content-security-policy" not in server.ask("/atom.xml").fields


def test_head_says_what_get_says(server: Server) -> None:
    """All fields but Date, and no body (RFC 9110 §9.3.2)."""
    for path in [*EXPECTED, "/nowhere", "/archive", "/feed"]:
        for coding in ("identity", "gzip", "br"):
            fields = {"Accept-Encoding": coding}
            got, told = server.ask(path, fields), server.ask(path, fields, "HEAD")
            assert told.body == b""
            assert told.status == got.status
            assert {**told.fields, "date": ""} == {**got.fields, "date": ""}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_files_are_only_read(server: Server, method: str) -> None:
    """405 names the methods that there are."""
    reply = server.ask("/atom.xml", method=method)
    assert reply.status == 405
    assert reply.fields["allow"] == "GET, HEAD"


def test_a_wrong_address_gets_the_page_for_it(server: Server) -> None:
    """With 404, in the language of the site, compressed, never stored without asking."""
    reply = server.ask("/posts/없는-글/")
    assert reply.status == 404
    assert reply.body.decode() == FILES["404.html"]
    assert reply.fields["cache-control"] == "no-cache"
    assert "etag" not in reply.fields
    assert "last-modified" not in reply.fields
    packed = server.ask("/nowhere", {"Accept-Encoding": "br"})
    assert packed.fields["content-encoding"] == "br"
    assert server.ask("/nowhere", {"If-None-Match": "*"}).status == 404


def test_links_are_those_of_the_feed_itself() -> None:
    """A host in Hangul is written as the feed writes it: WebSub wants them equal (§4)."""
    policy = Policy(
        url="https://우편.example/", hub="https://허브.example/x y", page_policy=""
    )
    fields = dict(policy.fields_of("tags/길/atom.xml").whole)
    self_url = clean_url("https://우편.example/tags/길/atom.xml")
    hub = clean_url("https://허브.example/x y")
    assert fields[b"link"].decode() == f'<{self_url}>; rel="self", <{hub}>; rel="hub"'

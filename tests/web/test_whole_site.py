"""A site as the build makes it, served: every file, every link, every feed."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

import feedparser

from tests.stage import make_site
from tests.web.served import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.served import Server

ADDRESS = re.compile(r'(?:href|src|action)="([^"]*)"')


def crawl(server: Server) -> set[str]:
    """Follow every link inside the site from its first page; all of them must be there."""
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        reply = server.ask(path)
        assert reply.status == 200, path
        if not reply.fields["content-type"].startswith("text/html"):
            continue
        assert "style=" not in reply.body.decode(), "the policy of pages forbids it"
        for found in ADDRESS.findall(reply.body.decode()):
            parts = urlsplit(urljoin(f"http://blog.example{path}", unescape(found)))
            if parts.netloc == "blog.example" and parts.scheme.startswith("http"):
                waiting.append(unquote(parts.path))
    return seen


def test_every_file_of_a_build_is_served(tmp_path: Path) -> None:
    """By the address that pages and feeds have for it, with its bytes, and 304 afterwards."""
    site = make_site(tmp_path / "site")
    for day in range(1, 8):
        site.essay(f"2026-11-0{day}", f"글 {day}", "편지", "design")
    site.run("build", "--now", "2026-11-24T12:00:00+09:00")
    with serving(site.root) as server:
        for file in server.public.rglob("*"):
            if not file.is_file():
                continue
            name = file.relative_to(server.public).as_posix()
            address = "/" + (
                name.removesuffix("index.html")
                if name.endswith("/index.html")
                else name
            )
            reply = server.ask(address)
            assert (reply.status, reply.body) == (200, file.read_bytes()), name
            again = server.ask(address, {"If-None-Match": reply.fields["etag"]})
            assert (again.status, again.body) == (304, b"")
            assert "octet-stream" not in reply.fields["content-type"]
        seen = crawl(server)
        assert {"/atom.xml", "/feeds.opml", "/follow/"} <= seen
        parsed = feedparser.parse(server.url("/atom.xml"))
        assert (parsed.bozo, len(parsed.entries)) == (False, 7)
        site.essay("2026-11-09", "새 글", "편지")
        site.run("build", "--now", "2026-11-24T13:00:00+09:00")
        newer = feedparser.parse(server.url("/atom.xml"), etag=parsed.etag)
        assert (newer.status, len(newer.entries)) == (200, 8)
        site.run("build", "--now", "2026-11-24T14:00:00+09:00")
        assert feedparser.parse(server.url("/atom.xml"), etag=newer.etag).status == 304

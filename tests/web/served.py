"""`postroom serve` as a process of its own, and a client that shows every header field."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMMAND = (sys.executable, "-m", "postroom")
YEAR_AGO = 31_536_000
CONFIG = """
[site]
title = "느린 우편함"
url = "{url}"
language = "ko"
"""
FILES = {
    "index.html": "<!DOCTYPE html><title>느린 우편함</title>" + "<p>글</p>" * 100,
    "404.html": "<!DOCTYPE html><title>없는 쪽</title>" + "<p>여기 없다</p>" * 50,
    "atom.xml": "<feed xmlns='http://www.w3.org/2005/Atom'>" + "<!-- 글 -->" * 200,
    "rss.xml": "<rss version='2.0'>" + "<!-- 글 -->" * 200,
    "feed.json": '{"version": "https://jsonfeed.org/version/1.1"}' + " " * 400,
    "feeds.opml": "<opml version='2.0'>" + "<!-- 글 -->" * 100,
    "sitemap.xml": "<urlset>" + "<!-- 글 -->" * 100,
    "robots.txt": "User-agent: *\n",
    "feed.css": "p { margin: 0 }\n" * 40,
    "archive/index.html": "<!DOCTYPE html><title>모든 글</title>",
    "archive/2026-01.atom": "<feed/>" * 100,
    "archive/2026-01.json": "{}" * 200,
    "assets/style-73725b4827.css": "p { margin: 0 }\n" * 40,
    "assets/style.css": "p { margin: 0 }\n" * 40,
    "tags/편지/index.html": "<!DOCTYPE html><title>편지</title>",
    "tags/편지/atom.xml": "<feed/>" * 100,
    "media/postbox.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" * 20,
    "media/transcript.vtt": "WEBVTT\n" * 100,
    ".well-known/security.txt": "Contact: mailto:hello@blog.example\n",
}
EPISODE = bytes(range(256)) * 4096
"""A megabyte: more than the server keeps of one file that is no text."""
JINGLE = bytes(range(256)) * 4


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; names of `fields` are in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    root: Path
    """Of the site."""
    port: int
    process: subprocess.Popen[str]
    line: str
    """What it printed when it was ready."""

    @property
    def public(self) -> Path:
        """The folder that is served."""
        return self.root / "public"

    def url(self, path: str) -> str:
        """Return an address that libraries fetch."""
        return f"http://127.0.0.1:{self.port}{quote(path)}"

    def ask(
        self, path: str, fields: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Reply:
        """Send one request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, quote(path, safe="/%?&=~"), headers=fields or {})
            answer = connection.getresponse()
            body = answer.read()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, body)
        finally:
            connection.close()

    def memory(self) -> int:
        """Octets in memory that are the server's (Linux)."""
        text = (f"/proc/{self.process.pid}/statm",)
        with open(*text, encoding="ascii") as file:  # noqa: PTH123 - no path of ours
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def make_public(root: Path, url: str = "https://blog.example/", more: str = "") -> Path:
    """Write a site's settings and an output folder whose files are a year old."""
    public = root / "public"
    root.mkdir(parents=True, exist_ok=True)
    (root / "postroom.toml").write_text(CONFIG.format(url=url) + more, encoding="utf-8")
    for path, text in FILES.items():
        put(public / path, text.encode())
    put(public / "media/episode.mp3", EPISODE)
    put(public / "media/jingle.mp3", JINGLE)
    return root


def put(path: Path, data: bytes) -> None:
    """Write a file that has not changed for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    made = path.stat().st_mtime - YEAR_AGO
    os.utime(path, (made, made))


@contextmanager
def serving(root: Path, *words: str, bind: str = "127.0.0.1:0") -> Iterator[Server]:
    """Run `postroom serve` while the body runs; its end must be a clean one."""
    process = subprocess.Popen(
        [*COMMAND, "-C", str(root), "serve", *words, *(bind and ("--bind", bind))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        line = process.stdout.readline()
        port = re.search(r":(\d+)/", line)
        yield Server(root, int(port[1]) if port else 0, process, line)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
            assert process.returncode == 0, said
    finally:
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        process.wait()

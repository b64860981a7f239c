"""Hostile paths: whatever is asked, nothing outside the output folder is ever answered."""

from __future__ import annotations

import os
import random
import socket
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.web.paths import location, parse_path
from tests.web.served import put

if TYPE_CHECKING:
    from tests.web.served import Server

SECRET = b"root:x:0:0: the secret of this machine"
UP = ["..", "%2e%2e", ".%2e", "%2E.", "..%2f", "..%5c", "..\\", "%252e%252e", "....//"]
UP += ["..;", "..%00", "%c0%ae%c0%ae", "%uff0e%uff0e", "．．", ".", "./.."]
TARGETS = ["secret.txt", "postroom.toml", "state/secret", "etc/passwd", "%65tc/passwd"]
STARTS = ["/", "//", "/tags/", "/assets/../", "/media/%2e/", "/archive/./", "/\\"]
SINGLE = [
    "/..", "/../", "/.git/config", "/.env", "/%2egit/config", "/tags/.hidden/x",
    "//evil.example", "//evil.example/..", "/\\evil.example", "/%5cevil.example/",
    "/%2f%2fevil.example/", "/%00", "/index.html%00.txt", "/atom.xml%00", "/%0d%0aX:1",
    "/%0a", "/tags//편지/", "/" + "a" * 300, "/" + "a/" * 2000, "/" + "a" * 60_000,
    "/%ff%fe", "/%", "/%zz", "/%e0%a4%a", "/atom.xml/..", "/index.html/x",
    "/link-out.txt", "/folder-out/secret.txt", "/folder-out/", "/folder-out", "/pipe",
    "/link-loop", "/index.html.postroom-new", "/C:/secret.txt", "/secret.txt::$DATA",
    "/proc/self/environ", "/~root/", "/*", "/?../../secret.txt", "/#/../secret.txt",
    "http://127.0.0.1/../secret.txt", "http://evil.example/..%2fsecret.txt", "*",
    "/.well-known/../../secret.txt", "/.well-known/.env", "/.well-known", "/..%c0%af",
]  # fmt: skip


def hostile_paths() -> list[str]:
    """Two hundred and more, the same in every run."""
    mixed = [
        f"{start}{'/'.join([up] * depth)}/{target}"
        for start in STARTS
        for up in UP
        for depth in (1, 3)
        for target in TARGETS
    ]
    return SINGLE + random.Random(0).sample(mixed, 250)  # noqa: S311 - a choice of tests


def ask_raw(server: Server, target: str) -> bytes:
    """Send a request line as it is, which no client library would."""
    head = f"GET {target} HTTP/1.1\r\nHost: blog.example\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as link:
        link.sendall(head.encode("utf-8"))
        blocks = []
        while block := link.recv(65536):
            blocks.append(block)
    return b"".join(blocks)


def test_nothing_outside_the_folder_is_answered(own: Server) -> None:
    """Paths up, encoded and doubled, links, pipes: 400 or 404, or a path inside."""
    put(own.root / "secret.txt", SECRET)
    put(own.root / "state/secret", SECRET)
    put(own.root / "outside/secret.txt", SECRET)
    put(own.root / "outside/index.html", SECRET)
    put(own.public / ".env", SECRET)
    put(own.public / ".git/config", SECRET)
    put(own.public / "tags/.hidden/x", SECRET)
    put(own.public / ".well-known/.env", SECRET)
    put(own.public / "index.html.postroom-new", SECRET)
    (own.public / "link-out.txt").symlink_to(own.root / "secret.txt")
    (own.public / "folder-out").symlink_to(own.root / "outside")
    (own.public / "link-loop").symlink_to("link-loop")
    os.mkfifo(own.public / "pipe")
    answered = 0
    for path in hostile_paths():
        reply = ask_raw(own, path)
        status = reply.split(b" ", 2)[1]
        assert SECRET not in reply, path
        assert status in {b"400", b"404"} or path.startswith("/?"), (path, status)
        assert b"\r\nx:1" not in reply.lower()
        answered += 1
    assert answered >= 200
    assert own.ask("/").status == 200


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/", "/\\evil.example"]
)
def test_a_redirect_never_leaves_the_host(own: Server, path: str) -> None:
    """Also when there is a folder of that name."""
    put(own.public / "evil.example/index.html", b"<title>x</title>")
    reply = ask_raw(own, path)
    assert b" 404 " in reply.splitlines()[0]
    assert b"\r\nlocation:" not in reply.lower()
    inside = own.ask("/evil.example")
    assert (inside.status, inside.fields["location"]) == (301, "/evil.example/")


def test_links_inside_the_folder_are_followed(own: Server) -> None:
    """So is the folder itself, when it is a link to the newest of several."""
    (own.public / "latest.xml").symlink_to("atom.xml")
    assert own.ask("/latest.xml").status == 200
    own.public.rename(own.root / "release-1")
    own.public.symlink_to("release-1")
    assert own.ask("/rss.xml").status == 200


@given(st.binary(max_size=80))
def test_no_path_is_an_error(raw: bytes) -> None:
    """Segments are names; none leads up, is hidden, or holds a slash."""
    found = parse_path(b"/" + raw)
    if found is not None:
        assert all(found[:-1])
        for name in found:
            assert "/" not in name
            assert "\0" not in name
            assert name == ".well-known" or not name.startswith(".")


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_location_leads_where_it_was_made_for(names: list[str]) -> None:
    """One slash and a name: no host, no scheme, and the same segments when it is asked for."""
    segments = parse_path(("/" + "/".join(map(quote, names))).encode())
    if segments and all(segments):
        address = location((*segments, ""))
        assert address.isascii()
        assert address.startswith("/")
        assert not address.startswith("//")
        assert parse_path(address.encode()) == (*segments, "")


def test_the_absolute_form_is_understood() -> None:
    """A proxy may send the whole address (RFC 9112 §3.2.2); the host is not looked at."""
    assert parse_path(b"http://blog.example/atom.xml") == ("atom.xml",)
    assert parse_path(b"HTTP://blog.example") == ("",)
    assert parse_path(b"ftp://blog.example/atom.xml") is None
    assert parse_path(b"*") is None


def test_names_of_a_mac_find_their_page() -> None:
    """Decomposed Hangul is the same name (NFC)."""
    raw = quote(normalize("NFD", "편지")).encode()
    assert parse_path(b"/tags/" + raw + b"/") == ("tags", "편지", "")

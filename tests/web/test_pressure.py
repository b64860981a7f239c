"""Under pressure: files replaced while they are read, many clients, slow ones, large files."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.web.served import Reply, Server, put

MEGABYTE = 1 << 20
SLACK = 48 * MEGABYTE
"""What Python, threads and buffers may take beside the files."""


def replace(file: Path, data: bytes) -> None:
    """Replace a file as the build does."""
    new = file.with_name(file.name + ".postroom-new")
    new.write_bytes(data)
    new.replace(file)


def version_of(number: int, size: int) -> bytes:
    """A file that shows whether it is whole: one number all over, in a length of its own."""
    return (b"%08d" % number) * (size // 8 + number)


def is_whole(reply: Reply, size: int) -> bool:
    """Whether a body is one version from beginning to end."""
    return reply.body == version_of(int(reply.body[:8]), size)


@pytest.mark.parametrize(("name", "size"), [("atom.xml", 20_000), ("a.mp3", MEGABYTE)])
def test_a_file_that_is_replaced_is_always_whole(
    own: Server, name: str, size: int
) -> None:
    """Two hundred replacements, two hundred requests: each body is one version, with its tag."""
    file, done = own.public / name, Event()
    replace(file, version_of(0, size))

    def keep_replacing() -> None:
        for number in range(1, 201):
            replace(file, version_of(number, size))
            time.sleep(0.002)
        done.set()

    writer = Thread(target=keep_replacing)
    writer.start()
    tags: dict[str, bytes] = {}
    asked = 0
    while asked < 200 or not done.is_set():
        reply = own.ask(f"/{name}")
        assert reply.status == 200
        assert is_whole(reply, size)
        assert tags.setdefault(reply.fields["etag"], reply.body[:8]) == reply.body[:8]
        asked += 1
    writer.join()
    last = own.ask(f"/{name}")
    assert last.body == version_of(200, size)
    assert len(tags) > 5


def test_fifty_clients_at_once(own: Server) -> None:
    """Each gets what it asked for: feeds in three codings, 304, parts, missing pages."""
    tag = own.ask("/atom.xml").fields["etag"]
    wishes = [
        ("/atom.xml", {}, 200),
        ("/atom.xml", {"Accept-Encoding": "br"}, 200),
        ("/rss.xml", {"Accept-Encoding": "gzip"}, 200),
        ("/atom.xml", {"If-None-Match": tag}, 304),
        ("/media/episode.mp3", {"Range": "bytes=1000-500000"}, 206),
        ("/nowhere", {}, 404),
    ]

    def visit(number: int) -> None:
        for step in range(12):
            path, fields, status = wishes[(number + step) % len(wishes)]
            reply = own.ask(path, fields)
            assert reply.status == status
            if status == 206:
                assert len(reply.body) == 499_001

    with ThreadPoolExecutor(50) as clients:
        list(clients.map(visit, range(50)))


def test_memory_is_bounded(own: Server) -> None:
    """A hundred megabytes of text in three codings leave less than the limit behind."""
    before = own.memory()
    line = "".join(chr(0xAC00 + n * 7 % 11_000) for n in range(2000)).encode()
    for number in range(100):
        seed = hashlib.sha256(b"%d" % number).hexdigest().encode()
        put(own.public / f"{number}.txt", (seed + line) * (MEGABYTE // len(line)))
    for number in range(100):
        for coding in ("identity", "gzip", "br"):
            reply = own.ask(f"/{number}.txt", {"Accept-Encoding": coding})
            assert reply.status == 200
    assert own.memory() - before < 64 * MEGABYTE + SLACK


def test_clients_that_do_not_read_cost_little(own: Server) -> None:
    """Fifty ask for a long file and a long page each, read nothing, and leave."""
    put(own.public / "long.mp3", bytes(40 * MEGABYTE))
    put(own.public / "long.txt", os.urandom(1000) * 4000)
    own.ask("/long.mp3", method="HEAD")
    own.ask("/long.txt", method="HEAD")
    before = own.memory()
    links = []
    for number in range(50):
        link = socket.create_connection(("127.0.0.1", own.port), timeout=30)
        name = ("long.mp3", "long.txt")[number % 2]
        link.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        links.append(link)
    time.sleep(1)
    assert own.ask("/atom.xml").status == 200
    assert own.memory() - before < SLACK
    for link in links:
        link.close()


def test_who_leaves_in_the_middle_ends_the_reading(own: Server) -> None:
    """Nothing is read for nobody: the files are closed, and no fault is told."""
    put(own.public / "long.mp3", bytes(64 * MEGABYTE))
    own.ask("/long.mp3", method="HEAD")
    descriptors = Path(f"/proc/{own.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", own.port), timeout=60) as link:
            link.sendall(b"GET /long.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert link.recv(1000).startswith(b"HTTP/1.1 200")
    for _ in range(100):
        if len(list(descriptors.iterdir())) <= before:
            break
        time.sleep(0.05)
    assert len(list(descriptors.iterdir())) <= before
    own.process.terminate()
    assert own.process.communicate(timeout=20) == ("", "")


def test_a_file_that_shrinks_breaks_the_connection(own: Server) -> None:
    """A client must not take a part for the whole; the next one is served."""
    file = own.public / "shrinks.mp3"
    put(file, bytes(64 * MEGABYTE))
    own.ask("/shrinks.mp3", method="HEAD")
    with socket.create_connection(("127.0.0.1", own.port), timeout=30) as link:
        link.sendall(b"GET /shrinks.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
        got = len(link.recv(1000))
        with file.open("r+b") as open_file:
            open_file.truncate(MEGABYTE)
        while block := link.recv(MEGABYTE):
            got += len(block)
    assert got < 64 * MEGABYTE
    assert own.ask("/shrinks.mp3").fields["content-length"] == str(MEGABYTE)

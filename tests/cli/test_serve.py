"""`postroom serve`: where it listens, how it stops, what it says."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.stage import Site, free_port
from tests.web.served import make_public, put, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.served import Server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site with files."""
    return make_public(tmp_path / "site")


def said(server: Server) -> str:
    """Stop a server and return what it wrote to stderr."""
    server.process.send_signal(signal.SIGTERM)
    _, text = server.process.communicate(timeout=20)
    assert server.process.returncode == 0
    return text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_success(root: Path, number: signal.Signals) -> None:
    """At once when nothing is under way, and without a word."""
    with serving(root) as server:
        assert server.ask("/").status == 200
        began = time.monotonic()
        server.process.send_signal(number)
        out, err = server.process.communicate(timeout=20)
        assert server.process.returncode == 0
        assert time.monotonic() - began < 3
        assert (out, err) == ("", "")


def test_answers_under_way_are_finished(root: Path) -> None:
    """New connections are refused meanwhile."""
    put(root / "public/long.mp3", bytes(30 << 20))
    with serving(root) as server:
        server.ask("/long.mp3", method="HEAD")
        link = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        link.sendall(b"GET /long.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
        got = len(link.recv(100))
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        while block := link.recv(1 << 20):
            got += len(block)
        link.close()
        assert got > 30 << 20
        assert said(server) == ""


def test_a_client_that_does_not_read_holds_the_stop_for_seconds_only(
    root: Path,
) -> None:
    """A second signal does not even wait for those."""
    put(root / "public/long.mp3", bytes(30 << 20))
    for signals, most in ((1, 9), (2, 3)):
        with serving(root) as server:
            link = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            link.sendall(b"GET /long.mp3 HTTP/1.1\r\nHost: x\r\n\r\n")
            link.recv(100)
            began = time.monotonic()
            for _ in range(signals):
                server.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
            _, err = server.process.communicate(timeout=20)
            link.close()
            assert server.process.returncode == 0
            assert time.monotonic() - began < most
            assert "Traceback" not in err


def test_it_is_silent_and_writes_a_line_a_request_on_demand(root: Path) -> None:
    """Method, path without query, status, octets, time; control characters stay encoded."""
    with serving(root) as server:
        server.ask("/nowhere")
        server.ask("/atom.xml", method="POST")
        assert said(server) == ""
    with serving(root, "--verbose") as server:
        server.ask("/atom.xml?token=secret", {"Accept-Encoding": "identity"})
        server.ask("/%0a%1bm", method="HEAD")
        lines = said(server).splitlines()
    size = (root / "public/atom.xml").stat().st_size
    assert lines[0].startswith(f"postroom: GET /atom.xml 200 {size} ")
    assert lines[0].endswith(" ms")
    assert lines[1].startswith("postroom: HEAD /%0a%1bm 404 0 ")
    assert len(lines) == 2


def test_faults_of_ours_are_told(root: Path) -> None:
    """A file that cannot be read is 500 for the client and a line for the operator."""
    with serving(root) as server:
        file = root / "public/restless.mp3"
        put(file, bytes(64 << 20))  # takes longer to read than a tick of the clock
        script = (
            "import os, sys\nfile = open(sys.argv[1], 'r+b', 0)\n"
            "while True:\n    os.pwrite(file.fileno(), b'x', 0)\n"
        )
        writer = subprocess.Popen([sys.executable, "-c", script, str(file)])
        try:
            status = 200
            for _ in range(50):
                if status == 200:
                    status = server.ask("/restless.mp3", method="HEAD").status
        finally:
            writer.kill()
            writer.wait()
        assert status == 500
        assert server.ask("/restless.mp3").status == 200
        text = said(server)
    assert "postroom: restless.mp3: somebody writes into it all the time" in text
    assert "Traceback" not in text


def test_it_listens_where_it_is_told(root: Path) -> None:
    """By web.bind, by the environment, by --bind; the line names the whole address."""
    port = free_port()
    settings = root / "postroom.toml"
    written = settings.read_text("utf-8")
    settings.write_text(f'{written}\n[web]\nbind = "127.0.0.1:{port}"\n')
    with serving(root, bind="") as server:
        assert server.line == f"listening on http://127.0.0.1:{port}/\n"
    with serving(root, bind="[::1]:0") as server:
        assert server.line.startswith("listening on http://[::1]:")


def test_a_unix_socket_comes_and_goes(root: Path) -> None:
    """One that a killed server left is replaced; one in use is not."""
    path = root / "socket"
    bind = f"unix:{path}"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.is_socket()
    with serving(root, bind=bind) as server:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(path))
            link.sendall(b"GET /robots.txt HTTP/1.0\r\n\r\n")
            assert link.recv(100).startswith(b"HTTP/1.1 200 OK")
        ran = Site(root).run("serve", "--bind", bind, code=2)
        assert "cannot listen" in ran.err
        assert path.is_socket()
        assert said(server) == ""
    assert not path.exists()
    path.write_text("not a socket")
    assert "cannot listen" in Site(root).run("serve", "--bind", bind, code=2).err
    assert path.read_text() == "not a socket"


@pytest.mark.parametrize(
    "bind",
    ["", "8000", "localhost", "127.0.0.1:70000", "::1:8000", "a b:1", "unix:", "x:-1"],
)
def test_a_place_that_is_none_is_named(root: Path, bind: str) -> None:
    """As usage, with an example."""
    ran = Site(root).run("serve", "--bind", bind, code=2)
    assert "--bind" in ran.err
    assert "127.0.0.1:8000" in ran.err


def test_a_port_in_use_is_named(root: Path) -> None:
    """With what to do; so is an address of another machine."""
    with serving(root) as server:
        ran = Site(root).run("serve", "--bind", f"127.0.0.1:{server.port}", code=2)
        assert "cannot listen" in ran.err
        assert "web.bind" in ran.err
    assert (
        "cannot listen" in Site(root).run("serve", "--bind", "192.0.2.1:80", code=2).err
    )


def test_before_the_first_build_there_is_nothing(tmp_path: Path) -> None:
    """It says so, answers 404, and serves what a build then writes."""
    root = make_public(tmp_path / "site")
    (root / "public").rename(root / "later")
    with serving(root) as server:
        assert server.ask("/").status == 404
        assert server.ask("/nowhere").body == b"404 Not Found\n"
        (root / "later").rename(root / "public")
        assert server.ask("/").status == 200
        assert "nothing is published yet" in said(server)


def test_pages_may_have_another_policy(tmp_path: Path) -> None:
    """`web.page_policy` for templates that need more; forms may go to `web.url`."""
    more = '[web]\nurl = "https://letters.example/"\n'
    with serving(make_public(tmp_path / "one", more=more)) as server:
        policy = server.ask("/").fields["content-security-policy"]
        assert "form-action 'self' https://letters.example;" in policy
    more = "[web]\npage_policy = \"default-src 'self'\"\n"
    with serving(make_public(tmp_path / "two", more=more)) as server:
        fields = server.ask("/").fields
        assert fields["content-security-policy"] == "default-src 'self'"
    root = make_public(tmp_path / "three", more='[web]\npage_policy = "글"\n')
    assert "page_policy" in Site(root).run("serve", code=2).err

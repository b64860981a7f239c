"""A ping ends in time and with an answer, whatever a hub does on the wire."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import trustme

from postroom.websub.answers import Answer, Verdict, judge
from postroom.websub.connection import MAX_OCTETS, HubConnection
from tests.stage import free_port
from tests.websub.hub import (
    Hub,
    drip,
    hang,
    host_of,
    leave,
    open_hub,
    pour,
    reply,
    reset,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.websub.hub import Behaviour

FEED = "https://blog.example/atom.xml"
PATIENCE = 0.8
ENDLESS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 99999999\r\n\r\n"


def ping(address: str, patience: float = PATIENCE) -> Answer:
    """One ping over a connection of its own."""
    with closing(HubConnection(address, "postroom/test")) as connection:
        return connection.ping(FEED, patience)


def test_a_ping_names_the_feed_as_every_hub_reads_it(hub: Hub) -> None:
    """POST with `hub.mode`, `hub.url` and `hub.topic`, to the address as it stands."""
    assert ping(hub.url) == Answer(202, "202 Accepted")

    (seen,) = hub.seen
    assert seen.target == "POST /hub?x=1 HTTP/1.1\r\n"
    assert seen.form == {
        "hub.mode": ["publish"],
        "hub.url": [FEED],
        "hub.topic": [FEED],
    }
    assert seen.fields["host"] == host_of(hub.url)
    assert seen.fields["content-type"] == "application/x-www-form-urlencoded"
    assert seen.fields["user-agent"] == "postroom/test"


AWAY, REFUSED, TAKEN = Verdict.AWAY, Verdict.REFUSED, Verdict.ACKNOWLEDGED
MISCHIEF: dict[str, tuple[Behaviour, Verdict, str]] = {
    "reset": (reset, AWAY, "cannot be reached: Connection reset by peer"),
    "silent-close": (leave, AWAY, "it closed the connection without an answer"),
    "hang": (hang, AWAY, "no answer in time"),
    "drip-status": (drip(b"HTTP/1.1 202 Accepted"), AWAY, "no answer in time"),
    "drip-field": (drip(b"HTTP/1.1 202 Accepted\r\nX: "), AWAY, "no answer in time"),
    "smtp": (b"220 mail.example ESMTP\r\n", AWAY, "its answer is no HTTP"),
    "garbage": (b"\x00\xff" * 50 + b"\r\n\r\n", AWAY, "its answer is no HTTP"),
    "long-line": (pour(b""), AWAY, "its answer is no HTTP"),
    "long-field": (pour(b"HTTP/1.1 202 Accepted\r\nX: "), AWAY, "its answer is no HTTP"),
    "continue-for-ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, AWAY, "its answer is no HTTP"),
    "huge-refusal": (pour(ENDLESS), REFUSED, "404 Not Found: xxxx"),
    "500": (reply("500 Oops", b"no\x1b[2Jtopic\nhere"), Verdict.LATER, "500 Oops: no [2Jtopic here"),
    "503": (reply("503 Busy", Retry_After="60"), AWAY, "503 Busy"),
    "429": (reply("429 Slow Down", Retry_After="60"), AWAY, "429 Slow Down"),
    "400": (reply("400 Bad Request", "주제가 없다".encode()), REFUSED, "400 Bad Request: 주제가 없다"),
    "404-page": (reply("404 Not Found", b"<h1>?</h1>", "text/html"), REFUSED, "404 Not Found"),
    "301": (reply("301 Moved", Location="https://new.example/"), REFUSED, "301 Moved: moved to https://new.example/"),
    "307": (reply("307 Elsewhere", Location="/x"), REFUSED, "307 Elsewhere: moved to /x"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", TAKEN, "204 No Content"),
    "http-1.0": (b"HTTP/1.0 200 OK\r\n\r\nthank you", TAKEN, "200 OK"),
    "endless-success": (pour(b"HTTP/1.1 200 OK\r\n\r\n"), TAKEN, "200 OK"),
    "huge-success": (pour(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), TAKEN, "200 OK: xxxx"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISCHIEF)
def test_whatever_a_hub_does_is_an_answer(hub: Hub, name: str) -> None:
    """In time, with words for a person; nothing but 2xx counts as heard."""
    hub.answer, verdict, words = MISCHIEF[name]
    began = time.monotonic()

    answer = ping(hub.url)

    assert time.monotonic() - began < PATIENCE + 0.5
    assert judge(answer.status) is verdict
    assert answer.words.startswith(words)
    assert len(answer.words) <= 200
    assert answer.words.isprintable()


def test_a_dripped_body_does_not_take_back_a_success(hub: Hub) -> None:
    """The status was read; the rest ends with the ping's time."""

    def behave(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        drip(b"x" * 300)(wire)

    hub.answer = behave
    began = time.monotonic()
    assert judge(ping(hub.url).status) is Verdict.ACKNOWLEDGED
    assert time.monotonic() - began < PATIENCE + 0.5


def test_the_time_a_hub_asks_for_is_handed_on(hub: Hub) -> None:
    """As it stands in the field."""
    hub.answer = reply("429 Slow Down", Retry_After="Wed, 25 Nov 2026 08:00:00 GMT")
    assert ping(hub.url).retry_after == "Wed, 25 Nov 2026 08:00:00 GMT"


def test_of_a_large_answer_little_is_read(hub: Hub) -> None:
    """The sender is cut off long before its 64 MiB are through."""
    sent = []

    def flood(wire: socket.socket) -> None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        try:
            wire.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(1024):
                wire.sendall(b"x" * 65536)
                sent.append(1)
        except OSError:
            pass

    hub.answer = flood
    ping(hub.url)
    time.sleep(0.1)
    assert len(sent) < 1024
    assert MAX_OCTETS == 65536


def test_a_refused_connection_is_told(hub: Hub) -> None:
    """Nobody listens there."""
    answer = ping(f"http://127.0.0.1:{free_port()}/")
    assert answer == Answer(0, "cannot be reached: Connection refused")


def test_a_connection_that_is_never_taken_ends_in_time() -> None:
    """A listener whose backlog is full, as of a machine that answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003 - socket's own form
            filler.connect_ex(("127.0.0.1", port))
        began = time.monotonic()

        answer = ping(f"http://127.0.0.1:{port}/")

        assert time.monotonic() - began < PATIENCE + 0.5
        assert answer == Answer(0, "no answer in time")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".example"])
def test_a_host_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """As the resolver says it; a label that is too long is no host either."""
    look_up = socket.getaddrinfo

    def local(name: str, *rest: int, **named: int) -> object:
        if name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(name, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    answer = ping(f"http://{host}/")
    assert answer.status == 0
    assert answer.words.startswith("cannot be reached: ")


def test_the_next_address_is_tried(hub: Hub) -> None:
    """`localhost` may mean ::1 first, where this hub is not."""
    assert ping(hub.url.replace("127.0.0.1", "localhost")).status == 202


def test_pings_share_a_connection(hub: Hub) -> None:
    """Three pings, one connection, where answers have an end."""
    hub.answer = reply("200 OK", b"thank you")
    with closing(HubConnection(hub.url, "postroom")) as connection:
        for _ in range(3):
            assert connection.ping(FEED).status == 200
    assert len({seen.port for seen in hub.seen}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply("202 Accepted", Connection="close"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 9999,
        leave,
    ],
    ids=["said", "too-long", "silent"],
)
def test_a_connection_that_ended_is_made_anew(hub: Hub, answer: Behaviour) -> None:
    """At once for the same ping when it ended without an answer, and only once."""
    hub.answer = answer
    with closing(HubConnection(hub.url, "postroom")) as connection:
        connection.ping(FEED)
        first = len(hub.seen)
        assert first == (2 if answer is leave else 1)
        hub.answer = reply("202 Accepted")
        assert connection.ping(FEED).status == 202
    assert len(hub.seen) == first + 1


def test_a_stale_connection_costs_no_ping(hub: Hub) -> None:
    """The hub closed it while it was idle, as servers do after some seconds."""

    def take_and_leave(wire: socket.socket) -> None:
        wire.sendall(reply("202 Accepted"))

    hub.answer = take_and_leave
    with closing(HubConnection(hub.url, "postroom")) as connection:
        assert connection.ping(FEED).status == 202
        time.sleep(0.1)
        assert connection.ping(FEED).status == 202
    assert hub.connections == 2


# -- TLS -------------------------------------------------------------------------


class Authority:
    """A certificate authority of our own."""

    def __init__(self, folder: Path) -> None:
        self.own = trustme.CA()
        self.path = folder / "authority.pem"
        self.own.cert_pem.write_to_path(str(self.path))

    def context(self, name: str) -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.own.issue_cert(name).configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority that nobody trusts yet."""
    return Authority(tmp_path)


def test_tls_is_verified_against_what_the_system_trusts(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSL_CERT_FILE` adds an authority; without it nothing is said to the hub."""
    with open_hub(context=authority.context("127.0.0.1")) as hub:
        untrusted = ping(hub.url, 3)
        assert judge(untrusted.status) is Verdict.AWAY
        assert untrusted.words.startswith("its certificate is not trusted: ")
        assert hub.seen == []

        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        assert ping(hub.url, 3).status == 202
        assert len(hub.seen) == 1


def test_a_certificate_for_another_host_is_not_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed by one we trust, but for somebody else."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with open_hub(context=authority.context("other.example")) as hub:
        assert "not trusted" in ping(hub.url, 3).words
        assert hub.seen == []


def test_a_server_without_tls_is_away_for_https(hub: Hub) -> None:
    """It does not understand the handshake; the ping is not sent in clear."""
    answer = ping(hub.url.replace("http:", "https:"))
    assert answer.status == 0
    assert hub.seen == []


def test_a_handshake_that_hangs_ends_in_time() -> None:
    """The connection is taken, and then nothing comes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        taken: list[socket.socket] = []
        thread = threading.Thread(target=lambda: taken.append(silent.accept()[0]))
        thread.start()
        began = time.monotonic()

        answer = ping(f"https://127.0.0.1:{silent.getsockname()[1]}/")

        assert time.monotonic() - began < PATIENCE + 0.5
        assert answer == Answer(0, "no answer in time")
        thread.join()
        taken[0].close()

"""Secure or not at all: TLS is verified, and without it there is no login and no letter."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postroom.config.sections import RelayConfig
from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState
from postroom.smtp.client import SmtpTransport
from postroom.smtp.connect import Timeouts
from tests.fault_server import FaultServer, serving
from tests.smtp.feed import ListFeed, letter
from tests.smtp.relays import LOGIN, Certified

if TYPE_CHECKING:
    from pathlib import Path


FAST = Timeouts(step=1, open=2, command=1, data=1, verdict=1, quit=1)


async def post(server: FaultServer, root: Path, **settings: object) -> DeliveryState:
    """Connect as `settings` say and hand one message over."""
    config = RelayConfig(host="127.0.0.1", port=server.port, **settings)  # type: ignore[arg-type]  # test shorthand
    relay = SmtpTransport(config, root=root, password="geheim", timeouts=FAST)
    feed = ListFeed([letter("a@x.example")])
    session = await relay.open()
    await session.run(feed)
    await session.close()
    return feed.letters[0].state


def is_private(server: FaultServer) -> bool:
    """Whether the server heard neither a login nor an envelope."""
    return not any(c.startswith(("AUTH", "MAIL", "RCPT")) for c in server.commands)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_a_verified_relay_gets_login_and_letter(
    tmp_path: Path, certified: Certified, tls: str
) -> None:
    """In both modes; the authority comes from a file named relative to the site."""
    (tmp_path / "authority.pem").write_bytes(certified.path.read_bytes())
    context = certified.context()
    server = FaultServer(auth=LOGIN)
    server.tls, server.starttls = (
        (context, None) if tls == "implicit" else (None, context)
    )
    with serving(server):
        state = await post(
            server, tmp_path, tls=tls, ca_file="authority.pem", username="me"
        )
    assert state is DeliveryState.ACCEPTED
    assert server.commands[-1] == "QUIT"
    (login,) = (c for c in server.commands if c.startswith("AUTH"))
    assert login == "AUTH PLAIN AG1lAGdlaGVpbQ=="


async def test_the_authority_may_come_from_the_environment(
    tmp_path: Path, certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE stands for the system's store."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.path))
    with serving(FaultServer(tls=certified.context())) as server:
        state = await post(server, tmp_path, tls="implicit")
    assert state is DeliveryState.ACCEPTED


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("fault", ["unknown authority", "other host", "expired"])
async def test_a_wrong_certificate_gets_nothing(
    tmp_path: Path, certified: Certified, tls: str, fault: str
) -> None:
    """And the error says which certificate and what is wrong with it."""
    context = certified.context(
        "elsewhere.example" if fault == "other host" else "127.0.0.1",
        datetime(2020, 1, 1, tzinfo=UTC) if fault == "expired" else None,
    )
    server = FaultServer(auth=LOGIN)
    server.tls, server.starttls = (
        (context, None) if tls == "implicit" else (None, context)
    )
    settings = {"tls": tls, "username": "me"}
    if fault != "unknown authority":
        settings["ca_file"] = str(certified.path)
    with serving(server), pytest.raises(RelayRefusedError, match="certificate"):
        await post(server, tmp_path, **settings)
    assert is_private(server)


async def test_a_stripped_starttls_gets_nothing(tmp_path: Path) -> None:
    """Whoever takes STARTTLS out of the offer hears neither password nor letter."""
    with (
        serving(FaultServer(auth=LOGIN)) as server,
        pytest.raises(RelayRefusedError, match="STARTTLS"),
    ):
        await post(server, tmp_path, username="me")
    assert is_private(server)


async def test_what_is_said_before_the_handshake_is_not_heard_after(
    tmp_path: Path, certified: Certified
) -> None:
    """Replies injected in clear behind `220` cannot pass for the server's own."""
    with serving(FaultServer(starttls=certified.context())) as server:
        server.scripted["STARTTLS"] = [
            "220 2.0.0 go on\r\n250-evil.example\r\n250 AUTH PLAIN"
        ]
        with pytest.raises((RelayAwayError, RelayRefusedError)):
            await post(server, tmp_path, ca_file=str(certified.path), username="me")
    assert is_private(server)


async def test_starttls_may_be_refused_for_now(
    tmp_path: Path, certified: Certified
) -> None:
    """454 is temporary: later, not in clear."""
    with serving(FaultServer(starttls=certified.context())) as server:
        server.scripted["STARTTLS"] = ["454 4.7.0 not now"]
        with pytest.raises(RelayAwayError, match="not now"):
            await post(server, tmp_path, ca_file=str(certified.path))
    assert is_private(server)


async def test_tls_on_a_port_without_tls_names_the_cure(tmp_path: Path) -> None:
    """465 and 587 taken for one another is the commonest mistake."""
    with (
        serving(FaultServer()) as server,
        pytest.raises(RelayRefusedError, match=r"smtp\.tls"),
    ):
        await post(server, tmp_path, tls="implicit")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("535 5.7.8 no", RelayRefusedError),
        ("534 5.7.9 too weak", RelayRefusedError),
        ("454 4.7.0 later", RelayAwayError),
        ("421 4.7.0 go away", RelayAwayError),
    ],
)
async def test_a_refused_login_is_tried_once(
    tmp_path: Path, certified: Certified, reply: str, error: type[Exception]
) -> None:
    """Not once per method the server knows: that would lock the account."""
    server = FaultServer(tls=certified.context(), auth=reply)
    settings = {"tls": "implicit", "ca_file": str(certified.path), "username": "me"}
    with serving(server), pytest.raises(error):
        await post(server, tmp_path, **settings)
    assert len([c for c in server.commands if c.startswith("AUTH")]) == 1


async def test_there_is_no_login_without_tls(tmp_path: Path) -> None:
    """Not even on this machine, whatever the configuration let through."""
    with (
        serving(FaultServer(auth=LOGIN)) as server,
        pytest.raises(RelayRefusedError, match="TLS"),
    ):
        await post(server, tmp_path, tls="none", username="me")
    assert server.connections == 0


async def test_a_server_without_ehlo_gets_helo(tmp_path: Path) -> None:
    """RFC 5321 §3.2; it offers nothing, so nothing is asked of it."""
    with serving(FaultServer()) as server:
        server.scripted["EHLO"] = ["502 5.5.1 what?"]
        state = await post(server, tmp_path, tls="none")
    assert state is DeliveryState.ACCEPTED
    assert "MAIL FROM:<letters@blog.example>" in server.commands


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        ("421 4.3.2 too busy", RelayAwayError),
        ("554 5.7.1 not you", RelayRefusedError),
        ("HTTP/1.1 400 Bad Request", RelayAwayError),
        ("220-" + "x" * 1_000_000, RelayAwayError),
        ("220-x\r\n" * 10_000 + "220 x", RelayAwayError),
    ],
)
async def test_a_strange_greeting_ends_it(
    tmp_path: Path, greeting: str, error: type[Exception]
) -> None:
    """Temporary, permanent, nonsense, or without an end."""
    with serving(FaultServer(greeting=greeting)) as server, pytest.raises(error):
        await post(server, tmp_path, tls="none")


async def test_a_relay_that_says_nothing_is_away(tmp_path: Path) -> None:
    """Neither a port without a listener nor a listener without a word hangs the run."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(RelayAwayError, match=str(port)):
            await post(FaultServer(port=port), tmp_path, tls="none")
    with pytest.raises(RelayAwayError, match="Connect"):
        await post(FaultServer(port=port), tmp_path, tls="none")


async def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    """The key of the configuration and the path."""
    with pytest.raises(RelayRefusedError, match=r"smtp\.ca_file: .*nowhere\.pem"):
        await post(FaultServer(port=1), tmp_path, tls="implicit", ca_file="nowhere.pem")

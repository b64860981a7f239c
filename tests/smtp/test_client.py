"""Handing one message over: before the dot nothing is ambiguous, after it only a verdict counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.config import SmtpConfig
from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.message import Message
from postroom.mail.outcome import DeliveryState, Outcome
from postroom.smtp.client import SmtpTransport, stuff
from postroom.smtp.connect import Timeouts
from tests.fault_server import FaultServer, serving
from tests.stage import free_port

if TYPE_CHECKING:
    from pathlib import Path

FAST = Timeouts(step=2, open=4, command=2, data=2, verdict=0.5, quit=0.5)
DATA = b"Subject: x\r\n\r\n.dot first\r\n..two\r\nlast\r\n"


def message(recipient: str, data: bytes = DATA) -> Message:
    """A small message with lines that need stuffing."""
    return Message(
        reverse_path="letters@blog.example",
        recipient=recipient,
        message_id="<1@blog.example>",
        data=data,
    )


def transport(port: int, root: Path, **settings: object) -> SmtpTransport:
    """A transport for a relay on this machine."""
    smtp = replace(SmtpConfig(host="127.0.0.1", port=port, tls="none"), **settings)  # type: ignore[arg-type]  # test shorthand
    return SmtpTransport(smtp, root=root, password="geheim", timeouts=FAST)


async def agree() -> bool:
    """The intent is on record."""
    return True


async def hand_over(port: int, root: Path, *recipients: str) -> list[Outcome]:
    """Send to each over one session, opened anew when it broke."""
    outcomes = []
    relay = transport(port, root)
    session = await relay.open()
    for recipient in recipients:
        for last_try in (False, True):
            try:
                outcome = await session.send(message(recipient), agree)
            except RelayAwayError:  # the former message's fault ended the connection
                session = await relay.open()
                continue
            if (
                outcome.state is not DeliveryState.QUEUED
                or "f." in recipient
                or last_try
            ):
                outcomes.append(outcome)
                break
            session = await relay.open()
    await session.close()
    return outcomes


CASES = [
    ("rcpt", "550-5.1.1", DeliveryState.FAILED, True),
    ("rcpt", "550-5.7.1", DeliveryState.FAILED, False),
    ("rcpt", "450-4.2.1", DeliveryState.DEFERRED, False),
    ("rcpt", "421-4.3.2", DeliveryState.QUEUED, False),
    ("rcpt", "drop", DeliveryState.QUEUED, False),
    ("rcpt", "half", DeliveryState.QUEUED, False),
    ("rcpt", "garbage", DeliveryState.QUEUED, False),
    ("data", "451-4.3.0", DeliveryState.DEFERRED, False),
    ("data", "drop", DeliveryState.QUEUED, False),
    ("data", "half", DeliveryState.QUEUED, False),
    ("data", "250", DeliveryState.QUEUED, False),
    ("data", "503-5.5.1", DeliveryState.QUEUED, False),
    ("data", "554-5.7.1", DeliveryState.FAILED, False),
    ("data", "early", DeliveryState.QUEUED, False),
    ("dot", "421-4.3.2", DeliveryState.DEFERRED, False),
    ("dot", "354", DeliveryState.UNKNOWN, False),
    ("dot", "endless", DeliveryState.UNKNOWN, False),
    ("dot", "torn", DeliveryState.UNKNOWN, False),
    ("dot", "mixed", DeliveryState.UNKNOWN, False),
    ("dot", "silent", DeliveryState.UNKNOWN, False),
    ("dot", "twice", DeliveryState.ACCEPTED, False),
    ("dot", "451-4.3.0", DeliveryState.DEFERRED, False),
    ("dot", "554-5.7.1", DeliveryState.FAILED, False),
    ("dot", "drop", DeliveryState.UNKNOWN, False),
    ("dot", "taken", DeliveryState.UNKNOWN, False),
    ("dot", "half", DeliveryState.UNKNOWN, False),
    ("dot", "garbage", DeliveryState.UNKNOWN, False),
]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("step", "fault", "state", "suppress"), CASES)
async def test_each_fault_has_its_outcome_and_hurts_nobody_else(
    tmp_path: Path,
    step: str,
    fault: str,
    state: DeliveryState,
    *,
    suppress: bool,
    pipelining: bool,
) -> None:
    """The neighbours before and after are accepted, once each."""
    first, bad, last = "a@x.example", f"f.{step}.{fault}.1@x.example", "b@x.example"
    with serving(FaultServer(pipelining=pipelining)) as server:
        outcomes = await hand_over(server.port, tmp_path, first, bad, last)
    assert [outcome.state for outcome in outcomes] == [
        DeliveryState.ACCEPTED,
        state,
        DeliveryState.ACCEPTED,
    ]
    assert outcomes[1].suppress is suppress
    others = [recipient for recipient in server.taken if recipient != bad]
    assert others == [first, last]


async def test_the_bytes_arrive_as_they_were(tmp_path: Path) -> None:
    """Dots at the start of lines included; several messages share a connection."""
    with serving(FaultServer()) as server:
        await hand_over(server.port, tmp_path, "a@x.example", "b@x.example")
    assert server.bodies == [DATA, DATA]
    assert server.connections == 1
    assert any(
        command.startswith("MAIL FROM:<letters@blog.example> SIZE=")
        for command in server.commands
    )


@pytest.mark.parametrize(
    "data", [b"a\nb", b"a\rb\r\n", b".\r\n.\r\n", b"", b"a\r\n.\r\nMAIL FROM:<x>\r\n"]
)
def test_nothing_in_a_message_can_end_it(data: bytes) -> None:
    """No bare CR or LF, no lone dot but the last (SMTP smuggling)."""
    wire = stuff(data)
    assert wire.endswith(b"\r\n.\r\n") or wire == b"\r\n.\r\n"
    assert b"\r\n.\r\n" not in wire[:-5]
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")


async def test_a_stale_claim_is_not_handed_over(tmp_path: Path) -> None:
    """`intend` says no: the dot is never sent."""
    with serving(FaultServer()) as server:
        session = await transport(server.port, tmp_path).open()

        async def intend() -> bool:
            return False

        outcome = await session.send(message("a@x.example"), intend)
        await session.close()
    assert outcome.state is DeliveryState.QUEUED
    assert server.taken == []


@pytest.mark.parametrize(
    "recipient", ["a@x.example>\r\nRCPT TO:<b@x.example", "a b@x.example", "nobody"]
)
async def test_an_address_cannot_be_a_command(tmp_path: Path, recipient: str) -> None:
    """It fails alone, and the server hears nothing of it."""
    with serving(FaultServer()) as server:
        outcomes = await hand_over(server.port, tmp_path, recipient, "b@x.example")
    assert [outcome.state for outcome in outcomes] == [
        DeliveryState.FAILED,
        DeliveryState.ACCEPTED,
    ]
    assert server.taken == ["b@x.example"]


async def test_an_international_address_needs_a_relay_that_takes_it(
    tmp_path: Path,
) -> None:
    """With SMTPUTF8 it is accepted, without it fails and suppresses nobody."""
    for offered, state in [
        (True, DeliveryState.ACCEPTED),
        (False, DeliveryState.FAILED),
    ]:
        with serving(FaultServer(smtputf8=offered)) as server:
            (outcome,) = await hand_over(server.port, tmp_path, "김@x.example")
        assert outcome.state is state
        assert not outcome.suppress


async def test_a_relay_that_is_not_there_is_away(tmp_path: Path) -> None:
    """Refused, or turned away with 421: try again later."""
    with pytest.raises(RelayAwayError):
        await transport(free_port(), tmp_path).open()
    with (
        serving(FaultServer(greeting="421 4.3.2 too busy")) as server,
        pytest.raises(RelayAwayError),
    ):
        await transport(server.port, tmp_path).open()
    with (
        serving(FaultServer(greeting="554 5.7.1 not you")) as server,
        pytest.raises(RelayRefusedError),
    ):
        await transport(server.port, tmp_path).open()


async def test_a_refused_sender_stops_the_run(tmp_path: Path) -> None:
    """At MAIL every letter would meet the same; a 4yz there is the relay's weather.

    The server goes on with RCPT and DATA as if nothing were: it gets no empty letter.
    """
    with serving(FaultServer()) as server:
        server.scripted["MAIL"] = ["452 4.3.1 disk full", "553 5.7.1 not your address"]
        session = await transport(server.port, tmp_path).open()
        outcome = await session.send(message("a@x.example"), agree)
        assert outcome.state is DeliveryState.QUEUED
        await session.close()
        session = await transport(server.port, tmp_path).open()
        with pytest.raises(RelayRefusedError, match=r"553 5\.7\.1 not your address"):
            await session.send(message("a@x.example"), agree)
        await session.close()
    assert server.taken == []


async def test_a_refused_recipient_may_still_be_asked_for_a_body(
    tmp_path: Path,
) -> None:
    """A pipelining server said 354 all the same: it gets an empty body for nobody."""
    with serving(FaultServer(naive=True)) as server:
        server.scripted["RCPT"] = ["550 5.1.1 no such user"]
        (refused, outcome) = await hand_over(
            server.port, tmp_path, "a@x.example", "b@x.example"
        )
    assert refused.state is DeliveryState.FAILED
    assert refused.suppress
    assert outcome.state is DeliveryState.ACCEPTED
    assert server.bodies == [b"", DATA]
    assert server.connections == 1


async def test_an_acceptance_before_the_end_of_the_message_is_no_acceptance(
    tmp_path: Path,
) -> None:
    """Most of a large body is still here when the server claims to have taken it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hasty\r\n")
        await reader.readline()
        for answers in (b"250 hasty\r\n", b"250 a\r\n", b"250 b\r\n", b"354 c\r\n"):
            writer.write(answers)
            await reader.readline()
        writer.write(b"250 kept\r\n")
        await over.wait()
        writer.transport.abort()
        ended.set()

    over, ended = asyncio.Event(), asyncio.Event()
    body = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 2_000_000
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        session = await transport(port, tmp_path).open()
        outcome = await session.send(message("a@x.example", body), agree)
        await session.close()
        over.set()
        await ended.wait()
    assert outcome.state is DeliveryState.UNKNOWN
    assert "before it was sent" in str(outcome.reply)


async def test_a_letter_above_the_size_limit_is_ours_to_mend(tmp_path: Path) -> None:
    """It is not even offered: the next one would be as large."""
    with serving(FaultServer()) as server:
        session = await transport(server.port, tmp_path).open()
        large = message("a@x.example", b"x" * 10_000_001)
        with pytest.raises(RelayRefusedError, match="10000000 octets"):
            await session.send(large, agree)
        await session.close()
    assert not any(command.startswith("MAIL") for command in server.commands)


async def test_a_connection_that_ended_meanwhile_blames_nobody(tmp_path: Path) -> None:
    """A 421 out of the blue, or more replies than commands: the next send says so."""
    with serving(FaultServer()) as server:
        for surplus in ("421 4.4.2 idle", "250 2.0.0 and again"):
            server.scripted["RSET"] = [f"250 2.0.0 fine\r\n{surplus}"]
            session = await transport(server.port, tmp_path).open()
            refused = await session.send(message("f.rcpt.550-5.1.1.1@x.example"), agree)
            assert refused.state is DeliveryState.FAILED
            with pytest.raises(RelayAwayError):
                await session.send(message("a@x.example"), agree)
            await session.close()
    assert server.taken == []

"""A session takes letters from its feed, and tells the truth about each, however it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState
from tests.fault_server import FaultServer, serving
from tests.smtp.cells import ACCEPTED, FAILED, QUEUED, either_way
from tests.smtp.feed import DATA, ListFeed, letter, letters, names, send, states
from tests.smtp.relays import SHORT, relay
from tests.stage import free_port

if TYPE_CHECKING:
    from postroom.mail.outcome import Outcome

pytestmark = pytest.mark.usefixtures("in_peace")


# -- what goes over the wire -----------------------------------------------------------


@either_way
async def test_the_bytes_arrive_as_they_were(*, pipelining: bool) -> None:
    """Several letters share a connection, and each is announced with its size."""
    with serving(FaultServer(pipelining=pipelining)) as server:
        assert await send(relay(server), ListFeed(letters(*"abc"))) == []
    assert server.bodies == [DATA] * 3
    assert server.connections == 1
    announced = f"MAIL FROM:<letters@blog.example> SIZE={len(DATA)}"
    assert server.commands.count(announced) == 3


class Recorder(asyncio.Protocol):
    """A server that keeps apart what came apart."""

    def __init__(self, offer: bytes) -> None:
        self.offer = offer
        self.chunks: list[bytes] = []
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 recorder\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has closed."""
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        """Answer each line that is a command, all at once."""
        self.chunks.append(data)
        answers = {
            b"EHLO": b"250-recorder\r\n" + self.offer,
            b"DATA": b"354 go on\r\n",
            b"QUIT": b"221 bye\r\n",
            b".": b"250 2.0.0 kept\r\n",
            b"MAIL": b"250 2.1.0 fine\r\n",
            b"RCPT": b"250 2.1.5 fine\r\n",
        }
        words = [line.split(b" ")[0].strip() for line in data.splitlines()]
        self.transport.write(b"".join(answers.get(word, b"") for word in words))


async def record(offer: bytes, *, slow: bool = False) -> list[bytes]:
    """What arrives together when three letters are sent."""
    recorder = Recorder(offer)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: recorder, "127.0.0.1", 0) as listener:
        server = FaultServer(port=listener.sockets[0].getsockname()[1])
        feed = ListFeed(letters(*"abc"), slow=slow)
        assert await send(relay(server), feed) == []
        assert states(feed.letters) == {ACCEPTED}
        await recorder.ended.wait()
    return recorder.chunks[1:-1]


def envelope(name: str) -> bytes:
    """How a letter is announced."""
    return (
        f"MAIL FROM:<letters@blog.example>\r\nRCPT TO:<{name}@x.example>\r\nDATA\r\n"
    ).encode()


async def test_a_letter_costs_one_write_and_one_round_trip() -> None:
    """Its body leaves with the next one's envelope (RFC 2920)."""
    end = DATA + b".\r\n"
    assert await record(b"250 PIPELINING\r\n") == [
        envelope("a"),
        end + envelope("b"),
        end + envelope("c"),
        end,
    ]


async def test_where_the_next_letter_is_not_there_yet_nothing_waits_for_it() -> None:
    """Body and dot leave alone."""
    end = DATA + b".\r\n"
    assert await record(b"250 PIPELINING\r\n", slow=True) == [
        *(envelope("a"), end, envelope("b"), end, envelope("c"), end)
    ]


async def test_without_pipelining_each_command_is_a_write() -> None:
    """And waits for its reply."""
    expected = [
        chunk
        for name in "abc"
        for chunk in (*envelope(name).splitlines(keepends=True), DATA + b".\r\n")
    ]
    assert await record(b"250 HELP\r\n") == expected


# -- letters that do not fit ---------------------------------------------------------------


@pytest.mark.parametrize(
    "recipient",
    [
        "x@x.example>\r\nRCPT TO:<y@x.example",
        *("x y@x.example", "nobody", "x" * 250 + "@x.example"),
    ],
)
async def test_an_address_cannot_be_a_command(recipient: str) -> None:
    """It fails alone, and the server hears nothing of it."""
    parcels = [letter("a@x.example"), letter(recipient), letter("b@x.example")]
    with serving(FaultServer()) as server:
        assert await send(relay(server), ListFeed(parcels)) == []
    assert [parcel.state for parcel in parcels] == [ACCEPTED, FAILED, ACCEPTED]
    assert names(server.taken) == "ab"
    assert server.connections == 1


@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("slow", [True, False])
async def test_an_international_address_needs_a_relay_that_takes_it(
    *, slow: bool, offered: bool
) -> None:
    """Without SMTPUTF8 it fails and suppresses nobody; ASCII beside it is accepted."""
    parcels = [letter("a@x.example"), letter("김@x.example"), letter("b@x.example")]
    with serving(FaultServer(smtputf8=offered)) as server:
        assert await send(relay(server), ListFeed(parcels, slow=slow)) == []
    assert parcels[1].state is (ACCEPTED if offered else FAILED)
    assert not parcels[1].outcome.suppress
    asked = [command.endswith(" SMTPUTF8") for command in server.commands]
    assert asked.count(True) == offered


async def test_only_what_a_letter_needs_is_asked_for() -> None:
    """BODY=8BITMIME for 8-bit letters where it is offered, else they fail alone."""
    eight = letter("b@x.example", "Subject: x\r\n\r\n글\r\n".encode())
    parcels = [letter("a@x.example"), eight]
    with serving(FaultServer()) as server:
        assert await send(relay(server), ListFeed(parcels)) == []
        assert states(parcels) == {ACCEPTED}
        assert sum("8BITMIME" in command for command in server.commands) == 1
        server.scripted["EHLO"] = ["250 plain.example"]
        parcels = [letter("a@x.example"), letter("b@x.example", eight.message.data)]
        assert await send(relay(server), ListFeed(parcels)) == []
        assert [parcel.state for parcel in parcels] == [ACCEPTED, FAILED]


async def test_a_letter_without_a_last_line_end_is_not_sent() -> None:
    """Its dot would not stand alone on a line."""
    parcels = [letter("a@x.example", b"Subject: x\r\n\r\ntext"), letter("b@x.example")]
    with serving(FaultServer()) as server:
        assert await send(relay(server), ListFeed(parcels)) == []
    assert [parcel.state for parcel in parcels] == [FAILED, ACCEPTED]


@pytest.mark.parametrize("reverse_path", ["a b@x.example", "a@x>\r\nRSET"])
async def test_a_sender_that_is_no_address_stops_the_run(reverse_path: str) -> None:
    """All letters have it; what is under way still gets its verdict."""
    parcels = [letter("a@x.example"), letter("b@x.example", reverse_path=reverse_path)]
    with serving(FaultServer()) as server:
        (trouble,) = await send(relay(server), ListFeed(parcels))
    assert isinstance(trouble, RelayRefusedError)
    assert [parcel.state for parcel in parcels] == [ACCEPTED, QUEUED]
    assert len([c for c in server.commands if c.startswith("MAIL")]) == 1


async def test_a_letter_above_the_size_limit_is_ours_to_mend() -> None:
    """It is not even offered: the next one would be as large."""
    large = letter("b@x.example", b"x" * 999 + b"\r\n")
    parcels = [letter("a@x.example"), large, letter("c@x.example")]
    with serving(FaultServer(size=1000)) as server:
        (trouble,) = await send(relay(server), ListFeed(parcels))
    assert "1000 octets" in str(trouble)
    assert [parcel.state for parcel in parcels] == [ACCEPTED, QUEUED, QUEUED]


# -- the relay ---------------------------------------------------------------------------


async def test_a_relay_that_is_not_there_is_away() -> None:
    """Refused, or turned away with 421: try again later. With 554: ask a person."""
    with pytest.raises(RelayAwayError):
        await relay(FaultServer(port=free_port())).open()
    for greeting, error in [
        ("421 4.3.2 too busy", RelayAwayError),
        ("554 5.7.1 not you", RelayRefusedError),
    ]:
        with serving(FaultServer(greeting=greeting)) as server, pytest.raises(error):
            await relay(server).open()


async def test_a_refused_sender_stops_the_run() -> None:
    """At MAIL every letter would meet the same; a 4yz there is the relay's weather.

    The server goes on with RCPT and DATA as if nothing were: it gets no empty letter.
    """
    parcels = letters(*"ab")
    with serving(FaultServer()) as server:
        server.scripted["MAIL"] = ["452 4.3.1 disk full", "553 5.7.1 not your address"]
        away, refused = await send(relay(server), ListFeed(parcels))
    assert isinstance(away, RelayAwayError)
    assert isinstance(refused, RelayRefusedError)
    assert "553 5.7.1 not your address" in str(refused)
    assert states(parcels) == {QUEUED}
    assert server.taken == []


async def test_a_refused_recipient_may_still_be_asked_for_a_body() -> None:
    """A pipelining server said 354 all the same: it gets an empty body for nobody."""
    refused, fine = parcels = letters(*"ab")
    with serving(FaultServer(naive=True)) as server:
        server.scripted["RCPT"] = ["550 5.1.1 no such user"]
        assert await send(relay(server), ListFeed(parcels)) == []
    assert (refused.state, refused.outcome.suppress) == (FAILED, True)
    assert fine.state is ACCEPTED
    assert server.bodies == [b"", DATA]
    assert server.connections == 1


async def premature(body: bytes, *, alone: bool) -> Outcome:
    """The outcome where the server accepts before it has read the body."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hasty\r\n")
        for answers in (b"250-x\r\n250 PIPELINING\r\n", b"250 a\r\n250 b\r\n354 c\r\n"):
            await reader.readline()
            writer.write(answers)
        for _ in ("RCPT", "DATA", "the first line of the body"):
            await reader.readline()
        writer.write(b"250 kept\r\n250 a\r\n250 b\r\n354 c\r\n"[: 10 if alone else 99])
        await over.wait()
        writer.transport.abort()
        await writer.wait_closed()
        ended.set()

    over, ended = asyncio.Event(), asyncio.Event()
    parcels = [letter("a@x.example", body), letter("b@x.example")]
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        server = FaultServer(port=listener.sockets[0].getsockname()[1])
        feed = ListFeed(parcels, offers=1, slow=alone)
        await send(relay(server, timeouts=SHORT), feed, sessions=1)
        over.set()
        await ended.wait()
    assert parcels[1].intents == 0
    return parcels[0].outcome


@pytest.mark.parametrize("alone", [True, False])
async def test_an_acceptance_before_the_end_of_the_message_is_no_acceptance(
    *, alone: bool
) -> None:
    """Most of a large body is still here when the server claims to have taken it."""
    outcome = await premature(b"0123456789\r\n" * 2_000_000, alone=alone)
    assert outcome.state is DeliveryState.UNKNOWN
    assert "before it was sent" in str(outcome.reply)


async def test_a_connection_that_ended_meanwhile_blames_nobody() -> None:
    """A 421 out of the blue, or more replies than commands: the next letter says so."""
    for surplus in ("421 4.4.2 idle", "250 2.0.0 and again"):
        refused, other = letters("f.rcpt.550-5.1.1.1", "b")
        with serving(FaultServer()) as server:
            server.scripted["RSET"] = [f"250 2.0.0 fine\r\n{surplus}"]
            feed = ListFeed([refused, other])
            (trouble,) = await send(relay(server), feed, sessions=1)
        assert isinstance(trouble, RelayAwayError)
        assert (refused.state, other.state) == (FAILED, QUEUED)
        assert server.taken == []


async def test_what_a_transport_says_about_itself_comes_from_its_relay() -> None:
    """Name, connections, rate and weight."""
    transport = relay(FaultServer(port=2525))
    assert transport.name == "127.0.0.1:2525"
    assert (transport.connections, transport.rate, transport.weight) == (1, 0.0, 1)

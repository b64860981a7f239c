"""Before the first letter nobody is marked, nothing leaves in clear, and no promise is believed twice."""

from __future__ import annotations

import ssl
import tracemalloc
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postroom.errors import RelayAwayError, RelayRefusedError
from tests.fault_server import FaultServer, serving
from tests.smtp.cells import ACCEPTED, FAILED, QUEUED, either_way, every_connection
from tests.smtp.feed import ListFeed, check_truth, four, letter, send, states
from tests.smtp.relays import LOGIN, PATIENT, SHORT, Certified, Relays, meet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEMORY = 4 * 1024 * 1024
"""Octets that a flood may take: what one read brings, cut into lines."""

pytestmark = pytest.mark.usefixtures("in_peace")


AWAY = [
    (verb, fault)
    for verb in ("BANNER", "EHLO")
    for fault in (
        *("drop", "half", "garbage", "html", "binary", "torn", "endless"),
        *("hang", "drip", "giant", "lines", "421", "421-4.3.2", "450"),
    )
]


@either_way
@every_connection
@pytest.mark.parametrize(("verb", "fault"), AWAY)
async def test_a_relay_that_is_not_itself_is_tried_again(
    relays: Relays, verb: str, fault: str, tls: str, *, pipelining: bool
) -> None:
    """The next connection finds it well, and every letter is accepted once."""
    _, letters, troubles = await meet(relays, tls, verb, fault, pipelining=pipelining)
    assert states(letters) == {ACCEPTED}
    assert [type(trouble) for trouble in troubles] == [RelayAwayError]


@either_way
@every_connection
@pytest.mark.parametrize("fault", ["554-5.7.1", "550", "535-5.7.8"])
async def test_a_relay_that_turns_us_away_ends_it(
    relays: Relays, fault: str, tls: str, *, pipelining: bool
) -> None:
    """A 5yz greeting is for a person to mend."""
    _, letters, troubles = await meet(
        relays, tls, "BANNER", fault, pipelining=pipelining
    )
    assert states(letters) == {QUEUED}
    assert [type(trouble) for trouble in troubles] == [RelayRefusedError]


@either_way
@every_connection
@pytest.mark.parametrize("fault", ["500", "502-5.5.1", "550-5.7.1"])
async def test_a_server_without_ehlo_is_talked_to_in_the_old_way(
    relays: Relays, fault: str, tls: str, *, pipelining: bool
) -> None:
    """HELO offers nothing: neither a login nor STARTTLS, and then nothing is sent."""
    _, letters, troubles = await meet(relays, tls, "EHLO", fault, pipelining=pipelining)
    refused = tls != "none"
    assert states(letters) == ({QUEUED} if refused else {ACCEPTED})
    assert [type(t) for t in troubles] == [RelayRefusedError] * refused


@either_way
@every_connection
@pytest.mark.parametrize("fault", ["flood", "mixed", "after", "bye", "twice"])
@pytest.mark.parametrize("verb", ["BANNER", "EHLO"])
async def test_wrong_words_before_the_first_letter_deceive_nobody(
    relays: Relays, verb: str, fault: str, tls: str, *, pipelining: bool
) -> None:
    """Lines nobody asked for are never taken for replies that say go on."""
    server, letters, _ = await meet(relays, tls, verb, fault, pipelining=pipelining)
    assert states(letters) <= {ACCEPTED, QUEUED}
    assert server.taken == [p.message.recipient for p in letters if p.state is ACCEPTED]


@either_way
@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("454-4.7.0", RelayAwayError),
        ("421-4.3.2", RelayAwayError),
        ("drop", RelayAwayError),
        ("garbage", RelayAwayError),
        ("hang", RelayAwayError),
        ("mute", RelayAwayError),
        ("500-5.5.1", RelayRefusedError),
        ("554-5.7.3", RelayRefusedError),
        ("220 2.0.0 go on", RelayRefusedError),
        ("220 2.0.0 go on\r\n250-evil.example\r\n250 AUTH PLAIN", None),
        ("220 2.0.0 go on\r\n235 2.7.0 come in\r\n250 2.1.0 fine", None),
    ],
)
async def test_a_broken_starttls_is_never_done_without(
    relays: Relays, fault: str, trouble: type[Exception] | None, *, pipelining: bool
) -> None:
    """Later or not at all; what is injected before the handshake is not heard after."""
    _, letters, troubles = await meet(
        relays, "starttls", "STARTTLS", fault, pipelining=pipelining
    )
    assert troubles
    if trouble:
        assert [type(t) for t in troubles] == [trouble]
    refused = any(isinstance(t, RelayRefusedError) for t in troubles)
    assert states(letters) == ({QUEUED} if refused else {ACCEPTED})


@either_way
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("454-4.7.0", RelayAwayError),
        ("421-4.7.0", RelayAwayError),
        ("432-4.7.12", RelayAwayError),
        ("drop", RelayAwayError),
        ("garbage", RelayAwayError),
        ("half", RelayAwayError),
        ("hang", RelayAwayError),
        ("giant", RelayAwayError),
        ("535-5.7.8", RelayRefusedError),
        ("534-5.7.9", RelayRefusedError),
        ("538-5.7.11", RelayRefusedError),
        ("530-5.7.0", RelayRefusedError),
    ],
)
async def test_a_login_that_fails_marks_nobody(
    relays: Relays,
    fault: str,
    trouble: type[Exception],
    tls: str,
    *,
    pipelining: bool,
) -> None:
    """For now: the next connection tries again. For good: one try, then a person."""
    server, letters, troubles = await meet(
        relays, tls, "AUTH", fault, pipelining=pipelining
    )
    refused = trouble is RelayRefusedError
    assert [type(t) for t in troubles] == [trouble]
    assert states(letters) == ({QUEUED} if refused else {ACCEPTED})
    logins = [c for c in server.commands if c.startswith("AUTH")]
    assert len(logins) == (1 if refused else 2)


@either_way
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_stripped_or_missing_tls_gets_nothing(
    relays: Relays, tls: str, *, pipelining: bool
) -> None:
    """The relay speaks no TLS where we insist on it."""
    server = relays.server("none", pipelining=pipelining)
    letters = four()
    troubles = await send(relays.transport(server, tls, PATIENT), ListFeed(letters))
    assert [type(t) for t in troubles] == [RelayRefusedError]
    assert not any(c.startswith(("AUTH", "MAIL")) for c in server.commands)
    assert states(letters) == {QUEUED}


@either_way
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_handshake_without_an_end_is_given_up(
    relays: Relays, tls: str, *, pipelining: bool
) -> None:
    """The server takes our first bytes and says nothing more."""
    kind = "none" if tls == "implicit" else "starttls"
    server = relays.server(kind, pipelining=pipelining)
    server.faults = {"BANNER": ["hang"], "STARTTLS": ["mute"]}
    letters = four()
    feed = ListFeed(letters)
    troubles = await send(relays.transport(server, tls, SHORT), feed, sessions=1)
    assert [type(t) for t in troubles] == [RelayAwayError]
    assert server.taken == []


@either_way
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("wrong", ["expired", "self-signed", "other host", "TLS 1.1"])
async def test_a_wrong_certificate_gets_nothing(
    relays: Relays, tmp_path: Path, wrong: str, tls: str, *, pipelining: bool
) -> None:
    """Neither login nor letter, and the error names the certificate."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    known = relays.certified
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {
        "expired": lambda: known.context(until=past),
        "self-signed": Certified(tmp_path).context,
        "other host": lambda: known.context("elsewhere.example"),
        "TLS 1.1": lambda: old_fashioned(known.context()),
    }
    context, letters = contexts[wrong](), four()
    server = FaultServer(pipelining=pipelining, auth=LOGIN)
    server.tls = context if tls == "implicit" else None
    server.starttls = context if tls == "starttls" else None
    with serving(server):
        troubles = await send(
            relays.transport(server, tls, PATIENT), ListFeed(letters), sessions=1
        )
    (trouble,) = troubles
    if wrong != "TLS 1.1":  # then the server ends it, perhaps without a word
        assert isinstance(trouble, RelayRefusedError)
        assert "certificate" in str(trouble)
    assert not any(c.startswith(("AUTH", "MAIL")) for c in server.commands)
    assert states(letters) == {QUEUED}


def old_fashioned(context: ssl.SSLContext) -> ssl.SSLContext:
    """A server that stopped at TLS 1.1."""
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


# -- promises in EHLO that are not kept ------------------------------------------------


@every_connection
async def test_a_relay_that_cannot_pipeline_is_found_out(
    relays: Relays, tls: str
) -> None:
    """It forgets what came in one breath: after one silence each command waits."""
    server = relays.server(tls, pipelining=True)
    server.lies = frozenset({"pipelining"})
    letters = four()
    troubles = await send(relays.transport(server, tls, SHORT), ListFeed(letters))
    assert [type(t) for t in troubles] == [RelayAwayError]
    assert states(letters) == {ACCEPTED}
    check_truth(server, letters)


@either_way
@every_connection
@pytest.mark.parametrize("lie", ["8bitmime", "smtputf8"])
async def test_a_letter_that_needs_a_broken_promise_fails_alone(
    relays: Relays, lie: str, tls: str, *, pipelining: bool
) -> None:
    """The relay refuses the parameter it offered; other letters do not need it."""
    server = relays.server(tls, pipelining=pipelining)
    server.lies = frozenset({lie})
    letters = four()
    letters[1] = (
        letter("b@x.example", "Subject: x\r\n\r\n글\r\n".encode())
        if lie == "8bitmime"
        else letter("김@x.example", smtputf8=True)
    )
    troubles = await send(relays.transport(server, tls, PATIENT), ListFeed(letters))
    assert [p.state for p in letters] == [ACCEPTED, FAILED, ACCEPTED, ACCEPTED]
    assert not letters[1].outcome.suppress
    assert troubles == []
    check_truth(server, letters)


@either_way
@every_connection
async def test_a_size_that_is_refused_after_all_stops_the_run(
    relays: Relays, tls: str, *, pipelining: bool
) -> None:
    """Every letter of the edition is as large as this one."""
    server = relays.server(tls, pipelining=pipelining)
    server.lies = frozenset({"size"})
    letters = four()
    troubles = await send(relays.transport(server, tls, PATIENT), ListFeed(letters))
    assert [type(t) for t in troubles] == [RelayRefusedError]
    assert states(letters) == {QUEUED}


# -- memory ------------------------------------------------------------------------------


@contextmanager
def little_memory() -> Iterator[None]:
    """What runs inside keeps no flood."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@either_way
@pytest.mark.parametrize("tls", ["none", "implicit"])
@pytest.mark.parametrize("fault", ["flood", "giant", "lines"])
@pytest.mark.parametrize("step", ["BANNER", "EHLO", "rcpt", "data", "dot", "QUIT"])
async def test_a_flood_is_not_kept(
    relays: Relays, step: str, fault: str, tls: str, *, pipelining: bool
) -> None:
    """Whenever it comes: the session ends within bounds of memory."""
    server = relays.server(tls, pipelining=pipelining)
    server.faults = {step: [fault]} if step.isupper() else {}
    letters = four() if step.isupper() else four(step, fault)
    feed = ListFeed(letters, offers=1)
    with little_memory():
        await send(relays.transport(server, tls, PATIENT), feed)
    check_truth(server, letters)

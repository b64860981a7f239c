"""Whatever a relay does to one letter, its outcome is the truth and no other letter pays.

Cells of (fault x step x kind of connection x pipelining or not). Each sends four letters,
the second of which meets the fault, and compares what the server took with what we say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import RelayAwayError, RelayRefusedError
from tests.smtp.cells import (
    ACCEPTED,
    DEFERRED,
    FAILED,
    QUEUED,
    QUIET,
    REPLIES,
    WIRE,
    Cell,
    either_way,
    every_connection,
)
from tests.smtp.feed import (
    DATA,
    Letter,
    ListFeed,
    check_truth,
    four,
    letter,
    send,
    states,
)
from tests.smtp.relays import PATIENT, SHORT, Relays, meet

if TYPE_CHECKING:
    from postroom.errors import PostroomError
    from tests.fault_server import FaultServer

LARGE = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 700_000
"""More than the buffers between two processes hold."""

pytestmark = pytest.mark.usefixtures("in_peace")


def check_cell(cell: Cell, letters: list[Letter], *, pipelining: bool) -> None:
    """The faulty letter's outcome, and its neighbours'."""
    before, bad, *after = letters
    outcome = bad.outcome
    assert (outcome.state, outcome.suppress) == (cell.state, cell.suppress)
    alone = cell.alone or cell.phase
    assert outcome.phase is (cell.phase if pipelining else alone)
    assert before.state is (cell.beside if pipelining else ACCEPTED)
    fate = QUEUED if cell.stops else ACCEPTED
    assert [parcel.state for parcel in after] == [fate, fate]


async def play(
    cell: Cell, relays: Relays, tls: str, *, pipelining: bool
) -> tuple[FaultServer, list[Letter], list[PostroomError]]:
    """Send four letters, the second of which meets the fault."""
    server = relays.server(tls, pipelining=pipelining)
    letters = four(cell.step, cell.fault, LARGE if cell.fault == "deaf" else DATA)
    quiet = cell.fault in QUIET
    limits = SHORT if quiet else PATIENT
    feed = ListFeed(letters, offers=2)
    letters[1].offers = int(quiet)  # once is enough to wait for nothing
    troubles = await send(relays.transport(server, tls, limits), feed)
    return server, letters, troubles


@either_way
@pytest.mark.parametrize("cell", REPLIES, ids=str)
async def test_a_reply_decides_about_one_letter(
    relays: Relays, cell: Cell, *, pipelining: bool
) -> None:
    """By phase, then enhanced status, then code; the neighbours are accepted."""
    server, letters, troubles = await play(cell, relays, "none", pipelining=pipelining)
    check_cell(cell, letters, pipelining=pipelining)
    check_truth(server, letters)
    stopped = [isinstance(trouble, RelayRefusedError) for trouble in troubles]
    assert any(stopped) is cell.stops


@either_way
@every_connection
@pytest.mark.parametrize("cell", WIRE, ids=str)
async def test_a_fault_on_the_wire_hurts_one_letter(
    relays: Relays, cell: Cell, tls: str, *, pipelining: bool
) -> None:
    """Before the dot it is not sent, after it only a well-formed verdict counts."""
    server, letters, troubles = await play(cell, relays, tls, pipelining=pipelining)
    check_cell(cell, letters, pipelining=pipelining)
    check_truth(server, letters)
    assert all(isinstance(trouble, RelayAwayError) for trouble in troubles)


# -- two faults in one breath ----------------------------------------------------------

AT_THE_DOT = [c for c in WIRE if c.step == "dot" and c.fault not in QUIET]
BEFORE_IT = [c for c in REPLIES if c.step in {"rcpt", "data"} and not c.stops]


@pytest.mark.parametrize("first", AT_THE_DOT, ids=str)
@pytest.mark.parametrize("second", BEFORE_IT, ids=str)
async def test_a_fault_at_the_dot_is_not_laid_on_the_letter_behind_it(
    relays: Relays, first: Cell, second: Cell
) -> None:
    """Whose envelope left in the same write, and meets a fault of its own."""
    server = relays.server("none", pipelining=True)
    asking = [f"f.{cell.step}.{cell.fault}.1@x.example" for cell in (first, second)]
    parcels = [letter(to) for to in ("a@x.example", *asking, "d@x.example")]
    feed = ListFeed(parcels)
    troubles = await send(relays.transport(server, "none", PATIENT), feed)
    assert [parcel.state for parcel in parcels] == [
        *(ACCEPTED, first.state, second.state, ACCEPTED)
    ]
    assert not parcels[1].outcome.suppress
    assert parcels[2].outcome.suppress is second.suppress
    assert not any(isinstance(trouble, RelayRefusedError) for trouble in troubles)
    check_truth(server, parcels)


# -- between letters, and at the end ---------------------------------------------------


@either_way
@every_connection
@pytest.mark.parametrize(
    "fault", ["421-4.4.2", "500-5.5.1", "drop", "half", "hang", "twice", "bye", "flood"]
)
async def test_a_reset_that_fails_costs_a_connection(
    relays: Relays, fault: str, tls: str, *, pipelining: bool
) -> None:
    """The refused letter stays refused, and the others take the next connection."""
    server = relays.server(tls, pipelining=pipelining)
    server.faults["RSET"] = [fault]
    letters = four("rcpt", "550-5.1.1")
    limits = SHORT if fault in QUIET else PATIENT
    troubles = await send(relays.transport(server, tls, limits), ListFeed(letters))
    assert [p.state for p in letters] == [ACCEPTED, FAILED, ACCEPTED, ACCEPTED]
    assert letters[1].outcome.suppress
    assert [type(t) for t in troubles] == [RelayAwayError]
    check_truth(server, letters)


@either_way
@every_connection
@pytest.mark.parametrize("fault", ["drop", "hang", "garbage", "500", "flood", "giant"])
async def test_a_rude_end_changes_nothing(
    relays: Relays, fault: str, tls: str, *, pipelining: bool
) -> None:
    """All is settled before QUIT, which has its own short limit."""
    _, letters, troubles = await meet(relays, tls, "QUIT", fault, pipelining=pipelining)
    assert states(letters) == {ACCEPTED}
    assert troubles == []


@either_way
@every_connection
async def test_who_was_greylisted_is_accepted_the_second_time(
    relays: Relays, tls: str, *, pipelining: bool
) -> None:
    """Deferred first, and no other letter waits for it."""
    server = relays.server(tls, pipelining=pipelining)
    letters, transport = four("rcpt", "grey"), relays.transport(server, tls, PATIENT)
    assert await send(transport, ListFeed(letters)) == []
    assert [p.state for p in letters] == [ACCEPTED, DEFERRED, ACCEPTED, ACCEPTED]
    assert await send(transport, ListFeed([letters[1]])) == []
    assert states(letters) == {ACCEPTED}
    check_truth(server, letters)


@either_way
@every_connection
@pytest.mark.parametrize("fault", ["after", "bye"])
async def test_a_relay_may_take_one_letter_a_connection(
    relays: Relays, fault: str, tls: str, *, pipelining: bool
) -> None:
    """It closes after each verdict, with or without a 421: none is lost or doubled."""
    server = relays.server(tls, pipelining=pipelining)
    letters = [letter(f"f.dot.{fault}.{number}@x.example") for number in range(5)]
    await send(relays.transport(server, tls, PATIENT), ListFeed(letters))
    assert states(letters) == {ACCEPTED}
    assert server.connections == 5
    check_truth(server, letters)

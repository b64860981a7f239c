"""Postfix's smtp-sink as a second opinion on our SMTP; skipped where it is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import RelayAwayError
from postroom.mail.outcome import DeliveryState
from tests.delivery.run_of import relay, run_of
from tests.delivery.servers import SINK, sinking
from tests.store.scenes import freeze, number_posts, subscribe

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.base import Store

READERS = 120

pytestmark = pytest.mark.skipif(not SINK.exists(), reason="Postfix is not installed")


@pytest.fixture
def audience(store: Store) -> Store:
    """A store in which an edition for many readers is queued."""
    subscribe(store, *(f"reader{number}" for number in range(READERS)))
    number_posts(store, 1)
    freeze(store)
    return store


@pytest.mark.parametrize("connections", [1, 4])
def test_every_letter_is_taken_whole(
    audience: Store, tmp_path: Path, connections: int
) -> None:
    """smtp-sink wrote each message to a file: one for each reader."""
    tmp_path.chmod(0o777)
    folder = tmp_path / "sink"
    folder.mkdir()
    folder.chmod(0o777)
    with sinking(folder, "-d", "%M.") as port:
        delivered = run_of(audience, relay(port, connections=connections))
    assert delivered.counts == {DeliveryState.ACCEPTED: READERS}
    files = [path.read_bytes() for path in folder.iterdir()]
    assert len(files) == READERS
    assert {
        line for data in files for line in data.splitlines() if b"To: r" in line
    } == {f"To: reader{number}@mail.example".encode() for number in range(READERS)}


@pytest.mark.parametrize(
    ("options", "state"),
    [
        (("-r", "RCPT"), DeliveryState.DEFERRED),
        (("-r", "."), DeliveryState.DEFERRED),
        (("-f", "RCPT"), DeliveryState.FAILED),
    ],
)
def test_its_refusals_are_understood(
    audience: Store, tmp_path: Path, options: tuple[str, str], state: DeliveryState
) -> None:
    """450 and 500 to a command."""
    with sinking(tmp_path, *options) as port:
        delivered = run_of(audience, relay(port))
    assert set(delivered.counts) == {state}
    assert delivered.counts[state] == READERS


def test_a_421_to_everything_is_weather(audience: Store, tmp_path: Path) -> None:
    """Nobody is marked; the next run tries again."""
    with sinking(tmp_path, "-Q", "MAIL") as port:
        delivered = run_of(audience, relay(port))
    assert isinstance(delivered.fault, RelayAwayError)
    assert delivered.counts == {}


def test_a_relay_that_dies_of_every_letter_gets_few(
    audience: Store, tmp_path: Path
) -> None:
    """It ends the connection at the dot, always: what that leaves unknown is bounded."""
    with sinking(tmp_path, "-q", ".") as port:
        delivered = run_of(audience, relay(port, connections=2), back_off=(0.0,) * 3)
    assert isinstance(delivered.fault, RelayAwayError)
    assert delivered.counts == {DeliveryState.UNKNOWN: 2 * (1 + 3)}

"""The outbox: one whole file for each message, however often it is handed over."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import RelayAwayError, RelayRefusedError, StoreFullError
from postroom.mail.outcome import DeliveryState
from postroom.smtp.outbox import OutboxTransport, file_name
from tests.smtp.cells import ACCEPTED, DEFERRED, QUEUED, UNKNOWN
from tests.smtp.feed import DATA, Letter, ListFeed, letters, send, states

if TYPE_CHECKING:
    from collections.abc import Awaitable


def shown(folder: Path) -> list[str]:
    """The files in the outbox, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("slow", [True, False])
async def test_a_message_is_one_private_file(tmp_path: Path, *, slow: bool) -> None:
    """Handed over again it replaces itself."""
    transport = OutboxTransport(tmp_path / "outbox")
    for _ in range(2):
        feed = ListFeed(letters("a", "b"), slow=slow)
        assert await send(transport, feed) == []
        assert states(feed.letters) == {ACCEPTED}
    assert shown(tmp_path / "outbox") == ["a@x.example.eml", "b@x.example.eml"]
    path = tmp_path / "outbox" / "a@x.example.eml"
    assert path.read_bytes() == DATA
    assert path.stat().st_mode & 0o777 == 0o600


async def test_several_writers_share_a_feed(tmp_path: Path) -> None:
    """Each message is written by one of them."""
    feed = ListFeed(letters(*"abcdefgh"))
    sessions = [await OutboxTransport(tmp_path).open() for _ in range(3)]
    await asyncio.gather(*(session.run(feed) for session in sessions))
    assert states(feed.letters) == {ACCEPTED}
    assert len(shown(tmp_path)) == 8


@pytest.mark.parametrize("later", [True, False])
async def test_the_file_appears_only_after_the_intent(
    tmp_path: Path, *, later: bool
) -> None:
    """And not at all when the claim is stale; the next one is written all the same."""

    def refuse(parcel: Letter) -> bool | Awaitable[bool]:
        async def say() -> bool:
            return parcel is not first

        assert not list(tmp_path.glob("*.eml"))
        return say() if later else parcel is not first

    first, second = parcels = letters("a", "b")
    assert (
        await send(
            OutboxTransport(tmp_path), ListFeed(parcels, offers=1, intend=refuse)
        )
        == []
    )
    assert (first.state, second.state) == (QUEUED, ACCEPTED)
    assert shown(tmp_path) == ["b@x.example.eml"]


@pytest.mark.parametrize("later", [True, False])
async def test_where_the_ledger_fails_there_is_no_file(
    tmp_path: Path, *, later: bool
) -> None:
    """What it raises is raised on, and only the ledger knows about that message."""

    def fail(parcel: Letter) -> bool | Awaitable[bool]:
        async def raise_later() -> bool:
            raise StoreFullError("no space is left")

        if later:
            return raise_later()
        raise StoreFullError("no space is left")

    feed = ListFeed(letters("a"), intend=fail)
    session = await OutboxTransport(tmp_path).open()
    with pytest.raises(StoreFullError):
        await session.run(feed)
    assert feed.under_way == feed.letters
    assert shown(tmp_path) == []


async def test_cancelled_before_the_intent_a_message_is_queued(tmp_path: Path) -> None:
    """And leaves no file."""

    async def never() -> bool:
        await asyncio.sleep(60)
        return True

    feed = ListFeed(letters("a"), offers=1, intend=lambda _: never())
    session = await OutboxTransport(tmp_path).open()
    task = asyncio.create_task(session.run(feed))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (states(feed.letters), feed.under_way) == ({QUEUED}, [])
    assert shown(tmp_path) == []


async def test_cancelled_after_the_intent_a_message_is_unknown(tmp_path: Path) -> None:
    """A thread renames it meanwhile."""
    feed = ListFeed(letters("a"), offers=1)
    session = await OutboxTransport(tmp_path).open()

    def cancel(parcel: Letter) -> bool:
        asyncio.get_running_loop().call_soon(task.cancel)
        return True

    feed._intend = cancel
    task = asyncio.create_task(session.run(feed))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (states(feed.letters), feed.under_way) == ({UNKNOWN}, [])


async def test_a_name_that_is_taken_by_a_folder_defers_one_message(
    tmp_path: Path,
) -> None:
    """The rename fails for certain, and the other messages have no share in that."""
    (tmp_path / "a@x.example.eml").mkdir()
    feed = ListFeed(letters("a", "b"))
    assert await send(OutboxTransport(tmp_path), feed) == []
    assert [parcel.state for parcel in feed.letters] == [DEFERRED, ACCEPTED]
    assert shown(tmp_path) == ["a@x.example.eml", "b@x.example.eml"]


async def test_a_folder_that_cannot_be_flushed_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may not outlive a power cut."""
    real = os.fsync

    def fail(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path.resolve():
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr("os.fsync", fail)
    feed = ListFeed(letters("a"))
    assert await send(OutboxTransport(tmp_path), feed) == []
    assert states(feed.letters) == {UNKNOWN}
    assert "Input/output" in str(feed.letters[0].outcome.reply)


async def test_an_outbox_that_vanished_queues_what_was_taken(tmp_path: Path) -> None:
    """Nothing was written, and the error names the file."""
    folder = tmp_path / "outbox"
    session = await OutboxTransport(folder).open()
    folder.rmdir()
    feed = ListFeed(letters("a", "b"), offers=1)
    with pytest.raises(RelayAwayError, match="outbox"):
        await session.run(feed)
    assert feed.under_way == []
    assert feed.letters[0].state is DeliveryState.QUEUED


async def test_an_outbox_that_cannot_be_is_named(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "outbox").write_text("")
    with pytest.raises(RelayRefusedError, match="outbox"):
        await OutboxTransport(tmp_path / "outbox").open()


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_ids_have_different_files(one: str, other: str) -> None:
    """Also on file systems that fold case; no id leads out of the folder."""
    name = file_name(f"<{one}>")
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name.encode()) < 255
    if f"<{one}>" != f"<{other}>" and one != other:
        assert (
            name.lower() != file_name(f"<{other}>").lower()
            or one.strip() == other.strip()
        )

"""The outbox: one whole file for each message, however often it is handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import RelayRefusedError
from postroom.mail.message import Message
from postroom.mail.outcome import DeliveryState
from postroom.smtp.outbox import OutboxTransport, file_name

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = Message(
    reverse_path="letters@blog.example",
    recipient="kim@reader.example",
    message_id="<0a1b@blog.example>",
    data=b"Subject: x\r\n\r\ntext\r\n",
)


async def test_a_message_is_one_private_file(tmp_path: Path) -> None:
    """Handed over again it replaces itself."""
    session = await OutboxTransport(tmp_path / "outbox").open()

    async def intend() -> bool:
        return True

    for _ in range(2):
        outcome = await session.send(MESSAGE, intend)
        assert outcome.state is DeliveryState.ACCEPTED
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.name == "0a1b@blog.example.eml"
    assert path.read_bytes() == MESSAGE.data
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_file_appears_only_after_the_intent(tmp_path: Path) -> None:
    """And not at all when the claim is stale."""
    session = await OutboxTransport(tmp_path).open()

    async def intend() -> bool:
        assert not list(tmp_path.glob("*.eml"))
        return False

    outcome = await session.send(MESSAGE, intend)
    assert outcome.state is DeliveryState.QUEUED
    assert list(tmp_path.iterdir()) == []


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

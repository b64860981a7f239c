"""The transport of a new site: each message becomes a file that any mail program opens.

The name follows from the Message-ID alone, so a message handed over again replaces
itself. A file appears whole or not at all: written under a hidden name, forced to the
disk, then renamed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from typing import TYPE_CHECKING

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import NOBODY, DeliveryState, Outcome, Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from postroom.smtp.base import Feed, P

WRITERS = 8
"""At once: they share what one flush of the disk costs."""
NAME_LIMIT = 150
"""Characters of a file name, far below the 255 octets of every file system."""
PLAIN_NAME = re.compile(r"[a-z0-9_][a-z0-9._@+=-]*")
"""Names that no file system folds, hides or refuses."""


def file_name(message_id: str) -> str:
    """Message-ID → file name; different ids never share one, not even by case."""
    plain = message_id.strip().removeprefix("<").removesuffix(">")
    if len(plain) <= NAME_LIMIT and PLAIN_NAME.fullmatch(plain):
        return f"{plain}.eml"
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
    readable = re.sub(r"[^a-z0-9._@+=-]+", "_", plain.lower()).lstrip("._-")
    return f"{readable[:NAME_LIMIT]}-{digest[:32]}.eml"


class OutboxTransport:
    """Writes into `folder`; the contract is `smtp.base.Transport`."""

    name = "outbox"
    connections = WRITERS
    rate = 0.0
    weight = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def open(self) -> OutboxSession:
        """Make the folder; raise RelayAwayError or RelayRefusedError."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise explain(self._folder, error) from error
        return OutboxSession(self._folder)


class OutboxSession:
    """One writer; the contract is `smtp.base.Session`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def run(self, feed: Feed[P]) -> None:
        """Write each message into its file; see `smtp.base.Session.run`."""
        while (parcel := feed.take() or await feed.wait()) is not None:
            await self._store(feed, parcel)

    async def close(self) -> None:
        """Nothing is open between messages."""

    async def _store(self, feed: Feed[P], parcel: P) -> None:
        name = file_name(parcel.message.message_id)
        hidden = self._folder / f".{name}.tmp"
        try:
            await asyncio.to_thread(_write, hidden, parcel.message.data)
        except BaseException as error:
            hidden.unlink(missing_ok=True)
            feed.settle(parcel, _outcome(DeliveryState.QUEUED, Phase.DATA, str(error)))
            if isinstance(error, OSError):
                raise explain(hidden, error) from error
            raise
        if not await _is_intended(feed, parcel, hidden):
            return
        try:
            outcome = await asyncio.to_thread(_show, hidden, self._folder / name)
        except BaseException:  # the thread goes on by itself, and nobody hears how
            lost = "interrupted while it was renamed"
            feed.settle(parcel, _outcome(DeliveryState.UNKNOWN, Phase.DOT, lost))
            raise
        feed.settle(parcel, outcome)


async def _is_intended(feed: Feed[P], parcel: P, hidden: Path) -> bool:
    """Ask for the intent; where there is none, leave neither file nor open parcel."""
    intended: bool | Awaitable[bool] = False
    try:
        intended = feed.intend(parcel)
        if not isinstance(intended, bool):
            intended = await intended
    except asyncio.CancelledError:
        feed.settle(parcel, _outcome(DeliveryState.QUEUED, Phase.DATA, "interrupted"))
        raise
    finally:
        if intended is not True:
            _discard(hidden)
    if not intended:
        stale = "the claim is stale"
        feed.settle(parcel, _outcome(DeliveryState.QUEUED, Phase.DATA, stale))
    return intended


def explain(path: Path, error: OSError) -> RelayAwayError | RelayRefusedError:
    """What the file system refuses, in the operator's words."""
    what = f"{path}: {error.strerror or error}"
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        return RelayRefusedError(
            what, cure="check the permissions of the outbox folder"
        )
    return RelayAwayError(what, cure="free some space, then run again")


def _outcome(state: DeliveryState, phase: Phase, text: str) -> Outcome:
    return Outcome(
        state=state, phase=phase, reply=Reply(code=NOBODY, status="", text=text)
    )


def _write(path: Path, data: bytes) -> None:
    """Write and force to the disk; readable by the owner alone, as it names a person."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _discard(hidden: Path) -> None:
    hidden.unlink(missing_ok=True)


def _show(hidden: Path, path: Path) -> Outcome:
    """Give the file its name, and make that outlive a power cut."""
    try:
        hidden.replace(path)
    except OSError as error:  # then there is no file of that name, for certain
        hidden.unlink(missing_ok=True)
        return _outcome(DeliveryState.DEFERRED, Phase.DATA, f"{path}: {error}")
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return _outcome(DeliveryState.UNKNOWN, Phase.DOT, f"{path}: {error}")
    return _outcome(DeliveryState.ACCEPTED, Phase.DOT, f"written to {path.name}")

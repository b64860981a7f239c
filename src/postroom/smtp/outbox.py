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
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from postroom.mail.message import Message

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

    connections = WRITERS

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

    async def send(
        self, message: Message, intend: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """Write `message` into its file; see `smtp.base.Session.send`."""
        name = file_name(message.message_id)
        path = self._folder / name
        hidden = self._folder / f".{name}.tmp"
        try:
            await asyncio.to_thread(_write, hidden, message.data)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise explain(hidden, error) from error
        if not await intend():
            hidden.unlink(missing_ok=True)
            return _outcome(DeliveryState.QUEUED, Phase.DATA, "the claim is stale")
        try:
            await asyncio.to_thread(hidden.replace, path)
        except OSError as error:  # then there is no file of that name, for certain
            return _outcome(DeliveryState.DEFERRED, Phase.DATA, f"{path}: {error}")
        try:
            await asyncio.to_thread(_sync_folder, self._folder)
        except OSError as error:
            return _outcome(DeliveryState.UNKNOWN, Phase.DOT, f"{path}: {error}")
        return _outcome(DeliveryState.ACCEPTED, Phase.DOT, f"written to {name}")

    async def close(self) -> None:
        """Nothing is open between messages."""


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


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Signing an edition before its slot, so that the slot's minute is spent on the wire only.

Nothing depends on it: what is not signed ahead is signed when it is sent. A run that is
killed here goes on where it stopped.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.compose.letters import stamp
from postroom.errors import UnknownEditionError
from postroom.files.signatures import (
    SignatureWriter,
    remove_signatures,
    signatures_path,
    signed_editions,
)
from postroom.mail.compiled_signatures import signed_octets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from postroom.compose.letters import MessageBuilder
    from postroom.mail.message import Draft
    from postroom.store.base import Store
    from postroom.store.values import Claim, Edition

    Drafts = list[tuple[int, Draft]]

FURTHEST = timedelta(days=1)
"""No edition is frozen earlier than this before its slot (`digest.prepare`)."""
BATCH = 500
"""Deliveries read and signed at a time: an eighth of a second of work on one core."""
CHUNK = 32
"""Drafts for a thread at a time."""


def coming_editions(store: Store, now: datetime) -> list[Edition]:
    """Return the editions that are frozen and whose slot is still to come."""
    coming = []
    for edition in store.editions():  # newest first
        if edition.frozen_at < now - FURTHEST:
            break
        if edition.slot > now:
            coming.append(edition)
    return coming


def remove_spent(store: Store, state_folder: Path) -> None:
    """Remove the signatures of editions of which nothing waits for its first attempt."""
    for key in signed_editions(state_folder):
        try:
            waits = store.queued_after(key, 0, 1)
        except UnknownEditionError:
            waits = []
        if not waits:
            remove_signatures(signatures_path(state_folder, key))


def sign_ahead(
    store: Store,
    edition: str,
    builder: MessageBuilder,
    state_folder: Path,
    *,
    time_is_up: Callable[[], bool],
) -> int:
    """Sign what is queued of an edition, from where an earlier run stopped; return how many.

    A letter that cannot be made is passed over: sending it says why. Ends early when
    `time_is_up`, which is asked a few times a second.
    """
    count = 0
    with (
        SignatureWriter(
            signatures_path(state_folder, edition),
            octets=signed_octets(builder.keys),
            stamp=stamp(builder.keys),
        ) as writer,
        ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="signer") as threads,
    ):
        last = writer.last_subscriber()
        while not time_is_up():
            claims = store.queued_after(edition, last, BATCH)
            if not claims:
                break
            drafts = _drafts(claims, builder)
            chunks = [drafts[i : i + CHUNK] for i in range(0, len(drafts), CHUNK)]
            for signed in threads.map(_sign, chunks):
                for subscriber_id, fingerprint, signature in signed:
                    writer.append(subscriber_id, fingerprint, signature)
            count += len(drafts)
            last = claims[-1].subscriber_id
    return count


def _drafts(claims: Iterable[Claim], builder: MessageBuilder) -> Drafts:
    drafts = []
    for claim in claims:
        try:
            drafts.append((claim.subscriber_id, builder.draft(claim)))
        except Exception:  # noqa: BLE001, S112 - said when it is sent, to that one only
            continue
    return drafts


def _sign(drafts: Drafts) -> list[tuple[int, bytes, bytes]]:
    """In a thread; the arithmetic does not hold the interpreter's lock."""
    return [(id_, draft.fingerprint, draft.signed()) for id_, draft in drafts]

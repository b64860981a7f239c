"""Signing an edition before its slot, so that the slot's minute is spent on the wire only.

Nothing depends on it: what is not signed ahead is signed when it is sent. A run that is
killed here goes on where it stopped.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from postroom.store.base import Claim, Store

BATCH = 500
"""Deliveries read and signed at a time: an eighth of a second of work on one core."""
CHUNK = 32
"""Drafts for a thread at a time."""


class Signable(Protocol):
    """A draft whose signatures can be kept (`mail.message.Draft`)."""

    @property
    def fingerprint(self) -> bytes:
        """Of everything that is signed."""
        ...

    def signed(self) -> bytes:
        """The signatures, and what goes with them."""
        ...


class Writer(Protocol):
    """Where they are kept (`files.signatures.SignatureWriter`)."""

    def last_subscriber(self) -> int:
        """The last one who has a signature."""
        ...

    def append(self, subscriber_id: int, fingerprint: bytes, signature: bytes) -> None:
        """Add one, in ascending order of subscribers."""
        ...


def sign_ahead(
    store: Store,
    edition: str,
    draft: Callable[[Claim], Signable],
    writer: Writer,
    *,
    time_is_up: Callable[[], bool],
) -> int:
    """Sign what is queued of an edition, from where an earlier run stopped; return how many.

    A letter that cannot be made is passed over: sending it says why. Ends early when
    `time_is_up`, which is asked a few times a second.
    """
    count = 0
    last = writer.last_subscriber()
    with ThreadPoolExecutor(
        os.cpu_count() or 1, thread_name_prefix="signer"
    ) as threads:
        while not time_is_up():
            claims = store.queued_after(edition, last, BATCH)
            if not claims:
                break
            drafts = _drafts(claims, draft)
            chunks = [drafts[i : i + CHUNK] for i in range(0, len(drafts), CHUNK)]
            for signed in threads.map(_sign, chunks):
                for subscriber_id, fingerprint, signature in signed:
                    writer.append(subscriber_id, fingerprint, signature)
            count += len(drafts)
            last = claims[-1].subscriber_id
    return count


def _drafts(
    claims: Iterable[Claim], draft: Callable[[Claim], Signable]
) -> list[tuple[int, Signable]]:
    drafts = []
    for claim in claims:
        try:
            drafts.append((claim.subscriber_id, draft(claim)))
        except Exception:  # noqa: BLE001, S112 - said when it is sent, to that one only
            continue
    return drafts


def _sign(drafts: Iterable[tuple[int, Signable]]) -> list[tuple[int, bytes, bytes]]:
    """In a thread; the arithmetic does not hold the interpreter's lock."""
    return [(id_, made.fingerprint, made.signed()) for id_, made in drafts]

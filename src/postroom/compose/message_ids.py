"""The Message-ID of a delivery, also where no intent with it is on record.

After a power cut a run's claims are unknown and the journal that named them may be gone.
A Message-ID follows from edition, subscriber and secret, so it can be computed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.mail.compiled_ids import MessageIds
from postroom.subscribers.address import parse_address
from postroom.subscribers.token import parse_keys

if TYPE_CHECKING:
    from postroom.config.sections import Config
    from postroom.store.base import Store
    from postroom.store.values import Delivery


def find_message_id(row: Delivery, store: Store, config: Config, secret: bytes) -> str:
    """Return the Message-ID of `row` with its angle brackets, or "" when nobody knows.

    `secret` and the domain of `mail.from` are those of today: had they been others when
    the message was made, no log will know the id.
    """
    if row.message_id or not row.email:
        return row.message_id
    subscriber = store.subscriber(parse_address(row.email).key)
    if subscriber is None:
        return ""
    ids = MessageIds(row.edition, parse_keys(secret))
    local_part = ids.local_part(subscriber.id).decode("ascii")
    return f"<{local_part}@{config.from_domain}>"

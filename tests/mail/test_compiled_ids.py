"""A Message-ID is the same for one edition and subscriber, and nobody else can make it."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.compiled_ids import MessageIds, prepare_mac
from postroom.subscribers.token import parse_keys

OLD = b"0123456789abcdef0123456789abcdef"
NEW = b"fedcba9876543210fedcba9876543210"


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.integers(0, 2**63 - 1))
def test_an_id_is_a_mac_of_edition_and_subscriber(
    edition: str, subscriber_id: int
) -> None:
    """HMAC-SHA256 by the oldest key, 160 bits; a new key below changes no id."""
    said = f"postroom message id\0{edition}\0{subscriber_id}".encode()
    mac = hmac.digest(OLD, said, "sha256")[:20]
    for secret in (OLD, OLD + b"\n" + NEW):
        ids = MessageIds(edition, parse_keys(secret))
        assert ids.local_part(subscriber_id) == mac.hex().encode()


def test_what_is_made_for_one_purpose_is_good_for_no_other() -> None:
    """A boundary tells nothing about Message-IDs."""
    keys = parse_keys(OLD)
    assert (
        len({prepare_mac(keys, what, "e").digest(b"7") for what in ("a", "ab", "b")})
        == 3
    )

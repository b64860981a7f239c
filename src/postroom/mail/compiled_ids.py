"""Message-IDs (RFC 5322 §3.6.4) of one edition: the same however often it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.subscribers.token import PreparedMac

if TYPE_CHECKING:
    from postroom.subscribers.token import Keys

ID_OCTETS = 20
"""160 bits: nobody can make one up, and a report that quotes one is about our message."""


class MessageIds:
    """The local parts of an edition's Message-IDs, one for each subscriber."""

    __slots__ = ("_mac",)

    def __init__(self, edition: str, keys: Keys) -> None:
        self._mac = prepare_mac(keys, "message id", edition)

    def local_part(self, subscriber_id: int) -> bytes:
        """Return what stands before the `@`: hexadecimal, as some servers fold case."""
        mac = self._mac.digest(b"%d" % subscriber_id)
        return mac[:ID_OCTETS].hex().encode("ascii")


def prepare_mac(keys: Keys, what: str, edition: str) -> PreparedMac:
    """Return what makes values of an edition that nobody else can compute.

    By the oldest key, which stays when a new one is added: a letter sent again has the
    id it had.
    """
    begin = f"postroom {what}\0{edition}\0".encode()
    return PreparedMac(keys.oldest_first[0].secret, begin)

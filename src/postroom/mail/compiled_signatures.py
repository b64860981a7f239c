"""The DKIM signatures (RFC 6376) of a letter's messages, one for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.mail.compiled_header import (
    OVERSIGNED_FIELDS,
    PERSONAL_FIELDS,
    SIGNED_FIELDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from postroom.mail.compiled_header import CompiledHeader
    from postroom.mail.dkim import DkimKey, SignatureForm

HASH_OCTETS = 32
"""Of SHA-256."""


def signed_octets(keys: Sequence[DkimKey]) -> int:
    """Return how long what `Signatures.sign` returns is: the body's hash, a signature each."""
    return HASH_OCTETS + sum(key.signature_octets for key in keys)


class Signatures:
    """Makes signatures as octets, and fields of such octets; false without keys."""

    __slots__ = ("_pairs", "octets")

    def __init__(
        self, header: CompiledHeader, date: datetime, keys: Sequence[DkimKey]
    ) -> None:
        """`date` is when they say that they were made, a whole second."""
        self._pairs = tuple(_forms(header, int(date.timestamp()), keys))
        self.octets = signed_octets(keys)
        """How long what `sign` returns is."""

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def sign(self, values: Sequence[bytes], body_hash: bytes) -> bytes:
        """Return the body's hash and all signatures; `values` are of PERSONAL_FIELDS."""
        return body_hash + b"".join(
            [key.sign(form.digest(values, body_hash)) for key, form in self._pairs]
        )

    def render(self, signed: bytes) -> list[bytes]:
        """Return the fields for what `sign` returned.

        Raises ValueError where it is of another length.
        """
        if len(signed) != self.octets:
            raise ValueError(f"{len(signed)} octets are no signatures of this letter")
        body_hash, end = signed[:HASH_OCTETS], HASH_OCTETS
        fields = []
        for key, form in self._pairs:
            start, end = end, end + key.signature_octets
            fields.append(form.render(body_hash, signed[start:end]))
        return fields

    def static(self) -> Iterator[bytes]:
        """Yield what tells these from the signatures of another letter or key."""
        nothing = [b""] * len(PERSONAL_FIELDS)
        for key, form in self._pairs:
            yield key.public
            yield form.digest(nothing, bytes(HASH_OCTETS))


def _forms(
    header: CompiledHeader, timestamp: int, keys: Sequence[DkimKey]
) -> Iterator[tuple[DkimKey, SignatureForm]]:
    if not keys:
        return
    from postroom.mail.dkim import SignatureForm  # noqa: PLC0415 - only to sign

    static = [field for field in header.fields if field[0] in SIGNED_FIELDS]
    for key in keys:
        yield (
            key,
            SignatureForm(key, static, PERSONAL_FIELDS, OVERSIGNED_FIELDS, timestamp),
        )

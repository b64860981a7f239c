"""DKIM signatures of letters: RFC 6376, RFC 8301 (key sizes), RFC 8463 (Ed25519).

What all messages of a letter share is canonicalised and hashed once: a signature then
costs a copy of that hash, the few personal fields, and the key's own arithmetic.
Canonicalisation is relaxed for header and body. No `l=` (it would let anyone append to
the body), no `x=` (a slow retry must not outlive it), no `i=` (it would say `d=` again).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from postroom.errors import DkimKeyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

RSA = "rsa-sha256"
ED25519 = "ed25519-sha256"

MIN_RSA_BITS = 1024
"""Receivers take a shorter key for no signature at all (RFC 8301 §3.2)."""
GOOD_RSA_BITS = 2048
"""What a signer should use at least (RFC 8301 §3.2)."""
MAX_RSA_BITS = 4096
"""No receiver has to verify a longer one (RFC 8301 §3.2)."""
ED25519_OCTETS = 64
COLUMNS = 76
"""Columns of a line of the signature field; a tag that cannot be folded may be longer."""
MAX_DNS_NAME = 253
"""Characters of a name in the DNS (RFC 1035 §2.3.4)."""
MAX_DNS_STRING = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3)."""

FIELD = "DKIM-Signature"
CRLF = "\r\n"
FOLD = "\r\n "

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and where in the DNS its public half lies."""

    domain: str
    """`d=`: who takes responsibility."""
    selector: str
    """`s=`: which of the domain's keys."""
    algorithm: str
    """`a=`: "rsa-sha256" or "ed25519-sha256"."""
    signature_octets: int
    """256 for RSA-2048, 64 for Ed25519."""
    public: bytes = field(repr=False)
    """As the DNS has it: SubjectPublicKeyInfo (RSA) or the 32 octets (Ed25519)."""
    signer: Callable[[bytes], bytes] = field(repr=False, compare=False)

    def sign(self, digest: bytes) -> bytes:
        """Return the signature of a SHA-256 `digest` of header fields.

        May be called from several threads; the arithmetic does not hold the
        interpreter's lock.
        """
        return self.signer(digest)

    @property
    def is_weak(self) -> bool:
        """Whether it is an RSA key shorter than a signer should use."""
        return self.algorithm == RSA and self.signature_octets * 8 < GOOD_RSA_BITS


def parse_key(pem: bytes, *, domain: str, selector: str) -> DkimKey:
    """Return the private key in `pem` (PKCS#8 or PKCS#1), RSA or Ed25519.

    Raises DkimKeyError when there is none, when it has a passphrase, is of another kind
    or of a size that receivers refuse, and when `domain` or `selector` is no DNS name.
    """
    domain, selector = domain.lower(), selector.lower()
    check_place(domain, selector)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - 40 ms, only to sign
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.asymmetric.rsa import (  # noqa: PLC0415 - the same
        RSAPrivateKey,
    )

    key = _load(pem)
    if isinstance(key, RSAPrivateKey):
        octets, public, signer = _rsa(key)
        return DkimKey(domain, selector, RSA, octets, public, signer)
    if isinstance(key, Ed25519PrivateKey):
        public, signer = key.public_key().public_bytes_raw(), key.sign
        return DkimKey(domain, selector, ED25519, ED25519_OCTETS, public, signer)
    raise DkimKeyError("the key is neither RSA nor Ed25519", cure=NEW_KEY)


NEW_KEY = "make one with `postroom dkim new`"


def check_place(domain: str, selector: str) -> None:
    """Raise DkimKeyError unless the DNS can have a key under both names, in lower case."""
    if not _DOMAIN.fullmatch(domain):
        raise DkimKeyError(
            f"{domain!r} is no domain to sign for",
            cure="write it as the DNS has it, such as blog.example or xn--bj0bj06e.example",
        )
    if not _SELECTOR.fullmatch(selector):
        raise DkimKeyError(
            f"{selector!r} is no selector",
            cure="letters, digits and hyphens, such as postroom or 2026-11",
        )
    if len(_record_name(domain, selector)) > MAX_DNS_NAME:
        raise DkimKeyError(
            f"{_record_name(domain, selector)} is too long for the DNS",
            cure="choose a shorter selector",
        )


def _load(pem: bytes) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 40 ms
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_private_key,
    )

    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise DkimKeyError(
            "the key has a passphrase",
            cure="take it off with `openssl pkey`: nobody is there to type it at night",
        ) from None
    except UnsupportedAlgorithm:
        raise DkimKeyError("the key is of an unknown kind", cure=NEW_KEY) from None
    except ValueError:
        what = "no private key in PEM form"
        if b"PUBLIC KEY" in pem:
            what = "a public key, where the private one should be"
        raise DkimKeyError(what, cure=NEW_KEY) from None


def _rsa(key: RSAPrivateKey) -> tuple[int, bytes, Callable[[bytes], bytes]]:
    """Return octets of a signature, the public key, and what signs (RFC 6376 §3.3.1)."""
    from cryptography.hazmat.primitives.asymmetric.padding import (  # noqa: PLC0415 - 40 ms
        PKCS1v15,
    )
    from cryptography.hazmat.primitives.asymmetric.utils import (  # noqa: PLC0415 - the same
        Prehashed,
    )
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        Encoding,
        PublicFormat,
    )

    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise DkimKeyError(
            f"an RSA key of {key.key_size} bits, which receivers do not take",
            cure=NEW_KEY,
        )
    padding, digested = PKCS1v15(), Prehashed(SHA256())
    return (
        (key.key_size + 7) // 8,
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        lambda digest: key.sign(digest, padding, digested),
    )


# -- the signature of a message --------------------------------------------------


class SignatureForm:
    """What the DKIM-Signature fields of all messages of one letter have in common."""

    __slots__ = ("_folds", "_lead", "_state", "_template")

    def __init__(
        self,
        key: DkimKey,
        static: Sequence[tuple[str, str]],
        personal: Sequence[str],
        oversigned: Sequence[str],
        timestamp: int,
    ) -> None:
        """Canonicalise and hash what is the same in every message.

        `static` are (name, value as it stands in the message, may be folded);
        `personal` the names of fields whose values come later, in that order;
        `oversigned` the names signed once more than there are fields, so that nobody
        can add one (§8.15); `timestamp` is in seconds since 1970. Raises ValueError
        when a name comes twice: `h=` would then mean the last field first (§5.4.2).
        """
        names = [*(name for name, _ in static), *personal]
        if len({name.lower() for name in names}) < len(names):
            raise ValueError(f"a field is given twice: {', '.join(names)}")
        tags = [
            "v=1",
            f"a={key.algorithm}",
            "c=relaxed/relaxed",
            f"d={key.domain}",
            f"s={key.selector}",
            f"t={timestamp}",
        ]
        lead = _fold_tags(tags, [*names, *oversigned]) + f"{FOLD}bh="
        self._lead = f"{FIELD}: {lead}".encode("ascii")
        self._folds = _plan_folds(key.signature_octets)
        self._state = sha256(b"".join(canonical_header(*item) for item in static))
        fields = [*(f"{name.lower()}:%b{CRLF}" for name in personal)]
        # The signature itself, with `b=` empty and without the last CRLF (§3.7).
        itself = canonical_header(FIELD, lead).removesuffix(b"\r\n")
        self._template = (
            "".join(fields).encode("ascii") + itself.replace(b"%", b"%%") + b"%b; b="
        )

    def digest(self, personal: Sequence[bytes], body_hash: bytes) -> bytes:
        """Return what is to be signed for one message, a SHA-256 (§3.7).

        `personal` are values as they stand in the message, after `Name: ` and without
        the last CRLF, in the order of the names given; `body_hash` is the SHA-256 of
        the canonicalised body.
        """
        state = self._state.copy()
        values = map(_relax, personal)
        state.update(self._template % (*values, b2a_base64(body_hash, newline=False)))
        return state.digest()

    def render(self, body_hash: bytes, signature: bytes) -> bytes:
        """Return the whole field, folded, with its last CRLF."""
        text = b2a_base64(signature, newline=False)
        lines = [text[start:end] for start, end in self._folds]
        return b"%b%b;\r\n b=%b\r\n" % (
            self._lead,
            b2a_base64(body_hash, newline=False),
            b"\r\n ".join(lines),
        )


def canonical_header(name: str, value: str) -> bytes:
    """Return a field in relaxed form (§3.4.2), with its last CRLF.

    `value` may be folded; text outside ASCII is UTF-8 (RFC 8616 §3).
    """
    return f"{name.strip(' ').lower()}:".encode() + _relax(value.encode()) + b"\r\n"


def _relax(value: bytes) -> bytes:
    """Unfold, make each run of blanks and tabs one blank, cut those at the ends."""
    value = value.replace(b"\r\n", b"").replace(b"\t", b" ")
    while b"  " in value:
        value = value.replace(b"  ", b" ")
    return value.strip(b" ")


def _fold_tags(tags: Iterable[str], signed: Sequence[str]) -> str:
    """Return the value up to and with `h=…;`, folded behind `;` and `:` (§3.5)."""
    pieces = [f"{tag};" for tag in tags]
    names = [f"{name}:" for name in signed[:-1]] + [f"{signed[-1]};"]
    names[0] = f"h={names[0]}"
    lines = [f"{FIELD}:"]
    for piece in pieces:
        _place(lines, piece, " ")
    lines.append(" " + names[0])
    for name in names[1:]:
        _place(lines, name, "")
    return CRLF.join(lines).removeprefix(f"{FIELD}: ")


def _place(lines: list[str], piece: str, gap: str) -> None:
    """Put `piece` behind the last line, or on a new one where it has no room."""
    if len(lines[-1]) + len(gap) + len(piece) <= COLUMNS or lines[-1] == f"{FIELD}:":
        lines[-1] += gap + piece
    else:
        lines.append(f" {piece}")


def _plan_folds(octets: int) -> list[tuple[int, int]]:
    """Return from where to where each line of a signature of `octets` goes, in base64."""
    characters = (octets + 2) // 3 * 4
    first = COLUMNS - len(" b=")
    starts = [0, *range(first, characters, COLUMNS - 1)]
    return list(zip(starts, [*starts[1:], characters], strict=True))


# -- the record in the DNS -------------------------------------------------------


def dns_record(key: DkimKey) -> tuple[str, str]:
    """Return name and value of the TXT record that verifies `key` (§3.6.1, RFC 8463 §4)."""
    kind = key.algorithm.partition("-")[0]
    public = b2a_base64(key.public, newline=False).decode("ascii")
    return _record_name(key.domain, key.selector), f"v=DKIM1; k={kind}; p={public}"


def split_record(value: str) -> list[str]:
    """Cut the value of a TXT record into strings of 255 octets, as a zone has them."""
    return [
        value[start : start + MAX_DNS_STRING]
        for start in range(0, len(value), MAX_DNS_STRING)
    ]


def render_zone_line(key: DkimKey) -> str:
    """Return the record as a line of a zone file (RFC 1035 §5.1)."""
    name, value = dns_record(key)
    strings = " ".join(f'"{part}"' for part in split_record(value))
    return f"{name}. IN TXT {strings}"


def _record_name(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"

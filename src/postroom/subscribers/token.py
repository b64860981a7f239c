"""Signed links: who may confirm, leave or change preferences without a login.

A link's text is `KEY.SUBSCRIBER.MAC`, or `KEY.SUBSCRIBER.EXPIRES.MAC`. The MAC is
HMAC-SHA256 (RFC 2104) over purpose, subscriber and expiry, cut to 128 bits (§5), in
URL-safe base64 (RFC 4648 §5); so a link for one purpose is good for no other. The key
is named by a fingerprint of itself: a new secret is added below the old one, signs
from then on, and letters sent before keep working until the old line is removed.
"""

from __future__ import annotations

import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from postroom.errors import ConfigError, PostroomError

MAC_OCTETS = 16
"""128 bits: 22 characters of a URL, and 2^128 guesses."""
MAC_CHARACTERS = 22
"""Of their base64; the padding that follows says nothing."""
MIN_SECRET = 16
"""Octets; a shorter one could be guessed off line from any link."""
FINGERPRINT = 6
"""Hex digits: enough to tell a handful of keys apart."""

LINK = re.compile(
    rf"(?P<key>[0-9a-f]{{{FINGERPRINT}}})\.(?P<subscriber>0|[1-9][0-9]{{0,18}})"
    r"(?:\.(?P<expires>[1-9][0-9]{0,11}))?"
    rf"\.(?P<mac>[A-Za-z0-9_-]{{{MAC_CHARACTERS}}})"
)

_BLOCK = 64
_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """What a link is good for."""

    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


class LinkError(PostroomError):
    """A signed link is not ours, is for something else, or came in damaged.

    `text` is the link as it came and `purpose` what it was used for.
    """

    def __init__(self, what: str, *, text: str, purpose: Purpose) -> None:
        super().__init__(what, cure="use the link of the newest letter")
        self.text = text
        self.purpose = purpose


class LinkExpiredError(LinkError):
    """A link of ours came too late; `subscriber_id` and `expires` are what it said."""

    def __init__(
        self, *, text: str, purpose: Purpose, subscriber_id: int, expires: datetime
    ) -> None:
        super().__init__(
            f"this link was good until {expires:%Y-%m-%d %H:%M} UTC",
            text=text,
            purpose=purpose,
        )
        self.subscriber_id = subscriber_id
        self.expires = expires


@dataclass(frozen=True, slots=True)
class Key:
    """One secret and the fingerprint that names it in links."""

    fingerprint: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"  # a secret must not reach a traceback


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets from oldest to newest: the last one signs, all of them verify."""

    oldest_first: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that signs."""
        return self.oldest_first[-1]


def parse_keys(text: bytes) -> Keys:
    """Return the keys of a secret file: one secret a line, the newest last.

    Raises ConfigError when there is none, or one is too short to be secret.
    """
    secrets = [line.strip() for line in text.splitlines() if line.strip()]
    if not secrets or any(len(secret) < MIN_SECRET for secret in secrets):
        raise ConfigError(
            f"the secret of signed links needs a line of at least {MIN_SECRET} characters",
            cure="restore the file; with a new one, links in letters sent so far fail",
        )
    return Keys(tuple(Key(_fingerprint(secret), secret) for secret in secrets))


def sign_link(
    purpose: Purpose,
    subscriber_id: int,
    keys: Keys,
    *,
    expires: datetime | None = None,
) -> str:
    """Return the text that proves one subscriber's right to one thing, safe in a URL."""
    key = keys.newest
    subject = str(subscriber_id)
    if expires is not None:
        subject += f".{int(expires.timestamp())}"
    return f"{key.fingerprint}.{subject}.{_mac(key.secret, purpose, subject)}"


class PreparedMac:
    """HMAC-SHA256 (RFC 2104 §4) of many texts that begin alike.

    The key and the beginning are hashed once, so a short rest costs half of
    `hmac.digest`; every message needs three.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes, begin: bytes) -> None:
        if len(secret) > _BLOCK:
            secret = sha256(secret).digest()
        block = secret.ljust(_BLOCK, b"\0")
        self._inner = sha256(block.translate(_INNER_PAD) + begin)
        self._outer = sha256(block.translate(_OUTER_PAD))

    def digest(self, rest: bytes) -> bytes:
        """Return the MAC, 32 octets, of the beginning and `rest`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return outer.digest()


class LinkSigner:
    """Signs links of one purpose, none of which expires, for many subscribers.

    `prefix + sign(7)` is what `sign_link` returns for subscriber 7; the key and the
    purpose are hashed once.
    """

    __slots__ = ("_mac", "prefix")

    def __init__(self, purpose: Purpose, keys: Keys) -> None:
        self.prefix = f"{keys.newest.fingerprint}."
        """Of every link: the key's name and a dot."""
        begin = f"postroom link\0{purpose}\0".encode()
        self._mac = PreparedMac(keys.newest.secret, begin)

    def sign(self, subscriber_id: int) -> bytes:
        """Return the rest of the link of a subscriber: `SUBSCRIBER.MAC`."""
        subject = b"%d" % subscriber_id
        return b"%b.%b" % (subject, _render_mac(self._mac.digest(subject)))


def verify_link(
    text: str, purpose: Purpose, keys: Keys, *, now: datetime | None = None
) -> int:
    """Return the subscriber id that `text` was signed for with this purpose.

    Raises LinkError, or LinkExpiredError after its time. Without `now`, a link that
    expires at all is refused: its time cannot be judged.
    """
    found = LINK.fullmatch(text)
    if found is None:
        raise LinkError("this link is damaged", text=text, purpose=purpose)
    subject = text[text.index(".") + 1 : text.rindex(".")]
    if not any(
        hmac.compare_digest(_mac(key.secret, purpose, subject), found["mac"])
        for key in keys.oldest_first
        if key.fingerprint == found["key"]
    ):
        raise LinkError(
            f"this link is not one to {purpose}", text=text, purpose=purpose
        )
    subscriber_id = int(found["subscriber"])
    if found["expires"] is not None:
        expires = datetime.fromtimestamp(int(found["expires"]), UTC)
        if now is None or expires < now:
            raise LinkExpiredError(
                text=text,
                purpose=purpose,
                subscriber_id=subscriber_id,
                expires=expires,
            )
    return subscriber_id


def _mac(secret: bytes, purpose: Purpose, subject: str) -> str:
    """MAC of a subject; the NULs keep its parts apart."""
    signed = f"postroom link\0{purpose}\0{subject}".encode()
    return _render_mac(hmac.digest(secret, signed, "sha256")).decode("ascii")


def _render_mac(mac: bytes) -> bytes:
    # Faster than base64.urlsafe_b64encode; every message has two of them.
    encoded = binascii.b2a_base64(mac[:MAC_OCTETS], newline=False)
    return encoded.translate(_URL_SAFE)[:MAC_CHARACTERS]


def _fingerprint(secret: bytes) -> str:
    return hmac.digest(secret, b"postroom key id", "sha256").hex()[:FINGERPRINT]

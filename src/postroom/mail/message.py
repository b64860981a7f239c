"""The RFC 5322 bytes for one subscriber, built from a letter.

One boundary for header values: every value is cleaned to a single line, and the
finished bytes are parsed again and must hold exactly the expected field names. Nothing
is random: the same letter for the same subscriber gives the same bytes, so a message
sent again is the same message.
"""

from __future__ import annotations

import base64
import hmac
import quopri
import re
from dataclasses import dataclass
from email.header import Header
from email.parser import BytesHeaderParser
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from postroom.errors import MessageUnsafeError
from postroom.mail.characters import clean_line
from postroom.mail.flowed import deletes_blanks
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE, fill_holes
from postroom.mail.list_headers import host_of, list_headers, personal_link
from postroom.subscribers.token import Purpose, parse_keys

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.mail.letter import Letter

MAX_LINE = 998
"""Octets of a header line, RFC 5322 §2.1.1."""
MAX_NAME = 100
"""Characters of a display name; a longer one is no name."""
SPECIALS = re.compile(r'[][()<>@,:;\\".]')
"""What must be quoted in a display name (RFC 5322 §3.2.3)."""
ADDRESS = re.compile(
    r"[^\s<>,;:\"()\[\]\\\x00-\x1f\x7f-\x9f]+@[^\s<>,;:\"()\[\]\\@\x00-\x1f\x7f-\x9f]+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a transport hands over: the envelope and the bytes, lines ended by CRLF."""

    reverse_path: str
    recipient: str
    message_id: str
    """With its angle brackets."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The one subscriber a message is for, and the edition it belongs to."""

    edition: str
    subscriber_id: int
    email: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What all messages of a site share."""

    from_: str
    """A mailbox as the operator wrote it: `Name <letters@blog.example>`."""
    reply_to: str
    site_title: str
    site_url: str
    link_url: str
    """Base of personal links, ends with `/`."""
    postal_address: str
    secret: bytes
    """The key of signed links and of Message-IDs, one secret a line, newest last."""


def build_message(
    letter: Letter, sender: Sender, recipient: Recipient, date: datetime
) -> Message:
    """Return the message of `letter` for one subscriber; `date` is the edition's.

    Raises MessageUnsafeError for an address that is none, and when the finished bytes
    hold other header fields than they should.
    """
    from_name, from_address = parseaddr(clean_line(sender.from_))
    for address in (from_address, recipient.email):
        if not ADDRESS.fullmatch(address):
            raise MessageUnsafeError(f"not an address: {address!r}", cure="mend it")
    keys = parse_keys(sender.secret)
    links = {
        UNSUBSCRIBE_HOLE: personal_link(
            sender.link_url, Purpose.UNSUBSCRIBE, recipient.subscriber_id, keys
        ),
        PREFERENCES_HOLE: personal_link(
            sender.link_url, Purpose.PREFERENCES, recipient.subscriber_id, keys
        ),
    }
    message_id = _message_id(
        keys.oldest_first[0].secret, recipient, from_address.rpartition("@")[2]
    )
    boundary = f"=_{message_id[1:33]}"
    fields = [
        ("Date", format_datetime(date)),
        ("From", _mailbox(from_name, from_address)),
        ("To", _mailbox(recipient.name, recipient.email)),
        ("Subject", _encoded(letter.subject)),
        ("Message-ID", message_id),
        *list_headers(sender.site_url, links[UNSUBSCRIBE_HOLE]),
        ("Precedence", "bulk"),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Language", clean_line(letter.language)),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    if sender.reply_to:
        reply_name, reply_address = parseaddr(clean_line(sender.reply_to))
        fields.insert(3, ("Reply-To", _mailbox(reply_name, reply_address)))
    flowed = "format=flowed" + (
        "; delsp=yes" if deletes_blanks(letter.language) else ""
    )
    parts = (
        _part(f"text/plain; charset=utf-8; {flowed}", fill_holes(letter.text, links)),
        _part("text/html; charset=utf-8", fill_holes(letter.html, links)),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    _require_names(head, [name for name, _ in fields])
    edge = f"--{boundary}".encode()
    body = (
        b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
    )
    return Message(
        reverse_path=from_address,
        recipient=recipient.email,
        message_id=message_id,
        data=head + b"\r\n" + body,
    )


def _message_id(secret: bytes, recipient: Recipient, domain: str) -> str:
    """A function of edition and subscriber: the same in every attempt (RFC 5322 §3.6.4)."""
    subject = f"postroom message\0{recipient.edition}\0{recipient.subscriber_id}"
    digest = hmac.digest(secret, subject.encode(), "sha256").hex()[:32]
    return f"<{digest}@{host_of(domain)}>"


def _mailbox(name: str, address: str) -> str:
    """A name-addr (RFC 5322 §3.4), its display name encoded where it must be (RFC 2047)."""
    name = clean_line(name)[:MAX_NAME].strip()
    if not name:
        return address
    if not name.isascii() or "=?" in name:  # what looks encoded would be decoded
        return f"{_encoded(name)} <{address}>"
    if SPECIALS.search(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{address}>"


def _encoded(text: str) -> str:
    """Unstructured text as ASCII on one or more folded lines (RFC 2047)."""
    text = clean_line(text)
    if text.isascii() and "=?" not in text and len(text) < MAX_LINE - len("Subject: "):
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name="Subject").encode(
        linesep="\r\n"
    )


def _part(content_type: str, text: str) -> bytes:
    """One body part with CRLF inside; base64 or quoted-printable, whichever is smaller."""
    data = text.replace("\n", "\r\n").encode()
    as_base64 = base64.encodebytes(data).replace(b"\n", b"\r\n")
    quoted = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    # A lone dot or `From ` at a line's start would be changed on the way.
    quoted = re.sub(rb"(?m)^\.", b"=2E", quoted)
    quoted = re.sub(rb"(?m)^From ", b"=46rom ", quoted)
    name, body = b"base64", as_base64
    if len(quoted) < len(as_base64) and max(map(len, quoted.split(b"\r\n"))) <= 76:  # noqa: PLR2004 - RFC 2045 §6.7
        name, body = b"quoted-printable", quoted
    return (
        b"Content-Type: "
        + content_type.encode()
        + b"\r\nContent-Transfer-Encoding: "
        + name
        + b"\r\n\r\n"
        + body
    )


def _require_names(head: bytes, names: list[str]) -> None:
    """Parse the finished header again: exactly these fields, no line too long."""
    found = BytesHeaderParser().parsebytes(head + b"\r\n")
    lines = head.split(b"\r\n")
    if (
        found.keys() != names
        or found.defects
        or any(len(line) > MAX_LINE for line in lines)
        or b"\n" in head.replace(b"\r\n", b"")
        or b"\r" in head.replace(b"\r\n", b"")
        or b"\0" in head
    ):
        raise MessageUnsafeError(
            "the header would hold other fields than it should",
            cure="look for control characters in site.title, mail.from and the subject",
        )

"""The RFC 5322 bytes for one subscriber, built from a letter.

No dice and no clock: the same letter, sender, recipient and date make the same bytes, so
a message that is sent again is the same message, with the same Message-ID. Whatever a
title or name holds, the finished header is read again and must have the expected fields.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from postroom.errors import AddressError, MessageUnsafeError
from postroom.feeds.characters import clean_language
from postroom.mail.body import build_body
from postroom.mail.header_text import (
    Mailbox,
    parse_mailbox,
    render_free_text,
    render_mailbox,
)
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE, fill_holes
from postroom.mail.list_headers import (
    can_one_click,
    header_url,
    list_field_names,
    list_fields,
)
from postroom.subscribers.address import parse_address, parse_name
from postroom.subscribers.token import Purpose, parse_keys, sign_link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from postroom.mail.letter import Letter
    from postroom.subscribers.token import Keys

ID_OCTETS = 20
"""160 bits: nobody can make one up, and a report that quotes one is about our message."""
MAX_LINE = 998
"""Octets of a header line (RFC 5322 §2.1.1)."""

_FIELD = re.compile(rb"([A-Za-z][A-Za-z-]*): ")
_UNSAFE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a transport hands over: the envelope and the bytes, lines ended by CRLF."""

    reverse_path: str
    recipient: str
    message_id: str
    """With its angle brackets."""
    data: bytes
    smtputf8: bool = False
    """Only a relay that offers SMTPUTF8 (RFC 6531) can take it."""


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
    """The key of signed links and of Message-IDs."""


def build_message(
    letter: Letter, sender: Sender, recipient: Recipient, date: datetime
) -> Message:
    """Return the message that brings `letter` to `recipient`; `date` is the edition's.

    Raises MessageUnsafeError when the recipient's address, or one of the sender's, is
    none, and when the result would not be what it should.
    """
    keys = parse_keys(sender.secret)
    from_, reply_to, to = _mailboxes(sender, recipient)
    leave = link(Purpose.UNSUBSCRIBE, sender, recipient, keys)
    preferences = link(Purpose.PREFERENCES, sender, recipient, keys)
    message_id = build_message_id(from_, recipient, keys)
    # `=_` is in no encoded body, and 24 more letters keep the field on one short line.
    boundary = "=_" + _mac(keys, "boundary", recipient)[:24]
    fields = [
        ("Date", _format_date(date)),
        *_address_fields(from_, reply_to, to),
        ("Subject", render_free_text(letter.subject, len("Subject: "))),
        ("Message-ID", message_id),
        *list_fields(
            sender.site_title,
            sender.site_url,
            leave,
            mailto=reply_to.address.email if reply_to else "",
        ),
        *_fixed_fields(letter.language, boundary),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    check_header(head, expected_field_names(sender))
    links = {UNSUBSCRIBE_HOLE: leave, PREFERENCES_HOLE: preferences}
    body = build_body(
        fill_holes(letter.text, links),
        fill_holes(letter.html, {hole: escape(url) for hole, url in links.items()}),
        delsp=_deletes_blanks(letter.language),
        boundary=boundary,
    )
    return Message(
        reverse_path=from_.address.email,
        recipient=to.address.email,
        message_id=message_id,
        data=head + b"\r\n" + body,
        smtputf8=not head.isascii(),
    )


def expected_field_names(sender: Sender) -> tuple[str, ...]:
    """Return the header fields of every message of `sender`, in their order."""
    return (
        "Date",
        "From",
        *(("Reply-To",) if sender.reply_to else ()),
        "To",
        "Subject",
        "Message-ID",
        *list_field_names(one_click=can_one_click(sender.link_url)),
        "Precedence",
        "Auto-Submitted",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    )


def check_header(head: bytes, expected: tuple[str, ...]) -> None:
    """Raise MessageUnsafeError unless `head` has exactly the `expected` fields, in order.

    `head` is the header with the CRLF of its last line. Two readers judge it: a strict
    one of our own, and the email package, which believes in more line ends than we do.
    """
    names = []
    for line in head.split(b"\r\n")[:-1]:
        field = _FIELD.match(line)
        if field:
            names.append(field[1].decode("ascii"))
        elif not line.startswith(b" ") or not line.strip():
            names.append("?")
        if len(line) > MAX_LINE:
            raise MessageUnsafeError(
                "a line of the header is too long", cure="shorten titles and names"
            )
    if _UNSAFE.search(head) or tuple(names) != expected:
        raise _unexpected(names)
    from email.parser import BytesHeaderParser  # noqa: PLC0415 - 30 ms, only to send

    again = BytesHeaderParser().parsebytes(head + b"\r\n")
    if again.defects or tuple(again.keys()) != expected or again.get_payload():
        raise _unexpected(again.keys())


def build_message_id(from_: Mailbox, recipient: Recipient, keys: Keys) -> str:
    """Return the Message-ID of one edition for one subscriber, however often it is sent.

    Of the oldest key, which stays when a new one is added.
    """
    domain = from_.address.email.rpartition("@")[2]
    return f"<{_mac(keys, 'message id', recipient)}@{domain}>"


def link(purpose: Purpose, sender: Sender, recipient: Recipient, keys: Keys) -> str:
    """Return the recipient's own link, `{link_url}{purpose}/{token}`."""
    token = sign_link(purpose, recipient.subscriber_id, keys)
    return f"{header_url(sender.link_url)}{purpose}/{token}"


def _mailboxes(
    sender: Sender, recipient: Recipient
) -> tuple[Mailbox, Mailbox | None, Mailbox]:
    """Return who it is from, where answers go, and who it is for, all judged once more."""
    try:
        return (
            parse_mailbox(sender.from_),
            parse_mailbox(sender.reply_to) if sender.reply_to else None,
            Mailbox(parse_name(recipient.name), parse_address(recipient.email)),
        )
    except AddressError as error:
        raise MessageUnsafeError(error.what, cure=error.cure) from None


def _address_fields(
    from_: Mailbox, reply_to: Mailbox | None, to: Mailbox
) -> Iterable[tuple[str, str]]:
    yield "From", render_mailbox(from_, len("From: "))
    if reply_to:
        yield "Reply-To", render_mailbox(reply_to, len("Reply-To: "))
    yield "To", render_mailbox(to, len("To: "))


def _fixed_fields(language: str, boundary: str) -> Iterable[tuple[str, str]]:
    yield "Precedence", "bulk"
    # RFC 3834 §5: no vacation program answers a letter.
    yield "Auto-Submitted", "auto-generated"
    yield "Content-Language", clean_language(language) or "und"
    yield "MIME-Version", "1.0"
    yield "Content-Type", f'multipart/alternative; boundary="{boundary}"'


def _mac(keys: Keys, what: str, recipient: Recipient) -> str:
    """Return what nobody else can compute for this edition and subscriber, in base32."""
    signed = f"postroom {what}\0{recipient.edition}\0{recipient.subscriber_id}"
    mac = hmac.digest(keys.oldest_first[0].secret, signed.encode(), "sha256")
    return base64.b32encode(mac[:ID_OCTETS]).decode("ascii").lower()


def _format_date(date: datetime) -> str:
    from email.utils import format_datetime  # noqa: PLC0415 - 30 ms, only to send

    return format_datetime(date)


def _deletes_blanks(language: str) -> bool:
    from postroom.mail.flowed import deletes_blanks  # noqa: PLC0415 - regex, only to send

    return deletes_blanks(language)


def _unexpected(names: Iterable[str]) -> MessageUnsafeError:
    return MessageUnsafeError(
        f"the header would have the fields {', '.join(names)}",
        cure="look for control characters in titles, names and addresses",
    )

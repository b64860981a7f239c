"""The RFC 5322 bytes for one subscriber, built from a letter."""

from __future__ import annotations

from dataclasses import dataclass


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
    """The key of signed links and of Message-IDs."""

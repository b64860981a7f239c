"""Values of header fields: display names, mailboxes and free text (RFC 5322, RFC 2047)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from postroom.mail.characters import clean_line
from postroom.subscribers.address import Address, parse_address, parse_name

LINE = 76
"""Columns of a line with an encoded word (RFC 2047 §2)."""
MAX_WORD = 75
"""Characters of one encoded word (RFC 2047 §2)."""
WORD_FRAME = len("=?utf-8?b??=")

# RFC 5322 §3.2.3 and §4.1: words that need no quotes, blanks between them.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_MAILBOX = re.compile(r"(?P<name>.*)<(?P<address>[^<>]*)>", re.DOTALL)
# A reader's program would decode it (RFC 2047 §5), so it must not pass as it is.
_ENCODED_WORD = "=?"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name (or empty) and an address."""

    name: str
    address: Address


def parse_mailbox(text: str) -> Mailbox:
    """Return the mailbox that an operator wrote: `Name <a@b.example>` or `a@b.example`.

    Raises AddressError.
    """
    found = _MAILBOX.fullmatch(text.strip())
    if found is None:
        return Mailbox("", parse_address(text))
    name = found["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Mailbox(parse_name(name), parse_address(found["address"]))


def render_mailbox(mailbox: Mailbox, column: int) -> str:
    """Return `mailbox` for a field whose name takes `column` characters, folded.

    The address is raw UTF-8 when its local part is not ASCII (RFC 6532 §3.2).
    """
    email = mailbox.address.email
    phrase = render_phrase(mailbox.name, column)
    if not phrase:
        return email
    last = len(phrase.rpartition("\n")[2]) + (0 if "\n" in phrase else column)
    gap = " " if last + len(email) + len(" <>") <= LINE else "\r\n "
    return f"{phrase}{gap}<{email}>"


def render_phrase(text: str, column: int) -> str:
    """Return a display name (§3.2.5): atoms, a quoted string, or encoded words."""
    text = clean_line(text)
    if not text.isascii() or _ENCODED_WORD in text:
        return encode_words(text, column)
    if not text or _ATOMS.fullmatch(text):
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def render_free_text(text: str, column: int) -> str:
    """Return an unstructured value (§2.2.1) for a field name of `column` characters."""
    text = clean_line(text)
    if text.isascii() and _ENCODED_WORD not in text and column + len(text) <= LINE:
        return text
    return encode_words(text, column)


def encode_words(text: str, column: int) -> str:
    """Return `text` as encoded words in base64, one a line, no character split."""
    words = []
    piece = b""
    room = _octets(MAX_WORD - column)
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > room:
            words.append(piece)
            piece = b""
            room = _octets(MAX_WORD - 1)
        piece += encoded
    words.append(piece)
    return "\r\n ".join(
        f"=?utf-8?b?{base64.b64encode(word).decode('ascii')}?="
        for word in words
        if word
    )


def _octets(characters: int) -> int:
    """How many octets an encoded word of so many characters can say."""
    return (characters - WORD_FRAME) // 4 * 3

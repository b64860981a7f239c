"""Values of header fields: display names, mailboxes and free text (RFC 5322, RFC 2047)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from postroom.mail.characters import clean_line
from postroom.subscribers.address import MAX_NAME, Address, parse_address, parse_name

LINE = 76
"""Columns of a line with an encoded word (RFC 2047 §2)."""
MAX_WORD = 75
"""Characters of one encoded word (RFC 2047 §2)."""
WORD_FRAME = len("=?utf-8?b??=")

# RFC 5322 §3.2.3 and §4.1: words that need no quotes, blanks between them.
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_MAILBOX = re.compile(r"(?P<name>.*)<(?P<address>[^<>]*)>", re.DOTALL)
PLAIN_ADDRESS = 64
"""Octets; in an address no longer than that no part of it is too long."""
# What `parse_address` returns as it is: lower-case domain, hyphens one at a time.
_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9_+~=-]+(?:\.[A-Za-z0-9_+~=-]+)*"
    r"@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]+"
)
# What `parse_name` and `clean_line` return as it is: words, one blank between them.
# ASCII without `"`, `\` and `=` (so no encoded word), and letters that are one code
# point in NFC whatever stands beside them: Latin, Cyrillic, Kana, Han, Hangul.
PLAIN_LETTERS = "!#-<>-\\[\\]-~À-ÖØ-öø-ſЁА-яёぁ-ゖァ-ヺーㄱ-ㅣ一-鿿가-힣"
_PLAIN_NAME = re.compile(f"[{PLAIN_LETTERS}]+(?: [{PLAIN_LETTERS}]+)*")
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
    return _join_mailbox(phrase, email, column) if phrase else email


def render_plain_mailbox(name: str, email: str, column: int) -> str | None:
    """Return what `render_mailbox` makes of a name and address as subscribers have them.

    None unless both are of the usual kind, which needs no second look: then `email` is
    in ASCII and as it goes on the wire, and the value can hold nothing but these two.
    """
    if len(email) > PLAIN_ADDRESS or not _PLAIN_ADDRESS.fullmatch(email):
        return None
    if not name:
        return email
    if len(name) > MAX_NAME or not _PLAIN_NAME.fullmatch(name):
        return None
    if not name.isascii():
        return _join_mailbox(encode_words(name, column), email, column)
    phrase = name if _ATOMS.fullmatch(name) else f'"{name}"'
    return _join_mailbox(phrase, email, column)


def _join_mailbox(phrase: str, email: str, column: int) -> str:
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
    octets = text.encode()
    room = _octets(MAX_WORD - column)
    if len(octets) <= room:
        return _encode_word(octets)
    words = []
    piece = b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > room:
            words.append(piece)
            piece = b""
            room = _octets(MAX_WORD - 1)
        piece += encoded
    words.append(piece)
    return "\r\n ".join(_encode_word(word) for word in words if word)


def _encode_word(octets: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(octets, newline=False).decode('ascii')}?="


def _octets(characters: int) -> int:
    """How many octets an encoded word of so many characters can say."""
    return (characters - WORD_FRAME) // 4 * 3

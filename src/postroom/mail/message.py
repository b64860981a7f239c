"""The RFC 5322 bytes for each subscriber, filled into a letter that was compiled once.

    Letter ─► compile_letter ─► CompiledLetter ─► fill ─► Message
                                              └─► draft ─► sign ─► Message

No dice and no clock: the same letter, sender, recipient and date make the same bytes, so
a message that is sent again is the same message, with the same Message-ID. Hence its
signatures can be made long before it leaves (`Draft.signed`), and put in later.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, NamedTuple, Protocol

from postroom.errors import AddressError, MessageUnsafeError
from postroom.mail.body import CompiledBody, PartText
from postroom.mail.compiled_header import (
    CompiledHeader,
    Heading,
    compile_header,
    field_names,
)
from postroom.mail.compiled_ids import MessageIds, prepare_mac
from postroom.mail.compiled_signatures import Signatures
from postroom.mail.header_text import (
    Mailbox,
    parse_mailbox,
    render_mailbox,
    render_plain_mailbox,
)
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE, split_at_holes
from postroom.mail.list_headers import can_one_click, header_url
from postroom.subscribers.address import parse_address, parse_name
from postroom.subscribers.token import LinkSigner, Purpose, parse_keys

if TYPE_CHECKING:
    from _hashlib import HASH
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from postroom.mail.dkim import DkimKey
    from postroom.mail.letter import Letter
    from postroom.subscribers.token import Keys

FINGERPRINT_OCTETS = 16
BOUNDARY_CHARACTERS = 24
"""After `=_`, which no encoded part contains; the field stays on one short line."""
TYPICAL_VALUE = b"123456." + b"A" * 22
"""What a link of a subscriber ends with, where sizes are compared."""
TO_COLUMN = len("To: ")
FIRST_BODY_VALUE = 9
"""Pieces of a message before it: seven of the header, two that begin the body."""


class Message(NamedTuple):
    """What a transport hands over: the envelope and the bytes."""

    reverse_path: str
    recipient: str
    message_id: str
    """With its angle brackets."""
    data: bytes
    """What goes over the wire, as it is: lines end with CRLF, also the last; no CR or LF
    stands alone; no line begins with a dot, so there is nothing to stuff (RFC 5321
    §4.5.2); 7 bits, unless `smtputf8`."""
    smtputf8: bool = False
    """Only a relay that offers SMTPUTF8 (RFC 6531) can take it."""


class Addressee(Protocol):
    """Whom a message is for: a Recipient, or a claim of the ledger as it is."""

    @property
    def subscriber_id(self) -> int:
        """Named in links and, hashed, in the Message-ID."""
        ...

    @property
    def email(self) -> str:
        """An addr-spec."""
        ...

    @property
    def name(self) -> str:
        """A display name, or empty."""
        ...


class Recipient(NamedTuple):
    """The one subscriber a message is for."""

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


class Personal(NamedTuple):
    """What one subscriber's message says that no other does."""

    to: bytes
    """The value of the field To, folded."""
    id_local: bytes
    """Of the Message-ID."""
    leave: bytes
    """The end of the link to leave; so is `preferences`."""
    preferences: bytes


class Draft:
    """One subscriber's message, complete but for its signatures."""

    __slots__ = ("_email", "_letter", "_personal", "_pieces")

    def __init__(self, letter: CompiledLetter, email: str, personal: Personal) -> None:
        self._letter = letter
        self._email = email
        self._personal = personal
        self._pieces = letter.assemble(personal)

    @property
    def fingerprint(self) -> bytes:
        """16 octets that change whenever anything that is signed changes, or by what.

        What was `signed` under the same fingerprint belongs to this draft.
        """
        said = b"\0".join((self._letter.digest, *self._personal))
        return hashlib.blake2b(said, digest_size=FINGERPRINT_OCTETS).digest()

    def signed(self) -> bytes:
        """Return body hash and signatures, as long for every draft of a letter.

        The heavy half, for any thread: most of it is done without the interpreter's lock.
        The body is hashed as it is, for it was compiled so that relaxed canonicalisation
        (RFC 6376 §3.4.4) changes nothing.
        """
        letter = self._letter
        body = letter.body_begun.copy()
        body.update(b"".join(self._pieces[FIRST_BODY_VALUE:]))
        values = letter.header.personal_values(*self._personal[:3])
        return letter.signatures.sign(values, body.digest())

    def complete(self, signed: bytes) -> Message:
        """Return the message with what `signed` made for it; nothing is computed again.

        Raises ValueError where `signed` is of another length than this letter's.
        """
        pieces = self._letter.signatures.render(signed)
        pieces += self._pieces
        return self._letter.seal(self._email, self._personal, pieces)

    def sign(self) -> Message:
        """Return the message, signed now."""
        return self.complete(self.signed())


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledLetter:
    """A letter in bytes, with holes for what is personal; made by `compile_letter`."""

    reverse_path: str
    header: CompiledHeader
    body: CompiledBody
    ids: MessageIds
    leave: LinkSigner
    preferences: LinkSigner
    signatures: Signatures
    digest: bytes
    """Of everything that is the same in all its messages, and of the keys."""
    body_begun: HASH
    """SHA-256 of the body up to its first value; copied, never changed."""

    @property
    def signed_octets(self) -> int:
        """How long `Draft.signed` is."""
        return self.signatures.octets

    def fill(self, recipient: Addressee) -> Message:
        """Return the message for `recipient`, of a letter compiled without keys.

        Raises MessageUnsafeError when the address is none, or the header would not be
        what it should.
        """
        if self.signatures:
            raise ValueError("a letter with keys is drafted, then signed")
        email, personal = self._personalise(recipient)
        return self.seal(email, personal, self.assemble(personal))

    def draft(self, recipient: Addressee) -> Draft:
        """Return the message for `recipient` before it is signed; raises as `fill`."""
        if not self.signatures:
            raise ValueError("a letter without keys is filled")
        return Draft(self, *self._personalise(recipient))

    def _personalise(self, recipient: Addressee) -> tuple[str, Personal]:
        """Return the envelope's recipient and what fills the holes."""
        subscriber_id = recipient.subscriber_id
        email = recipient.email
        plain = render_plain_mailbox(recipient.name, email, TO_COLUMN)
        to = b"" if plain is None else plain.encode("ascii")
        personal = Personal(
            to,
            self.ids.local_part(subscriber_id),
            self.leave.sign(subscriber_id),
            self.preferences.sign(subscriber_id),
        )
        if plain is None:
            mailbox = _judge(recipient)
            email = mailbox.address.email
            personal = personal._replace(to=render_mailbox(mailbox, TO_COLUMN).encode())
            self.header.check(*personal[:3])
        return email, personal

    def assemble(self, personal: Personal) -> list[bytes]:
        """Return the unsigned message in pieces."""
        to, id_local, leave, preferences = personal
        one, two, three, four = self.header.pieces
        pieces = [one, to, two, id_local, three, leave, four]
        self.body.fill(pieces, (leave, preferences))
        return pieces

    def seal(self, email: str, personal: Personal, pieces: Iterable[bytes]) -> Message:
        """Return the message that `pieces` make."""
        before, after = self.header.id_frame
        return Message(
            self.reverse_path,
            email,
            f"{before}{personal.id_local.decode('ascii')}{after}",
            b"".join(pieces),
            self.header.smtputf8 or not personal.to.isascii(),
        )


def compile_letter(
    letter: Letter,
    sender: Sender,
    edition: str,
    date: datetime,
    keys: Sequence[DkimKey] = (),
) -> CompiledLetter:
    """Make bytes of everything that is the same in all messages of `letter`.

    `date` is the edition's, with a zone; with `keys` its messages are signed (DKIM,
    RFC 6376). Raises MessageUnsafeError when an address or link of the sender is none,
    when the letter has a hole that nothing fills, and when the header would not be what
    it should.
    """
    secrets = parse_keys(sender.secret)
    leave = LinkSigner(Purpose.UNSUBSCRIBE, secrets)
    preferences = LinkSigner(Purpose.PREFERENCES, secrets)
    begins = [
        f"{header_url(sender.link_url)}{purpose}/{signer.prefix}"
        for purpose, signer in (
            (Purpose.UNSUBSCRIBE, leave),
            (Purpose.PREFERENCES, preferences),
        )
    ]
    heading = _heading(sender, date, begins[0], _boundary(letter, edition, secrets))
    header = compile_header(letter, heading, expected_field_names(sender))
    body = CompiledBody(
        _parts(letter, begins), heading.boundary, [TYPICAL_VALUE] * len(begins)
    )
    signatures = Signatures(header, date, keys)
    return CompiledLetter(
        reverse_path=heading.from_.address.email,
        header=header,
        body=body,
        ids=MessageIds(edition, secrets),
        leave=leave,
        preferences=preferences,
        signatures=signatures,
        digest=_digest(header, body, signatures),
        body_begun=hashlib.sha256(body.begin),
    )


def expected_field_names(sender: Sender) -> tuple[str, ...]:
    """Return the header fields of every unsigned message of `sender`, in their order."""
    return field_names(
        reply_to=bool(sender.reply_to), one_click=can_one_click(sender.link_url)
    )


def _heading(sender: Sender, date: datetime, leave: str, boundary: str) -> Heading:
    try:
        return Heading(
            date=date,
            from_=parse_mailbox(sender.from_),
            reply_to=parse_mailbox(sender.reply_to) if sender.reply_to else None,
            site_title=sender.site_title,
            site_url=sender.site_url,
            leave=leave,
            boundary=boundary,
        )
    except AddressError as error:
        raise MessageUnsafeError(error.what, cure=error.cure) from None


def _judge(recipient: Addressee) -> Mailbox:
    """Return who it is for, judged once more whatever was checked before."""
    try:
        return Mailbox(parse_name(recipient.name), parse_address(recipient.email))
    except AddressError as error:
        raise MessageUnsafeError(error.what, cure=error.cure) from None


def _boundary(letter: Letter, edition: str, secrets: Keys) -> str:
    """Return the same boundary for all messages of a letter; nobody can foresee it."""
    texts = (letter.language, letter.subject, letter.text, letter.html)
    octets = [text.encode("utf-8", "surrogatepass") for text in texts]
    said = b"".join(b"%d\0%b" % (len(each), each) for each in octets)
    mac = prepare_mac(secrets, "boundary", edition).digest(said)
    return "=_" + base64.b32encode(mac)[:BOUNDARY_CHARACTERS].decode("ascii").lower()


def _parts(letter: Letter, begins: Sequence[str]) -> Iterator[PartText]:
    """Yield text and HTML; how links begin is the same for all, so it is no value."""
    from postroom.mail.flowed import deletes_blanks  # noqa: PLC0415 - regex, only to send

    delsp = "; delsp=yes" if deletes_blanks(letter.language) else ""
    for content_type, text, links in (
        (f"text/plain; charset=utf-8; format=flowed{delsp}", letter.text, begins),
        ("text/html; charset=utf-8", letter.html, [escape(url) for url in begins]),
    ):
        between, holes = split_at_holes(text, (UNSUBSCRIBE_HOLE, PREFERENCES_HOLE))
        for place, hole in enumerate(holes):
            between[place] += links[hole]
        yield PartText(content_type, between, holes)


def _digest(
    header: CompiledHeader, body: CompiledBody, signatures: Signatures
) -> bytes:
    """Return a hash of all static octets, and of how and with what they are signed."""
    static = (*header.pieces, *body.static(), *signatures.static())
    hashed = hashlib.sha256()
    for octets in static:
        hashed.update(b"%d\0%b" % (len(octets), octets))
    return hashed.digest()

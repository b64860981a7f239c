"""The one boundary for addresses and names: what passes here may meet SMTP and headers.

An address (RFC 5321 §4.1.2, RFC 6531 §3.3) is kept as it goes on the wire: the local
part as it was typed (NFC), the domain in lower-case A-labels (RFC 5890). Its `key` folds
case as well, so that one mailbox written in two ways stays one subscriber.

Special-use domains (RFC 6761: `.test`, `.invalid`, `.local`, `localhost` …) are taken: a
list may live on an intranet, and a trial belongs on a name nobody owns. Any other name
without a dot is refused, for it is nearly always a slip (`kim@gmail`). Quoted local
parts and domain literals are refused: nobody has one, and they carry injections.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from postroom.errors import AddressError

MAX_ADDRESS = 254
"""Octets: RFC 5321 §4.5.3.1.3 less the angle brackets (RFC 3696 erratum 1690)."""
MAX_LOCAL_PART = 64
"""Octets, RFC 5321 §4.5.3.1.1."""
MAX_NAME = 100
"""Characters; a longer display name is no name, and would need a folded header field."""
MAX_SHOWN = 80
"""Characters of a refused text repeated in the error."""

PLAIN = re.compile(
    r"(?P<local>[A-Za-z0-9_+~=-]+(?:\.[A-Za-z0-9_+~=-]+)*)"
    r"@(?P<domain>(?:(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?!..--)[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z])?)"
)
"""ASCII addresses that need no library: nearly all. No A-labels, no `ab--c` labels."""

BLANKS = " \t\u00a0\u3000"
"""Stripped from both ends; line breaks are not, they are a sign of something else."""
UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd]"
)
"""C0, C1, line separators, controls of direction, and the mark of a lost character."""
LOOKS = "write it as name@example.org"


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as it goes on the wire, and the key it is found by."""

    email: str
    """`local-part@a-label-domain`; non-ASCII only in the local part."""
    key: str
    """The same with the local part folded: equal for one mailbox however it is typed."""

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server that offers SMTPUTF8 (RFC 6531) can take it."""
        return not self.email.isascii()


def parse_address(text: str) -> Address:
    """Return the mailbox that `text` names, blanks around it ignored.

    Raises AddressError, which says what is wrong and how to write it, for everything
    that is no addr-spec; never asks the DNS.
    """
    text = text.strip(BLANKS)
    found = PLAIN.fullmatch(text)
    if found is not None and len(text) <= MAX_ADDRESS:
        local, domain = found.groups()
        if len(local) <= MAX_LOCAL_PART:
            address = f"{local}@{domain.lower()}"
            return Address(address, address.lower())
    return parse_unusual_address(text)


def parse_unusual_address(text: str) -> Address:
    """Judge by email-validator: the full rules, thirty times slower."""
    if len(text) > MAX_ADDRESS:
        raise AddressError(
            f"{_show(text)} is longer than {MAX_ADDRESS} characters", cure=LOOKS
        )
    if UNSAFE.search(text):
        raise AddressError(
            f"{_show(text)} contains a line break, a control or a lost character",
            cure=LOOKS,
        )
    local, _, domain = text.rpartition("@")
    ascii_domain = _validate(text, domain)
    local = unicodedata.normalize("NFC", local)
    email = f"{local}@{ascii_domain}"
    for part, octets, limit in (
        ("the part before the @", len(local.encode()), MAX_LOCAL_PART),
        ("the address", len(email.encode()), MAX_ADDRESS),
    ):
        if octets > limit:
            raise AddressError(
                f"{_show(text)}: {part} has {octets} octets, {limit} are allowed",
                cure=LOOKS,
            )
    return Address(email, f"{_fold(local)}@{ascii_domain}")


def parse_name(text: str) -> str:
    """Return a display name fit for a header field: one line, NFC, bounded.

    Control characters become spaces, controls of direction and lone surrogates vanish;
    no name is ever an error.
    """
    if not text.isprintable():
        text = "".join(_printable(character) for character in text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())[:MAX_NAME].rstrip()


def _validate(text: str, domain: str) -> str:
    """Return the domain of a valid address as A-labels."""
    import email_validator  # noqa: PLC0415  30 ms that a plain address need not pay

    # The library documents emptying this list for those who mail such domains.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        valid = email_validator.validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=domain.lower() != "localhost",
        )
    except email_validator.EmailNotValidError as error:
        raise AddressError(f"{_show(text)}: {error}", cure=LOOKS) from None
    ascii_domain: str = valid.ascii_domain
    return ascii_domain


def _fold(local: str) -> str:
    """Caseless matching of the Unicode Standard §3.13 (D145), composed again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())


def _printable(character: str) -> str:
    if character.isprintable() or character in "\u200c\u200d":
        return character  # the joiners shape Indic and Persian words, and emoji
    return " " if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Zs"} else ""


def _show(text: str) -> str:
    shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return '"' + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown) + '"'

"""The header of a letter's messages: three fields are personal, the others are compiled.

Whatever a title or name holds, a finished header is read again and must have the
expected fields: once for a sample, and for every recipient of an unusual kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import MessageUnsafeError
from postroom.feeds.characters import clean_language
from postroom.mail.header_text import Mailbox, render_free_text, render_mailbox
from postroom.mail.holes import HOLE_END, HOLE_START, split_at_holes
from postroom.mail.list_headers import list_field_names, list_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from postroom.mail.letter import Letter

MAX_LINE = 998
"""Octets of a header line (RFC 5322 §2.1.1)."""
PERSONAL_FIELDS = ("To", "Message-ID", "List-Unsubscribe")
"""In the order in which a header has them."""
SIGNED_FIELDS = frozenset(
    {
        "From",
        "Subject",
        "Date",
        "Reply-To",
        "MIME-Version",
        "Content-Type",
        "List-Id",
        "List-Unsubscribe-Post",  # RFC 8058 §4 asks for this and List-Unsubscribe
        "List-Archive",
        "List-Help",
        "Precedence",
        "Auto-Submitted",
        "Content-Language",
        *PERSONAL_FIELDS,
    }
)
"""What a DKIM signature covers: all there is (RFC 6376 §5.4)."""
OVERSIGNED_FIELDS = ("From", "Subject")
"""Signed once more than they are there, so that nobody can add another (§5.4.2)."""

_TO = f"{HOLE_START}to{HOLE_END}"
_ID = f"{HOLE_START}id{HOLE_END}"
_LEAVE = f"{HOLE_START}leave{HOLE_END}"
_HOLES = (_TO, _ID, _LEAVE)
_FIELD = re.compile(rb"([A-Za-z][A-Za-z-]*): ")
_UNSAFE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the header says that is the same for all subscribers."""

    date: datetime
    from_: Mailbox
    reply_to: Mailbox | None
    site_title: str
    site_url: str
    leave: str
    """How every link to leave begins."""
    boundary: str

    @property
    def id_domain(self) -> str:
        """What stands after the `@` of Message-IDs."""
        return self.from_.address.email.rpartition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledHeader:
    """A header with three holes; `fields` have values as they stand in the message."""

    fields: tuple[tuple[str, str], ...]
    """Those that no subscriber changes."""
    personal: tuple[tuple[str, str], ...]
    """What stands before and after the hole in the value of each of PERSONAL_FIELDS."""
    pieces: tuple[bytes, bytes, bytes, bytes]
    """What stands around the holes; the last ends with the empty line."""
    names: tuple[str, ...]
    """Of all fields, in order."""
    id_frame: tuple[str, str]
    """What stands around the local part of the Message-ID."""
    smtputf8: bool
    """Whether an address of the sender is raw UTF-8 (RFC 6532)."""

    def personal_values(self, to: bytes, id_local: bytes, leave: bytes) -> list[bytes]:
        """Return the values of PERSONAL_FIELDS for what fills the holes."""
        return [
            before.encode() + value + after.encode()
            for (before, after), value in zip(
                self.personal, (to, id_local, leave), strict=True
            )
        ]

    def check(self, to: bytes, id_local: bytes, leave: bytes) -> None:
        """Raise MessageUnsafeError unless these make exactly the fields they should."""
        one, two, three, four = self.pieces
        head = b"".join((one, to, two, id_local, three, leave, four[:-2]))
        check_header(head, self.names)


def compile_header(
    letter: Letter, heading: Heading, names: tuple[str, ...]
) -> CompiledHeader:
    """Return the header of all messages of `letter`, which must have fields `names`.

    Raises MessageUnsafeError.
    """
    fields = tuple(_fields(letter, heading))
    text = "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    between, _ = split_at_holes(text, _HOLES)
    if len(between) != len(_HOLES) + 1:
        raise _unexpected(name for name, _ in fields)
    one, two, three, four = (piece.encode() for piece in between)
    values = dict(fields)
    compiled = CompiledHeader(
        fields=tuple(field for field in fields if field[0] not in PERSONAL_FIELDS),
        personal=tuple(
            _around(values[name], hole)
            for name, hole in zip(PERSONAL_FIELDS, _HOLES, strict=True)
        ),
        pieces=(one, two, three, four),
        names=names,
        id_frame=_around(values["Message-ID"], _ID),
        smtputf8=not "".join(between).isascii(),
    )
    compiled.check(b"somebody@reader.example", b"a" * 32, b"0." + b"A" * 22)
    return compiled


def field_names(*, reply_to: bool, one_click: bool) -> tuple[str, ...]:
    """Return the fields that a header has, in their order."""
    return (
        "Date",
        "From",
        *(("Reply-To",) if reply_to else ()),
        "To",
        "Subject",
        "Message-ID",
        *list_field_names(one_click=one_click),
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


def _fields(letter: Letter, heading: Heading) -> Iterator[tuple[str, str]]:
    """Yield every field as (name, value), the personal ones with their hole."""
    from email.utils import format_datetime  # noqa: PLC0415 - 30 ms, only to send

    reply_to = heading.reply_to
    yield "Date", format_datetime(heading.date)
    yield "From", render_mailbox(heading.from_, len("From: "))
    if reply_to:
        yield "Reply-To", render_mailbox(reply_to, len("Reply-To: "))
    yield "To", _TO
    yield "Subject", render_free_text(letter.subject, len("Subject: "))
    yield "Message-ID", f"<{_ID}@{heading.id_domain}>"
    mailto = reply_to.address.email if reply_to else ""
    for name, value in list_fields(
        heading.site_title, heading.site_url, heading.leave, mailto=mailto
    ):
        begin = f"<{heading.leave}"
        if name == "List-Unsubscribe" and value.startswith(begin):
            yield name, f"{begin}{_LEAVE}{value.removeprefix(begin)}"
        else:
            yield name, value
    yield "Precedence", "bulk"
    # RFC 3834 §5: no vacation program answers a letter.
    yield "Auto-Submitted", "auto-generated"
    yield "Content-Language", clean_language(letter.language) or "und"
    yield "MIME-Version", "1.0"
    yield "Content-Type", f'multipart/alternative; boundary="{heading.boundary}"'


def _around(value: str, hole: str) -> tuple[str, str]:
    before, _, after = value.partition(hole)
    return before, after


def _unexpected(names: Iterable[str]) -> MessageUnsafeError:
    return MessageUnsafeError(
        f"the header would have the fields {', '.join(names)}",
        cure="look for control characters in titles, names and addresses",
    )

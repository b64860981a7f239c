"""What a relay takes, and how a message is announced to it: MAIL, RCPT, DATA.

RFC 5321 §4.1.1, with SIZE (RFC 1870), 8BITMIME (RFC 6152) and SMTPUTF8 (RFC 6531) only
where they are offered, and all but SIZE only where a message needs them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import RelayRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.mail.message import Message
    from postroom.mail.outcome import Reply

PATH_LIMIT = 254
"""Octets of an address (RFC 5321 §4.5.3.1.3, without its angle brackets)."""
FORBIDDEN = re.compile("[\x00-\x20\x7f-\xa0<>\u2028\u2029\ud800-\udfff]")
"""What would end or split a command, however it got this far."""
UNKNOWN_PARAMETER = frozenset({501, 504, 555})
"""RFC 5321 §4.2.2: the server does not know what it offered."""


class UnfitMessageError(Exception):
    """One message that this relay cannot be given; the others are not concerned."""


@dataclass(slots=True)
class Experience:
    """What connections to a relay have shown; they share it."""

    pipelines: bool = False
    """A whole group was answered as it should be."""
    fails_to_pipeline: bool = False
    """It never was, and a server that offered it went silent in the middle of one."""


class Terms:
    """What one relay offers, as its answer to EHLO has it (keywords in lower case)."""

    def __init__(self, extensions: Mapping[str, str], *, pipelining: bool) -> None:
        """`pipelining`: whether to rely on that where it is offered (RFC 2920)."""
        self.pipelining = pipelining and "pipelining" in extensions
        self._has_size = "size" in extensions
        self._has_8bitmime = "8bitmime" in extensions
        self._has_smtputf8 = "smtputf8" in extensions
        limit = extensions.get("size", "").strip()
        self._size_limit = int(limit) if limit.isdecimal() else 0
        self._reverse_path: str | None = None
        self._mail = ""
        """MAIL for that reverse path, up to the size."""

    def render_envelope(self, message: Message) -> bytes:
        """MAIL, RCPT and DATA, a line each.

        Raises UnfitMessageError, or RelayRefusedError where no letter can leave (a bad
        sender, above SIZE). The envelope is checked once more, whatever was checked
        before: a line break in it would be a command of its own.
        """
        size = len(message.data)
        if message.reverse_path != self._reverse_path:
            self._take_reverse_path(message.reverse_path)
        if 0 < self._size_limit < size:
            raise RelayRefusedError(
                f"the relay takes letters up to {self._size_limit} octets, this one"
                f" has {size}",
                cure="lower digest.max_posts or excerpt.length",
            )
        recipient = message.recipient
        if _is_forbidden(recipient) or "@" not in recipient:
            raise UnfitMessageError(f"not an address: {recipient!r}")
        if not message.data.endswith(b"\r\n"):
            raise UnfitMessageError("the letter does not end with a line end")
        mail = f"{self._mail}{size}" if self._has_size else self._mail
        needs = "" if is_plain(message) else self._needs(message)
        return f"{mail}{needs}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()

    def _take_reverse_path(self, reverse_path: str) -> None:
        if _is_forbidden(reverse_path):
            raise RelayRefusedError(
                f"not an address to send from: {reverse_path!r}",
                cure="mend mail.from",
            )
        self._reverse_path = reverse_path
        self._mail = f"MAIL FROM:<{reverse_path}>"
        self._mail += " SIZE=" if self._has_size else ""

    def _needs(self, message: Message) -> str:
        """What MAIL must say of a message that is not plain."""
        needs = ""
        if not message.data.isascii():
            if not self._has_8bitmime:
                raise UnfitMessageError(
                    "the relay does not take 8-bit messages (8BITMIME)"
                )
            needs += " BODY=8BITMIME"
        if _is_international(message):
            if not self._has_smtputf8:
                raise UnfitMessageError(
                    "the relay does not take addresses beyond ASCII (SMTPUTF8)"
                )
            needs += " SMTPUTF8"
        return needs


def is_plain(message: Message) -> bool:
    """Whether every relay that takes mail at all can take it."""
    return message.data.isascii() and not _is_international(message)


def is_broken_promise(message: Message, reply: Reply) -> bool:
    """Whether a refusal of MAIL is about a parameter that only such messages need.

    Then the relay offered what it does not do, and letters without it may still leave.
    RFC 6531 §3.5 asks for 5.6.7, RFC 6152 for 5.6.3.
    """
    if is_plain(message):
        return False
    return reply.code in UNKNOWN_PARAMETER or reply.status.startswith("5.6.")


def _is_international(message: Message) -> bool:
    if message.smtputf8:
        return True
    return not (message.recipient.isascii() and message.reverse_path.isascii())


def _is_forbidden(path: str) -> bool:
    return FORBIDDEN.search(path) is not None or len(path.encode()) > PATH_LIMIT

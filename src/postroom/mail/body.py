"""The body of a message: text and HTML as alternatives (RFC 2046 §5.1.4), 7-bit safe.

Korean is smaller in base64 (a syllable is 4 characters instead of 9), Latin text in
quoted-printable; each part takes what is smaller for it.
"""

from __future__ import annotations

import base64
import binascii
import re

LINE = 76
"""Characters of an encoded line, RFC 2045 §6.7 (5) and §6.8."""

_LINE_END = re.compile("\r\n?|\n")
_FRAGILE = re.compile(rb"^(?:\.|From )", re.MULTILINE)


def build_body(text: str, html: str, *, delsp: bool, boundary: str) -> bytes:
    """Return the parts of a multipart/alternative, the plainest first, with CRLF.

    `text` is flowed (RFC 3676), with `delsp` in the sense of its §4.2.
    """
    flowed = "; delsp=yes" if delsp else ""
    return b"".join(
        [
            _part(f"text/plain; charset=utf-8; format=flowed{flowed}", text, boundary),
            _part("text/html; charset=utf-8", html, boundary),
            f"--{boundary}--\r\n".encode("ascii"),
        ]
    )


def encode_body(text: str) -> tuple[str, bytes]:
    """Return the smaller Content-Transfer-Encoding and `text` in it, lines ended by CRLF.

    No encoded line begins with a dot or `From `: nothing on the way has to change it.
    """
    text = _LINE_END.sub("\r\n", text)
    octets = text.encode()
    whole = base64.b64encode(octets)
    lines = [whole[i : i + LINE] for i in range(0, len(whole), LINE)]
    encoded = b"\r\n".join(lines) + b"\r\n"
    # An octet that is not ASCII becomes three, and a character has at least one beyond
    # its first: enough of them decide without a trial.
    if len(octets) + 2 * (len(octets) - len(text)) <= len(encoded):
        quoted = _FRAGILE.sub(_protect, binascii.b2a_qp(octets))
        fits = max(map(len, quoted.split(b"\r\n"))) <= LINE
        # Protecting a full line makes it too long; rare enough for base64 to take over.
        if fits and len(quoted) < len(encoded):
            return "quoted-printable", quoted
    return "base64", encoded


def _protect(start: re.Match[bytes]) -> bytes:
    return b"=%02X" % start[0][0] + start[0][1:]


def _part(content_type: str, text: str, boundary: str) -> bytes:
    encoding, octets = encode_body(text)
    head = (
        f"--{boundary}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n"
        "\r\n"
    )
    # The line end before a boundary belongs to it (RFC 2046 §5.1.1).
    return head.encode("ascii") + octets + b"\r\n"

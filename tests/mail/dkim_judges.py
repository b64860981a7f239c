"""Programs that verify DKIM signatures, and letters for them to judge."""

from __future__ import annotations

import base64
import hashlib
import json
import quopri
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import tests.dns_answers
from postroom.mail.dkim import DkimKey, SignatureForm, dns_record, parse_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OPENDKIM = Path("/usr/sbin/opendkim-testmsg")
MAIL_DKIM = Path("/usr/share/perl5/Mail/DKIM/Verifier.pm")
PERL = """
use strict; use warnings;
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $ARGV[0], udp_timeout => 5, retry => 1));
my $verifier = Mail::DKIM::Verifier->new();
binmode STDIN;
{ local $/; $verifier->PRINT(<STDIN>); }
$verifier->CLOSE;
print $verifier->result_detail;
"""
# A network and a file system of its own: the resolver of libc knows only port 53.
NAMESPACE = """
ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"
"""


def private_pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """PKCS#8 in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def rsa_pem(bits: int = 2048) -> bytes:
    """One RSA key for all tests."""
    return private_pem(rsa.generate_private_key(65537, bits))


@cache
def rsa_key() -> DkimKey:
    """The usual kind."""
    return parse_key(rsa_pem(), domain="blog.example", selector="postroom")


@cache
def ed25519_key() -> DkimKey:
    """The second kind."""
    pem = private_pem(ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    return parse_key(pem, domain="blog.example", selector="postroom-ed25519")


def _base64_part(text: str) -> bytes:
    return base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")


def _quoted_part(text: str) -> bytes:
    return quopri.encodestring(text.encode()).replace(b"\n", b"\r\n") + b"\r\n"


PARTS = {"base64": _base64_part, "quoted-printable": _quoted_part}
TEXT = "느린 우편함\n\n첫째 글에 대하여 쓴다. A long line of words. " * 40
HTML = f'<!doctype html><p style="color: #222">{TEXT}</p>'


def build_body(encoding: str) -> bytes:
    """A multipart/alternative body as letters have it."""
    encode = PARTS[encoding]
    parts = [
        b'--=_b\r\nContent-Type: text/%b; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: %b\r\n\r\n%b\r\n"
        % (kind, encoding.encode(), encode(text))
        for kind, text in ((b"plain", TEXT), (b"html", HTML))
    ]
    return b"".join(parts) + b"--=_b--\r\n"


STATIC = (
    ("Date", "Mon, 23 Nov 2026 08:00:00 +0900"),
    ("From", "=?utf-8?b?64qQ66awIOyasO2OuO2VqA==?=\r\n <letters@blog.example>"),
    ("Reply-To", "  Mina \t Han  <mina@blog.example> "),
    (
        "Subject",
        "=?utf-8?b?64qQ66awIOyasO2OuO2VqA==?=\r\n =?utf-8?b?7LKr7Ke4IOq4gA==?=",
    ),
    ("List-Id", "=?utf-8?b?64qQ66aw?= <posts.blog.example>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ("MIME-Version", "1.0"),
    ("Content-Type", 'multipart/alternative;\r\n\tboundary="=_b"'),
)
PERSONAL = (
    ("To", "=?utf-8?b?6rmA65+s6528?=\r\n <reader@mail.example>"),
    ("Message-ID", f"<{'q2w3' * 8}@blog.example>"),
    (
        "List-Unsubscribe",
        f"<https://blog.example/unsubscribe/{'Zz9_-' * 30}>, <mailto:mina@blog.example>",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a message says; `sign` makes the message."""

    static: Sequence[tuple[str, str]] = STATIC
    personal: Sequence[tuple[str, str]] = PERSONAL
    oversigned: Sequence[str] = ("From", "Subject", "To", "Date", "Cc")
    body: bytes = field(default_factory=lambda: build_body("base64"))

    def signature(self, key: DkimKey) -> bytes:
        """The whole DKIM-Signature field."""
        names = [name for name, _ in self.personal]
        form = SignatureForm(key, self.static, names, self.oversigned, 1_795_000_000)
        body_hash = hashlib.sha256(self.body).digest()
        values = [value.encode() for _, value in self.personal]
        digest = form.digest(values, body_hash)
        return form.render(body_hash, key.sign(digest))

    def unsigned(self) -> bytes:
        """The message, the personal fields first."""
        fields = [*self.personal, *self.static]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return head.encode() + b"\r\n" + self.body

    def sign(self, *keys: DkimKey) -> bytes:
        """The message with a signature of each key."""
        return b"".join(map(self.signature, keys)) + self.unsigned()

    def without_body(self) -> Letter:
        """The same with a short body."""
        return replace(self, body=b"Hi.\r\n")


def records(*keys: DkimKey) -> dict[str, str]:
    """The DNS of our domain."""
    return dict(map(dns_record, keys))


# -- the judges: each says whether some signature of the message is good ----------


def judge_dkimpy(message: bytes, dns: Mapping[str, str]) -> bool:
    """dkimpy, in this process; every signature is asked for."""

    def txt(name: bytes, timeout: int = 5) -> bytes | None:
        value = dns.get(name.decode("ascii").rstrip("."))
        return value.encode("ascii") if value else None

    verifier = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
    return any(_dkimpy_says(verifier, index, txt) for index in range(count))


def _dkimpy_says(
    verifier: dkim.DKIM, index: int, txt: Callable[..., bytes | None]
) -> bool:
    try:
        return bool(verifier.verify(idx=index, dnsfunc=txt))
    except dkim.ValidationError:
        return False


def judge_mail_dkim(message: bytes, dns: Mapping[str, str]) -> bool:
    """Mail::DKIM, as SpamAssassin has it."""
    if not MAIL_DKIM.exists():
        pytest.skip("no Mail::DKIM: install libmail-dkim-perl")
    with tests.dns_answers.serving(dns) as port:
        said = subprocess.run(
            ["/usr/bin/perl", "-e", PERL, str(port)],
            input=message,
            capture_output=True,
            timeout=30,
            check=True,
        )
    return said.stdout.startswith(b"pass")


def judge_opendkim(message: bytes, dns: Mapping[str, str]) -> bool:
    """OpenDKIM, as many relays have it, in a network where we are the DNS."""
    if not OPENDKIM.exists():
        pytest.skip("no opendkim-testmsg: install opendkim-tools")
    said = _in_namespace(dns, [str(OPENDKIM)], message)
    assert said.returncode == 0 or b"-testmsg: dkim_" in said.stderr, said
    return said.returncode == 0


def _in_namespace(
    dns: Mapping[str, str], command: list[str], message: bytes
) -> subprocess.CompletedProcess[bytes]:
    unshare = _unshare()
    resolver = Path(__file__).with_name("resolv.conf")
    server = [sys.executable, tests.dns_answers.__file__, json.dumps(dns)]
    return subprocess.run(
        [*unshare, "sh", "-c", NAMESPACE, "sh", str(resolver), *server, *command],
        input=message,
        capture_output=True,
        timeout=30,
        check=False,
    )


@cache
def _unshare() -> list[str]:
    """How a command gets a network of its own; skips where that is not allowed."""
    words = ["unshare", "--map-root-user", "--net", "--mount"]
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("no network namespaces: install iproute2 and util-linux")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces here")
    return words


JUDGES = {
    "dkimpy": judge_dkimpy,
    "Mail::DKIM": judge_mail_dkim,
    "OpenDKIM": judge_opendkim,
}

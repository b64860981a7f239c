"""From nothing to a connection that is secure and logged in; every fault named.

aiosmtplib connects, says EHLO, secures and authenticates, with the TLS mode always
explicit: its own default sends the password in clear where STARTTLS is stripped. What
is temporary raises RelayAwayError, what someone has to mend RelayRefusedError.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import aiosmtplib

from postroom.config.sections import PORTS
from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import Concern, Phase, concern, parse_reply
from postroom.smtp.dialogue import TICK, Dialogue
from postroom.smtp.exchange import WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postroom.config.sections import RelayConfig
    from postroom.errors import PostroomError

AUTH_METHODS = ("plain", "login", "cram-md5")
"""Best first. One is tried and no other: three refusals a time would lock accounts."""
HOST_NAME = re.compile(r"(?=.{1,255}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait in each phase (RFC 5321 §4.5.3.2), each for one whole reply."""

    step: float = 60.0
    """Connecting, greeting, EHLO, TLS, login: each."""
    open: float = 180.0
    """All of these together."""
    command: float = 300.0
    """MAIL, RCPT, RSET."""
    data: float = 120.0
    """The 354 to DATA."""
    verdict: float = 600.0
    """Sending the body and the reply to the final dot: the dearest one to give up."""
    quit: float = 5.0

    @property
    def shortest(self) -> float:
        """Of those that a connection in use knows."""
        return min(self.command, self.data, self.verdict, self.quit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeted:
    """A connection ready for MAIL, and what the server offers (in lower case)."""

    dialogue: Dialogue
    extensions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where to connect and who we are there; `tls_context` is None for `tls = "none"`."""

    host: str
    port: int
    tls: str
    tls_context: ssl.SSLContext | None
    username: str
    password: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def build_relay(config: RelayConfig, *, root: Path, password: str) -> Relay:
    """The relay of a site; `ca_file` is relative to `root`. Raises RelayRefusedError."""
    if config.tls == "none" and config.username:
        raise RelayRefusedError(
            "smtp.username: no login without TLS",
            cure='set smtp.tls to "starttls" or "implicit"',
        )
    return Relay(
        host=config.host,
        port=config.port or PORTS[config.tls],
        tls=config.tls,
        tls_context=None if config.tls == "none" else _tls_context(config, root),
        username=config.username,
        password=password,
    )


def _tls_context(config: RelayConfig, root: Path) -> ssl.SSLContext:
    """Verify against `smtp.ca_file` alone, else SSL_CERT_FILE or the system's store."""
    path = root / config.ca_file if config.ca_file else None
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:  # ssl.SSLError is one
        raise RelayRefusedError(
            f"smtp.ca_file: {path}: {error.strerror or error}",
            cure="name a file of certificates in PEM form",
        ) from None


class _Client(aiosmtplib.SMTP):
    """Closes at once: a polite end of TLS waits half a minute for a server that hangs."""

    def close(self) -> None:
        transport = self.transport
        super().close()
        if transport is not None:
            cast("asyncio.Transport", transport).abort()


async def connect(relay: Relay, timeouts: Timeouts) -> Greeted:
    """Connect, secure, log in; raise RelayAwayError or RelayRefusedError."""
    implicit = relay.tls == "implicit"
    host_name = socket.gethostname()
    is_name = HOST_NAME.fullmatch(host_name) is not None
    client = _Client(
        hostname=relay.host,
        port=relay.port,
        use_tls=implicit,
        start_tls=False,  # below, so that each fault is told apart
        tls_context=relay.tls_context,
        timeout=timeouts.step,
        local_hostname=host_name if is_name else "localhost",
    )
    try:
        async with asyncio.timeout(timeouts.open):
            await client.connect()
            if not is_name:
                client.local_hostname = _address_literal(client)
            await _secure_and_log_in(client, relay)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        client.close()
        await asyncio.sleep(0)  # closes the socket
        raise _explain(error, relay) from error
    except BaseException:
        client.close()
        raise
    return _take_over(client, timeouts)


async def _secure_and_log_in(client: aiosmtplib.SMTP, relay: Relay) -> None:
    await _greet(client)
    if relay.tls == "starttls":
        if not client.supports_extension("starttls"):
            raise RelayRefusedError(
                f"{relay} offers no STARTTLS; nothing was sent in clear",
                cure='check smtp.host and smtp.port, or set smtp.tls to "implicit"',
            )
        await client.starttls()
        await _greet(client)
    if relay.username:
        await _log_in(client, relay)


async def _greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO where the server knows no other (RFC 5321 §3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code // 100 != 5 or not client.is_connected:  # noqa: PLR2004 - permanent
            raise
        await client.helo()


async def _log_in(client: aiosmtplib.SMTP, relay: Relay) -> None:
    offered = [name for name in AUTH_METHODS if name in client.server_auth_methods]
    login = {
        "plain": client.auth_plain,
        "login": client.auth_login,
        "cram-md5": client.auth_crammd5,
    }
    if not offered:
        raise RelayRefusedError(
            f"{relay} offers no login that postroom knows ({', '.join(AUTH_METHODS)})",
            cure="leave smtp.username empty if this relay needs no login",
        )
    await login[offered[0]](relay.username, relay.password)


def _address_literal(client: aiosmtplib.SMTP) -> str:
    """What to say in EHLO when this machine has no full name (RFC 5321 §4.1.3)."""
    address = str(client.get_transport_info("sockname")[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _take_over(client: aiosmtplib.SMTP, timeouts: Timeouts) -> Greeted:
    """Let a Dialogue have the connection; `client` hears nothing from now on."""
    extensions = dict(client.esmtp_extensions)
    if client.transport is None:
        raise RelayAwayError("the relay closed the connection", cure=WAIT)
    # A cast, because uvloop's transports are such only by what they do.
    transport = cast("asyncio.Transport", client.transport)
    tick = min(TICK, timeouts.shortest / 2)
    return Greeted(dialogue=Dialogue(transport, tick=tick), extensions=extensions)


# -- faults in the operator's words ---------------------------------------------


def _explain(error: Exception, relay: Relay) -> PostroomError:
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return RelayRefusedError(
            f"{relay}: its certificate is not valid: {cause.verify_message}",
            cure="smtp.host must be a name in it; smtp.ca_file trusts an own authority",
        )
    if isinstance(cause, ssl.SSLError):
        return RelayRefusedError(
            f"{relay}: no TLS there ({cause.reason or cause})",
            cure=f'is smtp.tls = "{relay.tls}" right for this port? '
            '465 is "implicit", 587 "starttls"',
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _explain_reply(error, relay)
    said = str(error) or f"no answer ({type(error).__name__})"
    return RelayAwayError(f"{relay}: {said}", cure=WAIT)


def _explain_reply(
    error: aiosmtplib.SMTPResponseException, relay: Relay
) -> PostroomError:
    reply = parse_reply(max(error.code, 0), error.message)
    if concern(Phase.CONNECT, reply) is not Concern.OURS:
        return RelayAwayError(f"{relay}: {reply}", cure=WAIT)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return RelayRefusedError(
            f"{relay} refuses the login: {reply}",
            cure="check smtp.username and the password",
        )
    return RelayRefusedError(
        f"{relay} refuses us: {reply}", cure="ask who runs the relay"
    )

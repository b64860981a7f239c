"""GET over HTTP and HTTPS, bounded in size, time and redirects, and never tricked inwards.

An address found in a stranger's file may name this machine, the network it stands in, or
the cloud's metadata service. So the host is resolved here, every address it has must be
public, and the connection goes to the very address that was judged. Proxies of the
environment are not used: they would resolve the host a second time.
"""

from __future__ import annotations

import gzip
import http.client
import io
import ipaddress
import socket
import ssl
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from postroom.errors import SourceAwayError, SourceError
from postroom.posts.links import encode_url
from postroom.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_REDIRECTS = 5
TIMEOUT = 15.0
"""Seconds for each step on the wire."""
DEADLINE = 120.0
"""Seconds for one address in all, so that a server that drips octets ends."""
BLOCK = 64 * 1024
AGENT = f"postroom/{VERSION} (import)"
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"
MOVED = frozenset((301, 302, 303, 307, 308))
OK = 200
LATER = frozenset((408, 425, 429))
SERVER_FAULT = 500
PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses written as IPv6 ones."""


class NotFetchedError(Exception):
    """Why an address gave nothing; `later` if it may another time."""

    def __init__(self, reason: str, *, later: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.later = later


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What an address gave."""

    url: str
    """After redirects."""
    data: bytes
    media_type: str


@dataclass(slots=True, kw_only=True)
class Fetcher:
    """Fetches within one import; `trusted` hosts are those that the operator named."""

    allow_private: bool = False
    trusted: set[str] = field(default_factory=set)
    _context: ssl.SSLContext | None = None

    def get(self, url: str, limit: int) -> Fetched:
        """Return the answer of `url`, at most `limit` octets; raises NotFetchedError."""
        ends = time.monotonic() + DEADLINE
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._get_once(url, limit, ends)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise NotFetchedError(f"more than {MAX_REDIRECTS} redirects")

    def _get_once(self, url: str, limit: int, ends: float) -> Fetched | str:
        scheme, host, port, target = _split(url)
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            connection.sock = self._connect(scheme, host, port)
            connection.putrequest(
                "GET", target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in _headers(host, port, scheme):
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            if response.status in MOVED and response.headers.get("Location"):
                return _joined(url, response.headers["Location"])
            if response.status != OK:
                later = response.status >= SERVER_FAULT or response.status in LATER
                raise NotFetchedError(
                    f"the server answers {response.status}", later=later
                )
            data = _read(response, limit, ends)
        except TimeoutError:
            raise NotFetchedError("no answer in time", later=True) from None
        except ssl.SSLCertVerificationError as error:
            raise NotFetchedError(
                f"its certificate is not trusted: {error.verify_message}"
            ) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = (
                getattr(error, "strerror", None) or str(error) or type(error).__name__
            )
            raise NotFetchedError(f"cannot be reached: {reason}", later=True) from None
        finally:
            connection.close()
        return Fetched(
            url=url, data=data, media_type=response.headers.get_content_type()
        )

    def _connect(self, scheme: str, host: str, port: int) -> socket.socket:
        address = self._judge(host, port)
        wire = socket.create_connection((address, port), timeout=TIMEOUT)
        if scheme == "http":
            return wire
        if self._context is None:
            self._context = ssl.create_default_context()
        try:
            return self._context.wrap_socket(wire, server_hostname=host)
        except (OSError, ValueError):
            wire.close()
            raise

    def _judge(self, host: str, port: int) -> str:
        """Return the address to connect to; all that the host has must be allowed."""
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotFetchedError(f"there is no host {host}", later=True) from None
        addresses = [str(info[4][0]).partition("%")[0] for info in infos]
        if not self.allow_private and host not in self.trusted:
            for address in addresses:
                if not is_public(address):
                    raise NotFetchedError(
                        f"{host} is the private address {address}; --allow-private lets it in"
                    )
        return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the open internet, however it is written."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def host_of(url: str) -> str:
    """Return the host of an address as `Fetcher.trusted` has it."""
    return _split(url)[1]


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise NotFetchedError("it redirects to no address") from None


def _split(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(encode_url(url))
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise NotFetchedError("no address") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS or not host:
        raise NotFetchedError("no address of http or https")
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (
        f"?{parts.query}" if parts.query else ""
    )
    return scheme, host, port or PORTS[scheme], target


def _headers(host: str, port: int, scheme: str) -> Iterator[tuple[str, str]]:
    name = f"[{host}]" if ":" in host else host
    yield "Host", name if port == PORTS[scheme] else f"{name}:{port}"
    yield "User-Agent", AGENT
    yield "Accept", ACCEPT
    yield "Accept-Encoding", "identity"
    yield "Connection", "close"


def _read(response: http.client.HTTPResponse, limit: int, ends: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while block := response.read1(BLOCK):
        size += len(block)
        pieces.append(block)
        if size > limit:
            raise NotFetchedError(f"more than {limit // (1024 * 1024)} MiB")
        if time.monotonic() > ends:
            raise NotFetchedError("no end in time", later=True)
    data = b"".join(pieces)
    if response.headers.get("Content-Encoding", "").lower() in {"gzip", "x-gzip"}:
        return _gunzip(data, limit)
    return data


def _gunzip(data: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            plain = file.read(limit + 1)
    except (OSError, EOFError, zlib.error):
        raise NotFetchedError("damaged gzip") from None
    if len(plain) > limit:
        raise NotFetchedError(f"more than {limit // (1024 * 1024)} MiB unpacked")
    return plain


def source_error(url: str, error: NotFetchedError) -> SourceError | SourceAwayError:
    """Return the error for a source that was not fetched."""
    if error.later:
        return SourceAwayError(f"{url}: {error.reason}", cure="try again later")
    return SourceError(f"{url}: {error.reason}")

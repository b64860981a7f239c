"""Readers of single settings: a raw value becomes a typed one, or ValueError says what is right.

A raw value comes from TOML, or as text from the environment.
"""

from __future__ import annotations

import re
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from unicodedata import normalize
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from postroom.digests import schedule
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Callable

DURATION = re.compile(r"(\d+)\s*(m|h|d|w|minutes?|hours?|days?|weeks?)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_RATE = 1_000_000
"""Messages a second: more is no limit, and `inf` and `nan` are no numbers."""
MAX_PORT = 65535
HUB = r"https?://[\w.~%:@\[\]-]+([/?][^\s#]*)?"
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

T = TypeVar("T")


def setting(
    default: T,
    read: Callable[[object], T],
    *,
    name: str = "",
    secret: bool = False,
    scalar: bool = True,
) -> T:
    """A field of a section: its default, its reader, its key where Python has that word.

    A `secret` never stands in a message; what is not `scalar` is a table of the file
    and has no variable.
    """
    metadata = {"read": read, "name": name, "secret": secret, "scalar": scalar}
    return field(default=default, metadata=metadata)


def text(raw: object) -> str:
    """One line."""
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    if CONTROLS.search(raw):
        raise ValueError("must not contain line breaks or control characters")
    return raw.strip()


def lines(raw: object) -> str:
    """Text of several lines."""
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    return "\n".join(text(line) for line in raw.strip().splitlines())


def number(low: int, high: int) -> Callable[[object], int]:
    """A whole number within bounds."""

    def read(raw: object) -> int:
        if isinstance(raw, str) and raw.strip().isdecimal():
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool) or not low <= raw <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return raw

    return read


def rate(raw: object) -> float:
    """Messages a second; 0 is no limit."""
    if isinstance(raw, str):
        raw = float(raw) if re.fullmatch(r"\d+(\.\d+)?", raw.strip()) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raw = -1
    if not 0 <= raw <= MAX_RATE:
        raise ValueError("must be messages a second, such as 10 or 0.5; 0 is no limit")
    return float(raw)


def rates(raw: object) -> tuple[tuple[str, float], ...]:
    """A table domain → rate; domains as addresses have them."""
    if not isinstance(raw, dict):
        raise ValueError('must be a table such as { "naver.com" = 5 }')
    found: dict[str, float] = {}
    for name, value in raw.items():
        try:
            folded, limit = domain(name), rate(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if folded in found:
            raise ValueError(f"names {folded} twice")
        found[folded] = limit
    return tuple(found.items())


def domain(raw: object) -> str:
    """A domain as it goes on the wire: lower case, A-labels (RFC 5890)."""
    from postroom.errors import AddressError  # noqa: PLC0415 - few sites name a domain
    from postroom.subscribers.address import parse_address  # noqa: PLC0415 - as above

    name = text(raw)
    try:
        return parse_address(f"x@{name}").email.rpartition("@")[2]
    except AddressError:
        raise ValueError('must be a domain such as "blog.example"') from None


def optional_domain(raw: object) -> str:
    """A domain, or empty."""
    return domain(raw) if raw else ""


def selector(raw: object) -> str:
    """Labels of a host name, joined by dots (RFC 6376 §3.1)."""
    name = text(raw).lower()
    label = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    if not re.fullmatch(rf"{label}(?:\.{label})*", name):
        raise ValueError('must be letters, digits and hyphens, such as "postroom"')
    return name


def flag(raw: object) -> bool:
    """True or false."""
    if isinstance(raw, str) and raw.lower() in {"true", "false", ""}:
        return raw.lower() == "true"
    if not isinstance(raw, bool):
        raise ValueError("must be true or false")
    return raw


def choice(*words: str) -> Callable[[object], str]:
    """One of these words."""

    def read(raw: object) -> str:
        if raw not in words:
            listed = ", ".join(f'"{word}"' for word in words)
            raise ValueError(f"must be one of {listed}")
        return str(raw)

    return read


def choices(*words: str) -> Callable[[object], tuple[str, ...]]:
    """Some of these words: a list, or text with commas."""

    def read(raw: object) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list):
            raise ValueError("must be a list")
        one = choice(*words)
        return tuple(one(item.strip()) for item in items if isinstance(item, str))

    return read


def duration(raw: object) -> timedelta:
    """Days as a number, or a number with a unit."""
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return timedelta(days=raw)
    found = DURATION.fullmatch(raw.strip().lower()) if isinstance(raw, str) else None
    if found is None:
        raise ValueError('must be a time such as "30d", "12h" or "2 weeks"')
    return timedelta(**{UNITS[found[2][0]]: int(found[1])})


def up_to_a_day(raw: object) -> timedelta:
    """A duration of at most a day."""
    found = duration(raw)
    if found > timedelta(days=1):
        raise ValueError('must be at most a day, such as "30m" or "6h"')
    return found


def url(raw: object) -> str:
    """An address of the web, ended by `/`."""
    found = text(raw)
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", found):
        raise ValueError('must be an address such as "https://blog.example/"')
    return found if found.endswith("/") else found + "/"


def optional_url(raw: object) -> str:
    """An address, or empty."""
    return url(raw) if raw else ""


def web_address(raw: object) -> str:
    """An address of any page or picture, or empty."""
    found = text(raw)
    if found and not re.fullmatch(r"https?://[^\s/?#]+([/?#]\S*)?", found):
        raise ValueError('must be an address such as "https://blog.example/a.png"')
    return found


def hub(raw: object) -> str:
    """The address of a WebSub hub, as it is, or empty."""
    found = text(raw)
    if not found:
        return ""
    if not re.fullmatch(HUB, found) or not _has_host(found):
        raise ValueError('must be an address such as "https://hub.example/"')
    if "@" in urlsplit(found).netloc:
        raise ValueError("must hold no password: every feed names the hub")
    return found


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:  # UnicodeError is one
        return False


def uuid(raw: object) -> str:
    """A UUID in its usual form, or empty."""
    found = text(raw).lower()
    if found and not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found):
        raise ValueError("must be a UUID")
    return found


def podcast_category(raw: object) -> str:
    """A category of Apple's, or empty."""
    found = text(raw)
    if found:
        from postroom.feeds.podcast_categories import parse_category  # noqa: PLC0415 - few sites are podcasts

        return parse_category(found)
    return found


def permalink(raw: object) -> str:
    """A pattern of addresses, or empty."""
    found = text(raw)
    if found:
        from postroom.posts.permalink import parse_permalink  # noqa: PLC0415 - few sites have one

        parse_permalink(found)
    return found


def paths(raw: object) -> tuple[str, ...]:
    """Names of folders or files below the posts folder: a list, or text with commas."""
    items = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(items, list):
        raise ValueError('must be a list such as ["Templates"]')
    named = [normalize("NFC", text(item)).strip("/") for item in items]
    if any(".." in name.split("/") or "\\" in name for name in named):
        raise ValueError("must name folders or files inside the posts folder")
    return tuple(name for name in named if name)


def language(raw: object) -> str:
    """A language tag."""
    found = text(raw)
    if not LANGUAGE.fullmatch(found):
        raise ValueError('must be a language tag such as "ko" or "en"')
    return found


def zone(raw: object) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(text(raw))
    except (KeyError, OSError, ValueError):
        raise ValueError('must be a time zone such as "Asia/Seoul"') from None


def cron(raw: object) -> str:
    """A cron expression, or empty for a rhythm that is off."""
    expression = text(raw)
    if expression:
        schedule.check_cron(expression)
    return expression


def cadence(raw: object) -> Cadence:
    """One of the rhythms."""
    return Cadence(choice(*Cadence)(raw))


def bind(raw: object) -> str:
    """Where a server listens: host and port, or a Unix socket."""
    found = text(raw)
    host, _, port = found.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and int(port) <= MAX_PORT
    is_host = re.fullmatch(r"\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+", host)
    if not re.fullmatch("unix:/.+", found) and not (is_port and is_host):
        raise ValueError(
            'must be host and port such as "127.0.0.1:8000", or "unix:/run/postroom.sock"'
        )
    return found


def header_value(raw: object) -> str:
    """The value of an HTTP header field: printable ASCII."""
    found = text(raw)
    if not found.isascii():
        raise ValueError("must be ASCII")
    return found


def tables(kind: type[T]) -> Callable[[object], tuple[T, ...]]:
    """Tables that have been read already."""

    def read(raw: object) -> tuple[T, ...]:
        found = raw if isinstance(raw, tuple) else ()
        return tuple(table for table in found if isinstance(table, kind))

    return read


def database(raw: object) -> str:
    """A path."""
    found = text(raw)
    if "://" in found:
        raise ValueError("must be a path: this version keeps its state in SQLite")
    return found

"""The fields of a mailing list: RFC 2369, RFC 2919, RFC 8058.

One click (RFC 8058) needs an https link, §3.1; with another, as on a trial machine, only
the plain RFC 2369 field goes out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from postroom.errors import MessageUnsafeError
from postroom.feeds.characters import clean_url
from postroom.mail.header_text import render_phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LIST_ID = 255
"""Octets between the angle brackets (RFC 2919 §2)."""
LIST_LABEL = "posts"

_NOT_LABEL = re.compile("[^A-Za-z0-9]+")
_NOT_HOST = re.compile("[^A-Za-z0-9.-]+")
_MAX_TITLE = 40


def list_field_names(*, one_click: bool) -> tuple[str, ...]:
    """Return the names of the fields that `list_fields` builds, in order."""
    post = ("List-Unsubscribe-Post",) if one_click else ()
    return ("List-Id", "List-Unsubscribe", *post, "List-Archive", "List-Help")


def list_fields(
    title: str, site_url: str, unsubscribe_url: str, *, mailto: str
) -> Iterable[tuple[str, str]]:
    """Yield the fields of a letter of the list `title`, every value on one line.

    `mailto` is an address that somebody reads, or empty. Folded before its value, as
    libraries like to do, List-Unsubscribe is not recognised everywhere.
    """
    site = header_url(site_url)
    leave = header_url(unsubscribe_url)
    yield "List-Id", _list_id(title, site)
    by_mail = (
        f", <mailto:{_quote_mailto(mailto)}?subject=unsubscribe>" if mailto else ""
    )
    yield "List-Unsubscribe", f"<{leave}>{by_mail}"
    if can_one_click(leave):
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    yield "List-Archive", f"<{site}archive/>"
    yield "List-Help", f"<{site}follow/>"


def can_one_click(link_url: str) -> bool:
    """Whether RFC 8058 allows one click with links that begin so."""
    return link_url[:8].lower() == "https://"


def header_url(url: str) -> str:
    """Return an absolute http(s) URL in ASCII; raise MessageUnsafeError for another."""
    cleaned = clean_url(url)
    if not cleaned:
        raise MessageUnsafeError(
            f"{url!r} is no address that a letter can link to",
            cure='site.url and web.url look like "https://blog.example/"',
        )
    return cleaned


def _list_id(title: str, site_url: str) -> str:
    """Return `Title <posts.blog.example>`; sites under one host differ by path."""
    parts = urlsplit(site_url)
    labels = [_NOT_LABEL.sub("-", part).strip("-") for part in parts.path.split("/")]
    host = _NOT_HOST.sub("-", parts.hostname or "").strip(".-")  # `[::1]` has colons
    name = ".".join([LIST_LABEL, *filter(None, reversed(labels)), host])
    name = name[-MAX_LIST_ID:].lstrip(".-")
    # On one line: filters are written by people who look at one.
    phrase = render_phrase(title[:_MAX_TITLE], len("List-Id: ")).replace("\r\n ", " ")
    return f"{phrase} <{name}>".strip()


def _quote_mailto(email: str) -> str:
    local, _, domain = email.rpartition("@")
    return f"{quote(local, safe='!$*+-._~')}@{domain}"

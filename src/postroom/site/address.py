"""Addresses on pages: relative inside the site, absolute where others read them."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlsplit

INDEX = "index.html"
ABSOLUTE_URL_SAFE = "/%:?#[]@!$&'()*+,;=~"
"""What an address may hold by itself (RFC 3986 §2.2); `%` because it may be encoded."""


@lru_cache(maxsize=4096)
def quote_path(path: str) -> str:
    """Return `path` of the output folder as part of an address (RFC 3986 §3.3)."""
    return quote(path, safe="/~")


def quote_url(url: str) -> str:
    """Return `url` in ASCII; what is encoded already stays."""
    return quote(url, safe=ABSOLUTE_URL_SAFE)


def root_of(path: str) -> str:
    """Return the way from the page at `path` up to the output folder: `../../` or ``."""
    return "../" * path.count("/")


def address_of(path: str) -> str:
    """Return the address of a file relative to the site: without `index.html`."""
    if path == INDEX or path.endswith(f"/{INDEX}"):
        path = path[: -len(INDEX)]
    return quote_path(path)


def base_path(site_url: str) -> str:
    """Return the path of the site on its host: `/` or `/blog/`."""
    return quote_url(urlsplit(site_url).path) or "/"


def origin_of(url: str) -> str:
    """Return scheme, host and port of `url`, the unit of a content security policy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

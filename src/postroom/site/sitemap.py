"""What search engines read: sitemap.xml (sitemaps.org, protocol 0.9) and robots.txt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from postroom.site.info import OutputFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SITEMAP = "sitemap.xml"
MAX_ADDRESSES = 50_000
"""The protocol's limit for one file; more become several files and an index of them."""
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap_paths(count: int, limit: int = MAX_ADDRESSES) -> list[str]:
    """Return the files that `count` addresses make, in the order of `build_sitemap`."""
    if count <= limit:
        return [SITEMAP]
    return [_part(number) for number in range(1, -(-count // limit) + 1)] + [SITEMAP]


def _part(number: int) -> str:
    return f"sitemap-{number}.xml"


def build_sitemap(
    site_url: str, addresses: Sequence[tuple[str, str]], limit: int = MAX_ADDRESSES
) -> Iterator[OutputFile]:
    """Yield sitemap.xml, and its parts when there are more than `limit` addresses.

    `addresses` are absolute and in ASCII, each with the day of its last change as
    `YYYY-MM-DD`, or nothing.
    """
    if len(addresses) <= limit:
        yield _sitemap_file(SITEMAP, "urlset", "url", addresses)
        return
    parts: list[tuple[str, str]] = []
    for start in range(0, len(addresses), limit):
        path = _part(len(parts) + 1)
        parts.append((site_url + path, ""))
        yield _sitemap_file(path, "urlset", "url", addresses[start : start + limit])
    yield _sitemap_file(SITEMAP, "sitemapindex", "sitemap", parts)


def build_robots(site_url: str) -> OutputFile:
    """Return robots.txt (RFC 9309): everything may be read, and where the map is."""
    text = f"User-agent: *\nAllow: /\n\nSitemap: {site_url}{SITEMAP}\n"
    return OutputFile(path="robots.txt", data=text.encode())


def _sitemap_file(
    path: str, outer: str, inner: str, addresses: Sequence[tuple[str, str]]
) -> OutputFile:
    lines = [
        f"<{inner}><loc>{escape(address)}</loc>{_changed(day)}</{inner}>"
        for address, day in addresses
    ]
    text = "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<{outer} xmlns="{NAMESPACE}">',
            *lines,
            f"</{outer}>\n",
        )
    )
    return OutputFile(path=path, data=text.encode())


def _changed(day: str) -> str:
    return f"<lastmod>{day}</lastmod>" if day else ""

"""sitemap.xml is well-formed, complete, and split at the protocol's limit."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from postroom.site.sitemap import NAMESPACE, build_robots, build_sitemap

SITE = "https://notes.example/"


def _addresses(data: bytes) -> list[str]:
    root = ET.fromstring(data)  # noqa: S314 - our own output
    return [loc.text or "" for loc in root.iter(f"{{{NAMESPACE}}}loc")]


def test_addresses_and_days_are_written() -> None:
    """An ampersand in an address is escaped; a page without a day has no lastmod."""
    (file,) = build_sitemap(SITE, [(f"{SITE}?a&b", "2024-11-02"), (SITE, "")])
    assert file.path == "sitemap.xml"
    assert _addresses(file.data) == [f"{SITE}?a&b", SITE]
    assert file.data.count(b"<lastmod>") == 1


def test_a_large_site_has_several_maps_and_an_index() -> None:
    """No file holds more than the limit, and none of the addresses is lost."""
    addresses = [(f"{SITE}{number}/", "") for number in range(7)]
    *parts, index = build_sitemap(SITE, addresses, limit=3)
    assert [part.path for part in parts] == [f"sitemap-{n}.xml" for n in (1, 2, 3)]
    found = [address for part in parts for address in _addresses(part.data)]
    assert found == [address for address, _ in addresses]
    assert _addresses(index.data) == [SITE + part.path for part in parts]


def test_robots_are_told_where_the_map_is() -> None:
    """RFC 9309: the Sitemap line holds an absolute address."""
    assert f"Sitemap: {SITE}sitemap.xml\n".encode() in build_robots(SITE).data

"""Addresses of posts: each its own, and old ones never move."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import TYPE_CHECKING

from postroom.posts.collection import build_site_map, settle_addresses
from postroom.posts.head import parse_head
from postroom.posts.post import Head, Rules, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = Rules(site_url="https://blog.example/", language="ko", zone=UTC)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def head(path: str, body: str = "text") -> Head:
    """A post by its file name."""
    return parse_head(Source(path=path, data=body.encode()), RULES)


def paths(posts: Sequence[Head]) -> dict[str, str]:
    """Path of the file → address."""
    return settle_addresses(posts, UTC).paths


def test_equal_names_get_their_dates_and_the_oldest_stays() -> None:
    """Whatever the order in which files are found."""
    posts = [head(f"{year}-01-09-release.md") for year in (2023, 2024, 2025)]
    for order in permutations(posts):
        assert paths(order) == {
            "2023-01-09-release.md": "posts/release/",
            "2024-01-09-release.md": "posts/release-2024-01-09/",
            "2025-01-09-release.md": "posts/release-2025-01-09/",
        }
    warning = settle_addresses(posts, UTC).warnings[0]
    assert "2023-01-09-release.md has the slug" in warning.message


def test_equal_names_of_one_day_are_counted() -> None:
    """Also among pages, which have no date to add."""
    posts = [
        head("a/2024-01-09-x.md"),
        head("b/2024-01-09-x.md"),
        head("c/2024-01-09-x.md"),
    ]
    assert sorted(paths(posts).values()) == [
        "posts/x-2024-01-09-2/",
        "posts/x-2024-01-09/",
        "posts/x/",
    ]
    pages = [head("a/about.md"), head("b/about.md")]
    assert paths(pages) == {"a/about.md": "about/", "b/about.md": "about-2/"}


def test_links_lead_only_to_what_can_be_opened() -> None:
    """Not to drafts, nor to posts whose day has not come."""
    posts = [
        head("2024-01-09-x.md"),
        head("2099-01-09-y.md"),
        head("_drafts/z.md"),
        head("about.md"),
    ]
    site_map = build_site_map(posts, paths(posts), ["img/a.png"], NOW)
    assert site_map.pages == {"2024-01-09-x.md": "posts/x/", "about.md": "about/"}
    assert site_map.files == {"img/a.png": "media/img/a.png"}

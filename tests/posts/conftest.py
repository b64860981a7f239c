"""Rendering from a body alone, for the tests of everything after the front matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from postroom.posts.post import Head, Post, Rules, SiteMap
from postroom.posts.render import build_post

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN_HEAD: dict[str, Any] = {
    "path": "2026/안녕.md",
    "title": "",
    "published": None,
    "updated": None,
    "expires": None,
    "draft": False,
    "slug": "안녕",
    "url_path": "posts/안녕/",
    "language": "ko",
    "tags": (),
    "authors": (),
    "summary": "",
    "subject": "",
    "preheader": "",
    "image": "",
    "image_alt": "",
    "canonical_url": "",
    "id": "",
    "mailed": True,
    "body_line": 5,
}

RULES = Rules(
    site_url="https://ex.kr/blog/", language="ko", zone=ZoneInfo("Asia/Seoul")
)

SITE_MAP = SiteMap(
    pages={
        "2026/안녕.md": "posts/안녕/",
        "2026/둘째 글.md": "posts/둘째-글/",
        "notes/Garden.md": "posts/garden/",
        "about/index.md": "about/",
    },
    files={
        "2026/그림 하나.png": "media/2026/그림 하나.png",
        "2026/a,b.png": "media/2026/a,b.png",
        "img/root.png": "media/img/root.png",
        "notes/표.pdf": "media/notes/표.pdf",
    },
)


def _render(
    body: str, *, rules: Rules = RULES, site_map: SiteMap = SITE_MAP, **head: Any
) -> Post:
    values = {**PLAIN_HEAD, "body": body, **head}
    return build_post(Head(**values), rules, site_map, "0" * 64)


@pytest.fixture(scope="session")
def render() -> Callable[..., Post]:
    """Return a function from a body (and parts of a head) to a Post."""
    return _render


@pytest.fixture(scope="session")
def site_map() -> SiteMap:
    """Return the site map those posts are rendered with."""
    return SITE_MAP


@pytest.fixture(scope="session")
def rules() -> Rules:
    """Return the rules those posts are rendered by."""
    return RULES

"""On another program's page a link leads where a browser takes it from there."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from postroom.posts.away import AwayLinks
from postroom.posts.head import parse_head
from postroom.posts.links import FRAGMENT, INSIDE
from postroom.posts.post import Rules, SiteMap, Source

RULES = Rules(site_url="https://b.example/", language="ko", zone=ZoneInfo("Asia/Seoul"))
PAGE = "https://b.example/2024/post/"
OTHER = "https://b.example/2023/%EA%B8%80/"


def links(*, media: bool = False) -> AwayLinks:
    """Those of a post at PAGE, with another post and a picture in the folder."""
    head = parse_head(
        Source(path="2024/post.md", data=b"---\ndate: 2024-01-01\n---\nx"), RULES
    )
    site_map = SiteMap(
        pages={"2024/post.md": PAGE, "2023/글.md": OTHER},
        files={"2024/beside.png": "media/2024/beside.png"} if media else {},
    )
    return AwayLinks(replace(head, url_path=PAGE), RULES, site_map, media=media)


@pytest.mark.parametrize(
    ("written", "leads"),
    [
        ("beside.png", f"{PAGE}beside.png"),
        ("./img/가 나.png", f"{PAGE}img/%EA%B0%80%20%EB%82%98.png"),
        ("../other/", "https://b.example/2024/other/"),
        ("/img/x.png?w=2", "https://b.example/img/x.png?w=2"),
        ("//cdn.example/x.png", "https://cdn.example/x.png"),
        ("https://far.example/글", "https://far.example/%EA%B8%80"),
    ],
)
def test_relative_addresses_begin_at_the_page(written: str, leads: str) -> None:
    """Links and pictures alike, whether the file is in the posts folder or not."""
    found = links()
    assert found.href(written) == leads
    assert found.src(written) == leads
    assert not found.missed
    assert not found.files


@pytest.mark.parametrize(
    ("written", "leads"),
    [
        ("../2023/글.md", OTHER),
        ("/2023/글.md", OTHER),
        ("@/2023/글.md", OTHER),
        ("../2023/글.md#머리말", f"{OTHER}#%EB%A8%B8%EB%A6%AC%EB%A7%90"),
        ("wiki:글", OTHER),
        ("#part", f"{FRAGMENT}part"),
        ("post.md#part", f"{FRAGMENT}part"),
    ],
)
def test_links_to_sources_lead_to_their_pages(written: str, leads: str) -> None:
    """By path, from the top, by name; headings keep the ids that the author knows."""
    found = links()
    assert found.href(written) == leads
    assert not found.missed


def test_a_source_that_is_not_there_is_named() -> None:
    """Its text stays, without a link."""
    found = links()
    assert found.href("gone.md") is None
    assert found.href("wiki:없는 글") is None
    assert len(found.missed) == 2


def test_with_media_files_beside_a_post_are_copied() -> None:
    """The program gives pictures names of its own: only a copy has one that is known."""
    found = links(media=True)
    assert found.src("beside.png") == f"{INSIDE}media/2024/beside.png"
    assert found.href("beside.png") == f"{INSIDE}media/2024/beside.png"
    assert list(found.files) == ["2024/beside.png"]
    assert found.src("lost.png") is None
    assert "lost.png" in found.missed
    assert found.src("/img/x.png") == "https://b.example/img/x.png"
    assert found.href("../other/") == "https://b.example/2024/other/"

"""Two small sites, byte for byte: what a change of templates or words does to readers.

`POSTROOM_GOLDEN=1 pytest tests/site/test_golden.py` writes the files anew; read the
difference before it is kept. Hashes of assets are left out, so that a colour changes
nothing here.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.site.holdings import make_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    import jinja2

    from postroom.posts.post import Post
    from postroom.site.info import SiteInfo

GOLDEN = Path(__file__).parents[1] / "golden" / "site"
HASHED = re.compile(rb"(assets/[a-z]+-)[0-9a-f]{10}")


@pytest.fixture
def sites(
    korean_site: SiteInfo,
    english_site: SiteInfo,
    korean_posts: list[Post],
    korean_pages: list[Post],
    make_post: Callable[..., Post],
) -> dict[str, tuple[SiteInfo, list[Post], list[Post]]]:
    """The Korean essays with a form; two English posts without one, and their feeds."""
    english = [
        make_post("second", tags=("Notes", "C++"), title="Less & less"),
        make_post("first", tags=("notes",), language="ko", title="첫 글"),
    ]
    return {
        "ko": (korean_site, [*korean_posts[:4], korean_posts[5]], korean_pages),
        "en": (replace(english_site, topic_feeds=True), english, []),
    }


@pytest.mark.parametrize("name", ["ko", "en"])
def test_the_pages_are_those_of_the_golden_files(
    name: str,
    sites: dict[str, tuple[SiteInfo, list[Post], list[Post]]],
    environment: jinja2.Environment,
) -> None:
    """Each file, and no file more or less."""
    site, posts, pages = sites[name]
    made = {
        file.path: HASHED.sub(rb"\1HASH", file.data)
        for file in make_pages(site, posts, pages, environment)
        if not file.path.startswith(("assets/", "feed.css"))
    }
    folder = GOLDEN / name
    if os.environ.get("POSTROOM_GOLDEN"):
        for path, data in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    kept = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(made) == sorted(kept)
    for path, data in made.items():
        assert data.decode() == kept[path].decode(), path

"""A long list becomes pages that lose no post and know their neighbours."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postroom.site.listing import build_item, cut_into_chunks, plain_line
from postroom.site.topics import gather_topics
from tests.site.holdings import holdings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post
    from postroom.site.info import SiteInfo


def test_an_item_speaks_the_language_of_its_post(
    make_post: Callable[..., Post], korean_site: SiteInfo
) -> None:
    """The date is the site's, "read more" the post's, and Arabic is set right to left."""
    arabic = make_post("rihla", language="ar", title="رحلة")
    item = build_item(arabic, korean_site, gather_topics([arabic])[0])
    assert item.published is not None
    assert item.published.date == "2024. 11. 2."
    assert item.language == ' lang="ar" dir="rtl"'
    assert (item.more, item.more_language) == ("Read more", ' lang="en" dir="ltr"')


def test_a_post_without_a_title_is_still_a_link(
    make_post: Callable[..., Post], korean_site: SiteInfo
) -> None:
    """A link without words cannot be followed."""
    item = build_item(make_post("quiet", title="  "), korean_site, {})
    assert item.title == "quiet"


@given(st.integers(0, 95), st.integers(1, 12))
def test_pages_hold_every_post_once(
    make_post: Callable[..., Post], count: int, size: int
) -> None:
    """In order, none empty, each with a way to the ones beside it."""
    posts = holdings_of([make_post(f"p{n}") for n in range(count)]).posts
    chunks = list(cut_into_chunks(posts, "tags/a/", size))
    assert [post for chunk in chunks for post in chunk.posts] == posts
    assert all(chunk.posts for chunk in chunks[1:])
    assert chunks[0].path == "tags/a/index.html"
    assert (chunks[0].newer, chunks[-1].older) == (None, None)
    for chunk, following in pairwise(chunks):
        assert f"{chunk.older}index.html" == following.path
        assert f"{following.newer}index.html" == chunk.path


def test_plain_text_keeps_its_direction_to_itself() -> None:
    """A right-to-left override in a title does not turn the name of the site."""
    assert plain_line("safe \u202egnp.exe\n x") == "safe gnp.exe x"

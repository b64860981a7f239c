"""Which feeds a site has: the whole, and each part that is more than the whole again."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postroom.feeds.choice import (
    FeedKind,
    FeedPlan,
    Group,
    group_authors,
    group_languages,
    group_settings,
    plan_feeds,
    slug_of_author,
)
from postroom.feeds.moments import order_posts
from postroom.posts.post import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.from_posts import FeedSettings
    from postroom.posts.post import Post

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def test_each_group_has_its_newest_posts(make_post: Callable[..., Post]) -> None:
    """Whatever order they come in; a group without public posts has no feed."""
    posts = [
        make_post(path=f"{day}", published=DAY + timedelta(days=day))
        for day in range(5)
    ]
    ids = {post.path: f"id:{post.path}" for post in posts}
    topics = [
        Group("글", "tags/글/", ("0", "3", "1", "3")),
        Group("초안", "tags/초안/", ("draft",)),
    ]
    plans = plan_feeds(
        order_posts(posts, ids), limit=2, groups={FeedKind.TOPIC: topics}
    )
    assert plans == (
        FeedPlan(kind=FeedKind.SITE, folder="", label="", paths=("4", "3")),
        FeedPlan(kind=FeedKind.TOPIC, folder="tags/글/", label="글", paths=("3", "1")),
    )


def test_authors_have_feeds_when_there_are_two(make_post: Callable[..., Post]) -> None:
    """Who wrote the posts that name nobody counts; a bare address is no name."""
    kim, park = Person(name="김서연"), Person(name="Jun Park", email="jun@example.com")
    alone = [make_post(path="a"), make_post(path="b", authors=(kim,))]
    assert group_authors(alone, "김서연") == ()
    assert group_authors(alone[:1], "") == ()
    posts = [*alone, make_post(path="c", authors=(park, kim))]
    assert group_authors(posts, "김서연") == (
        Group("Jun Park", "authors/jun-park/", ("c",)),
        Group("김서연", "authors/김서연/", ("a", "b", "c")),
    )
    masked = [*alone, make_post(path="d", authors=(Person(name="lee@example.com"),))]
    assert group_authors(masked, "김서연") == ()


def test_spellings_of_one_name_are_one_author(make_post: Callable[..., Post]) -> None:
    """NFC and NFD, capitals and small letters; most posts decide what it is called."""
    names = ("KIM", "Kim", "Kim", unicodedata.normalize("NFD", "한글"), "한글")
    posts = [
        make_post(path=str(place), authors=(Person(name=name),))
        for place, name in enumerate(names)
    ]
    found = group_authors(posts, "")
    assert [(group.label, group.paths) for group in found] == [
        ("Kim", ("0", "1", "2")),
        ("한글", ("3", "4")),
    ]


@given(st.text())
def test_an_authors_address_is_one_segment(name: str) -> None:
    """Never empty, never with a slash, the same for NFC and NFD."""
    slug = slug_of_author(name)
    assert slug
    assert "/" not in slug
    assert slug == slug_of_author(unicodedata.normalize("NFC", name))
    assert slug_of_author("🎉").startswith("author-")


def test_languages_have_feeds_when_there_are_two(
    make_post: Callable[..., Post],
) -> None:
    """By their tag in its usual spelling."""
    korean = [make_post(path="a"), make_post(path="b", language="ko")]
    assert group_languages(korean) == ()
    both = [*korean, make_post(path="c", language="en_gb"), make_post(language="?")]
    assert group_languages(both) == (
        Group("en-GB", "languages/en-GB/", ("c",)),
        Group("ko", "languages/ko/", ("a", "b")),
    )


def test_a_part_has_an_id_of_its_own_for_good(site: FeedSettings) -> None:
    """Made of the site's and of its folder, in ASCII (RFC 4151)."""
    topic = FeedPlan(kind=FeedKind.TOPIC, folder="tags/글/", label="글", paths=())
    own = group_settings(replace(site, archive="2026-01"), topic)
    assert own.id == "tag:blog.example.kr,2026-01-01:feed:tags/%EA%B8%80"
    assert (own.path, own.title, own.archive) == ("tags/글/", "글 · 서랍 & 편지", "")
    assert own.language == site.language


def test_the_feed_of_a_language_is_in_it(site: FeedSettings) -> None:
    """Then no entry has to say so."""
    plan = FeedPlan(
        kind=FeedKind.LANGUAGE, folder="languages/en/", label="en", paths=()
    )
    own = group_settings(site, plan, "English")
    assert (own.language, own.title) == ("en", "English · 서랍 & 편지")
    whole = FeedPlan(kind=FeedKind.SITE, folder="", label="", paths=())
    assert group_settings(site, whole) is site

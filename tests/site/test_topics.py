"""One page for all spellings of a topic, and one only."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.site.topics import gather_topics, slug_of_topic, topics_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post

    MakePost = Callable[..., Post]


@pytest.mark.parametrize(
    ("tag", "slug"),
    [
        ("자전거", "자전거"),
        (unicodedata.normalize("NFD", "자전거"), "자전거"),
        ("Machine Learning", "machine-learning"),
        ("MACHINE  learning", "machine-learning"),
        ("C", "c"),
        ("C++", "c-plus-plus"),
        ("C#", "c-sharp"),
        (unicodedata.normalize("NFD", "À+"), "à-plus"),
        ("../../etc", "etc"),
    ],
)
def test_a_topic_has_a_readable_address(tag: str, slug: str) -> None:
    """Hangul stays, case and composition fold, and signs that matter become words."""
    assert slug_of_topic(tag) == slug


@given(st.text(max_size=300))
def test_every_tag_is_one_folder_name(tag: str) -> None:
    """Whatever an author writes: one path segment, short enough for any file system."""
    slug = slug_of_topic(tag)
    assert slug
    assert "/" not in slug
    assert slug not in {".", ".."}
    assert len(slug.encode()) <= 200
    assert slug == slug_of_topic(unicodedata.normalize("NFD", tag))


def test_spellings_meet_and_the_frequent_one_is_the_name(make_post: MakePost) -> None:
    """`AI`, `ai` and `AI` are one topic, called as most posts call it."""
    posts = [
        make_post("a", tags=("ai",)),
        make_post("b", tags=("AI",)),
        make_post("c", tags=("AI", "ai")),
    ]
    by_tag, ordered = gather_topics(posts)
    assert [(topic.slug, topic.label) for topic in ordered] == [("ai", "AI")]
    assert [post.slug for post in by_tag["ai"].posts] == ["a", "b", "c"]
    assert topics_of(posts[2], by_tag) == (ordered[0],)


def test_signs_alone_make_a_topic_too(make_post: MakePost) -> None:
    """A tag of signs gets an address of its own; two such tags do not meet."""
    _, ordered = gather_topics([make_post("a", tags=("!!!", "???"))])
    assert len({topic.slug for topic in ordered}) == 2
    assert {topic.label for topic in ordered} == {"!!!", "???"}


def test_topics_come_by_the_alphabet(make_post: MakePost) -> None:
    """Capitals make no difference to the order."""
    _, ordered = gather_topics([make_post("a", tags=("나루", "beta", "Alpha", "가을"))])
    assert [topic.label for topic in ordered] == ["Alpha", "beta", "가을", "나루"]

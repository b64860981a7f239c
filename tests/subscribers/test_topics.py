"""Topics and tags meet whatever their case, their `#` and their normal form."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from postroom.subscribers.topics import (
    build_topics,
    fold_topic,
    parse_topics,
    render_topics,
)


def test_topics_are_named_once() -> None:
    """Spellings of one topic count once, in an order that does not depend on the text."""
    assert parse_topics("#Python; 여행 ;python;;") == ("Python", "여행")
    assert parse_topics("여행;Python") == ("Python", "여행")


def test_no_topics_is_an_empty_tuple() -> None:
    """Nothing, blanks and separators name no topic."""
    assert parse_topics(" ; # ;") == ()


def test_tags_match_topics() -> None:
    """Case, a leading #, blanks and NFD are no difference between tag and topic."""
    for spelling in ("여행", unicodedata.normalize("NFD", "여행"), " #여행"):
        assert fold_topic(spelling) == fold_topic("여행")
    assert fold_topic("#Straße") == fold_topic("STRASSE")


def test_a_separator_inside_a_tag_does_no_harm() -> None:
    """A tag with a `;` can be chosen from a list, and still matches."""
    (topic,) = build_topics(["a;b"])
    assert ";" not in topic
    assert fold_topic(topic) == fold_topic("a;b")


@given(st.lists(st.text()))
def test_rendered_topics_read_back(topics: list[str]) -> None:
    """What `render_topics` writes, `parse_topics` reads as the same topics."""
    built = build_topics(topics)
    assert parse_topics(render_topics(built)) == built
    assert {fold_topic(topic) for topic in built} == {
        fold_topic(topic) for topic in topics
    } - {""}

"""Dates as both formats write them, and the order they give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.feeds.moments import newest_first, rss_date, writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post


@given(st.datetimes(timezones=st.timezones()))
def test_rss_dates_are_those_of_the_standard_library(moment: datetime) -> None:
    """Made by hand for speed, so held to it for every date that feeds carry."""
    local = writable(moment, moment.tzinfo or UTC)
    assert rss_date(local) == format_datetime(local)


def test_an_rss_date() -> None:
    """Names are English, the year has four digits, the offset no colon."""
    moment = datetime(
        26, 3, 1, 9, 5, 7, tzinfo=timezone(-timedelta(hours=3, minutes=30))
    )
    assert rss_date(moment) == "Sun, 01 Mar 0026 09:05:07 -0330"


def test_the_order_is_by_second_then_id(make_post: Callable[..., Post]) -> None:
    """Fractions are not written, so they may not decide."""
    second = datetime(2026, 3, 1, tzinfo=UTC)
    posts = [
        make_post(path="a", published=second + timedelta(milliseconds=900)),
        make_post(path="b", published=second),
        make_post(path="page", published=None),
    ]
    order = newest_first(posts, {"a": "id:1", "b": "id:2"}, UTC)
    assert [post.path for _, _, post in order] == ["b", "a"]


def test_every_dated_post_needs_its_id(make_post: Callable[..., Post]) -> None:
    """Nothing is left out silently."""
    with pytest.raises(KeyError):
        newest_first([make_post(path="a")], {}, UTC)

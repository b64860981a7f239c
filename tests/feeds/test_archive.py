"""Archives hold the whole history, and what is closed stays as it is (RFC 5005)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.feeds.archive import (
    ArchivePlan,
    build_archive,
    newest_closed,
    plan_archives,
)
from postroom.feeds.archive_names import name_documents
from postroom.feeds.formats import FORMATS
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.feeds.moments import order_posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post

SEOUL = ZoneInfo("Asia/Seoul")
START = datetime(2026, 1, 1, tzinfo=SEOUL)
HOURS = st.lists(st.integers(0, 24 * 120), max_size=60)
LIMITS = st.integers(1, 12)


def posts_at(make_post: Callable[..., Post], hours: list[int]) -> list[Post]:
    """Return a post for each number of hours since the start."""
    return [
        make_post(path=f"{place}.md", published=START + timedelta(hours=hour))
        for place, hour in enumerate(hours)
    ]


def ids_of(posts: list[Post]) -> dict[str, str]:
    """Return an id for each."""
    return {post.path: f"tag:x,2026:{post.path}" for post in posts}


def plan(posts: list[Post], limit: int) -> tuple[ArchivePlan, ...]:
    """Return the plan for `posts` in Seoul."""
    return plan_archives(order_posts(posts, ids_of(posts)), limit=limit, zone=SEOUL)


@given(hours=HOURS, limit=LIMITS)
def test_every_post_is_in_the_feed_or_in_a_closed_document(
    make_post: Callable[..., Post], site: FeedSettings, hours: list[int], limit: int
) -> None:
    """Following prev-archive from the feed reads the whole blog, in its order."""
    posts = posts_at(make_post, hours)
    ids = ids_of(posts)
    settings = replace(site, limit=limit)
    feed = build_feed(posts, ids, settings)
    plans = plan(posts, limit)
    by_path = {post.path: post for post in posts}
    by_name = {one.name: one for one in plans}
    seen = {entry.id for entry in feed.entries}
    following = newest_closed(plans)
    while following:
        one = by_name[following]
        document = build_archive([by_path[p] for p in one.paths], ids, settings, one)
        assert [entry.id for entry in document.entries] == [ids[p] for p in one.paths]
        seen |= {entry.id for entry in document.entries}
        following = one.older
    assert seen == set(ids.values())


@given(hours=HOURS, limit=LIMITS)
def test_documents_part_the_posts_by_month_and_by_number(
    make_post: Callable[..., Post], hours: list[int], limit: int
) -> None:
    """Each post is in one, none is longer than the feed, all are newest first."""
    posts = posts_at(make_post, hours)
    plans = plan(posts, limit)
    when = {post.path: post.published for post in posts}
    paths = [path for one in plans for path in one.paths]
    assert not plans or sorted(paths) == sorted(when)
    assert len({one.name for one in plans}) == len(plans)
    order = [when[path] for path in paths]
    assert order == sorted(order, key=lambda moment: moment or START, reverse=True)
    for one in plans:
        assert 0 < len(one.paths) <= limit
        months = {f"{when[path]:%Y-%m}" for path in one.paths}
        assert months == {one.name[:7]}
    assert [one.older for one in plans[:-1]] == [one.name for one in plans[1:]]
    assert [one.newer for one in plans[1:]] == [one.name for one in plans[:-1]]
    assert [one.closed for one in plans] == [place > 0 for place in range(len(plans))]


@given(hours=HOURS, later=st.lists(st.integers(0, 2000), max_size=10), limit=LIMITS)
def test_newer_posts_change_no_closed_document(
    make_post: Callable[..., Post], hours: list[int], later: list[int], limit: int
) -> None:
    """Neither its posts nor its links: what a reader has fetched it need not fetch again."""
    posts = posts_at(make_post, hours)
    before = plan(posts, limit)
    start = max(hours, default=0) + 1
    more = [
        make_post(path=f"new{n}.md", published=START + timedelta(hours=start + hour))
        for n, hour in enumerate(later)
    ]
    after = {one.name: one for one in plan(posts + more, limit)}
    for one in before:
        if one.closed:
            assert after[one.name] == one


def test_an_edit_changes_its_document_alone(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """The others keep their bytes."""
    posts = posts_at(make_post, [0, 800, 1600, 2400])
    edited = [
        replace(
            posts[0], html="<p>고쳤다.</p>", updated=datetime(2026, 9, 1, tzinfo=UTC)
        ),
        *posts[1:],
    ]

    def documents(current: list[Post]) -> dict[str, bytes]:
        by_path = {post.path: post for post in current}
        return {
            one.name: FORMATS["atom"].stream(
                build_archive(
                    [by_path[path] for path in one.paths], ids_of(current), site, one
                )
            )
            for one in plan(current, site.limit)
        }

    first, second = documents(posts), documents(edited)
    assert [name for name in first if first[name] != second[name]] == ["2026-01"]
    assert len(first) == 4


def test_a_blog_of_one_document_has_none(make_post: Callable[..., Post]) -> None:
    """The main feed is the whole of it; so has a blog without posts."""
    assert plan(posts_at(make_post, [0, 1, 2]), 3) == ()
    assert plan([], 3) == ()
    assert newest_closed(()) == ""


def test_a_long_month_is_in_parts(make_post: Callable[..., Post]) -> None:
    """Filled from its oldest post on, so that a part is full before the next begins."""
    plans = plan(posts_at(make_post, [*range(7), 800]), 3)
    assert [(one.name, len(one.paths)) for one in plans] == [
        ("2026-02", 1),
        ("2026-01-3", 1),
        ("2026-01-2", 3),
        ("2026-01", 3),
    ]
    assert newest_closed(plans) == "2026-01-3"


def test_months_are_those_of_the_site(make_post: Callable[..., Post]) -> None:
    """The last evening of January in London is February in Seoul."""
    evening = make_post(path="a", published=datetime(2026, 1, 31, 16, tzinfo=UTC))
    before = make_post(path="b", published=datetime(2026, 1, 2, tzinfo=UTC))
    for zone, names in ((SEOUL, ["2026-02", "2026-01"]), (UTC, [])):
        plans = plan_archives([evening, before], limit=9, zone=zone)
        assert [one.name for one in plans] == names


def test_years_of_the_calendars_ends_are_named(make_post: Callable[..., Post]) -> None:
    """Four digits, in order, whatever was written as a date."""
    posts = [
        make_post(path="a", published=datetime(1, 1, 1, tzinfo=UTC)),
        make_post(path="b", published=datetime(9999, 12, 31, 23, tzinfo=UTC)),
    ]
    assert [one.name for one in plan(posts, 5)] == ["9999-12", "0001-01"]


@pytest.mark.parametrize(
    ("formats", "documents"),
    [
        (("atom", "rss", "json"), {"atom", "json"}),
        (("rss",), {"atom"}),
        (("json",), {"json"}),
        ((), set()),
    ],
)
def test_which_documents_are_written(
    formats: tuple[str, ...], documents: set[str]
) -> None:
    """Atom serves RSS as well; JSON Feed has pages of its own."""
    assert set(name_documents("2026-01", formats)) == documents
    assert name_documents("", formats) == {}


def test_the_feed_points_at_the_newest_closed_document(site: FeedSettings) -> None:
    """Each format at what its readers understand."""
    feed = build_feed([], {}, replace(site, archive="2026-01"))
    assert feed.prev_archive == "https://blog.example.kr/archive/2026-01.atom"
    assert feed.next_url == "https://blog.example.kr/archive/2026-01.json"
    only = build_feed([], {}, replace(site, archive="2026-01", formats=("json",)))
    assert (only.prev_archive, bool(only.next_url)) == ("", True)


def test_an_archive_of_rss_alone_names_the_rss_feed_as_current(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """There is no atom.xml then."""
    posts = posts_at(make_post, [0, 800])
    own = replace(site, formats=("rss",))
    newest, oldest = plan(posts, 5)
    document = build_archive([posts[0]], ids_of(posts), own, oldest)
    assert document.current == "https://blog.example.kr/rss.xml"
    assert document.urls == {
        "atom.xml": f"https://blog.example.kr/archive/{oldest.name}.atom"
    }
    assert newest.older == oldest.name

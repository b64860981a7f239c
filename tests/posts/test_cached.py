"""A rendered post survives its cache exactly, and only as long as its links are right."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import Problem
from postroom.posts.cached import (
    build_spine,
    dump_card,
    links_hold,
    load_card,
    load_post,
)
from postroom.posts.post import (
    Enclosure,
    Episode,
    Image,
    Person,
    Post,
    SiteMap,
    Transcript,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ZONES = st.sampled_from(
    [
        UTC,
        ZoneInfo("Asia/Seoul"),
        ZoneInfo("Europe/Berlin"),
        ZoneInfo("UTC"),
        timezone(timedelta(hours=-3, minutes=-30)),
    ]
)
TIMES = st.none() | st.datetimes(timezones=ZONES)
PROBLEMS = st.builds(
    Problem,
    path=TEXTS,
    line=st.integers(0),
    column=st.integers(0),
    message=TEXTS,
    cure=TEXTS,
)


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return up to three of them, as a tuple."""
    return st.lists(values, max_size=3).map(tuple)


ENCLOSURES = st.builds(
    Enclosure,
    **dict.fromkeys(("url", "media_type", "title", "path"), TEXTS),
    length=st.integers(0),
    duration=st.integers(0),
)
EPISODES = st.builds(
    Episode,
    **dict.fromkeys(("kind", "image", "chapters"), TEXTS),
    number=st.integers(0),
    season=st.integers(0),
    explicit=st.none() | st.booleans(),
    transcripts=many(
        st.builds(Transcript, url=TEXTS, media_type=TEXTS, language=TEXTS)
    ),
)
POSTS = st.builds(
    Post,
    **dict.fromkeys(
        ("path", "title", "slug", "url_path", "language", "excerpt", "html", "page_html",
         "text", "subject", "preheader", "canonical_url", "id", "digest", "link"),
        TEXTS,
    ),
    published=TIMES,
    updated=TIMES,
    expires=TIMES,
    draft=st.booleans(),
    mailed=st.booleans(),
    tags=many(TEXTS),
    authors=many(st.builds(Person, name=TEXTS, email=TEXTS, url=TEXTS)),
    image=st.none() | st.builds(Image, url=TEXTS, alt=TEXTS),
    files=many(TEXTS),
    links=many(st.tuples(TEXTS, TEXTS)),
    enclosures=many(ENCLOSURES),
    episode=st.none() | EPISODES,
    warnings=many(PROBLEMS),
)  # fmt: skip


def survive(post: Post) -> Post:
    """Return the post as it comes back from the cache."""
    return load_post(
        dump_card(post), html=post.html, page_html=post.page_html, plain=post.text
    )


@given(POSTS)
def test_a_post_survives_exactly(post: Post) -> None:
    """Also its time zones and the second of two equal hours."""
    loaded = survive(post)
    assert loaded == post
    assert repr(loaded) == repr(post)


def test_the_second_of_two_equal_hours_survives(render: Callable[..., Post]) -> None:
    """At the end of summer time 02:30 comes twice."""
    berlin = ZoneInfo("Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    loaded = survive(render("글", published=second))
    assert loaded.published is not None
    assert loaded.published.utcoffset() == timedelta(hours=1)


@given(POSTS, POSTS)
def test_a_spine_tells_posts_apart(one: Post, other: Post) -> None:
    """By what readers see of them, of lists, and of names."""
    spines = [build_spine(post, dump_card(post)) for post in (one, other)]
    same = one == replace(other, text=one.text)  # the text comes from the HTML
    assert (spines[0].seen == spines[1].seen) == same
    assert (spines[0] == spines[1]) == same
    if spines[0].listed == spines[1].listed:
        assert (one.title, one.excerpt) == (other.title, other.excerpt)


@pytest.mark.parametrize(
    ("change", "differing"),
    [
        ({"page_html": "<p>새</p>"}, {"seen"}),
        ({"html": "<p>새</p>"}, {"seen"}),
        ({"excerpt": "새"}, {"seen", "listed"}),
        ({"title": "새"}, {"title", "seen", "listed", "named"}),
        ({"mailed": False}, {"mailed", "seen"}),
    ],
)
def test_a_change_shows_where_it_is_shown(
    render: Callable[..., Post], change: dict[str, Any], differing: set[str]
) -> None:
    """An edited text asks for its own page again, and for no list."""
    post = render("글")
    changed = replace(post, **change)
    one = build_spine(post, dump_card(post))._asdict()
    other = build_spine(changed, dump_card(changed))._asdict()
    assert {name for name in one if one[name] != other[name]} == differing


@pytest.mark.parametrize("year", [1, 9999])
def test_a_spine_reaches_to_the_ends_of_the_calendar(
    render: Callable[..., Post], year: int
) -> None:
    """Where no zone can be reckoned into another one."""
    end = (1, 1) if year == 1 else (12, 31)
    for hours in (-23, 23):
        zone = timezone(timedelta(hours=hours))
        post = render("글", published=datetime(year, *end, 12, tzinfo=zone))
        assert build_spine(post, dump_card(post)).published is not None


@given(TEXTS)
def test_any_other_text_is_a_value_error(text: str) -> None:
    """A damaged cache costs a rendering, never a run."""
    with pytest.raises(ValueError, match=r"."):
        load_card(text)


def spoil(read: list[Any], place: tuple[int, ...], value: object) -> str:
    """Return the text of a cached post with one part replaced."""
    *way, last = place
    target = read
    for step in way:
        target = target[step]
    target[last] = value
    return json.dumps(read)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0,), "postroom card 0"),
        ((1,), "text"),
        ((1, 0), None),
        ((1, 6), 5),
        ((2, 0), "2026-01-01"),
        ((2, 0), ["yesterday", 0, "UTC"]),
        ((2, 0), ["2026-01-01T00:00:00", 0, "Mars/Olympus"]),
        ((2, 0), ["2026-01-01T00:00:00", 0, "../../etc/passwd"]),
        ((2, 0), ["2026-01-01T00:00:00", 0, 1e300]),
        ((3, 0), 1),
        ((3,), [True]),
        ((4,), "tags"),
        ((5,), [["a"]]),
        ((6,), ["url"]),
        ((8,), [["a", "b", "c"]]),
        ((9,), [["u", "t", "x", "p", "1", 1]]),
        ((9,), [["u", "t", "x", 1, 1]]),
        ((10,), [["full", "", ""], [1, True], None, []]),
        ((10,), [["full", "", ""], [1, 2], 1, []]),
        ((10,), [["full", "", ""], [1, 2], None, [["u", "t"]]]),
        ((11,), [["a", "1", 1, "b", "c"]]),
    ],
)
def test_a_spoilt_part_is_a_value_error(
    render: Callable[..., Post], place: tuple[int, ...], value: object
) -> None:
    """Every part is checked; nothing half-right comes out."""
    read = json.loads(dump_card(render("글")))
    with pytest.raises(ValueError, match=r"."):
        load_card(spoil(read, place, value))


LINKING = "[a](<둘째 글.md>) [b](없음.md) [[정원]] ![c](/img/new.png) [d](../새글/) [e](/posts/later/)"


def test_links_hold_while_their_targets_stay(
    render: Callable[..., Post], site_map: SiteMap
) -> None:
    """A new post that nobody links changes nothing."""
    post = render(LINKING)
    assert links_hold(post, site_map)
    assert links_hold(survive(post), site_map)
    other = replace(site_map, pages={**site_map.pages, "2026/무관.md": "posts/무관/"})
    assert links_hold(post, other)


@pytest.mark.parametrize(
    "pages",
    [
        {"2026/둘째 글.md": "posts/moved/"},
        {"2026/없음.md": "posts/found/"},
        {"somewhere/없음.md": "posts/found/"},
        {"notes/정원.md": "posts/found/"},
        {"x/later.md": "posts/later/"},
        {"2026/새글.md": "posts/x/"},
    ],
)
def test_links_stop_holding_when_an_answer_changes(
    render: Callable[..., Post], site_map: SiteMap, pages: dict[str, str]
) -> None:
    """A target that moves, or appears where there was none, asks for a new rendering."""
    changed = replace(site_map, pages={**site_map.pages, **pages})
    post = render(LINKING)
    assert not links_hold(post, changed)
    assert render(LINKING, site_map=changed).page_html != post.page_html


def test_links_stop_holding_when_a_target_goes(
    render: Callable[..., Post], site_map: SiteMap
) -> None:
    """Also a file, gone or new."""
    post = render(LINKING)
    assert not links_hold(post, replace(site_map, pages={}))
    files = {**site_map.files, "img/new.png": "media/img/new.png"}
    assert not links_hold(post, replace(site_map, files=files))


def test_reading_the_cache_imports_nothing_that_renders() -> None:
    """Most runs change nothing, and cron may start one each minute."""
    script = (
        "import sys, postroom.posts.cached\n"
        "print(*{'lxml', 'comrak', 'pygments', 'regex', 'nh3', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True
    )
    assert done.stdout.split() == []

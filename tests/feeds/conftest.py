"""A small blog that has everything a feed can carry, for every test of feeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from postroom.feeds.archive import build_archive, plan_archives
from postroom.feeds.choice import FeedKind, FeedPlan, group_settings
from postroom.feeds.feed import Enclosure, Feed, Podcast
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.feeds.moments import order_posts
from postroom.posts.post import Enclosure as Written
from postroom.posts.post import Episode, Image, Person, Post, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

SEOUL = ZoneInfo("Asia/Seoul")

PLAIN = Post(
    path="plain.md",
    title="평범한 글",
    published=datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=SEOUL),
    updated=None,
    expires=None,
    draft=False,
    slug="plain",
    url_path="posts/plain/",
    language="ko",
    tags=(),
    authors=(),
    excerpt="비가 그친 아침에 쓴다.",
    html="<p>비가 그친 아침에 쓴다.</p>",
    page_html="",
    text="",
    image=None,
    subject="",
    preheader="",
    canonical_url="",
    id="",
    mailed=True,
    digest="",
)

SITE = FeedSettings(
    id="tag:blog.example.kr,2026-01-01:feed",
    title="서랍 & 편지",
    subtitle="일주일에 한 편, 천천히",
    site_url="https://blog.example.kr/",
    started=datetime(2026, 1, 1, tzinfo=UTC),
    language="ko",
    author="김서연",
    zone=SEOUL,
    hub="https://hub.example/",
)


def _post(**changes: Any) -> Post:
    """Return a plain Korean post with `changes`."""
    return replace(PLAIN, **changes)


@pytest.fixture(scope="session")
def make_post() -> Callable[..., Post]:
    """Return a plain post with the fields given."""
    return _post


@pytest.fixture(scope="session")
def site() -> FeedSettings:
    """Return the blog's settings."""
    return SITE


@pytest.fixture(scope="session")
def posts() -> tuple[Post, ...]:
    """Four posts in no order: Korean, edited English, Arabic, one picture alone."""
    day = timedelta(days=1)
    start = datetime(2026, 3, 2, 9, tzinfo=SEOUL)
    return (
        _post(
            path="edited.md",
            title="AT&T < 1 & a quiet edit",
            published=start + day,
            updated=datetime(2026, 4, 1, 8, 30, tzinfo=UTC),
            url_path="posts/quiet-edit/",
            language="en",
            tags=("Letters", "R & D"),
            authors=(Person(name="Jun Park", email="jun@example.com"),),
            excerpt="Why a<b holds & what &amp; means.",
            html="<p>Why <code>a&lt;b</code> holds&nbsp;&amp; why.</p>",
        ),
        _post(),
        _post(
            path="picture.md",
            title="사진 한 장",
            published=start + 3 * day,
            url_path="posts/사진-한-장/",
            tags=("사진",),
            excerpt="",
            html='<p><img src="https://blog.example.kr/media/dawn.jpg" alt=""></p>',
            image=Image(url="https://blog.example.kr/media/새벽.jpg"),
        ),
        _post(
            path="arabic.md",
            title="رسالة قصيرة",
            published=start + 2 * day,
            url_path="posts/letter/",
            language="ar",
            authors=(Person(name="ليلى", url="https://example.com/ليلى"),),
            excerpt="نص قصير ]]> هنا.",
            html='<p dir="rtl">نص قصير ]]&gt; هنا.</p><table><tr><td>١</td></tr></table>'
            '<pre><code class="language-python">x = "]]&gt;"\n</code></pre>',
        ),
    )


@pytest.fixture(scope="session")
def ids(posts: tuple[Post, ...]) -> dict[str, str]:
    """Map each post's path to its permanent id."""
    return {post.path: f"tag:blog.example.kr,2026-01-01:{post.path}" for post in posts}


@pytest.fixture(scope="session")
def feed(posts: tuple[Post, ...], ids: dict[str, str], site: FeedSettings) -> Feed:
    """Return the feed of the posts; the newest entry has two enclosures."""
    built = build_feed(posts, ids, site)
    recordings = tuple(
        Enclosure(
            url=f"https://blog.example.kr/media/{name}.mp3",
            media_type="audio/mpeg",
            length=length,
        )
        for name, length in (("one", 48_211), ("two", 1_024))
    )
    newest, *others = built.entries
    return replace(
        built,
        entries=(replace(newest, enclosures=recordings), *others),
        prev_archive="https://blog.example.kr/archive/2026-02.atom",
    )


PODCAST = Podcast(
    category="Society & Culture > Personal Journals",
    owner="김서연",
    email="seoyeon@blog.example.kr",
    image="https://blog.example.kr/media/cover.jpg",
    kind="episodic",
    copyright="© 2026 김서연",
    funding="https://blog.example.kr/thanks/",
    funding_text="커피 한 잔",
)


@pytest.fixture(scope="session")
def podcast() -> Podcast:
    """Return what a podcast says of itself."""
    return PODCAST


@pytest.fixture(scope="session")
def episodes() -> tuple[Post, ...]:
    """A podcast's posts: all particulars, few of them, a film beside sound, a text."""
    return (
        _post(
            path="one.md",
            title="첫 회: 비",
            url_path="posts/one/",
            authors=(Person(name="김서연"), Person(name="Jun Park")),
            enclosures=(
                Written(
                    url="https://blog.example.kr/media/one.mp3",
                    media_type="audio/mpeg",
                    length=1,
                    duration=1830,
                    title="소리",
                    path="one.mp3",
                ),
            ),
            episode=Episode(
                number=1,
                season=2,
                kind="full",
                explicit=False,
                image="https://blog.example.kr/media/one.jpg",
                chapters="https://blog.example.kr/media/one.json",
                transcripts=(
                    Transcript(
                        url="https://blog.example.kr/media/one.vtt",
                        media_type="text/vtt",
                        language="ko",
                    ),
                    Transcript(
                        url="https://blog.example.kr/media/one.html",
                        media_type="text/html",
                    ),
                ),
            ),
        ),
        _post(
            path="two.md",
            title="Trailer",
            published=datetime(2026, 3, 2, 9, tzinfo=SEOUL),
            url_path="posts/two/",
            language="en",
            enclosures=(
                Written(
                    url="https://cdn.example/two.mp4",
                    media_type="video/mp4",
                    length=4_000,
                ),
                Written(
                    url="https://cdn.example/two.m4a",
                    media_type="audio/mp4",
                    length=2_000,
                    duration=59,
                ),
            ),
            episode=Episode(kind="trailer", explicit=True),
        ),
        _post(
            path="text.md",
            title="글만",
            published=datetime(2026, 3, 3, 9, tzinfo=SEOUL),
            url_path="posts/text/",
        ),
    )


def _months(count: int) -> list[Post]:
    """Return `count` posts, one every ten days."""
    return [
        _post(
            path=f"{number}.md",
            title=f"{number}번째 글",
            published=datetime(2025, 11, 3, 9, tzinfo=SEOUL)
            + number * timedelta(days=10),
            url_path=f"posts/{number}/",
        )
        for number in range(count)
    ]


@pytest.fixture(scope="session")
def months() -> list[Post]:
    """Return a post every ten days over half a year."""
    return _months(18)


def ids_of(posts: list[Post] | tuple[Post, ...]) -> dict[str, str]:
    """Return a permanent id for each path."""
    return {post.path: f"tag:blog.example.kr,2026-01-01:{post.path}" for post in posts}


def _archives(site: FeedSettings, posts: list[Post]) -> dict[str, Feed]:
    ids = ids_of(posts)
    own = replace(site, limit=4)
    by_path = {post.path: post for post in posts}
    plans = plan_archives(order_posts(posts, ids), limit=4, zone=own.zone)
    return {
        f"archive {place}": build_archive(
            [by_path[path] for path in plans[index].paths], ids, own, plans[index]
        )
        for place, index in (("open", 0), ("newest", 1), ("middle", 2), ("oldest", -1))
    }


@pytest.fixture(scope="session")
def kinds(
    feed: Feed,
    posts: tuple[Post, ...],
    ids: dict[str, str],
    site: FeedSettings,
    episodes: tuple[Post, ...],
    months: list[Post],
) -> dict[str, Feed]:
    """Return a feed of every kind that a site has, by what it is."""
    short = tuple(replace(entry, content=None, authors=()) for entry in feed.entries)
    linked = _post(link="https://elsewhere.example/글?a=1&b=2", tags=("글",))
    several = _post(
        authors=(
            Person(name="김서연", url="https://blog.example.kr/about/"),
            Person(name="Jun <Park> & co"),
            Person(name="ليلى"),
        )
    )
    show = replace(site, podcast=PODCAST)

    def part(kind: FeedKind, folder: str, label: str) -> FeedSettings:
        plan = FeedPlan(kind=kind, folder=folder, label=label, paths=())
        return group_settings(site, plan)

    plain_id = ids_of([PLAIN])
    return {
        "full": feed,
        "excerpt": replace(feed, entries=short, hub="", prev_archive="", subtitle=""),
        "empty": build_feed([], {}, site),
        "wordless": build_feed([], {}, replace(site, title="", subtitle="", author="")),
        "styled": replace(feed, stylesheet="https://blog.example.kr/feed.css?a=1&b=2"),
        "archived": build_feed(posts, ids, replace(site, archive="2026-02")),
        "topic": build_feed([linked], plain_id, part(FeedKind.TOPIC, "tags/글/", "글")),
        "author": build_feed(
            [several], plain_id, part(FeedKind.AUTHOR, "authors/김서연/", "김서연")
        ),
        "language": build_feed(
            [PLAIN], plain_id, part(FeedKind.LANGUAGE, "languages/ko/", "ko")
        ),
        "links": build_feed([linked], plain_id, site),
        "several authors": build_feed([several], plain_id, site),
        "podcast": build_feed(episodes, ids_of(episodes), show, {"one.mp3": 48_211}),
        "podcast of excerpts": build_feed(
            episodes, ids_of(episodes), replace(show, full=False)
        ),
        "enclosures without a podcast": build_feed(episodes, ids_of(episodes), site),
        **_archives(site, months),
    }


KINDS = (
    "full", "excerpt", "empty", "wordless", "styled", "archived", "topic", "author",
    "language", "links", "several authors", "podcast", "podcast of excerpts",
    "enclosures without a podcast", "archive open", "archive newest", "archive middle",
    "archive oldest",
)  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, kinds: dict[str, Feed]) -> Feed:
    """Return each kind of feed in turn."""
    found: Feed = kinds[request.param]
    return found

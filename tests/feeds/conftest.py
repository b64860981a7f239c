"""A small blog that has everything a feed can carry, for every test of feeds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from postroom.feeds.feed import Enclosure, Feed
from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.post import Image, Person, Post

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

"""Posts become entries newest first, limited, dated and named by rule; none is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from postroom.feeds.from_posts import FeedSettings, build_feed
from postroom.posts.post import Image, Person, Post

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.feeds.feed import Entry


def entry_of(post: Post, settings: FeedSettings) -> Entry:
    """Return the only entry of a feed of `post`."""
    return build_feed([post], {post.path: "tag:x,2026:1"}, settings).entries[0]


def test_entries_are_newest_first_and_equal_dates_go_by_id(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """The order depends on dates and ids alone, not on the folder's order."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    posts = [
        make_post(path="a", published=day),
        make_post(path="c", published=day - timedelta(days=1)),
        make_post(path="b", published=day),
    ]
    ids = {"a": "id:a", "b": "id:b", "c": "id:c"}
    for order in (posts, posts[::-1]):
        feed = build_feed(order, ids, site)
        assert [entry.id for entry in feed.entries] == ["id:b", "id:a", "id:c"]


def test_the_limit_keeps_the_newest(
    posts: tuple[Post, ...], ids: dict[str, str], site: FeedSettings
) -> None:
    """Older posts fall out, and with them their part in the feed's date."""
    feed = build_feed(posts, ids, replace(site, limit=2))
    assert [entry.title for entry in feed.entries] == ["사진 한 장", "رسالة قصيرة"]
    assert feed.updated == max(entry.updated for entry in feed.entries)


def test_posts_that_are_dropped_cost_nothing(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """A blog of ten thousand posts builds the entries of fifty."""
    old = make_post(path="old.md", published=datetime(2020, 1, 1, tzinfo=UTC))
    object.__setattr__(old, "authors", None)  # fails whoever looks
    ids = {"old.md": "id:old", "plain.md": "id:plain"}
    feed = build_feed([old, make_post()], ids, replace(site, limit=1))
    assert [entry.id for entry in feed.entries] == ["id:plain"]


def test_the_feed_was_updated_when_its_newest_change_was(
    posts: tuple[Post, ...], ids: dict[str, str], site: FeedSettings
) -> None:
    """An edit of an old post counts, whatever its place in the order."""
    feed = build_feed(posts, ids, site)
    assert feed.updated == datetime(2026, 4, 1, 8, 30, tzinfo=UTC)
    assert feed.entries[0].updated < feed.updated


def test_an_empty_feed_is_legal_and_constant(site: FeedSettings) -> None:
    """Its date comes from the settings, so its bytes do not change by themselves."""
    feed = build_feed([], {}, site)
    assert (feed.entries, feed.updated) == ((), site.started)


def test_a_post_without_date_is_a_page(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """Pages are never in feeds."""
    page = make_post(published=None)
    assert build_feed([page], {page.path: "id:1"}, site).entries == ()


def test_an_update_before_publication_is_none(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """A date of an edit counts only when later than the publication."""
    published = datetime(2026, 3, 1, tzinfo=UTC)
    early = make_post(published=published, updated=published - timedelta(hours=1))
    late = make_post(published=published, updated=published + timedelta(hours=1))
    assert entry_of(early, site).updated == published
    assert entry_of(late, site).updated == published + timedelta(hours=1)


def test_dates_are_in_the_site_zone_in_whole_seconds(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """Whatever zone the author wrote them in."""
    written = datetime(2026, 3, 1, 0, 0, 0, 999_999, tzinfo=UTC)
    entry = entry_of(make_post(published=written), site)
    assert entry.published.isoformat() == "2026-03-01T09:00:00+09:00"


@pytest.mark.parametrize(
    ("written", "stands"),
    [
        # Seoul before 1908: no format of a date can write +08:27:52.
        (datetime(1900, 1, 1, tzinfo=UTC), "1900-01-01T00:00:00+00:00"),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            "0001-01-01T00:00:00+00:00",
        ),
        (
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))),
            "9999-12-31T23:00:00+00:00",
        ),
        (datetime(2026, 3, 1, 9), "2026-03-01T09:00:00+09:00"),  # noqa: DTZ001 - a naive date must not read the host's zone
    ],
)
def test_odd_dates_stay_writable(
    make_post: Callable[..., Post], site: FeedSettings, written: datetime, stands: str
) -> None:
    """Offsets with seconds, the ends of the calendar, dates without a zone."""
    entry = entry_of(make_post(published=written), site)
    assert entry.published.isoformat() == stands


def test_the_address_is_the_canonical_one_or_the_page(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """Non-ASCII paths are percent-encoded once; an unusable address is not used."""
    page = make_post(url_path="posts/봄-밤/")
    encoded = "https://blog.example.kr/posts/%EB%B4%84-%EB%B0%A4/"
    assert entry_of(page, site).url == encoded
    elsewhere = replace(page, canonical_url="https://old.example/1")
    assert entry_of(elsewhere, site).url == "https://old.example/1"
    broken = replace(page, canonical_url="old.example/1")
    assert entry_of(broken, site).url == encoded


def test_a_feed_of_a_tag_lives_in_the_tag_folder(site: FeedSettings) -> None:
    """Its page and its own addresses follow from the one path."""
    feed = build_feed([], {}, replace(site, path="tags/글/", formats=("atom", "json")))
    assert feed.home_url == "https://blog.example.kr/tags/%EA%B8%80/"
    assert feed.urls == {
        "atom.xml": "https://blog.example.kr/tags/%EA%B8%80/atom.xml",
        "feed.json": "https://blog.example.kr/tags/%EA%B8%80/feed.json",
    }


def test_excerpts_only_is_an_option(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """The summary is always there, the content when the feed is full."""
    post = make_post()
    assert entry_of(post, site).content == post.html
    short = entry_of(post, replace(site, full=False))
    assert (short.summary, short.content) == (post.excerpt, None)


def test_a_post_without_text_is_summed_up_by_its_title(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """A picture alone has no excerpt, but every entry needs a text."""
    entry = entry_of(make_post(excerpt=" ", html=""), site)
    assert (entry.summary, entry.content) == (entry.title, None)


def test_authors_are_names_and_never_addresses(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """E-mail addresses stay private, also when written in place of a name."""
    people = (
        Person(name="Kim", email="kim@example.com", url="javascript:x"),
        Person(name="lee@example.com"),
        Person(name="", email="park@example.com"),
        Person(name="@kim@social.example", url="https://social.example/@kim"),
    )
    assert entry_of(make_post(authors=people), site).authors == (
        Person(name="Kim"),
        Person(name="@kim@social.example", url="https://social.example/@kim"),
    )
    assert entry_of(make_post(authors=people[1:3]), site).authors == (
        Person(name=site.author),
    )


def test_a_feed_without_author_speaks_for_itself(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """Atom requires an author somewhere."""
    anonymous = replace(site, author="")
    feed = build_feed([make_post()], {"plain.md": "id:1"}, anonymous)
    assert feed.authors == (Person(name=site.title),)
    assert feed.entries[0].authors == ()


def test_titles_and_tags_are_single_lines_without_markup_or_loss(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """A title is plain text; an empty one gives way to slug or address; tags are a set."""
    post = make_post(title="두 \n줄\x0b<b>", tags=("a", " a ", "\x00", "b\nc", "A"))
    entry = entry_of(post, site)
    assert entry.title == "두 줄 <b>"
    assert entry.tags == ("a", "b c", "A")
    assert entry_of(make_post(title="\x00", slug="plain"), site).title == "plain"
    nameless = entry_of(make_post(title="", slug=""), site)
    assert nameless.title == nameless.url


def test_an_unusable_picture_or_language_is_left_out(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """What cannot be mended is left out of its entry, not the entry."""
    entry = entry_of(make_post(image=Image(url="dawn.jpg"), language="?"), site)
    assert (entry.image, entry.language) == ("", "")


def test_a_post_without_id_is_the_callers_fault(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """An id made up here would make every reader deliver again."""
    with pytest.raises(KeyError):
        build_feed([make_post()], {}, site)


def test_equal_posts_in_another_zone_give_an_equal_feed(
    make_post: Callable[..., Post], site: FeedSettings
) -> None:
    """Where the author was when writing does not change the bytes."""
    here = make_post()
    assert here.published is not None
    there = replace(here, published=here.published.astimezone(ZoneInfo("America/Lima")))
    ids = {here.path: "id:1"}
    first, second = (build_feed([post], ids, site) for post in (here, there))
    assert repr(first) == repr(second)

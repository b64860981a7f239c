"""Moments as feeds write them (RFC 3339, RFC 822), and the order they give entries."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime
from math import floor, inf
from operator import itemgetter
from typing import TYPE_CHECKING

from postroom.posts.post import Spine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo
    from typing import Protocol, TypeVar

    class Dated(Protocol):
        """A post, a card or a spine."""

        @property
        def path(self) -> str:
            """Of the source."""

        @property
        def published(self) -> datetime | None:
            """None: a page."""

    Post = TypeVar("Post", bound=Dated)


def writable(moment: datetime, zone: tzinfo) -> datetime:
    """Return `moment` in `zone` in whole seconds, with an offset in whole minutes.

    Both date formats write offsets as hours and minutes; Seoul before 1908 was at
    +08:27:52, so such a date goes out in UTC. At the ends of the calendar there is no
    room for a conversion: the date stays and the offset goes.
    """
    moment = moment.replace(microsecond=0)
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=zone)
    try:
        local = moment.astimezone(zone)
        offset = local.utcoffset()
        return moment.astimezone(UTC) if offset and offset.seconds % 60 else local
    except OverflowError:
        return moment.replace(tzinfo=UTC)


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def rss_date(moment: datetime) -> str:
    """Return an aware `moment` as RSS writes it: RFC 822 with four digits for the year.

    Its offset is in whole minutes. Whatever the locale, in the words of RFC 822;
    `email.utils` takes three times as long, and 10 ms to import.
    """
    iso = moment.isoformat(timespec="seconds")  # 2026-03-01T09:00:00+09:00
    day, time, offset = iso[8:10], iso[11:19], iso[19:22] + iso[23:25]
    name, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    return f"{name}, {day} {month} {iso[:4]} {time} {offset}"


def newest_first(
    posts: Iterable[Post], ids: Mapping[str, str], zone: tzinfo
) -> list[tuple[datetime, str, Post]]:
    """Return (moment, id, post) of each post with a date, in the order of a feed.

    Equal dates go by id, descending. `ids` maps a path to an id; KeyError when one is
    missing. Moments are writable ones: fractions of a second do not count.
    """
    dated = [
        (writable(post.published, zone), ids[post.path], post)
        for post in posts
        if post.published is not None
    ]
    dated.sort(key=lambda item: item[:2], reverse=True)
    return dated


def order_posts(posts: Iterable[Post], ids: Mapping[str, str]) -> list[Post]:
    """Return the posts that have a date in the order of a feed, as `newest_first` does.

    For ten thousand of them, of which a few will be shown.
    """
    dated = [
        (second_of(post), ids[post.path], post)
        for post in posts
        if (post.published_at if isinstance(post, Spine) else post.published)
        is not None
    ]
    dated.sort(key=itemgetter(0, 1), reverse=True)
    return [post for _, _, post in dated]


def second_of(post: Dated) -> int:
    """Return the second of a post's date since 1970; it must have one."""
    if isinstance(post, Spine) and post.published_at is not None:
        return floor(post.published_at)
    return floor(post.published.timestamp()) if post.published else 0


def end_of_month(moment: datetime) -> float:
    """Return the first second, since 1970, of the month after that of `moment`."""
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    if year > MAXYEAR:
        return inf
    return datetime(year, month, 1, tzinfo=moment.tzinfo).timestamp()

"""A rendered post as one text and back, and whether it is still right.

For the cache of rendered posts. Reading is most of a run in which nothing changed, so
this module imports nothing that renders.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from postroom.errors import Problem
from postroom.posts.lookup import find
from postroom.posts.post import Image, Person, Post

if TYPE_CHECKING:
    from postroom.posts.post import SiteMap

FORMAT = "postroom post 1"
"""First item of every such text; a change of `Post` or of this module counts it up."""

TEXTS = (
    "path", "title", "slug", "url_path", "language", "excerpt", "html", "page_html",
    "text", "subject", "preheader", "canonical_url", "id", "digest",
)  # fmt: skip
TIMES = ("published", "updated", "expires")
FLAGS = ("draft", "mailed")


def dump_post(post: Post) -> str:
    """Return `post` as a text that `load_post` turns back into an equal one."""
    return json.dumps(
        [
            FORMAT,
            [getattr(post, name) for name in TEXTS],
            [_dump_time(getattr(post, name)) for name in TIMES],
            [getattr(post, name) for name in FLAGS],
            post.tags,
            [(person.name, person.email, person.url) for person in post.authors],
            post.image and (post.image.url, post.image.alt),
            post.files,
            post.links,
            [(p.path, p.line, p.column, p.message, p.cure) for p in post.warnings],
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def load_post(text: str) -> Post:
    """Return the post that `dump_post` made `text` of; ValueError for any other text."""
    try:
        read = json.loads(text)
        if read[0] != FORMAT:
            raise ValueError("not a rendered post of this version")
        _, texts, times, flags, tags, authors, image, files, links, warnings = read
        if not all(type(flag) is bool for flag in flags):
            raise ValueError("a flag of the post is none")
        plain: dict[str, Any] = {
            **dict(zip(TEXTS, _texts(texts), strict=True)),
            **dict(zip(TIMES, map(_load_time, times), strict=True)),
            **dict(zip(FLAGS, flags, strict=True)),
        }
        return Post(
            **plain,
            tags=_texts(tags),
            authors=tuple(_load_person(person) for person in authors),
            image=None if image is None else _load_image(image),
            files=_texts(files),
            links=tuple(_load_link(link) for link in links),
            warnings=tuple(_load_problem(problem) for problem in warnings),
        )
    except (TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise ValueError(f"not a rendered post: {error}") from None


def links_hold(post: Post, site_map: SiteMap) -> bool:
    """Tell whether every question `post` asked has the same answer in `site_map`."""
    return all(find(site_map, key) == answer for key, answer in post.links)


# -- parts ---------------------------------------------------------------------------


def _dump_time(time: datetime | None) -> list[str | float] | None:
    """Return wall time, which of two equal ones, and zone: name or offset in seconds."""
    if time is None:
        return None
    wall = time.replace(tzinfo=None).isoformat()
    zone: str | float | None
    if isinstance(time.tzinfo, ZoneInfo) and time.tzinfo.key:
        zone = time.tzinfo.key
    else:
        offset = time.utcoffset()
        zone = None if offset is None else offset.total_seconds()
    return [wall, time.fold] if zone is None else [wall, time.fold, zone]


def _load_time(read: Any) -> datetime | None:
    if read is None:
        return None
    wall, fold, *zone = read
    time = datetime.fromisoformat(wall).replace(fold=fold)
    return time.replace(tzinfo=_load_zone(*zone)) if zone else time


def _load_zone(zone: Any) -> tzinfo:
    if isinstance(zone, str):
        return ZoneInfo(zone)
    return timezone(timedelta(seconds=zone)) if zone else UTC


def _texts(read: Any) -> tuple[str, ...]:
    if type(read) is not list or not all(type(text) is str for text in read):
        raise ValueError("a text of the post is none")
    return tuple(read)


def _load_person(read: Any) -> Person:
    name, email, url = _texts(read)
    return Person(name=name, email=email, url=url)


def _load_image(read: Any) -> Image:
    url, alt = _texts(read)
    return Image(url=url, alt=alt)


def _load_link(read: Any) -> tuple[str, str]:
    key, answer = _texts(read)
    return key, answer


def _load_problem(read: Any) -> Problem:
    path, line, column, message, cure = read
    path, message, cure = _texts([path, message, cure])
    if type(line) is not int or type(column) is not int:
        raise ValueError("a line of the post is none")
    return Problem(path=path, line=line, column=column, message=message, cure=cure)

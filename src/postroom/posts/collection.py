"""What only all posts together decide: one address each, and where links lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.errors import Problem
from postroom.posts.lookup import is_page_path
from postroom.posts.permalink import is_whole
from postroom.posts.post import SiteMap, Spine, Visibility, visibility_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from postroom.posts.post import Card, Head

    Placed = Head | Card | Spine

OPEN = frozenset({Visibility.PUBLIC, Visibility.PAGE})
MEDIA = "media/"
"""Where files of the posts folder go, under the same relative path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The address (`url_path`) of every post, and what had to be settled for it."""

    paths: dict[str, str]
    warnings: tuple[Problem, ...]


def settle_addresses(posts: Iterable[Placed], zone: tzinfo) -> Addresses:
    """Give every post an address of its own; days are those of `zone`.

    Dated archives repeat names (`2023-01-09-release.md`, `2024-01-08-release.md`). The
    oldest keeps the plain address, each later one gets its date behind it, so that a
    new post never moves an old one. An address on another program's site stays as it is.
    """
    paths: dict[str, str] = {}
    taken: dict[str, str] = {}
    warnings = []
    for post in sorted(posts, key=_age):
        if not post.url_path or is_whole(post.url_path):
            paths[post.path] = post.url_path
            if taken.setdefault(post.url_path or post.path, post.path) != post.path:
                warnings.append(_same_url(post, taken[post.url_path]))
            continue
        address = plain = _plain_address(post)
        if address in taken and post.published is not None:
            address = f"{plain[:-1]}-{_day(post.published, zone)}/"
        dated, number = address[:-1], 2
        while address in taken:
            address = f"{dated}-{number}/"
            number += 1
        taken[address] = post.path
        paths[post.path] = address
        if address != plain:
            warnings.append(
                Problem(
                    path=post.path,
                    message=f"{taken[plain]} has the slug {post.slug!r} already; this one is read at {address}",
                    cure="give it a slug: of its own",
                )
            )
    return Addresses(paths=paths, warnings=tuple(warnings))


def _same_url(post: Placed, other: str) -> Problem:
    return Problem(
        path=post.path,
        message=f"{other} is read at {post.url_path} too",
        cure="give it a permalink: of its own, or mend posts.permalink",
    )


def _day(instant: datetime, zone: tzinfo) -> str:
    try:
        return f"{instant.astimezone(zone):%Y-%m-%d}"
    except OverflowError:  # at the ends of the calendar
        return f"{instant:%Y-%m-%d}"


def _age(post: Placed) -> tuple[bool, float, str]:
    """Dated before undated, older before newer."""
    if post.published is None:
        return (True, 0.0, post.path)
    return (False, post.published.timestamp(), post.path)


def _plain_address(post: Placed) -> str:
    return f"{post.slug}/" if post.published is None else f"posts/{post.slug}/"


def build_site_map(
    posts: Iterable[Placed],
    paths: Mapping[str, str],
    files: Iterable[str],
    now: datetime,
) -> SiteMap:
    """Where relative links lead at `now`: to what a reader can open, and to files.

    `paths` are the settled addresses.
    """
    at = now.timestamp()
    return SiteMap(
        pages={
            post.path: paths[post.path]
            for post in posts
            if (
                post.is_open(at)
                if isinstance(post, Spine)
                else visibility_of(post, now) in OPEN
            )
        },
        # a source is never given away: what is no post is excluded, or a template
        files={path: MEDIA + path for path in files if not is_page_path(path)},
    )

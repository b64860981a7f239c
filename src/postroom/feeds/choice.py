"""Which feeds a site has, and who is in each: all posts, topics, authors, languages.

A feed of authors or languages says something only where there are two of a kind.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from postroom.feeds.people import named_people
from postroom.posts.post import Person
from postroom.posts.slug import build_slug, parse_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from postroom.feeds.from_posts import FeedSettings
    from postroom.posts.post import Card, Spine

    Listed = Card | Spine

AUTHORS = "authors/"
LANGUAGES = "languages/"
DIGEST_LENGTH = 8
AT_LEAST = 2


class FeedKind(StrEnum):
    """What a feed is of; pages call its groups the same."""

    SITE = "site"
    TOPIC = "topic"
    AUTHOR = "author"
    LANGUAGE = "language"


class Group(NamedTuple):
    """Posts that belong together, in any order."""

    label: str
    """As people read it: a topic, a name; of a language its tag."""
    folder: str
    """Of its feeds and its page, relative to the output: `tags/SLUG/`."""
    paths: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPlan:
    """A feed before it is made."""

    kind: FeedKind
    folder: str
    """Where its files lie, relative to the output, ends with `/`; empty for the site's."""
    label: str
    """Empty for the site's."""
    paths: tuple[str, ...]
    """Of the posts in it: the newest, newest first."""


def plan_feeds(
    order: Sequence[Listed],
    *,
    limit: int,
    groups: Mapping[FeedKind, Iterable[Group]],
) -> tuple[FeedPlan, ...]:
    """Return the site's feed, then one for each group of `groups`, in their order.

    `order` are the public posts with a date as `order_posts` returns them. Groups come
    from `group_authors`, `group_languages`, and from the site's topics. A group of posts
    none of which is public has no feed.
    """
    paths = [post.path for post in order]
    ranks = {path: rank for rank, path in enumerate(paths)}
    site = FeedPlan(kind=FeedKind.SITE, folder="", label="", paths=tuple(paths[:limit]))
    return (site, *_plan_groups(groups, paths, ranks, limit))


def _plan_groups(
    groups: Mapping[FeedKind, Iterable[Group]],
    order: Sequence[str],
    ranks: Mapping[str, int],
    limit: int,
) -> Iterator[FeedPlan]:
    for kind, members in groups.items():
        for group in members:
            known = sorted({ranks[path] for path in group.paths if path in ranks})
            if known:
                yield FeedPlan(
                    kind=kind,
                    folder=group.folder,
                    label=group.label,
                    paths=tuple(order[rank] for rank in known[:limit]),
                )


def group_authors(posts: Sequence[Listed], author: str) -> tuple[Group, ...]:
    """Return who wrote what, by name; nothing when one wrote it all.

    `author` wrote the posts that name nobody. Spellings that differ in case or in
    Unicode's forms are one person, called what most posts call them.
    """
    default = named_people([Person(name=author)])
    named: dict[tuple[Person, ...], tuple[tuple[str, str], ...]] = {}
    paths: dict[str, list[str]] = {}
    labels: dict[str, Counter[str]] = {}
    for post in posts:
        people = named.get(post.authors)
        if people is None:  # few sites have many authors, and each wrote many posts
            people = tuple(map(_slugged, named_people(post.authors) or default))
            named[post.authors] = people
        for slug, label in people:
            paths.setdefault(slug, []).append(post.path)
            labels.setdefault(slug, Counter())[label] += 1
    groups = [
        Group(_favourite(labels[slug]), f"{AUTHORS}{slug}/", tuple(found))
        for slug, found in paths.items()
    ]
    return _of_several(groups)


def group_languages(posts: Sequence[Listed]) -> tuple[Group, ...]:
    """Return the posts of each language by its tag; nothing when all are in one."""
    written: dict[str, list[str]] = {}
    for post in posts:
        written.setdefault(post.language, []).append(post.path)
    paths: dict[str, list[str]] = {}
    for language, found in written.items():
        tag = parse_language(language)
        if tag:
            paths.setdefault(tag, []).extend(found)
    groups = [Group(tag, f"{LANGUAGES}{tag}/", tuple(p)) for tag, p in paths.items()]
    return _of_several(groups)


def slug_of_author(name: str) -> str:
    """Return the address of an author, the same for case and NFC variants; never empty."""
    slug = build_slug(name)
    if slug:
        return slug
    folded = unicodedata.normalize("NFC", name).casefold().encode()
    return f"author-{hashlib.sha256(folded).hexdigest()[:DIGEST_LENGTH]}"


def group_settings(main: FeedSettings, plan: FeedPlan, label: str = "") -> FeedSettings:
    """Return the settings of the feed of `plan` beside the site's own, `main`.

    `label` stands in its title in place of the plan's: a language in its own words.
    Its id is the site's and its folder: `tag:blog.example,2026-01-01:feed:tags/go`. It
    outlives title and domain, and changes only when the address does.
    """
    if plan.kind is FeedKind.SITE:
        return main
    podcast = main.podcast and replace(main.podcast, guid="")
    own = replace(
        main,
        id=f"{main.id}:{quote(plan.folder.rstrip('/'), safe='/~')}",
        title=f"{label or plan.label} · {main.title}",
        path=plan.folder,
        podcast=podcast,
        archive="",
    )
    return replace(own, language=plan.label) if plan.kind is FeedKind.LANGUAGE else own


def _slugged(person: Person) -> tuple[str, str]:
    label = unicodedata.normalize("NFC", person.name)
    return slug_of_author(label), label


def _of_several(groups: list[Group]) -> tuple[Group, ...]:
    if len(groups) < AT_LEAST:
        return ()
    return tuple(sorted(groups, key=lambda one: (one.label.casefold(), one.folder)))


def _favourite(labels: Counter[str]) -> str:
    return min(labels, key=lambda label: (-labels[label], label))

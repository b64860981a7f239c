"""Posts, and what a ledger knows of them, for the tests of ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from postroom.posts.identify import find_id_problems, plan_publications
from postroom.posts.post import Post
from postroom.posts.publication import MailState, Publication

AUTHORITY = "blog.example,2026-11-01"
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def a_post(path: str, text: str = "", *, own: str = "", draft: bool = False) -> Post:
    """Build a public post whose content is `text`, with an id of its own or none."""
    return Post(
        path=path,
        title=path,
        published=NOW,
        updated=None,
        expires=None,
        draft=draft,
        slug=path,
        url_path=f"posts/{path}/",
        language="ko",
        tags=(),
        authors=(),
        excerpt="",
        html="",
        page_html="",
        text=text,
        image=None,
        subject="",
        preheader="",
        canonical_url="",
        id=own,
        mailed=True,
        digest=f"digest of {text or path}",
    )


def plan(
    posts: list[Post], known: list[Publication] | None = None
) -> list[Publication]:
    """Plan what to store a day later."""
    return list(plan_publications(posts, known or [], AUTHORITY, LATER))


def stored(
    posts: list[Post], known: list[Publication] | None = None
) -> list[Publication]:
    """Play the store: what is known after a run over `posts`, sent ones numbered."""
    merged = {item.id: item for item in known or []}
    merged |= {item.id: item for item in plan(posts, known)}
    return [
        replace(item, number=item.number or number, mail=MailState.NUMBERED)
        for number, item in enumerate(merged.values(), 1)
    ]


def id_of(path: str, known: list[Publication]) -> str:
    """Return the id of the post at a path."""
    (found,) = (item.id for item in known if item.path == path)
    return found


def problems(posts: list[Post], known: list[Publication]) -> list[str]:
    """Return the problems of ids as they print."""
    return [str(item) for item in find_id_problems(posts, known, AUTHORITY, LATER)]

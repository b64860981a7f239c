"""Which newly seen posts are mailed: the guards against mailing an archive by mistake.

A post gets a publication number, and so is offered to subscribers, unless it was there
before the ledger, is too old, says `email: false`, or comes with too many others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.posts.post import Visibility, visibility_of
from postroom.posts.publication import MailState, Publication

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from postroom.posts.post import Card, Spine

    Judged = Card | Spine

FIRST_RUN = "first run"
MAX_AGE = "max_age"
MAX_NEW = "max_new"
NOT_MAILED = "email: false"
BY_HAND = "by hand"

SHOWN = 3
"""Paths named in a notice; `postroom posts list` has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What decides besides the posts themselves."""

    max_age: timedelta
    max_new: int
    yes: bool
    """`publish --yes`: mail the recent ones at a first run, and what `max_new` holds."""
    first_run: bool
    """No publish run has ended on this ledger."""
    counter: int
    """The last publication number given."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingPlan:
    """Publications to store with their new state, and words for the operator."""

    changes: tuple[Publication, ...]
    notice: str
    """Empty when nothing needs saying: some posts were numbered, or none was new."""


def plan_mailing(
    publications: Sequence[Publication], posts: Sequence[Judged], guards: Guards
) -> MailingPlan:
    """Judge every publication still `new`, and with `yes` those held by `max_new`.

    Numbers follow the counter in the order of (published, path). What an author holds
    by hand stays held; a publication whose post is not public now stays as it is.
    """
    public = {
        post.path: post
        for post in posts
        if visibility_of(post, guards.now) is Visibility.PUBLIC
    }
    waiting = [
        (publication, public[publication.path])
        for publication in publications
        if publication.path in public and _is_judged(publication, guards)
    ]
    archived = [
        replace(publication, mail=MailState.ARCHIVED, reason=reason)
        for publication, post in waiting
        if (reason := _archive_reason(publication, post, guards))
    ]
    mailed = [
        (publication, post)
        for publication, post in waiting
        if not _archive_reason(publication, post, guards)
    ]
    if len(mailed) > guards.max_new and not guards.yes:
        decided = [
            replace(publication, mail=MailState.HELD, reason=MAX_NEW)
            for publication, _ in mailed
        ]
    else:
        mailed.sort(key=lambda pair: (pair[1].published, pair[1].path))
        decided = [
            replace(publication, mail=MailState.NUMBERED, reason="", number=number)
            for number, (publication, _) in enumerate(mailed, guards.counter + 1)
        ]
    changes = (*archived, *decided)
    return MailingPlan(changes=changes, notice=_notice(changes, guards))


def _is_judged(publication: Publication, guards: Guards) -> bool:
    if publication.mail is MailState.HELD:
        return guards.yes and publication.reason == MAX_NEW
    return publication.mail is MailState.NEW


def _archive_reason(publication: Publication, post: Judged, guards: Guards) -> str:
    """Why a post is never mailed, or nothing."""
    if guards.first_run and not guards.yes:
        return FIRST_RUN
    if not post.mailed:
        return NOT_MAILED
    # What was held is not too old for having waited: it was judged when it came.
    is_new = publication.mail is MailState.NEW
    if is_new and post.published and guards.now - post.published > guards.max_age:
        return MAX_AGE
    return ""


def _notice(changes: Sequence[Publication], guards: Guards) -> str:
    lines = []
    if first := [change for change in changes if change.reason == FIRST_RUN]:
        lines.append(
            f"first run: {_count(first)} already here count as sent and are not mailed; "
            "posts from now on are"
        )
    if old := [change for change in changes if change.reason == MAX_AGE]:
        lines.append(
            f"{_count(old)} older than digest.max_age ({_age(guards.max_age)}), in feeds "
            f"and site but not mailed: {_paths(old)}"
        )
    if held := [change for change in changes if change.reason == MAX_NEW]:
        lines.append(
            f"{_count(held)} at once are more than digest.max_new ({guards.max_new}), "
            f"held: {_paths(held)}\n"
            "mail them with `postroom publish --yes`, or keep some back first with "
            "`postroom posts hold`"
        )
    return "\n".join(lines)


def _count(changes: Sequence[Publication]) -> str:
    return f"{len(changes)} post" + ("s" if len(changes) != 1 else "")


def _age(age: timedelta) -> str:
    if age.days and not age.seconds:
        return f"{age.days} day" + ("s" if age.days != 1 else "")
    return f"{age.total_seconds() / 3600:g} hours"


def _paths(changes: Sequence[Publication]) -> str:
    names = ", ".join(change.path for change in changes[:SHOWN])
    rest = len(changes) - SHOWN
    return names + (f" and {rest} more" if rest > 0 else "")

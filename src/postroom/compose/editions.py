"""Due slots become frozen editions: judge new posts, plan, render once, store.

Every decision is one of the pure functions of `digests`; the store applies each plan in
one transaction, so a run killed anywhere finds either the whole edition or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from postroom.digests.schedule import due_slot
from postroom.posts.publication import MailState
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.digests.edition import EditionPlan, Offer
    from postroom.digests.guard import MailingPlan
    from postroom.posts.post import Post, Spine
    from postroom.posts.publication import Publication
    from postroom.store.base import Store
    from postroom.store.values import Facts, Pending

    ReadShelf = Callable[[], "Shelf"]
    """Called only when something is due."""

WITHOUT_HISTORY = timedelta(days=400)
"""How far back a cadence that never was due looks for its last slot: beyond a year."""


class Shelf(NamedTuple):
    """What there is to send: the public posts, newest first."""

    posts: Sequence[Spine]
    broken: frozenset[str]
    """Paths of files that cannot be read as posts now."""
    read: Callable[[str], Post]
    """Take down the post of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The editions a run froze, and what the guards decided, in words."""

    editions: tuple[EditionPlan, ...] = ()
    notice: str = ""
    held: bool = False
    """Posts wait for a person."""


def compose_editions(
    config: Config, store: Store, read_shelf: ReadShelf, now: datetime, *, yes: bool
) -> Composed:
    """Freeze an edition for each cadence that is due and has something for somebody.

    `yes` lets through what the guards hold.
    """
    pending = store.pending(now)
    due = _due(config, store, pending, now)
    if not (pending.new_publications or due or yes):
        return Composed()
    shelf = read_shelf()
    mailing = judge(
        config, store.facts(), store.publications(), shelf.posts, now, yes=yes
    )
    store.record_publications(mailing.changes)
    due = _due(config, store, store.pending(now), now)
    plans = [_freeze(config, store, shelf, cadence, slot, now) for cadence, slot in due]
    return Composed(
        editions=tuple(plan for plan in plans if plan is not None),
        notice=mailing.notice,
        held=any(item.mail is MailState.HELD for item in mailing.changes),
    )


def judge(
    config: Config,
    facts: Facts,
    publications: Sequence[Publication],
    posts: Sequence[Spine],
    now: datetime,
    *,
    yes: bool = False,
) -> MailingPlan:
    """Ask the guards about every publication that no run has judged; stores nothing."""
    from postroom.digests.guard import Guards, plan_mailing  # noqa: PLC0415 - an idle run judges nothing

    guards = Guards(
        max_age=config.digest.max_age,
        max_new=config.digest.max_new,
        yes=yes,
        first_run=not facts.published_before,
        counter=facts.counter,
        now=now,
    )
    return plan_mailing(publications, posts, guards)


def numbered(
    publications: Sequence[Publication], posts: Sequence[Spine]
) -> list[Offer]:
    """Join numbered publications with their posts; what left the folder is not offered."""
    from postroom.digests.edition import Offer  # noqa: PLC0415 - an idle run offers nothing

    by_path = {post.path: post for post in posts}
    return [
        Offer(
            number=item.number,
            path=item.path,
            tags=by_path[item.path].tags,
            published=by_path[item.path].published or item.first_seen,
        )
        for item in publications
        if item.number is not None and item.path in by_path
    ]


def _below_broken(
    publications: Sequence[Publication], broken: frozenset[str]
) -> list[int]:
    """The numbers that marks may not pass: a faulty post is mailed once it is mended.

    Were the marks to pass it now, it would never be offered again.
    """
    return [
        item.number - 1
        for item in publications
        if item.number is not None and item.path in broken
    ]


def _due(
    config: Config, store: Store, pending: Pending, now: datetime
) -> list[tuple[Cadence, datetime]]:
    """Which cadences have a slot that no run has dealt with; missed slots are one."""
    found = []
    if config.digest.immediate and pending.immediate:
        found.append((Cadence.IMMEDIATE, now))
    last = store.last_slots()
    for cadence, cron in config.digest.crons().items():
        since = last.get(cadence, now - WITHOUT_HISTORY)
        slot = due_slot(cron, config.site.timezone, since, now)
        if slot is None and config.digest.prepare:
            ahead = now + config.digest.prepare
            slot = due_slot(cron, config.site.timezone, since, ahead)
        if slot is not None:
            found.append((cadence, slot))
    return found


def _freeze(
    config: Config,
    store: Store,
    shelf: Shelf,
    cadence: Cadence,
    slot: datetime,
    now: datetime,
) -> EditionPlan | None:
    """Plan, render and store one edition; an empty one only moves slot and marks."""
    from postroom.compose.letters import render_letters  # noqa: PLC0415 - jinja2, css-inline
    from postroom.digests.plan import Occasion, plan_edition  # noqa: PLC0415 - an idle run plans nothing

    publications = store.publications()
    offered = numbered(publications, shelf.posts)
    counter = min([store.facts().counter, *_below_broken(publications, shelf.broken)])
    plan = plan_edition(
        Occasion(cadence=cadence, slot=slot, counter=counter),
        offered,
        store.audience(cadence),
        language=config.site.language,
        zone=config.site.timezone,
    )
    if plan is None:
        store.pass_slot(cadence, slot, counter)
        return None
    posts = {
        offer.number: shelf.read(offer.path)
        for offer in offered
        if offer.number in plan.posts
    }
    store.freeze(plan, render_letters(config, plan, posts), now)
    return plan

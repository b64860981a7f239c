"""Due slots become frozen editions: judge new posts, plan, render once, store.

Only values meet here; every decision is one of the pure functions of `digests`. The
store applies each plan in one transaction, so a run killed anywhere finds either the
whole edition or none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.build.run import read_posts
from postroom.digests.edition import EditionPlan, Offer
from postroom.digests.guard import Guards, plan_mailing
from postroom.digests.plan import plan_edition
from postroom.digests.schedule import due_slot
from postroom.posts.publication import MailState
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from postroom.build.library import Library
    from postroom.config import Config
    from postroom.mail.letter import Letter
    from postroom.posts.post import Post
    from postroom.posts.publication import Publication
    from postroom.store.base import Store

NEVER_DEALT_WITH = timedelta(days=400)
"""How far back a cadence without history looks for its last slot: beyond a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The editions this run froze, and what the guards held back, in words."""

    editions: tuple[EditionPlan, ...] = ()
    notice: str = ""


def compose_editions(
    config: Config, store: Store, library: Library | None, now: datetime, *, yes: bool
) -> Composed:
    """Freeze an edition for every cadence that is due and has something for somebody.

    `library` is what the build read, or None when nothing changed; the posts are then
    read only if something is due. `yes` lets through what the guards hold.
    """
    pending = store.pending(now)
    slots = due_slots(config, store, now, immediate=pending.immediate)
    if not (pending.new_publications or slots or yes):
        return Composed()
    library = library or read_posts(config, now)
    notice = _judge(config, store, library, now, yes=yes)
    slots |= due_slots(config, store, now, immediate=store.pending(now).immediate)
    offers = offers_of(library.posts, store.publications())
    posts = {offer.number: post for offer, post in offers}
    editions = []
    for cadence, slot in slots.items():
        plan = plan_edition(...)
        if plan is None:
            store.pass_slot(cadence, slot, store.facts().counter)
            continue
        store.freeze(plan, render_letters(config, plan, posts), now)
        editions.append(plan)
    return Composed(editions=tuple(editions), notice=notice)

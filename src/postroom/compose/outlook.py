"""What the coming slots would send, for `postroom plan`: the same decisions, not stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.compose.editions import judge, numbered
from postroom.digests.edition import Offer
from postroom.digests.plan import Coming, Outlook, coming_editions
from postroom.posts.identify import plan_publications

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.posts.post import Spine
    from postroom.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """The posts that may be mailed: public ones, and scheduled ones by their date."""

    posts: Sequence[Spine]
    scheduled: Sequence[Spine]
    present: frozenset[str]
    """Paths of all files of the folder."""


def plan_outlook(
    config: Config, store: Store, library: Upcoming, now: datetime, until: datetime
) -> tuple[tuple[Coming, ...], dict[int, Offer], str]:
    """Return the slots until then, every offer by number, and the guards' words.

    Posts that no run has seen or judged are treated as the next run would treat them;
    scheduled ones get the numbers they would get.
    """
    facts, known = store.facts(), store.publications()
    fresh = plan_publications(
        library.posts, known, facts.authority, now, library.present
    )
    seen = {item.id: item for item in (*known, *fresh)}
    mailing = judge(config, facts, list(seen.values()), library.posts, now)
    seen |= {item.id: item for item in mailing.changes}
    offers = numbered(list(seen.values()), library.posts)
    counter = max([facts.counter, *(offer.number for offer in offers)])
    mailed = [post for post in library.scheduled if post.mailed and post.published]
    offers += [
        Offer(number=number, path=post.path, tags=post.tags, published=post.published)
        for number, post in enumerate(mailed, counter + 1)
        if post.published
    ]
    outlook = Outlook(
        offers=tuple(offers),
        groups={
            cadence: store.audience(cadence) for cadence in config.digest.cadences()
        },
        crons=config.digest.crons(),
        counter=counter,
        language=config.site.language,
        zone=config.site.timezone,
    )
    coming = coming_editions(outlook, now, until)
    return coming, {offer.number: offer for offer in offers}, mailing.notice

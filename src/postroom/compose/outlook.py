"""What the coming slots would send, for `postroom plan`: the same decisions, not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.compose.editions import judge, numbered
from postroom.digests.plan import Coming, Outlook, coming_editions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from postroom.config import Config
    from postroom.digests.edition import Offer
    from postroom.posts.post import Post
    from postroom.store.base import Store


def plan_outlook(
    config: Config, store: Store, posts: Sequence[Post], now: datetime, until: datetime
) -> tuple[tuple[Coming, ...], dict[int, Offer], str]:
    """Return the slots until then, every offer by number, and the guards' words.

    Posts that no run has judged are judged as the next run would.
    """
    mailing = judge(config, store, posts, now, yes=False)
    changed = {item.id: item for item in mailing.changes}
    publications = [changed.get(item.id, item) for item in store.publications()]
    offers = [offer for offer, _ in numbered(publications, posts)]
    counter = max([store.facts().counter, *(offer.number for offer in offers)])
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

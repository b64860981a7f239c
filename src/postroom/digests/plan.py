"""Who gets which posts: one edition for a slot, and what the coming slots would bring.

Each subscriber is offered the numbered posts above their mark that match their topics;
afterwards the marks of everybody of that cadence stand at the counter. So a post is
offered to a reader once, in whichever rhythm comes first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.digests.edition import AudienceGroup, EditionPlan, Offer, VariantPlan
from postroom.digests.schedule import coming_slots
from postroom.subscribers.subscriber import Cadence
from postroom.subscribers.topics import fold_topic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

Content = tuple[str, tuple[int, ...]]
"""What makes a variant: language, and post numbers, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A cadence that is due: its slot, and the counter that marks will move to."""

    cadence: Cadence
    slot: datetime
    counter: int
    """The last publication number given; offers above it are not sent yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A slot to come, and what it would send; no plan when nobody would get anything."""

    cadence: Cadence
    slot: datetime
    plan: EditionPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of the future: the ledger as it is now, and posts that wait.

    A scheduled post is an offer with the number it would get, above the counter.
    `crons` has no entry for `immediate`: it is on when it has groups.
    """

    offers: tuple[Offer, ...]
    groups: Mapping[Cadence, Sequence[AudienceGroup]]
    crons: Mapping[Cadence, str]
    counter: int
    language: str
    zone: tzinfo


def plan_edition(
    occasion: Occasion,
    offers: Sequence[Offer],
    groups: Sequence[AudienceGroup],
    *,
    language: str,
    zone: tzinfo,
) -> EditionPlan | None:
    """Return the edition of one cadence for one slot, or None when it would be empty.

    `groups` are all confirmed subscribers of the cadence; `language` is the site's, for
    those who chose none. Variants are numbered from the largest audience down.
    """
    numbered = _offers_by_topic(offers, occasion.counter)
    shared: defaultdict[Content, list[AudienceGroup]] = defaultdict(list)
    for group in groups:
        if group.count and (posts := _matching(numbered, group)):
            shared[group.language or language, posts].append(group)
    if not shared:
        return None
    ranked = sorted(shared.items(), key=_by_audience)
    return EditionPlan(
        key=_key(occasion, zone),
        cadence=occasion.cadence,
        slot=occasion.slot,
        mark=occasion.counter,
        variants=tuple(
            VariantPlan(
                number=number,
                language=content[0],
                posts=content[1],
                groups=tuple(sorted(members, key=_by_wishes)),
            )
            for number, (content, members) in enumerate(ranked, 1)
        ),
    )


def coming_editions(
    outlook: Outlook, after: datetime, until: datetime
) -> tuple[Coming, ...]:
    """Return every slot with `after` < slot ≤ `until`, in order, with what it would send.

    `immediate` is due at `after`, and whenever a scheduled post appears, but is listed
    only where it would send something. Subscribers are taken to stay as they are.
    """
    due = sorted(_due(outlook, after, until), key=lambda pair: (pair[1], pair[0]))
    groups = {cadence: tuple(found) for cadence, found in outlook.groups.items()}
    listed = []
    for cadence, slot in due:
        public = [offer for offer in outlook.offers if _is_out(offer, outlook, slot)]
        counter = max([outlook.counter, *(offer.number for offer in public)])
        plan = plan_edition(
            Occasion(cadence=cadence, slot=slot, counter=counter),
            public,
            groups.get(cadence, ()),
            language=outlook.language,
            zone=outlook.zone,
        )
        groups[cadence] = tuple(
            replace(group, mark=max(group.mark, counter))
            for group in groups.get(cadence, ())
        )
        if plan is not None or cadence is not Cadence.IMMEDIATE:
            listed.append(Coming(cadence=cadence, slot=slot, plan=plan))
    return tuple(listed)


def _due(
    outlook: Outlook, after: datetime, until: datetime
) -> set[tuple[Cadence, datetime]]:
    due = {
        (cadence, slot)
        for cadence, cron in outlook.crons.items()
        for slot in coming_slots(cron, outlook.zone, after, until=until)
    }
    appearing = {
        offer.published for offer in outlook.offers if after < offer.published <= until
    }
    return due | {(Cadence.IMMEDIATE, slot) for slot in {after, *appearing}}


def _is_out(offer: Offer, outlook: Outlook, slot: datetime) -> bool:
    return offer.number <= outlook.counter or offer.published <= slot


def _offers_by_topic(
    offers: Sequence[Offer], counter: int
) -> list[tuple[int, frozenset[str]]]:
    """Numbers up to the counter with their tags folded, newest first."""
    return sorted(
        (
            (offer.number, frozenset(fold_topic(tag) for tag in offer.tags))
            for offer in offers
            if offer.number <= counter
        ),
        key=lambda pair: -pair[0],
    )


def _matching(
    numbered: Sequence[tuple[int, frozenset[str]]], group: AudienceGroup
) -> tuple[int, ...]:
    wanted = frozenset(fold_topic(topic) for topic in group.topics)
    return tuple(
        number
        for number, tags in numbered
        if number > group.mark and (not wanted or wanted & tags)
    )


def _by_audience(item: tuple[Content, list[AudienceGroup]]) -> tuple[int, Content]:
    content, members = item
    return -sum(group.count for group in members), content


def _by_wishes(group: AudienceGroup) -> tuple[str, tuple[str, ...], int]:
    return group.language, group.topics, group.mark


def _key(occasion: Occasion, zone: tzinfo) -> str:
    """Name an edition by its slot; `b` in the hour that a change of clocks repeats.

    `immediate` has the counter too: it may be due twice in one minute, and twice at one
    counter, when a reader changes to it who has yet to get what the others have.
    """
    local = occasion.slot.astimezone(zone)
    stamp = f"{local:%Y%m%dT%H%M}" + ("b" if local.fold else "")
    if occasion.cadence is Cadence.IMMEDIATE:
        return f"{occasion.cadence}-{occasion.counter}-{stamp}"
    return f"{occasion.cadence}-{stamp}"

"""What every test of a store begins with: posts, subscribers, editions, replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, finalize

from postroom.digests.edition import AudienceGroup, EditionPlan, VariantPlan
from postroom.mail.letter import Letter
from postroom.mail.outcome import DeliveryState, Outcome, Phase, Reply
from postroom.posts.publication import MailState, Publication
from postroom.store.values import Claim, Creation, Durability, Owner, Result
from postroom.subscribers.subscriber import Cadence, Consent, SubscriberChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from postroom.store.base import Journal, Store
    from postroom.store.sqlite.store import SqliteStore

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
OWNER = Owner(host="letters.example", boot_id="b1", pid=100)
LETTER = Letter(
    language="ko",
    subject="이번 주의 글",
    preheader="세 편",
    html="<p>안녕하세요 {{ name }}</p>",
    text="안녕하세요",
)


def creation() -> Creation:
    """What a new ledger is made with."""
    return Creation(
        authority="blog.example,2026-11-01",
        ledger_id="5f2c",
        salt=b"\x07" * 32,
        now=NOW,
    )


def open_new(path: Path) -> SqliteStore:
    """A ledger at `path`, made where there is none."""
    from postroom.store.opening import open_ledger  # noqa: PLC0415 - keeps a child process light

    return open_ledger(path, creation)


def publication(number: int | None, *, name: str = "") -> Publication:
    """A post that has a number, or none yet."""
    name = name or f"post-{number}"
    return Publication(
        path=f"posts/{name}.md",
        id=f"tag:blog.example,2026-11-01:{name}",
        digest="0" * 64,
        first_seen=NOW,
        number=number,
        mail=MailState.NEW if number is None else MailState.NUMBERED,
    )


def number_posts(store: Store, *numbers: int) -> None:
    """Posts with these numbers are public."""
    store.record_publications([publication(number) for number in numbers])


def reader(
    name: str,
    *,
    consent: Consent | None = Consent.CONFIRMED,
    cadence: Cadence | None = None,
    topics: tuple[str, ...] | None = None,
    language: str | None = None,
) -> SubscriberChange:
    """A row of a table: `name@mail.example`, confirmed unless it says otherwise."""
    email = f"{name}@mail.example"
    return SubscriberChange(
        email=email,
        key=email,
        consent=consent,
        cadence=cadence,
        topics=topics,
        language=language,
    )


def subscribe(store: Store, *names: str, cadence: Cadence = Cadence.WEEKLY) -> None:
    """These readers are confirmed."""
    store.save_subscribers([reader(name) for name in names], NOW, cadence=cadence)


def set_consent(store: Store, name: str, consent: Consent) -> None:
    """The operator sets one reader's consent."""
    store.save_subscribers(
        [reader(name, consent=consent)], NOW, cadence=Cadence.WEEKLY, by_hand=True
    )


def plan(
    key: str,
    groups: Iterable[AudienceGroup],
    *,
    posts: tuple[int, ...] = (1,),
    cadence: Cadence = Cadence.WEEKLY,
    slot: datetime = NOW,
) -> EditionPlan:
    """An edition of one variant for all these groups."""
    variant = VariantPlan(number=1, language="ko", posts=posts, groups=tuple(groups))
    return EditionPlan(
        key=key, cadence=cadence, slot=slot, mark=max(posts), variants=(variant,)
    )


def letters(plan: EditionPlan) -> Mapping[int, Letter]:
    """A letter for each variant."""
    return {variant.number: LETTER for variant in plan.variants}


def freeze(
    store: Store,
    key: str = "weekly-1",
    *,
    posts: tuple[int, ...] = (1,),
    cadence: Cadence = Cadence.WEEKLY,
    now: datetime = NOW,
    slot: datetime = NOW,
) -> int:
    """Freeze an edition for everyone of a cadence; returns its audience."""
    edition = plan(
        key, store.audience(cadence), posts=posts, cadence=cadence, slot=slot
    )
    return store.freeze(edition, letters(edition), now)


def frozen(store: Store, *names: str) -> int:
    """A run under way on an edition for these readers; returns the run."""
    subscribe(store, *names)
    number_posts(store, 1)
    freeze(store)
    return store.begin_run(OWNER, NOW)


def claim(
    store: Store, run: int, limit: int = 100, *, now: datetime = NOW, lease: int = 3600
) -> list[Claim]:
    """Take deliveries; nothing has expired."""
    return store.claim(run, limit, now, lease=lease, expire=LONG_AGO).claims


def result(
    claim: Claim,
    state: DeliveryState,
    text: str = "",
    *,
    retry_at: datetime | None = None,
    suppress: bool = False,
    message_id: str = "",
) -> Result:
    """An outcome of that state; a text makes it a reply to the final dot."""
    code = {DeliveryState.DEFERRED: 451, DeliveryState.FAILED: 550}.get(state, 250)
    reply = Reply(code=code, status="", text=text) if text else None
    if state is DeliveryState.DEFERRED and retry_at is None:
        retry_at = NOW + timedelta(minutes=5)
    return Result(
        claim=claim,
        outcome=Outcome(state=state, phase=Phase.DOT, reply=reply, suppress=suppress),
        retry_at=retry_at,
        message_id=message_id,
    )


def message_id(claim: Claim) -> str:
    """The same at every attempt."""
    return f"<{claim.subscriber_id}.{claim.edition}@blog.example>"


_journals: WeakKeyDictionary[Store, dict[int, Journal]] = WeakKeyDictionary()


def journal_of(
    store: Store, run: int, durability: Durability = Durability.PROCESS
) -> Journal:
    """The journal of a run, begun when first asked for; open as long as its store is."""
    of_store = _journals.setdefault(store, {})
    if run not in of_store:
        of_store[run] = store.open_journal(run, durability)
        finalize(store, of_store[run].close)
    return of_store[run]


def hand_over(store: Store, run: int, claims: Iterable[Claim]) -> None:
    """Put the intent to hand each over into the journal of the run."""
    intents = [(claim, message_id(claim)) for claim in claims]
    journal_of(store, run).write([], intents)


def states(store: Store) -> dict[str, DeliveryState]:
    """The state of each reader's delivery, by the name before the @ (one edition)."""
    return {row.email.partition("@")[0]: row.state for row in store.deliveries()}

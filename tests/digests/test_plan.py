"""Every matching post reaches a confirmed reader once, in whichever rhythm comes first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.digests.edition import AudienceGroup, EditionPlan, Offer
from postroom.digests.plan import Occasion, Outlook, coming_editions, plan_edition
from postroom.subscribers.subscriber import Cadence, Consent
from postroom.subscribers.topics import fold_topic

SEOUL = ZoneInfo("Asia/Seoul")
BERLIN = ZoneInfo("Europe/Berlin")
SLOT = datetime(2026, 11, 22, 23, tzinfo=UTC)  # Monday 08:00 in Seoul


def an_offer(number: int, *tags: str, published: datetime = SLOT) -> Offer:
    """Build a numbered post."""
    return Offer(number=number, path=f"{number}.md", tags=tags, published=published)


def a_group(count: int, mark: int, *topics: str, language: str = "") -> AudienceGroup:
    """Build so many readers with one mark and the same wishes."""
    return AudienceGroup(language=language, topics=topics, mark=mark, count=count)


def plan(
    offers: list[Offer],
    groups: list[AudienceGroup],
    *,
    counter: int = 9,
    cadence: Cadence = Cadence.WEEKLY,
    slot: datetime = SLOT,
    zone: ZoneInfo = SEOUL,
) -> EditionPlan | None:
    """Plan one edition of a Korean site."""
    return plan_edition(
        Occasion(cadence=cadence, slot=slot, counter=counter),
        offers,
        groups,
        language="ko",
        zone=zone,
    )


def test_each_group_gets_what_is_above_its_mark() -> None:
    """Newest first; the mark of everybody moves to the counter."""
    edition = plan(
        [an_offer(7), an_offer(8), an_offer(9)], [a_group(5, 6), a_group(2, 8)]
    )
    assert edition is not None
    assert [
        (variant.number, variant.posts, variant.audience)
        for variant in edition.variants
    ] == [
        (1, (9, 8, 7), 5),
        (2, (9,), 2),
    ]
    assert (edition.mark, edition.audience, edition.posts) == (9, 7, (9, 8, 7))


def test_topics_are_compared_as_readers_read() -> None:
    """A tag matches whatever its case, `#` or normal form; no topics is all of them."""
    offers = [an_offer(7, "#Python"), an_offer(8, "여행", "food"), an_offer(9)]
    edition = plan(
        offers,
        [a_group(4, 0), a_group(3, 0, "python"), a_group(2, 0, "FOOD", "Python")],
    )
    assert edition is not None
    assert {variant.posts: variant.audience for variant in edition.variants} == {
        (9, 8, 7): 4,
        (7,): 3,
        (8, 7): 2,
    }


def test_groups_with_the_same_content_share_a_variant() -> None:
    """Different marks and topics may mean the same posts; an empty language is the site's."""
    groups = [
        a_group(1, 8),
        a_group(2, 0, "new"),
        a_group(4, 8, language="ko"),
        a_group(8, 8, language="en"),
    ]
    edition = plan([an_offer(8), an_offer(9, "new")], groups)
    assert edition is not None
    assert [(variant.language, variant.audience) for variant in edition.variants] == [
        ("en", 8),
        ("ko", 7),
    ]
    assert {group for variant in edition.variants for group in variant.groups} == set(
        groups
    )


def test_the_plan_does_not_depend_on_order() -> None:
    """The largest audience is first, ties go by content, however the groups arrive."""
    groups = [
        a_group(2, mark, language=language)
        for mark in (5, 6, 7)
        for language in ("en", "ko")
    ]
    offers = [an_offer(7), an_offer(8)]
    edition = plan(offers, groups)
    assert edition == plan(offers[::-1], groups[::-1])
    assert edition is not None
    assert [(variant.language, variant.posts) for variant in edition.variants] == [
        ("en", (8, 7)),
        ("ko", (8, 7)),
        ("en", (8,)),
        ("ko", (8,)),
    ]


@pytest.mark.parametrize(
    ("offers", "groups"),
    [
        ([], [a_group(5, 0)]),
        ([an_offer(9)], []),
        ([an_offer(9)], [a_group(5, 9)]),
        ([an_offer(9)], [a_group(0, 0)]),
        ([an_offer(9, "a")], [a_group(5, 0, "b")]),
        ([an_offer(10)], [a_group(5, 9)]),
    ],
    ids=[
        "no posts",
        "no readers",
        "all offered",
        "empty group",
        "no match",
        "not yet counted",
    ],
)
def test_an_empty_edition_is_none(
    offers: list[Offer], groups: list[AudienceGroup]
) -> None:
    """Where nobody would get anything there is no edition."""
    assert plan(offers, groups) is None


def test_keys_name_the_slot_in_the_site_s_zone() -> None:
    """A slot's key is its local time; the repeated hour and `immediate` have more."""
    offers, groups = [an_offer(9)], [a_group(1, 0)]

    def key(cadence: Cadence, slot: datetime, zone: ZoneInfo) -> str:
        edition = plan(offers, groups, cadence=cadence, slot=slot, zone=zone)
        assert edition is not None
        return edition.key

    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert key(Cadence.WEEKLY, SLOT, SEOUL) == "weekly-20261123T0800"
    assert key(Cadence.DAILY, first, BERLIN) == "daily-20261025T0230"
    assert (
        key(Cadence.DAILY, first + timedelta(hours=1), BERLIN) == "daily-20261025T0230b"
    )
    assert key(Cadence.IMMEDIATE, SLOT, SEOUL) == "immediate-9-20261123T0800"


# -- the promise, over any history -------------------------------------------------


@dataclass(slots=True)
class Reader:
    """A subscriber as the ledger keeps them, and every number they were sent."""

    joined_at: int
    mark: int
    consent: Consent = Consent.CONFIRMED
    cadence: Cadence = Cadence.WEEKLY
    topics: tuple[str, ...] = ()
    language: str = ""
    steady: bool = True
    """Whether rhythm, topics and consent stayed as they were."""
    sent: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Ledger:
    """The store's part, in values: groups in, marks moved in one step."""

    offers: list[Offer] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    slots: int = 0

    def due(self, cadence: Cadence) -> None:
        """One slot of a cadence: plan, send, and move the marks of all of that cadence."""
        self.slots += 1
        members = [
            reader
            for reader in self.readers
            if reader.cadence is cadence and reader.consent is Consent.CONFIRMED
        ]
        wishes = Counter((r.language, r.topics, r.mark) for r in members)
        edition = plan(
            self.offers,
            [
                AudienceGroup(language=language, topics=topics, mark=mark, count=count)
                for (language, topics, mark), count in wishes.items()
            ],
            counter=len(self.offers),
            cadence=cadence,
            slot=SLOT + timedelta(hours=self.slots),
        )
        for variant in edition.variants if edition else ():
            for group in variant.groups:
                for reader in members:
                    if (reader.topics, reader.mark, reader.language) == (
                        group.topics,
                        group.mark,
                        group.language,
                    ):
                        reader.sent.extend(variant.posts)
        for reader in members:
            reader.mark = len(self.offers)


TAGS = st.sampled_from(["a", "B", "#b", "c"])
TOPICS = st.lists(TAGS, max_size=2, unique_by=fold_topic).map(tuple)
READER = st.integers(0, 5)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(TAGS, max_size=2)),
        st.tuples(st.just("due"), st.sampled_from(Cadence)),
        st.tuples(
            st.just("join"),
            st.tuples(
                st.sampled_from(Cadence), TOPICS, st.sampled_from(["", "ko", "en"])
            ),
        ),
        st.tuples(st.just("cadence"), st.tuples(READER, st.sampled_from(Cadence))),
        st.tuples(st.just("topics"), st.tuples(READER, TOPICS)),
        st.tuples(st.just("consent"), st.tuples(READER, st.booleans())),
    ),
    max_size=40,
)


def happen(ledger: Ledger, kind: str, what: object) -> None:
    """Let one event happen."""
    match kind, what:
        case "post", [*tags]:
            ledger.offers.append(an_offer(len(ledger.offers) + 1, *map(str, tags)))
        case "due", Cadence() as cadence:
            ledger.due(cadence)
        case "join", (Cadence() as cadence, tuple() as topics, str() as language):
            counter = len(ledger.offers)
            ledger.readers.append(
                Reader(
                    counter, counter, cadence=cadence, topics=topics, language=language
                )
            )
        case _, (int() as index, wish) if index < len(ledger.readers):
            change(ledger.readers[index], wish, len(ledger.offers))
        case _:
            pass


def change(reader: Reader, wish: object, counter: int) -> None:
    """Let a reader change their mind; who confirms again starts at today's number."""
    reader.steady = False
    match wish:
        case Cadence():
            reader.cadence = wish
        case tuple():
            reader.topics = wish
        case True if reader.consent is not Consent.CONFIRMED:
            reader.consent, reader.mark = Consent.CONFIRMED, counter
        case False:
            reader.consent = Consent.UNSUBSCRIBED
        case _:
            pass


def wanted(reader: Reader, offer: Offer) -> bool:
    """Tell whether a reader's topics ask for a post, in the plainest way."""
    topics = {topic.lstrip("#").lower() for topic in reader.topics}
    return not topics or bool(topics & {tag.lstrip("#").lower() for tag in offer.tags})


@given(EVENTS)
@settings(max_examples=300)
def test_no_post_twice_and_none_missed(events: list[tuple[str, object]]) -> None:
    """Any mix of posts, slots, sign-ups and changes of mind: at most once for everybody,
    exactly once for who stayed as they were, nothing older than the sign-up."""  # noqa: D205, D209  one sentence
    ledger = Ledger()
    for kind, what in events:
        happen(ledger, kind, what)
    for cadence in Cadence:
        ledger.due(cadence)
    for reader in ledger.readers:
        assert len(reader.sent) == len(set(reader.sent))
        assert all(number > reader.joined_at for number in reader.sent)
        if reader.steady:
            assert sorted(reader.sent) == [
                offer.number
                for offer in ledger.offers
                if offer.number > reader.joined_at and wanted(reader, offer)
            ]


# -- what is to come ---------------------------------------------------------------

MORNING = datetime(2026, 11, 22, 22, tzinfo=UTC)
OUTLOOK = Outlook(
    offers=(
        an_offer(8, published=MORNING - timedelta(days=2)),
        an_offer(9, "a", published=MORNING - timedelta(days=1)),
        an_offer(10, published=MORNING + timedelta(hours=30)),
    ),
    groups={
        Cadence.IMMEDIATE: (a_group(2, 9),),
        Cadence.DAILY: (a_group(3, 8), a_group(4, 9)),
        Cadence.WEEKLY: (a_group(5, 7, "a"),),
    },
    crons={Cadence.DAILY: "0 8 * * *", Cadence.WEEKLY: "0 8 * * 1"},
    counter=9,
    language="ko",
    zone=SEOUL,
)


def test_coming_editions_carry_the_marks_along() -> None:
    """Each slot to come shows its posts and audience, as if those before had gone out."""
    coming = coming_editions(OUTLOOK, MORNING, MORNING + timedelta(days=3))
    assert [
        (
            item.cadence.value,
            f"{item.slot.astimezone(SEOUL):%a %H:%M}",
            (item.plan.posts, item.plan.audience) if item.plan else None,
        )
        for item in coming
    ] == [
        ("daily", "Mon 08:00", ((9,), 3)),
        ("weekly", "Mon 08:00", ((9,), 5)),
        ("daily", "Tue 08:00", None),
        ("immediate", "Tue 13:00", ((10,), 2)),
        ("daily", "Wed 08:00", ((10,), 7)),
    ]


def test_what_is_due_at_once_is_listed_now() -> None:
    """A post that `immediate` readers have yet to get is listed at this moment."""
    outlook = replace(OUTLOOK, groups={Cadence.IMMEDIATE: (a_group(2, 8),)}, crons={})
    (now, _) = coming_editions(outlook, MORNING, MORNING + timedelta(days=3))
    assert (now.slot, now.plan and now.plan.posts) == (MORNING, (9,))


def test_nothing_is_to_come_without_readers_or_slots() -> None:
    """A site with no cadence on, or no time to look at, has nothing to list."""
    assert coming_editions(OUTLOOK, MORNING, MORNING) == ()
    empty = replace(OUTLOOK, groups={}, crons={})
    assert coming_editions(empty, MORNING, MORNING + timedelta(days=99)) == ()

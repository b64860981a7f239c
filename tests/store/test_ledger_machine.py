"""Any order of events: the ledger adds up, steps are legal, no number comes twice.

The machine plays the publisher (with a planner of its own, a few lines long), the
relay, subscribers who come, change their minds and go, and the operator; a trigger in
the database writes down every step of a delivery, also those within one transaction.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from postroom.digests.edition import EditionPlan, VariantPlan
from postroom.mail.outcome import TRANSITIONS, DeliveryState
from postroom.posts.publication import MailState
from postroom.store.values import Durability, UnknownPolicy
from postroom.subscribers.subscriber import Cadence, Consent
from tests.store.scenes import (
    LETTER,
    NOW,
    OWNER,
    open_new,
    publication,
    reader,
    result,
)

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.digests.edition import AudienceGroup
    from postroom.store.base import Journal
    from postroom.store.values import Claim
    from postroom.subscribers.subscriber import SubscriberChange

NAMES = st.sampled_from("abcd")
CADENCES = st.sampled_from([Cadence.WEEKLY, Cadence.IMMEDIATE, Cadence.WEEKLY])
TOPICS = st.sampled_from([(), ("x",), ("y",), ("x", "y")])
LANGUAGES = st.sampled_from(["", "en"])
CHANGES = st.builds(
    reader,
    NAMES,
    consent=st.sampled_from([None, None, None, Consent.CONFIRMED, *Consent]),
    cadence=st.one_of(st.none(), CADENCES),
    topics=st.one_of(st.none(), TOPICS),
    language=st.one_of(st.none(), LANGUAGES),
)
OUTCOMES = st.sampled_from(
    [
        DeliveryState.ACCEPTED,
        DeliveryState.DEFERRED,
        DeliveryState.FAILED,
        DeliveryState.QUEUED,
        DeliveryState.UNKNOWN,
    ]
)

TRACE = """
CREATE TABLE step (edition, subscriber, before, after, epoch);
CREATE TRIGGER step AFTER UPDATE ON delivery
WHEN old.state <> new.state OR old.epoch <> new.epoch BEGIN
    INSERT INTO step VALUES
        (new.edition, new.subscriber, old.state, new.state, new.epoch - old.epoch);
END
"""

OFFERED_TWICE = """
SELECT d.subscriber, post.value, count(*) FROM delivery AS d
JOIN variant AS v ON v.edition = d.edition AND v.number = d.variant, json_each(v.posts) AS post
GROUP BY 1, 2 HAVING count(*) > 1
"""
OFFERED = """
SELECT DISTINCT post.value FROM delivery AS d
JOIN variant AS v ON v.edition = d.edition AND v.number = d.variant, json_each(v.posts) AS post
WHERE d.subscriber = ?
"""


class LedgerMachine(RuleBasedStateMachine):
    """Everything that may happen to a ledger, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "postroom.db"
        self.open()
        self.store._connection.executescript(TRACE)
        self.now = NOW
        self.topics: dict[int, tuple[str, ...]] = {}
        self.claims: list[Claim] = []
        self.intended: list[Claim] = []
        """In the journal of the run; their outcomes are written to the ledger only."""
        self.marks: dict[int, int] = {}
        self.starts: dict[int, int] = {}

    def open(self) -> None:
        """Without waiting for the disk: nothing is killed here."""
        self.store = open_new(self.path)
        self.store._connection.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        """Close and forget."""
        self.store.close()
        self.folder.cleanup()

    def tick(self) -> datetime:
        """Time goes on with every event."""
        self.now += timedelta(seconds=1)
        return self.now

    @initialize()
    def begin(self) -> None:
        """A run is under way from the start, and there are readers."""
        self.begin_run()
        for name in "abc":
            self.confirm(name)

    def begin_run(self) -> None:
        """A new run; its journal has not begun."""
        self.run = self.store.begin_run(OWNER, self.tick())
        self.journal: Journal | None = None
        self.intended = []

    # -- people ------------------------------------------------------------------

    @rule(change=CHANGES, by_hand=st.booleans())
    def save(self, change: SubscriberChange, *, by_hand: bool) -> None:
        """Somebody signs up, confirms, changes their mind, leaves, or is imported."""
        self.store.save_subscribers(
            [change], self.tick(), cadence=Cadence.WEEKLY, by_hand=by_hand
        )

    @rule(name=NAMES)
    def confirm(self, name: str) -> None:
        """Somebody is confirmed: the usual case, so that editions have readers."""
        self.save(reader(name), by_hand=True)

    @rule(name=NAMES)
    def erase(self, name: str) -> None:
        """Somebody asks to be forgotten."""
        self.store.erase(f"{name}@mail.example", self.tick())
        assert self.store.subscriber(f"{name}@mail.example") is None

    # -- the publisher -----------------------------------------------------------

    @rule(topics=TOPICS)
    def write(self, topics: tuple[str, ...]) -> None:
        """A post gets the next number."""
        number = self.store.facts().counter + 1
        self.topics[number] = topics
        self.store.record_publications(
            [replace(publication(number), mail=MailState.NUMBERED)]
        )

    @rule(
        news=st.one_of(st.none(), TOPICS, TOPICS),
        cadence=CADENCES,
        meanwhile=st.one_of(st.none(), CHANGES),
        ahead=st.sampled_from([0, 0, 5]),
    )
    def edition(
        self,
        news: tuple[str, ...] | None,
        cadence: Cadence,
        meanwhile: SubscriberChange | None,
        ahead: int,
    ) -> None:
        """A slot is due, or near; somebody may change their mind while it is rendered."""
        if news is not None:
            self.write(news)
        now = self.tick()
        mark = self.store.facts().counter
        before = self.store.last_slots().get(cadence, now)
        plan = self.plan(cadence, self.store.audience(cadence), mark)
        plan = replace(plan, slot=now + timedelta(seconds=ahead))
        if meanwhile:
            self.save(meanwhile, by_hand=True)
        if plan.variants:
            letters = {variant.number: LETTER for variant in plan.variants}
            audience = self.store.freeze(plan, letters, now)
            assert audience <= plan.audience or meanwhile
            assert self.store.freeze(plan, letters, now) == 0 or not audience
        else:
            self.store.pass_slot(cadence, now, mark)
        slot = plan.slot if plan.variants else now
        assert self.store.last_slots()[cadence] == max(before, slot)

    def plan(
        self, cadence: Cadence, groups: list[AudienceGroup], mark: int
    ) -> EditionPlan:
        """Each group whose topics match some post above its mark gets those posts."""
        variants: list[VariantPlan] = []
        for group in groups:
            posts = tuple(
                number
                for number in range(mark, group.mark, -1)
                if not group.topics or set(group.topics) & set(self.topics[number])
            )
            if posts:
                variants.append(
                    VariantPlan(
                        number=len(variants) + 1,
                        language=group.language,
                        posts=posts,
                        groups=(group,),
                    )
                )
        return EditionPlan(
            key=f"{cadence}-{self.now.isoformat()}",
            cadence=cadence,
            slot=self.now,
            mark=mark,
            variants=tuple(variants),
        )

    # -- delivery ----------------------------------------------------------------

    @rule(limit=st.integers(0, 5), old=st.sampled_from([False] * 7 + [True]))
    def claim(self, limit: int, *, old: bool) -> None:
        """Take some; now and then everything so far has expired."""
        expire = self.now if old else NOW - timedelta(days=1)
        claims, passed = self.store.claim(
            self.run, limit, self.tick(), lease=600, expire=expire
        )
        assert set(passed) <= {DeliveryState.SKIPPED, DeliveryState.EXPIRED}
        assert len(claims) <= limit
        self.claims += claims
        waiting = {
            edition.key
            for edition in self.store.editions()
            if edition.paused or edition.slot > self.now
        }
        if len(claims) < limit:
            queued = self.store.deliveries(state=DeliveryState.QUEUED)
            due = self.store.deliveries(state=DeliveryState.DEFERRED)
            left = [*queued, *(one for one in due if one.retry_at <= self.now)]  # type: ignore[operator]  # deferred
            assert {one.edition for one in left} <= waiting
            pending = self.store.open_deliveries()
            busy = pending[DeliveryState.CLAIMED] + pending[DeliveryState.UNKNOWN]
            assert busy or not self.store.pending(self.now).deliveries
        for claim in claims:
            assert self.holds(claim) == DeliveryState.CLAIMED
            assert claim.edition not in waiting
            found = self.store.subscriber(claim.email)
            assert found
            assert found.consent is Consent.CONFIRMED

    def some_claims(self) -> st.SearchStrategy[list[Claim]]:
        """A few of the latest claims, stale or not."""
        latest = st.sampled_from(self.claims[-6:])
        return st.lists(latest, unique_by=id, min_size=1, max_size=4)

    def holds(self, claim: Claim) -> DeliveryState | None:
        """The state of a claim's row while it holds it."""
        row = self.store._connection.execute(
            "SELECT state FROM delivery WHERE edition = ? AND subscriber = ?"
            " AND epoch = ? AND state IN ('claimed', 'handing')",
            (claim.edition_id, claim.subscriber_id, claim.epoch),
        ).fetchone()
        return row and DeliveryState(row[0])

    @precondition(lambda self: any(self.holds(claim) for claim in self.claims))
    @rule(data=st.data(), durability=st.sampled_from(Durability))
    def intend(self, data: st.DataObject, durability: Durability) -> None:
        """Announce hand-overs: the ledger's rows stay as they are."""
        held = [claim for claim in self.claims if self.holds(claim)]
        some = data.draw(st.lists(st.sampled_from(held), unique_by=id, max_size=4))
        if self.journal is None:
            self.journal = self.store.open_journal(self.run, durability)
        self.journal.write([], [(one, "<m@x>") for one in some])
        self.intended += some

        assert all(self.holds(claim) == DeliveryState.CLAIMED for claim in some)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """Outcomes of all kinds, also for claims that are stale by now."""
        some = data.draw(
            st.lists(st.sampled_from(self.claims), unique_by=id, max_size=4)
        )
        held = {claim for claim in some if self.holds(claim)}
        before = {self.row(claim) for claim in some if claim not in held}
        results = []
        for claim in some:
            state = data.draw(OUTCOMES)
            suppress = state is DeliveryState.FAILED and data.draw(st.booleans())
            later = self.now + timedelta(seconds=3)
            results.append(
                result(
                    claim,
                    state,
                    "words",
                    retry_at=later if state is DeliveryState.DEFERRED else None,
                    suppress=suppress,
                )
            )

        self.store.record_results(results)

        assert not any(self.holds(claim) for claim in held)
        rows = {(one.edition_id, one.subscriber_id) for one in held}
        for row in before:
            assert row[:2] in rows or row in {self.row(claim) for claim in some}

    def row(self, claim: Claim) -> tuple[object, ...]:
        """A delivery as it is now."""
        found: tuple[object, ...] = self.store._connection.execute(
            "SELECT edition, subscriber, state, epoch, attempts FROM delivery"
            " WHERE edition = ? AND subscriber = ?",
            (claim.edition_id, claim.subscriber_id),
        ).fetchone()
        return found

    @rule(policy=st.sampled_from(UnknownPolicy))
    def crash(self, policy: UnknownPolicy) -> None:
        """The run dies and the next one settles what it left; its claims are stale."""
        doubtful = {claim for claim in self.intended if self.holds(claim)}
        if self.journal:
            self.journal.close()
        self.begin_run()

        assert self.store.recover(self.run, self.now, policy) == len(doubtful)

        assert not any(self.holds(claim) for claim in self.claims)

    @precondition(lambda self: any(self.store.editions()))
    @rule(data=st.data(), paused=st.booleans())
    def pause(self, data: st.DataObject, *, paused: bool) -> None:
        """The operator stops an edition, or lets it go on."""
        edition = data.draw(st.sampled_from(list(self.store.editions())))
        changed = self.store.pause(edition.key, paused=paused)
        assert changed == (edition.paused != paused)

    @precondition(lambda self: self.store.open_deliveries()[DeliveryState.UNKNOWN] > 0)
    @rule(
        data=st.data(),
        state=st.sampled_from(sorted(TRANSITIONS[DeliveryState.UNKNOWN])),
    )
    def resolve(self, data: st.DataObject, state: DeliveryState) -> None:
        """Somebody knows what became of one, or of all of an edition."""
        unknown = list(self.store.deliveries(state=DeliveryState.UNKNOWN))
        row = data.draw(st.sampled_from(unknown))
        of_edition = [one.email for one in unknown if one.edition == row.edition]
        wanted = [row.email] if data.draw(st.booleans()) else None

        found = self.store.resolve(row.edition, wanted, state, "by hand")

        expected = [one for one in of_edition if wanted is None or one in wanted]
        assert sorted(found) == sorted(expected)

    @rule()
    def reopen(self) -> None:
        """Somebody else opens the ledger meanwhile; the run goes on."""
        self.store.close()
        self.open()

    # -- what always holds -------------------------------------------------------

    @invariant()
    def every_edition_adds_up(self) -> None:
        """Audience = sum over the states, and the counts of open ones are true."""
        assert self.store.unbalanced(everything=True) == []
        rows = Counter(row.state for row in self.store.deliveries())
        audience = sum(edition.audience for edition in self.store.editions())
        assert sum(rows.values()) == audience
        counted = self.store.open_deliveries()
        assert all(rows[state] == counted[state] for state in counted)

    @invariant()
    def every_step_was_legal(self) -> None:
        """As `TRANSITIONS` says; the epoch grows with a claim and only then."""
        steps = self.store._connection.execute("SELECT * FROM step").fetchall()
        for _, _, before, after, raised in steps:
            assert DeliveryState(after) in TRANSITIONS[DeliveryState(before)]
            assert raised == (after == DeliveryState.CLAIMED)
        self.store._connection.execute("DELETE FROM step")

    @invariant()
    def nobody_holds_what_another_holds(self) -> None:
        """Of all claims ever given at most one is alive for a delivery."""
        alive = Counter(
            (claim.edition_id, claim.subscriber_id)
            for claim in self.claims
            if self.holds(claim)
        )
        assert set(alive.values()) <= {1}

    @invariant()
    def no_number_was_offered_twice(self) -> None:
        """Whatever somebody did with rhythm, topics, language and consent."""
        assert self.store._connection.execute(OFFERED_TWICE).fetchall() == []

    @invariant()
    def no_number_was_passed_over(self) -> None:
        """Who has no topics was offered every number from the confirmation to the mark."""
        for found in self.store.subscribers():
            before = self.marks.get(found.id, -1)
            assert found.mark >= before
            self.marks[found.id] = found.mark
            if found.consent is not Consent.CONFIRMED or found.topics:
                self.starts.pop(found.id, None)
                continue
            start = self.starts.setdefault(found.id, found.mark)
            offered = {
                row[0] for row in self.store._connection.execute(OFFERED, (found.id,))
            }
            assert set(range(start + 1, found.mark + 1)) <= offered


TestLedger = LedgerMachine.TestCase

"""A run that may die at any step, with its machine or alone: nobody is lost or doubled.

The machine plays a run and its relay. It knows which dots left and which messages the
relay took, and holds the ledger to that: with `hold` nobody gets two, with `resend` no
more than the ledger says that it sent again; what the ledger calls accepted was taken,
what it would still send was not. A crash of the machine cuts the journal anywhere
behind its last flush.
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

from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path, journals
from postroom.store.values import Durability, UnknownPolicy
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    message_id,
    number_posts,
    open_new,
    result,
    subscribe,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postroom.store.base import Journal
    from postroom.store.values import Claim, Result

ACCEPTED, DEFERRED, FAILED, QUEUED, CLAIMED, HANDING, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.HANDING,
    DeliveryState.UNKNOWN,
)
FATES = st.sampled_from(
    [
        (ACCEPTED, True),
        (ACCEPTED, True),
        (DEFERRED, False),
        (FAILED, False),
        (UNKNOWN, True),
        (UNKNOWN, False),
    ]
)
"""What the relay will say (unknown: nothing), and whether it has the message."""
BEFORE_THE_DOT = st.sampled_from([QUEUED, DEFERRED, FAILED])
EDITIONS = 4
RETRY = timedelta(seconds=2)

Key = tuple[int, int]


def key_of(claim: Claim) -> Key:
    """The delivery that a claim is of."""
    return claim.edition_id, claim.subscriber_id


class JournalMachine(RuleBasedStateMachine):
    """One run after the other on the same ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_new(Path(self.folder.name) / "postroom.db")
        # Without waiting for the disk: the process that plays all this lives on.
        self.store._connection.execute("PRAGMA synchronous = OFF")
        self.now = NOW
        self.owner = OWNER
        self.editions = 0
        self.waiting: list[Claim] = []
        """Claimed, and nothing is on the wire of them."""
        self.taken: Counter[Key] = Counter()
        self.refused: set[Key] = set()

    def teardown(self) -> None:
        """At last a run that nobody kills."""
        try:
            if self.editions:
                self.finish()
                self.journal.close()
        finally:
            self.store.close()
            self.folder.cleanup()

    def finish(self) -> None:
        """Everybody is dealt with: nobody waits for ever."""
        self.crash_process([], again=False)
        self.tick(RETRY)
        while some := claim(self.store, self.run, now=self.now):
            self.waiting += some
            self.hand_over(some, [(ACCEPTED, True)] * len(some))
            self.answer_all()
            self.commit()
        self.require_truth()
        assert {row[2] for row in self.rows()} <= {ACCEPTED, FAILED, UNKNOWN}

    def tick(self, step: timedelta = timedelta(seconds=1)) -> None:
        """Time goes on."""
        self.now += step

    @initialize(
        policy=st.sampled_from(UnknownPolicy), durability=st.sampled_from(Durability)
    )
    def begin(self, policy: UnknownPolicy, durability: Durability) -> None:
        """Readers, and the first run."""
        self.policy, self.durability = policy, durability
        subscribe(self.store, *"abcd")
        self.begin_run()
        self.edition()

    def begin_run(self) -> int:
        """A new run settles what is there; returns how many became unknown."""
        self.run = self.store.begin_run(self.owner, self.now)
        unknown = self.store.recover(self.run, self.now, self.policy)
        assert list(journals(self.store.path)) == []
        self.journal: Journal = self.store.open_journal(self.run, self.durability)
        self.flushed = self.journal.octets
        self.waiting = []
        self.wire: dict[Claim, DeliveryState] = {}
        """The dot has left; what the relay is going to say."""
        self.unwritten: list[Result] = []
        self.uncommitted: list[Result] = []
        self.words: dict[tuple[int, int, int], DeliveryState] = {}
        """The last word of the journal about each claim."""
        return unknown

    # -- the run -------------------------------------------------------------------

    @precondition(lambda self: self.editions < EDITIONS)
    @rule()
    def edition(self) -> None:
        """One more letter for all of them."""
        self.editions += 1
        number_posts(self.store, self.editions)
        key = f"weekly-{self.editions}"
        freeze(self.store, key, posts=(self.editions,), now=self.now)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        """Take some."""
        self.tick()
        self.waiting += claim(self.store, self.run, limit, now=self.now)

    def put(self, intents: Iterable[Claim]) -> None:
        """Outcomes gathered and these intents go into the journal."""
        pairs = [(one, message_id(one)) for one in intents]
        self.journal.write(self.unwritten, pairs)
        self.note(self.unwritten, pairs)
        self.unwritten = []

    def note(
        self, results: Iterable[Result], pairs: Iterable[tuple[Claim, str]]
    ) -> None:
        """What the journal says now."""
        for whose, outcome, *_ in results:
            self.words[(*key_of(whose), whose.epoch)] = outcome.state
        for whose, _ in pairs:
            self.words[(*key_of(whose), whose.epoch)] = HANDING

    @precondition(lambda self: bool(self.waiting))
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        """Intents on record, flushed where that is asked for, then the dots leave."""
        some = data.draw(
            st.lists(st.sampled_from(self.waiting), unique=True, max_size=3)
        )
        self.hand_over(some, [data.draw(FATES) for _ in some])

    def hand_over(
        self, some: list[Claim], fates: list[tuple[DeliveryState, bool]]
    ) -> None:
        """The relay decides, and perhaps nobody will hear of it."""
        self.put(some)
        if self.durability is Durability.POWER:
            self.flush()
        for one, (says, has) in zip(some, fates, strict=True):
            self.waiting.remove(one)
            self.wire[one] = says
            self.taken[key_of(one)] += has

    @precondition(lambda self: bool(self.wire))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """A verdict comes, or it is clear that none will."""
        self.settle(data.draw(st.sampled_from([*self.wire])))

    def answer_all(self) -> None:
        """Nothing is on the wire any more."""
        for one in [*self.wire]:
            self.settle(one)

    def settle(self, one: Claim) -> None:
        """An outcome after the dot."""
        self.gather(one, self.wire.pop(one))

    @precondition(lambda self: bool(self.waiting))
    @rule(data=st.data(), state=BEFORE_THE_DOT)
    def refuse(self, data: st.DataObject, state: DeliveryState) -> None:
        """Decided before the dot, or given back."""
        one = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(one)
        self.gather(one, state)

    def gather(self, one: Claim, state: DeliveryState) -> None:
        """An outcome, in memory only."""
        if state is FAILED:
            self.refused.add(key_of(one))
        retry_at = self.now + RETRY if state is DEFERRED else None
        outcome = result(
            one, state, "said", retry_at=retry_at, message_id=message_id(one)
        )
        self.unwritten.append(outcome)
        self.uncommitted.append(outcome)

    @precondition(lambda self: bool(self.uncommitted))
    @rule()
    def commit(self) -> None:
        """Outcomes go into the ledger; the journal need not hear of them any more."""
        self.store.record_results(self.uncommitted)
        self.uncommitted, self.unwritten = [], []

    @precondition(lambda self: self.journal.octets > self.flushed)
    @rule()
    def flush(self) -> None:
        """The journal is on the disk."""
        self.journal.sync()
        self.flushed = self.journal.octets

    @precondition(lambda self: bool(self.words))
    @rule()
    def restart(self) -> None:
        """The journal begins again."""
        pairs = [(one, message_id(one)) for one in self.wire]
        self.journal.restart(self.uncommitted, pairs)
        self.flushed = self.journal.octets
        self.words = {}
        self.note(self.uncommitted, pairs)
        self.unwritten = []

    @precondition(lambda self: bool(self.waiting or self.words))
    @rule()
    def end(self) -> None:
        """The run ends in order, and the next one begins."""
        self.answer_all()
        for one in self.waiting:
            self.gather(one, QUEUED)
        self.waiting = []
        self.commit()
        self.journal.close()
        self.store.end_run(self.run, self.now)
        assert not journal_path(self.store.path, self.run).exists()
        assert self.begin_run() == 0

    # -- its deaths ----------------------------------------------------------------

    def some_waiting(self, data: st.DataObject) -> list[Claim]:
        """Claims whose dots are about to leave."""
        if not self.waiting:
            return []
        return data.draw(
            st.lists(st.sampled_from(self.waiting), unique=True, max_size=2)
        )

    @precondition(lambda self: bool(self.waiting or self.words))
    @rule(data=st.data(), again=st.booleans())
    def die(self, data: st.DataObject, *, again: bool) -> None:
        """Killed, perhaps between an intent and its dot."""
        self.crash_process(self.some_waiting(data), again=again)

    def crash_process(self, intents: list[Claim], *, again: bool) -> None:
        """What the journal leaves open is unknown, exactly that."""
        self.put(intents)
        held = self.held()
        open_words = {HANDING, UNKNOWN}
        expected = {key for key in held if self.words.get(key) in open_words}
        assert self.recovered(again=again) == len(expected)

    @precondition(lambda self: bool(self.waiting or self.words))
    @rule(data=st.data(), again=st.booleans(), blank=st.booleans())
    def lose_power(self, data: st.DataObject, *, again: bool, blank: bool) -> None:
        """The machine goes down; of the journal there is what was flushed, or more."""
        self.put(self.some_waiting(data))
        named = self.held() & self.words.keys()
        silent = self.held() - named
        path = journal_path(self.store.path, self.run)
        whole = path.read_bytes()
        cut = data.draw(st.integers(self.flushed, len(whole)))
        path.write_bytes(whole[:cut] + (bytes(len(whole) - cut) if blank else b""))
        self.owner = replace(OWNER, boot_id=f"{self.owner.boot_id}'")

        unknown = self.recovered(again=again)

        if self.durability is Durability.POWER:
            # Half an entry and then zeros is more than a cut explains: all is in doubt.
            assert unknown <= len(named) or blank
        else:  # silence proves nothing
            assert len(silent) <= unknown <= len(silent) + len(named)

    def recovered(self, *, again: bool) -> int:
        """The next run's count; with `again`, the journal was still there for a second one."""
        self.journal.close()
        path = journal_path(self.store.path, self.run)
        data = path.read_bytes()
        self.tick()
        unknown = self.begin_run()
        assert self.held() == set()
        if again:
            rows = self.rows()
            self.journal.close()
            path.write_bytes(data)
            assert self.begin_run() == 0
            assert self.rows() == rows
        return unknown

    # -- what always holds -----------------------------------------------------------

    def held(self) -> set[tuple[int, int, int]]:
        """Claims that hold their rows."""
        found = self.store._connection.execute(
            "SELECT edition, subscriber, epoch FROM delivery"
            " WHERE state IN ('claimed', 'handing')"
        )
        return {(row[0], row[1], row[2]) for row in found}

    def rows(self) -> list[tuple[int, int, str, int, str]]:
        """Edition, subscriber, state, resends, Message-ID of every delivery."""
        return self.store._connection.execute(
            "SELECT edition, subscriber, state, resends, message_id FROM delivery"
            " ORDER BY 1, 2"
        ).fetchall()

    @invariant()
    def require_truth(self) -> None:
        """The ledger against what the relay has."""
        assert self.store.unbalanced(everything=True) == []
        for *key, state, resends, _ in self.rows():
            taken = self.taken[key[0], key[1]]
            assert taken <= 1 + resends
            assert resends <= (self.policy is UnknownPolicy.RESEND)
            if state == ACCEPTED:
                assert taken
            elif state == FAILED:
                assert (key[0], key[1]) in self.refused
            elif state in {QUEUED, DEFERRED}:
                assert taken <= resends


TestJournal = JournalMachine.TestCase

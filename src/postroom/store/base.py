"""What postroom remembers, as a protocol in domain words; every store keeps all of it.

Five groups: the site's facts and publications, the schedule and its editions, the
subscribers, the ledger of deliveries, and the hub. A method is one transaction: it
happened whole or not at all, and it is durable when it returns. A new method needs a
test in `tests/store/`, which runs over every store.

The ledger keeps one row per (edition, subscriber); `mail.outcome.TRANSITIONS` says
which state may follow which. Every claim raises the row's `epoch`, and a result is
written only while the epoch is still the claim's, so that a stale owner cannot
overwrite a newer one's result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from postroom.digests.edition import AudienceGroup, EditionPlan
    from postroom.mail.letter import Letter
    from postroom.mail.outcome import DeliveryState
    from postroom.posts.publication import Publication
    from postroom.store.values import (
        Claim,
        Claimed,
        Delivery,
        Durability,
        Edition,
        Facts,
        FeedFile,
        HubState,
        Owner,
        Pending,
        Ping,
        Result,
        Saved,
        UnknownPolicy,
    )
    from postroom.subscribers.subscriber import Cadence, Subscriber, SubscriberChange


class Journal(Protocol):
    """A run's intents and outcomes between two commits, for whoever recovers it.

    Written by one thread at a time; `sync` may run beside `write` in another.
    """

    def write(
        self, results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
    ) -> None:
        """Append in one system call, results first; on return they survive this process.

        An intent is (claim, Message-ID). Raises StoreFullError or StoreUnusableError;
        then nothing may be handed over, and the journal takes nothing more.
        """
        ...

    def sync(self) -> None:
        """Force what was written to the disk (fdatasync); raises as `write` does."""
        ...

    def restart(
        self, results: Sequence[Result], intents: Sequence[tuple[Claim, str]]
    ) -> None:
        """Begin again with what is still needed: results not committed, intents open."""
        ...

    @property
    def octets(self) -> int:
        """How long it is."""
        ...

    def close(self) -> None:
        """Give the file back; it stays until `end_run` or the next `recover`."""
        ...


class Store(Protocol):
    """Everything that outlives a run."""

    # -- the site --------------------------------------------------------------

    def check(self) -> None:
        """Verify the database itself; raise LedgerDamagedError."""
        ...

    def facts(self) -> Facts:
        """Return what is fixed and the counters."""
        ...

    def publications(self) -> list[Publication]:
        """Every publication, oldest number first, then the unnumbered by first_seen."""
        ...

    def record_publications(self, publications: Sequence[Publication]) -> None:
        """Insert or update by `id`; numbers above the counter raise it."""
        ...

    def publication_ids(self) -> dict[str, str]:
        """Every path with its id, quickly, in the order in which they were first seen.

        A path that two publications share is left out.
        """
        ...

    def publications_at(self, paths: Iterable[str]) -> list[Publication]:
        """The publications of these paths, in the order of `publications`."""
        ...

    def amend_publications(
        self, publications: Sequence[Publication], *, authority: str = ""
    ) -> None:
        """As `record_publications`, by hand: numbers may change places.

        A copy of the ledger from before is older than the ledger. `authority` becomes
        that of ids made from now on; ValueError when it is not `host,YYYY-MM-DD`.
        """
        ...

    def pending(self, now: datetime) -> Pending:
        """Tell what waits; a handful of indexed look-ups."""
        ...

    def begin_run(self, owner: Owner, now: datetime) -> int:
        """Note that a run starts; return its id."""
        ...

    def end_run(self, run: int, now: datetime) -> None:
        """Note that a run came to its end."""
        ...

    def close(self) -> None:
        """Give everything back; the store is not used again."""
        ...

    # -- schedule and editions -------------------------------------------------

    def last_slots(self) -> dict[Cadence, datetime]:
        """The last slot each cadence has dealt with, with or without an edition."""
        ...

    def pass_slot(self, cadence: Cadence, slot: datetime, mark: int) -> None:
        """A slot without an edition: note it, and raise the confirmed subscribers' marks."""
        ...

    def audience(self, cadence: Cadence) -> list[AudienceGroup]:
        """The confirmed subscribers of a cadence, grouped by language, topics, mark."""
        ...

    def freeze(
        self, plan: EditionPlan, letters: Mapping[int, Letter], now: datetime
    ) -> int:
        """Store edition, variants and one queued delivery per subscriber; move the marks.

        One transaction. The audience is who is in the plan's groups *now*; returns
        its size. An edition of that key already there changes nothing and returns 0;
        where everybody has gone meanwhile, no edition is stored and it returns 0.
        The slot counts as dealt with. Marks move for all confirmed subscribers of the
        cadence, except who changed rhythm, topics or language after `now` and did not
        get it: they are considered next time.
        """
        ...

    def editions(self) -> Iterator[Edition]:
        """Every edition, newest first."""
        ...

    def letters(self, edition: str) -> dict[int, Letter]:
        """The variants of an edition by number."""
        ...

    # -- subscribers -----------------------------------------------------------

    def subscriber(self, key: str) -> Subscriber | None:
        """Look one up by folded address."""
        ...

    def subscribers(self) -> Iterator[Subscriber]:
        """Every subscriber by address, streaming."""
        ...

    def save_subscribers(
        self,
        changes: Iterable[SubscriberChange],
        now: datetime,
        *,
        cadence: Cadence,
        by_hand: bool = False,
    ) -> Saved:
        """Add the unknown, change what each change names of the known; one transaction.

        `cadence` is the default for new ones. A new subscriber, and one whose consent
        becomes confirmed, starts at today's number. An address that was erased, and a
        consent that `CONSENT_CHANGES` does not allow, is left alone and reported,
        unless `by_hand` (the operator named this one address).
        """
        ...

    def erase(self, key: str, now: datetime) -> bool:
        """Forget a person: only a keyed hash stays, so that no import brings them back.

        Their deliveries stay in the ledger without address; queued ones become
        skipped. Returns whether there was such a subscriber.
        """
        ...

    # -- the ledger ------------------------------------------------------------

    def recover(self, run: int, now: datetime, policy: UnknownPolicy) -> int:
        """Settle what dead runs left, as their journals tell it.

        Dead: another run of this host (we hold its lock), one that ended, or one whose
        lease ran out by the database's clock. Outcomes in its journal are written,
        open intents become unknown, and what it had claimed without an intent is
        queued again; but where the journal is missing, or the machine went down before
        an unsynced one was safe, that proves nothing and becomes unknown too. Then
        `resend` queues each unknown again, once. Returns how many became unknown.
        """
        ...

    def begin_claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> Callable[[], Claimed]:
        """As `claim`, in two steps: what it returns makes values of the rows.

        For a thread that only waits for the disk, while another one needs the values.
        """
        ...

    def claim(
        self, run: int, limit: int, now: datetime, *, lease: int, expire: datetime
    ) -> Claimed:
        """Take up to `limit` deliveries that are queued, or deferred and due at `now`.

        Queued ones first, by edition; none of an edition that is paused or whose slot
        is still to come. No claims means that nothing is to be had. Subscribers no
        longer confirmed are skipped, editions frozen before `expire` expire, in the
        same transaction; `lease` is in seconds of the real clock.
        """
        ...

    def open_journal(self, run: int, durability: Durability) -> Journal:
        """Begin the journal of a run, once; without one a run hands nothing over.

        From here on a `claimed` row of the run that its journal does not name was not
        handed over, which `recover` relies on. `end_run` removes it.
        """
        ...

    def record_results(self, results: Sequence[Result]) -> None:
        """Write outcomes; one in state `queued` gives the claim back, the attempt not counted.

        Suppresses the subscriber where the outcome says so. A claim whose epoch is
        stale writes nothing. ValueError for an outcome that cannot follow.
        """
        ...

    def begin_results(self, results: Sequence[Result]) -> Callable[[], None]:
        """As `record_results`, in two steps: what it returns writes, in any thread."""
        ...

    def pause(self, edition: str, *, paused: bool) -> bool:
        """Claim nothing of an edition any more, or again; whether that is a change.

        Raises UnknownEditionError.
        """
        ...

    def resolve(
        self,
        edition: str,
        emails: Sequence[str] | None,
        state: DeliveryState,
        reply: str,
    ) -> list[str]:
        """Decide deliveries that are `unknown`: accepted, failed, or queued again.

        Those to `emails` (as the ledger has them), or all of the edition. `reply` says
        who decided and why. Returns the addresses that were decided.
        """
        ...

    def queued_after(self, edition: str, subscriber_id: int, limit: int) -> list[Claim]:
        """Queued deliveries of an edition in order, those above `subscriber_id`.

        Nothing is claimed: the epochs are those of the rows. For signing ahead.
        """
        ...

    def open_deliveries(self) -> dict[DeliveryState, int]:
        """How many deliveries are in each state that is not an end, zeros included."""
        ...

    def deliveries(
        self, *, edition: str = "", state: DeliveryState | None = None
    ) -> Iterator[Delivery]:
        """Rows of the ledger by edition and address, streaming."""
        ...

    def unbalanced(self, *, everything: bool = False) -> list[str]:
        """Editions whose audience is not the number of their deliveries.

        Those under way, and each once more when nothing of it is left to send; all of
        them with `everything`.
        """
        ...

    # -- the hub ---------------------------------------------------------------

    def hub_state(self, now: datetime) -> HubState:
        """Tell how it stands with the hub; one look-up."""
        ...

    def known_feeds(self) -> dict[str, FeedFile]:
        """The feeds of the build that was last recorded, by path."""
        ...

    def record_feeds(
        self, hub: str, mark: str, feeds: Mapping[str, FeedFile], now: datetime
    ) -> None:
        """Store what a build's feeds are; a ping of each that changed is due at once.

        `mark` names the build. With another `hub` (an address) than before every feed
        is due; with an empty one all of this group is forgotten.
        """
        ...

    def due_pings(self, now: datetime) -> list[Ping]:
        """Feeds to tell the hub of, the site's own first; none while the hub rests."""
        ...

    def settle_ping(
        self, ping: Ping, *, reply: str = "", retry_at: datetime | None = None
    ) -> None:
        """Write what the hub said of a feed; without `retry_at` that was the last word.

        A feed that changed meanwhile stays due. The hub rests no longer.
        """
        ...

    def rest_hub(self, until: datetime, reply: str, *, give_up: datetime) -> list[str]:
        """No ping is due before `until`: the hub failed, one time more in a row.

        Pings that wait since `give_up` or longer are not sent before their feed
        changes; returns the paths of those.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

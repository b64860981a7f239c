"""One run's part for the hub: note which feeds changed, tell it, keep what it says.

A ping is stored before it is sent and settled after the answer, so a run that is killed
in between repeats it, and none is lost. What the hub is told of lies in the output folder
already. All of it takes `RUN_SECONDS` at most, so that letters do not wait for a hub.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_url
from postroom.version import VERSION
from postroom.websub.answers import Verdict, judge, plan_next
from postroom.websub.connection import PATIENCE, HubConnection
from postroom.websub.feed_files import read_feeds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.store.base import Store
    from postroom.store.values import Ping
    from postroom.websub.answers import Answer

RUN_SECONDS = 10.0
"""No ping begins that might end later than this after the first one."""
MAX_PINGS = 50
"""Pings in one run; a site that has just got its hub may have hundreds of feeds."""
GIVE_UP = timedelta(days=3)
"""As long as letters are tried: who reads feeds has polled them many times by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Feeds that the hub will not be told of any more until they change."""

    feeds: tuple[str, ...]
    """Their addresses."""
    words: str
    """The hub's."""
    given_up: bool
    """Tried in vain for `GIVE_UP`; else refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a run's pings."""

    hub: str
    acknowledged: int
    """Feeds that it took note of."""
    waiting: int
    """Feeds that are for a later run."""
    words: str
    """Why some wait, where that is the hub's fault."""
    faults: tuple[Fault, ...]


def note_feeds(
    config: Config, store: Store, mark: str, paths: Iterable[str], now: datetime
) -> None:
    """Compare the feeds among `paths` with those the hub was told of; store what changed.

    `mark` names the build they are of. Without a hub everything about it is forgotten.
    """
    hub = clean_url(config.feeds.hub)
    feeds = read_feeds(config.output_folder, paths, store.known_feeds()) if hub else {}
    store.record_feeds(hub, mark, feeds, now)


def tell_hub(config: Config, store: Store, now: datetime, jitter: float) -> Told | None:
    """Ping for each feed that is due, the site's own first; None when none is.

    Nothing that the hub does raises. `jitter` (0 to 1) spreads what is tried again.
    """
    due = store.due_pings(now)
    if not due:
        return None
    round_ = _Round(config, store, clean_url(config.feeds.hub), now, jitter)
    agent = f"postroom/{VERSION} ({clean_url(config.site.url)})"
    ends = time.monotonic() + RUN_SECONDS
    with closing(HubConnection(round_.hub, agent)) as hub:
        for ping in due[:MAX_PINGS]:
            if time.monotonic() + PATIENCE > ends:
                break
            answer = hub.ping(round_.address_of(ping.path))
            if round_.settle(ping, answer) is Verdict.AWAY:
                break
    return round_.told(len(due))


@dataclass(slots=True)
class _Round:
    """The pings of one run, and what has become of them."""

    config: Config
    store: Store
    hub: str
    now: datetime
    jitter: float
    words: str = ""
    acknowledged: int = 0
    lost: dict[tuple[str, bool], list[str]] = field(default_factory=dict)
    """Feeds by the hub's words, and whether they were given up."""

    def address_of(self, path: str) -> str:
        """Return the address of a feed as the feed itself says it (`rel=self`)."""
        return clean_url(self.config.site.url + path)

    def settle(self, ping: Ping, answer: Answer) -> Verdict:
        """Store what an answer means for a ping."""
        verdict = judge(answer.status)
        match verdict:
            case Verdict.ACKNOWLEDGED:
                self.acknowledged += 1
                self.store.settle_ping(ping)
            case Verdict.REFUSED:
                self.store.settle_ping(ping, reply=answer.words)
                self._lose([ping.path], answer.words, given_up=False)
            case Verdict.LATER:
                self._try_later(ping, answer)
            case Verdict.AWAY:
                self._rest(answer)
        return verdict

    def _try_later(self, ping: Ping, answer: Answer) -> None:
        self.words = answer.words
        if ping.since <= self.now - GIVE_UP:
            self.store.settle_ping(ping, reply=answer.words)
            self._lose([ping.path], answer.words, given_up=True)
            return
        retry_at = self._next(ping.attempts + 1, answer)
        self.store.settle_ping(ping, reply=answer.words, retry_at=retry_at)

    def _rest(self, answer: Answer) -> None:
        self.words = answer.words
        failures = self.store.hub_state(self.now).failures + 1
        until = self._next(failures, answer)
        lost = self.store.rest_hub(until, answer.words, give_up=self.now - GIVE_UP)
        self._lose(lost, answer.words, given_up=True)

    def _next(self, failures: int, answer: Answer) -> datetime:
        return plan_next(self.now, failures, self.jitter, answer.retry_after)

    def _lose(self, paths: Iterable[str], words: str, *, given_up: bool) -> None:
        for path in paths:
            feed = self.address_of(path)
            self.lost.setdefault((words, given_up), []).append(feed)

    def told(self, due: int) -> Told:
        """Return what came of it, `due` feeds in all."""
        faults = tuple(
            Fault(feeds=tuple(feeds), words=words, given_up=given_up)
            for (words, given_up), feeds in self.lost.items()
        )
        settled = sum(len(fault.feeds) for fault in faults)
        return Told(
            hub=self.hub,
            acknowledged=self.acknowledged,
            waiting=max(due - self.acknowledged - settled, 0),
            words=self.words,
            faults=faults,
        )

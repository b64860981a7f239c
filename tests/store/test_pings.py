"""The hub's part of the store: what changed waits until the hub has heard of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.store.values import FeedFile, HubState
from tests.store.scenes import NOW, open_new

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from postroom.store.base import Store

HUB = "https://hub.example/"
LATER = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=3)
NO_HUB = HubState(mark="", due=False, failures=0)


def files(**digests: str) -> dict[str, FeedFile]:
    """Feeds by name, `_` for `/`."""
    return {
        f"{name.replace('_', '/')}.xml": FeedFile(f"1 {digest}", digest)
        for name, digest in digests.items()
    }


def due(store: Store, now: datetime = NOW) -> list[str]:
    """Paths of the pings that are due."""
    return [ping.path for ping in store.due_pings(now)]


def settle_all(store: Store) -> None:
    """The hub takes note of everything."""
    for ping in store.due_pings(NOW):
        store.settle_ping(ping)


@pytest.fixture
def told(store: Store) -> Store:
    """A store whose hub knows two feeds."""
    store.record_feeds(HUB, "build 1", files(atom="a", tags_go="b"), NOW)
    settle_all(store)
    return store


def test_a_new_store_has_no_hub(store: Store) -> None:
    """And nothing is due."""
    assert store.hub_state(NOW) == NO_HUB
    assert store.known_feeds() == {}
    assert due(store) == []


def test_every_feed_of_a_new_hub_is_due_the_sites_own_first(store: Store) -> None:
    """At once, whatever the clock says; the mark is kept."""
    store.record_feeds(HUB, "build 1", files(authors_a="c", atom="a", tags_go="b"), NOW)

    assert store.hub_state(LONG_AGO) == HubState(mark="build 1", due=True, failures=0)
    assert due(store, LONG_AGO) == ["atom.xml", "authors/a.xml", "tags/go.xml"]


def test_what_the_hub_knows_is_not_due(told: Store) -> None:
    """Neither by itself nor by another build with the same bytes; stamps are renewed."""
    again = {
        path: FeedFile("2", feed.digest) for path, feed in told.known_feeds().items()
    }
    told.record_feeds(HUB, "build 2", again, LATER)

    assert told.hub_state(LATER) == HubState(mark="build 2", due=False, failures=0)
    assert due(told, LATER) == []
    assert told.known_feeds() == again


def test_what_changed_is_due(told: Store) -> None:
    """And only that; back to the bytes before is a change too, since both may be known."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), LATER)
    (ping,) = told.due_pings(LATER)
    assert (ping.path, ping.digest, ping.attempts, ping.since) == (
        "atom.xml",
        "a2",
        0,
        LATER,
    )
    told.settle_ping(ping)

    told.record_feeds(HUB, "build 3", files(atom="a", tags_go="b"), LATER)
    assert due(told) == ["atom.xml"]


def test_a_feed_that_is_gone_is_forgotten(told: Store) -> None:
    """A hub that fetches it would find nothing."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b2"), NOW)
    told.record_feeds(HUB, "build 3", files(atom="a2"), NOW)
    assert due(told) == ["atom.xml"]
    assert list(told.known_feeds()) == ["atom.xml"]


def test_without_a_hub_all_is_forgotten(told: Store) -> None:
    """As if there had never been one; with another one everything is due again."""
    told.record_feeds(
        "https://other.example/", "build 2", files(atom="a", tags_go="b"), NOW
    )
    assert due(told) == ["atom.xml", "tags/go.xml"]

    told.record_feeds("", "", files(atom="a"), NOW)
    assert told.hub_state(NOW) == NO_HUB
    assert told.known_feeds() == {}


def test_a_ping_in_vain_is_due_again_at_its_time(told: Store) -> None:
    """Attempts are counted; the last word ends it."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), NOW)
    (ping,) = told.due_pings(NOW)
    told.settle_ping(ping, reply="500", retry_at=LATER)

    assert not told.hub_state(LATER - timedelta(milliseconds=1)).due
    (again,) = told.due_pings(LATER)
    assert (again.attempts, again.since) == (1, NOW)

    told.settle_ping(again, reply="404 Not Found")
    assert due(told, LATER) == []


def test_an_answer_about_older_bytes_settles_nothing(told: Store) -> None:
    """The feed changed while the hub was asked."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), NOW)
    (ping,) = told.due_pings(NOW)
    told.record_feeds(HUB, "build 3", files(atom="a3", tags_go="b"), NOW)

    told.settle_ping(ping)
    assert due(told) == ["atom.xml"]


def test_a_change_in_between_does_not_make_the_wait_younger(told: Store) -> None:
    """Else a blog that is written daily would never hear that its hub is gone."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), LONG_AGO)
    (ping,) = told.due_pings(NOW)
    told.settle_ping(ping, retry_at=LATER)
    told.record_feeds(HUB, "build 3", files(atom="a3", tags_go="b"), NOW)

    (again,) = told.due_pings(NOW)
    assert (again.since, again.attempts) == (LONG_AGO, 0)


def test_no_ping_is_due_while_the_hub_rests(told: Store) -> None:
    """Not even of what changes meanwhile; an answer ends the rest."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), NOW)
    assert told.rest_hub(LATER, "connection refused", give_up=LONG_AGO) == []
    told.record_feeds(HUB, "build 3", files(atom="a2", tags_go="b2"), NOW)

    assert told.hub_state(NOW) == HubState(mark="build 3", due=False, failures=1)
    assert due(told) == []
    assert due(told, LATER) == ["atom.xml", "tags/go.xml"]

    told.rest_hub(LATER, "connection refused", give_up=LONG_AGO)
    assert told.hub_state(NOW).failures == 2
    told.settle_ping(told.due_pings(LATER)[0])
    assert told.hub_state(NOW) == HubState(mark="build 3", due=True, failures=0)


def test_pings_that_wait_too_long_are_given_up(told: Store) -> None:
    """Those alone, and each is named once."""
    told.record_feeds(HUB, "build 2", files(atom="a2", tags_go="b"), LONG_AGO)
    told.record_feeds(HUB, "build 3", files(atom="a2", tags_go="b2"), NOW)

    assert told.rest_hub(LATER, "gone", give_up=LONG_AGO) == ["atom.xml"]
    assert told.rest_hub(LATER, "gone", give_up=LONG_AGO) == []
    assert due(told, LATER) == ["tags/go.xml"]


def test_the_ledger_is_whole_afterwards(told: Store) -> None:
    """By its own check, and pings change no serial: a copy that lacks some is no danger."""
    before = told.facts().serial
    told.record_feeds(HUB, "build 2", files(atom="z"), NOW)
    told.check()
    assert told.facts().serial == before


def test_what_waits_outlives_the_process(ledger_path: Path) -> None:
    """Closed and opened again."""
    with open_new(ledger_path) as store:
        store.record_feeds(HUB, "build 1", files(atom="a"), NOW)
    with open_new(ledger_path) as store:
        assert due(store) == ["atom.xml"]


NAMES = st.sampled_from(["atom.xml", "rss.xml", "tags/가/atom.xml"])
BUILDS = st.dictionaries(NAMES, st.sampled_from("abc"))
STEPS = st.lists(st.one_of(BUILDS, st.just("told"), st.just("away")), max_size=12)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(steps=STEPS)
def test_what_is_not_due_is_known_to_the_hub(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, str] | str]
) -> None:
    """After any history: a feed waits exactly if the hub last heard other bytes of it."""
    heard: dict[str, str] = {}
    now = NOW
    with open_new(tmp_path_factory.mktemp("hub") / "postroom.db") as store:
        for number, step in enumerate(steps):
            now += timedelta(minutes=1)
            if step == "told":
                for ping in store.due_pings(now):
                    heard[ping.path] = ping.digest
                    store.settle_ping(ping)
            elif step == "away":
                store.rest_hub(now + timedelta(seconds=30), "away", give_up=LONG_AGO)
            elif isinstance(step, dict):
                feeds = {path: FeedFile(str(number), one) for path, one in step.items()}
                store.record_feeds(HUB, f"build {number}", feeds, now)
                heard = {path: one for path, one in heard.items() if path in feeds}
        known = store.known_feeds()
        waiting = {ping.path for ping in store.due_pings(now + timedelta(minutes=1))}
        unheard = {path for path in known if heard.get(path) != known[path].digest}
        assert unheard <= waiting
        assert waiting <= known.keys()

"""`publish` tells the hub of each feed that changed, once it is live, and of no other."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.websub.run import MAX_PINGS, RUN_SECONDS
from tests.stage import Site, free_port, make_site
from tests.test_startup import imported
from tests.websub.hub import Hub, hang, open_hub, reply, reset

if TYPE_CHECKING:
    from typing import Any

NOW = "2026-11-24T12:00:00+09:00"
FIRST = datetime.fromisoformat(NOW)
SITE_FEEDS = ["atom.xml", "feed.json", "rss.xml"]
TRAVEL = [f"tags/여행/{name}" for name in SITE_FEEDS]
ALL = [*SITE_FEEDS, *(f"tags/생각/{name}" for name in SITE_FEEDS), *TRAVEL]
REFUSED = reply("404 Not Found", b"no such topic")


def after(**time: float) -> str:
    """An instant after the first run."""
    return (FIRST + timedelta(**time)).isoformat()


def pings(site: Site, now: str = NOW, *words: str, code: int = 0) -> Any:
    """Publish, and return what is said about pings; None when there was nothing to say."""
    return site.publish(now, *words, code=code).get("pings")


@pytest.fixture
def told(site: Site, hub: Hub) -> Site:
    """A site whose feeds the hub knows."""
    site.publish(NOW)
    assert hub.paths() == ALL
    return site


def test_each_feed_is_told_once_when_it_is_live(site: Site, hub: Hub) -> None:
    """Site and topics, in all formats, the site's own first; archives are not."""
    assert pings(site) == {
        "hub": hub.url,
        "acknowledged": 9,
        "waiting": 0,
        "failed": [],
    }
    for seen in hub.seen:
        file = site.root / "public" / seen.path
        assert seen.live == hashlib.sha256(file.read_bytes()).hexdigest()
    assert hub.url in (site.root / "public/atom.xml").read_text(encoding="utf-8")
    assert hub.paths() == ALL


def test_unchanged_bytes_are_no_news(told: Site, hub: Hub) -> None:
    """Over more runs, and with a file that was only touched, by hand or by a copy."""
    assert pings(told) is None
    os.utime(told.root / "public/atom.xml")
    (told.root / "state/build.json").unlink()
    assert pings(told) is None
    assert hub.paths() == []


def test_a_change_is_told_exactly_once_with_the_new_bytes(told: Site, hub: Hub) -> None:
    """Of the feeds that it is in, and not of the other topic's."""
    told.essay("2026-11-20", "셋째 글", "여행")
    pings(told)

    for seen in hub.seen:
        file = told.root / "public" / seen.path
        assert "셋째 글" in file.read_text(encoding="utf-8")
        assert seen.live == hashlib.sha256(file.read_bytes()).hexdigest()
    assert hub.paths() == [*SITE_FEEDS, *TRAVEL]
    pings(told)
    assert hub.paths() == []


def test_building_tells_nobody_and_publishing_then_does(told: Site, hub: Hub) -> None:
    """`build` and `--dry-run` send nothing; what changed is not forgotten."""
    told.essay("2026-11-20", "셋째 글", "여행")
    assert "pings" not in told.publish(NOW, "--dry-run")
    told.run("build", "--now", NOW)
    assert "pings" not in told.publish(NOW, "--dry-run")
    assert hub.paths() == []

    assert pings(told)["acknowledged"] == 6
    assert hub.paths() == [*SITE_FEEDS, *TRAVEL]


def test_feeds_are_published_without_letters_too(told: Site, hub: Hub) -> None:
    """`--no-mail` holds back letters, not news of feeds."""
    told.essay("2026-11-20", "셋째 글")
    assert pings(told, NOW, "--no-mail")["acknowledged"] == 3


def test_a_hub_that_comes_later_is_told_everything_once(told: Site, hub: Hub) -> None:
    """Named for the first time, exchanged, and named again after a time without one."""
    file = told.root / "postroom.toml"
    with_hub = file.read_text(encoding="utf-8")
    without = with_hub.replace(hub.settings, "")

    file.write_text(without, encoding="utf-8")
    told.run("publish", "--now", NOW)
    assert hub.paths() == []
    told.essay("2026-11-20", "셋째 글", "여행")
    told.run("publish", "--now", NOW)

    file.write_text(with_hub, encoding="utf-8")
    assert pings(told)["acknowledged"] == 9
    assert pings(told) is None
    assert hub.paths() == ALL

    with open_hub() as other:
        file.write_text(without + other.settings, encoding="utf-8")
        assert pings(told)["acknowledged"] == 9
        assert other.paths() == ALL
    assert hub.paths() == []


def test_rows_of_a_removed_hub_vanish_silently(site: Site, hub: Hub) -> None:
    """Also those that wait for a hub that is away; nothing is left to look for."""
    hub.answer = reset
    assert pings(site)["waiting"] == 9
    file = site.root / "postroom.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace(hub.settings, ""), encoding="utf-8"
    )
    hub.seen.clear()
    ran = site.run("publish", "--now", after(days=4))
    assert (ran.out, ran.err) == ("", "")
    assert hub.paths() == []


def test_a_feed_that_is_gone_is_not_told(site: Site, hub: Hub) -> None:
    """Its topic has lost its last post while the hub was away."""
    hub.answer = reset
    pings(site)
    hub.seen.clear()
    hub.answer = reply("204 No Content")
    (site.root / "posts/2026-11-02-둘째-글.md").unlink()
    pings(site, after(hours=2))
    assert hub.paths() == [path for path in ALL if path not in TRAVEL]


# -- a hub in trouble --------------------------------------------------------------


def test_a_hub_that_is_away_is_weather(site: Site, hub: Hub) -> None:
    """No word, exit 0, letters go out; one ping, then after some minutes all of them."""
    site.subscribe("minji@reader.example", "--cadence", "immediate")
    site.publish(NOW, "--no-mail")
    site.publish(NOW)
    hub.paths()
    hub.answer = reset
    site.essay("2026-11-24", "셋째 글", "여행")

    ran = site.run("publish", "--now", after(minutes=1))
    assert (ran.out, ran.err) == ("", "")
    assert site.ledger() == {"minji@reader.example": "accepted"}
    assert hub.paths() == ["atom.xml"] * 2

    hub.answer = reply("204 No Content")
    assert pings(site, after(minutes=1, seconds=299)) is None
    assert pings(site, after(minutes=12))["acknowledged"] == 6
    assert hub.paths() == [*SITE_FEEDS, *TRAVEL]


def test_a_refused_connection_waits(site: Site, hub: Hub) -> None:
    """Nobody listens; the summary says so to a person."""
    file = site.root / "postroom.toml"
    text = file.read_text(encoding="utf-8").replace(f":{hub.port}", f":{free_port()}")
    file.write_text(text, encoding="utf-8")

    ran = site.run("publish", "--summary", "--now", NOW)

    assert "hub      0 feeds told, 9 for a later run (cannot be reached" in ran.out
    assert ran.err == ""


def test_a_hub_that_hangs_holds_no_run_up(site: Site, hub: Hub) -> None:
    """One ping's patience, whatever number of feeds wait."""
    hub.answer = hang
    began = time.monotonic()
    assert pings(site)["waiting"] == 9
    assert time.monotonic() - began < RUN_SECONDS
    assert hub.paths() == ["atom.xml"]


def test_a_slow_hub_gets_what_fits_into_the_time(site: Site, hub: Hub) -> None:
    """The rest is for the next run, at once: slow is not away."""
    hub.before = lambda _: time.sleep(3)
    began = time.monotonic()
    report = pings(site)
    assert time.monotonic() - began < RUN_SECONDS + 3
    assert 0 < report["acknowledged"] < 9
    assert report["waiting"] == 9 - report["acknowledged"]

    hub.before = lambda _: None
    assert pings(site)["acknowledged"] == report["waiting"]
    assert hub.paths() == ALL


def test_a_hub_is_asked_again_when_it_said(told: Site, hub: Hub) -> None:
    """429 with Retry-After: no ping before, not even of what changes meanwhile."""
    hub.answer = reply("429 Slow Down", Retry_After="7200")
    told.essay("2026-11-20", "셋째 글")
    assert pings(told)["waiting"] == 3
    assert hub.paths() == ["atom.xml"]

    hub.answer = reply("204 No Content")
    told.essay("2026-11-21", "넷째 글", "여행")
    assert pings(told, after(minutes=119)) is None
    assert hub.paths() == []
    assert pings(told, after(minutes=121))["acknowledged"] == 6


def test_a_fault_with_one_feed_leaves_the_others_alone(told: Site, hub: Hub) -> None:
    """Some hubs answer 500 for a feed that nobody subscribed to; it is tried again."""
    hub.answers["rss.xml"] = reply("500 Internal Server Error")
    told.essay("2026-11-20", "셋째 글", "여행")
    report = pings(told)
    assert (report["acknowledged"], report["waiting"]) == (5, 1)
    hub.paths()

    hub.answers.clear()
    assert pings(told, after(seconds=299)) is None
    assert pings(told, after(minutes=11))["acknowledged"] == 1
    assert hub.paths() == ["rss.xml"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (REFUSED, "404 Not Found: no such topic"),
        (reply("301 Moved", Location="https://h.example/"), "moved to https://h.ex"),
    ],
    ids=["404", "301"],
)
def test_a_refusal_is_told_at_once_and_once(
    told: Site, hub: Hub, answer: bytes, words: str
) -> None:
    """Exit 1 with the hub's words; then silence until the feed changes again."""
    hub.answer = answer
    told.essay("2026-11-20", "셋째 글", "여행")

    ran = told.run("publish", "--now", NOW, code=1)

    (line,) = ran.err.splitlines()
    assert f"{hub.url} refuses https://blog.example/atom.xml and 5 more: " in line
    assert words in line
    assert hub.paths() == [*SITE_FEEDS, *TRAVEL]

    hub.answer = reply("204 No Content")
    assert pings(told, after(days=1)) is None
    assert hub.paths() == []
    told.essay("2026-11-21", "넷째 글")
    assert pings(told, after(days=1))["acknowledged"] == 3


def test_a_refusal_names_the_feed_for_programs(told: Site, hub: Hub) -> None:
    """Each with the hub's words, its address as in the feed itself."""
    hub.answers[TRAVEL[0]] = REFUSED
    told.essay("2026-11-20", "셋째 글", "여행")
    (failed,) = pings(told, code=1)["failed"]
    address = "https://blog.example/tags/%EC%97%AC%ED%96%89/atom.xml"
    assert failed == {"feed": address, "reply": "404 Not Found: no such topic"}
    feed = (told.root / "public" / TRAVEL[0]).read_text(encoding="utf-8")
    assert f'href="{address}"' in feed


def test_a_hub_that_never_comes_back_is_given_up_and_told_once(
    told: Site, hub: Hub
) -> None:
    """After three days, though the feed changed again in between."""
    hub.answer = reset
    told.essay("2026-11-20", "셋째 글")
    assert pings(told)["waiting"] == 3
    told.essay("2026-11-21", "넷째 글")
    assert pings(told, after(days=2, hours=23))["waiting"] == 3

    ran = told.run("publish", "--now", after(days=3, hours=2), code=1)
    (line,) = ran.err.splitlines()
    assert "could not be told of https://blog.example/atom.xml and 2 more" in line
    hub.paths()
    for hours in (4, 30):
        again = told.run("publish", "--now", after(days=3, hours=hours))
        assert (again.out, again.err) == ("", "")
    assert hub.paths() == []

    hub.answer = reply("204 No Content")
    told.essay("2026-11-22", "다섯째 글")
    assert pings(told, after(days=5))["acknowledged"] == 3


def test_many_feeds_are_told_over_several_runs(site: Site, hub: Hub) -> None:
    """No run sends more than its share, and the site's own feeds never wait."""
    topics = [f"topic{number}" for number in range(20)]
    site.essay("2026-11-20", "셋째 글", *topics)
    report = pings(site)
    assert (report["acknowledged"], report["waiting"]) == (MAX_PINGS, 69 - MAX_PINGS)
    assert hub.paths()[:3] == SITE_FEEDS

    site.essay("2026-11-21", "넷째 글", "새것")
    report = pings(site)
    assert report["waiting"] == 0
    assert hub.paths()[:3] == SITE_FEEDS
    assert pings(site) is None


def test_an_idle_run_with_a_hub_imports_nothing_for_it(told: Site, hub: Hub) -> None:
    """Neither while all is told nor while the hub rests."""
    foreign = {"http.client", "ssl", "postroom.websub", "postroom.websub.run"}
    told.publish(NOW)
    assert not imported(told, "publish", "--now", NOW) & foreign

    hub.answer = reset
    told.essay("2026-11-20", "셋째 글")
    told.publish(NOW)
    assert not imported(told, "publish", "--now", NOW) & foreign


def test_a_site_without_a_hub_has_none_of_this(site: Site, hub: Hub) -> None:
    """No pings, no word about them."""
    plain = make_site(site.root.parent / "plain")
    plain.essay("2026-11-01", "글")
    assert "pings" not in plain.publish(NOW)
    assert "\nhub " not in plain.run("publish", "--summary", "--now", NOW).out
    assert hub.paths() == []

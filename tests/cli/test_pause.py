"""A paused edition sends nothing more until it is told to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stage import Relay, Site, free_port, make_site, running, smtp_settings

if TYPE_CHECKING:
    from pathlib import Path

SUNDAY = "2024-11-24T12:00:00+09:00"
MONDAY = "2024-11-25T08:05:00+09:00"
LATER = "2024-11-25T09:05:00+09:00"
KEY = "weekly-20241125T0800"
FOR_EVER = 'max_retry = "36500d"\n'


def make_waiting(root: Path, extra: str = "") -> Site:
    """A frozen edition that waits for a relay, which is away."""
    site = make_site(root, extra + smtp_settings(free_port()))
    site.essay("2024-11-01", "첫 글")
    site.publish(SUNDAY)
    site.subscribe("minji@reader.example", "--cadence", "weekly")
    site.essay("2024-11-24", "느린 편지")
    site.run("publish", "--now", MONDAY, code=75)
    assert site.ledger() == {"minji@reader.example": "queued"}
    return site


def test_a_paused_edition_waits_and_then_goes_on(tmp_path: Path) -> None:
    """It is no error: cron hears nothing, a person who asks is told."""
    away = make_waiting(tmp_path / "site")
    assert away.run("pause", KEY).out == f"{KEY}: paused\n"
    assert away.run("pause", KEY).out == f"{KEY}: was paused already\n"
    with running(Relay()) as relay:
        site = Site(away.root, {"POSTROOM_SMTP__PORT": str(relay.port)})
        quiet = site.run("publish", "--now", LATER)
        assert (quiet.out, quiet.err) == ("", "")
        told = site.run("publish", "--now", LATER, "--summary").out
        assert f"note     paused: {KEY} (`postroom resume` goes on)" in told
        listed = site.run("deliveries", "list")
        assert "minji@reader.example  paused" in listed.out
        row = site.run("deliveries", "list", "--json").rows[0]
        assert (row["state"], row["paused"]) == ("queued", True)
        assert relay.received == []
        assert site.run("resume", KEY).out == f"{KEY}: goes on with the next run\n"
        assert site.run("resume", KEY).out == f"{KEY}: was not paused\n"
        site.publish(LATER)
        assert len(relay.received) == 1
    assert site.ledger() == {"minji@reader.example": "accepted"}
    assert "note " not in site.run("publish", "--now", LATER, "--summary").out


def test_all_means_all_that_is_under_way(tmp_path: Path) -> None:
    """One object a line for programs; what has expired needs no pause."""
    site = make_waiting(tmp_path / "site", FOR_EVER)
    assert site.run("pause", "all", "--json").rows == [
        {"edition": KEY, "paused": True, "changed": True}
    ]
    assert site.run("pause", "all").out == "no edition is under way\n"
    assert site.run("resume", "all", "--json").rows == [
        {"edition": KEY, "paused": False, "changed": True}
    ]
    assert site.run("resume", "all").out == "no edition is paused\n"
    assert site.run("resume", KEY, "--json").rows == [
        {"edition": KEY, "paused": False, "changed": False}
    ]
    over = make_waiting(tmp_path / "over")
    assert over.run("pause", "all").out == "no edition is under way\n"


def test_a_slip_in_the_key_is_met_with_the_nearest(tmp_path: Path, site: Site) -> None:
    """Exit 2; on a site without editions it says that there are none."""
    waiting = make_waiting(tmp_path / "waiting")
    for word in ("pause", "resume"):
        ran = waiting.run(word, "weekly-20241152", code=2)
        assert f"weekly-20241152: no such edition (did you mean {KEY}?)" in ran.err
        assert "none was made yet" in site.run(word, "weekly", code=2).err

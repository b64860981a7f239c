"""Several relays, as the operator meets them: shares, failover, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stage import Relay, Site, free_port, make_site, running

if TYPE_CHECKING:
    from pathlib import Path

EARLY = "2026-11-22T12:00:00+09:00"
SLOT = "2026-11-23T08:05:00+09:00"
READERS = [f"reader{number}@reader.example" for number in range(30)]


def table(port: int, tls: str = "none", *, weight: int = 1) -> str:
    """A relay of this machine, for `[[smtp.relays]]`."""
    return (
        f'[[smtp.relays]]\nhost = "127.0.0.1"\nport = {port}\ntls = "{tls}"\n'
        f"weight = {weight}\n"
    )


def site_with(root: Path, *relays: str) -> Site:
    """A site with daily readers, a new post and these relays."""
    site = make_site(root, 'transport = "smtp"\n' + "".join(relays))
    site.essay("2026-11-01", "첫 글")
    site.publish(EARLY)
    site.import_readers(READERS)
    site.essay("2026-11-22", "둘째 글")
    return site


def got(relay: Relay) -> list[str]:
    """Who got a letter through a relay."""
    return [recipient for _, recipient, _ in relay.received]


def test_letters_are_shared_out_by_weight(tmp_path: Path) -> None:
    """Two to one, each letter once."""
    with running(Relay()) as one, running(Relay()) as other:
        site = site_with(tmp_path, table(one.port, weight=2), table(other.port))
        ran = site.run("publish", "--now", SLOT)
    assert sorted(got(one) + got(other)) == sorted(READERS)
    assert abs(len(got(one)) - 20) <= 4
    assert ran.err == ""


def test_a_relay_that_is_away_is_named_and_its_share_goes_elsewhere(
    tmp_path: Path,
) -> None:
    """Nothing is left to do, so the exit code is 0."""
    with running(Relay()) as there:
        site = site_with(tmp_path, table(free_port()), table(there.port))
        ran = site.run("publish", "--now", SLOT)
    assert sorted(got(there)) == sorted(READERS)
    assert "the other relays did its work" in ran.err


def test_a_relay_that_refuses_us_needs_a_person(tmp_path: Path) -> None:
    """It offers no STARTTLS: nothing goes there in clear, all goes by the other one."""
    with running(Relay()) as plain, running(Relay()) as there:
        site = site_with(tmp_path, table(plain.port, "starttls"), table(there.port))
        ran = site.run("publish", "--now", SLOT, code=None)
    assert got(plain) == []
    assert sorted(got(there)) == sorted(READERS)
    assert "offers no STARTTLS" in ran.err
    assert ran.code != 0


def test_a_standby_is_used_when_all_others_are_away(tmp_path: Path) -> None:
    """And only then."""
    with running(Relay()) as one, running(Relay()) as standby:
        site = site_with(tmp_path, table(one.port), table(standby.port, weight=0))
        site.run("publish", "--now", SLOT)
        assert sorted(got(one)) == sorted(READERS)
        assert got(standby) == []
    with running(Relay()) as standby:
        site = site_with(
            tmp_path / "away", table(free_port()), table(standby.port, weight=0)
        )
        site.run("publish", "--now", SLOT)
        assert sorted(got(standby)) == sorted(READERS)

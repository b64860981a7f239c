"""`digest.prepare`: an edition is frozen and signed before its slot, and sent in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dkim
import pytest

from tests.stage import Relay, Site, make_site, running, smtp_settings

if TYPE_CHECKING:
    from pathlib import Path

EARLY = "2026-11-22T12:00:00+09:00"
BEFORE = "2026-11-23T07:40:00+09:00"
SLOT = "2026-11-23T08:00:00+09:00"
READERS = [f"reader{number}@reader.example" for number in range(40)]


def site_with(root: Path, extra: str = "") -> Site:
    """A site with daily readers and a new post; its key signs, its editions are prepared."""
    site = make_site(root, extra)
    site.essay("2026-11-01", "첫 글")
    site.publish(EARLY)
    key = site.run("dkim", "new", "--json").json
    config = root / "postroom.toml"
    settings = "".join(
        f'{name} = "{value}"\n' for name, value in key["settings"].items()
    )
    config.write_text(
        config.read_text(encoding="utf-8")
        + f'\n[digest]\nprepare = "30m"\n[dkim]\n{settings}',
        encoding="utf-8",
    )
    (root / "record.txt").write_text(key["value"], encoding="ascii")
    site.import_readers(READERS)
    site.essay("2026-11-22", "둘째 글")
    return site


def prepared(site: Site) -> list[Path]:
    """The files of signatures."""
    return sorted((site.root / "state" / "prepared").glob("*"))


def is_signed(site: Site, message: bytes) -> bool:
    """Whether the site's key signed `message` as it is."""
    record = (site.root / "record.txt").read_bytes()
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: record))


def test_before_its_slot_an_edition_is_frozen_and_signed_but_not_sent(
    tmp_path: Path,
) -> None:
    """Too early there is no edition at all; half an hour before there is, and it waits."""
    site = site_with(tmp_path)
    site.publish("2026-11-23T07:20:00+09:00")
    assert site.ledger() == {}
    site.publish(BEFORE)
    assert site.ledger() == dict.fromkeys(READERS, "queued")
    assert site.outbox() == []
    (signatures,) = prepared(site)
    assert signatures.stat().st_size > len(READERS) * 256
    site.publish(BEFORE)
    assert site.outbox() == []


def test_in_its_slot_it_goes_out_with_these_signatures(tmp_path: Path) -> None:
    """Each verifies; the date is that of the slot; the file goes when all is sent."""
    with running(Relay()) as relay:
        site = site_with(tmp_path, smtp_settings(relay.port))
        site.publish(BEFORE)
        size = prepared(site)[0].stat().st_size
        assert relay.received == []
        site.publish(SLOT)
    assert sorted(recipient for _, recipient, _ in relay.received) == sorted(READERS)
    assert all(is_signed(site, message) for _, _, message in relay.received)
    assert all(b"23 Nov 2026 08:00:00 +0900" in data for _, _, data in relay.received)
    tampered = relay.received[0][2].replace(b"Message-ID: <", b"Message-ID: <0")
    assert not is_signed(site, tampered)
    assert size
    assert prepared(site) == []


def test_what_changes_between_the_two_is_signed_again_or_skipped(
    tmp_path: Path,
) -> None:
    """A reader who leaves gets nothing; a new name, and a lost file, cost only time."""
    with running(Relay()) as relay:
        site = site_with(tmp_path, smtp_settings(relay.port))
        site.publish(BEFORE)
        site.run("subscribers", "set", READERS[0], "--consent", "unsubscribed")
        site.run("subscribers", "set", READERS[1], "--name", "새 이름")
        site.essay("2026-11-23", "셋째 글")
        site.publish(SLOT)
    got = {recipient: data for _, recipient, data in relay.received}
    assert set(got) == set(READERS[1:])
    assert all(is_signed(site, data) for data in got.values())
    assert "7IOIIOydtOumhA" in got[READERS[1]].decode()  # the new name in base64
    assert site.ledger()[READERS[0]] == "skipped"


@pytest.mark.parametrize("harm", ["lost", "torn", "foreign"])
def test_a_file_of_signatures_that_is_no_use_costs_only_time(
    tmp_path: Path, harm: str
) -> None:
    """Every letter goes out once, signed."""
    with running(Relay()) as relay:
        site = site_with(tmp_path, smtp_settings(relay.port))
        site.publish(BEFORE)
        (signatures,) = prepared(site)
        if harm == "lost":
            signatures.unlink()
        elif harm == "torn":
            signatures.write_bytes(signatures.read_bytes()[:-1000])
        else:
            signatures.write_bytes(b"something else" * 1000)
        site.publish(SLOT)
    assert sorted(recipient for _, recipient, _ in relay.received) == sorted(READERS)
    assert all(is_signed(site, message) for _, _, message in relay.received)


def test_signatures_of_an_edition_that_was_sent_are_removed_even_if_no_more_are_made(
    tmp_path: Path,
) -> None:
    """The operator switches `prepare` off in between."""
    with running(Relay()) as relay:
        site = site_with(tmp_path, smtp_settings(relay.port))
        site.publish(BEFORE)
        config = tmp_path / "postroom.toml"
        text = config.read_text(encoding="utf-8").replace('prepare = "30m"\n', "")
        config.write_text(text, encoding="utf-8")
        assert prepared(site)
        site.publish(SLOT)
    assert len(relay.received) == len(READERS)
    assert prepared(site) == []

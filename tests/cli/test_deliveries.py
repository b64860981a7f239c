"""The ledger by row, and how people and the relay's log settle what it cannot know."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.stage import Relay, Site, make_site, running, smtp_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUNDAY = "2026-11-22T12:00:00+09:00"
MONDAY = "2026-11-23T08:05:00+09:00"
LATER = "2026-11-23T09:05:00+09:00"
HOLD = 'on_unknown = "hold"\n'
LOST = ("lost1@reader.example", "lost2@reader.example", "lost3@reader.example")


class Dropping(Relay):
    """A relay that hangs up on `lost…` after the final dot, once."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message, or say nothing more."""
        recipient = envelope.rcpt_tos[0]
        known = any(kept == recipient for _, kept, _ in self.received)
        answer = await super().handle_DATA(server, session, envelope)
        if recipient.startswith("lost") and not known:
            server.transport.abort()
        return answer


@pytest.fixture
def dropping() -> Iterator[Relay]:
    """A relay after which nobody knows about `lost…`."""
    with running(Dropping()) as kept:
        yield kept


@pytest.fixture
def site(tmp_path: Path, dropping: Relay) -> Site:
    """Three letters whose fate is not known, and one that was accepted."""
    site = make_site(tmp_path / "site", HOLD + smtp_settings(dropping.port))
    site.essay("2026-11-01", "첫 글")
    site.publish(SUNDAY)
    for address in (*LOST, "minji@reader.example"):
        site.subscribe(address)
    site.essay("2026-11-22", "느린 편지")
    site.publish(MONDAY, code=None)
    unknown = dict.fromkeys(LOST, "unknown")
    assert site.ledger() == {**unknown, "minji@reader.example": "accepted"}
    return site


def rows(site: Site, *words: str) -> dict[str, dict[str, Any]]:
    """Rows of the ledger by address."""
    listed = site.run("deliveries", "list", "--json", *words).rows
    return {row["email"]: row for row in listed}


def edition(site: Site) -> str:
    """The key of the one edition."""
    key = rows(site)[LOST[0]]["edition"]
    assert isinstance(key, str)
    return key


# -- list ---------------------------------------------------------------------


def test_a_row_says_all_there_is_to_say(tmp_path: Path, relay: Relay) -> None:
    """State, Message-ID, the relay's words, when it changed and when it is tried again."""
    site = make_site(tmp_path / "other", smtp_settings(relay.port))
    site.essay("2026-11-01", "첫 글")
    site.publish(SUNDAY)
    for name in ("later", "minji"):
        site.subscribe(f"{name}@reader.example")
    site.essay("2026-11-22", "느린 편지")
    site.publish(MONDAY)
    found = rows(site)
    later, minji = found["later@reader.example"], found["minji@reader.example"]
    assert set(later) == {
        "edition", "email", "state", "paused", "attempts", "message_id", "retry_at",
        "updated_at", "reply",
    }  # fmt: skip
    assert datetime.fromisoformat(later["retry_at"]) > datetime.fromisoformat(MONDAY)
    assert (later["attempts"], later["paused"], minji["retry_at"]) == (1, False, None)
    assert "4.2.1 try again later" in later["reply"]
    assert minji["message_id"].endswith("@blog.example>")
    assert datetime.fromisoformat(minji["updated_at"]).tzinfo is not None
    told = site.run("deliveries", "list", "--state", "deferred").out
    assert "later@reader.example  next try 2026-11-23 08:" in told
    assert "minji" not in told


# -- resolve ------------------------------------------------------------------


def test_a_person_decides_by_address(site: Site) -> None:
    """However the address is typed; the reason stays in the ledger, the others too."""
    key = edition(site)
    ran = site.run(
        "deliveries", "resolve", key, "LOST1@Reader.example", "--as", "accepted",
        "--reason", "she told me",
    )  # fmt: skip
    assert ran.out == "lost1@reader.example: accepted\n"
    found = rows(site)
    assert found[LOST[0]]["state"] == "accepted"
    assert found[LOST[0]]["reply"] == "by hand: she told me"
    assert found[LOST[1]]["state"] == "unknown"


def test_who_is_not_unknown_is_named(site: Site) -> None:
    """Exit 1, and the others are decided all the same."""
    ran = site.run(
        "deliveries", "resolve", edition(site), "minji@reader.example", LOST[1],
        "no address", "--as", "failed", "--json", code=1,
    )  # fmt: skip
    assert ran.json == {
        "edition": edition(site),
        "as": "failed",
        "decided": [LOST[1]],
        "not_unknown": ["minji@reader.example", "no address"],
    }
    assert "minji@reader.example: not unknown in weekly-" in ran.err
    assert site.ledger()["minji@reader.example"] == "accepted"
    assert site.ledger()[LOST[1]] == "failed"


def test_resend_sends_the_same_message_again(site: Site, dropping: Relay) -> None:
    """Queued by hand with `--all`; the next run hands over what was handed over before."""
    before = rows(site)
    dry = site.run(
        "deliveries", "resolve", edition(site), "--all", "--as", "resend", "--dry-run"
    )
    assert dry.out.splitlines() == [f"{name}: would be queued again" for name in LOST]
    assert rows(site) == before
    site.run("deliveries", "resolve", edition(site), "--all", "--as", "resend")
    assert [site.ledger()[name] for name in LOST] == ["queued"] * 3
    site.publish(LATER)
    assert [site.ledger()[name] for name in LOST] == ["accepted"] * 3
    assert {n: r["message_id"] for n, r in rows(site).items()} == {
        n: r["message_id"] for n, r in before.items()
    }
    copies = [data for _, name, data in dropping.received if name == LOST[0]]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    again = site.run("deliveries", "resolve", edition(site), "--all", "--as", "failed")
    assert again.out == f"{edition(site)}: nothing is unknown\n"


def test_nobody_is_decided_by_mistake(site: Site) -> None:
    """Neither everyone by leaving out addresses, nor an edition that is not there."""
    key = edition(site)
    for words in ((key,), (key, LOST[0], "--all")):
        ran = site.run("deliveries", "resolve", *words, "--as", "failed", code=2)
        assert "--all" in ran.err
        assert "deliveries list --state unknown" in ran.err
    ran = site.run("deliveries", "resolve", key[:-1], "--all", "--as", "failed", code=2)
    assert f"{key[:-1]}: no such edition (did you mean {key}" in ran.err
    site.run("deliveries", "resolve", key, "--all", code=2)
    assert set(rows(site, "--state", "unknown")) == set(LOST)


# -- reconcile ----------------------------------------------------------------


def log_of(site: Site) -> str:
    """A Postfix log: the first was taken, the second refused, the third is not in it."""
    found = rows(site)
    first, second = (found[name]["message_id"] for name in LOST[:2])
    host = "2026-11-23T08:05:01.5+09:00 relay postfix-out"
    return (
        f"{host}/cleanup[7]: 4jYzZp63WdzJJ5t: message-id={first}\n"
        f"{host}/qmgr[8]: 4jYzZp63WdzJJ5t: from=<a@b.example>, size=9, nrcpt=1 (queue active)\n"
        f"{host}/cleanup[7]: 4jYzZp66wGzJJ5x: message-id={second}\n"
        f"{host}/cleanup[7]: 4jYzZp66wGzJJ5x: milter-reject: END-OF-MESSAGE from"
        " h[127.0.0.1]: 5.7.1 spam; from=<a@b.example>\n"
        f"{host}/cleanup[7]: 4jYzZp67mvzJJ5x: message-id=<other@blog.example>\n"
    )


def test_the_relays_log_settles_what_it_proves(site: Site, tmp_path: Path) -> None:
    """Accepted, failed, and unknown still; the ledger keeps queue id and words."""
    log = tmp_path / "mail.log"
    log.write_text(log_of(site), encoding="utf-8")
    before = rows(site)
    dry = site.run("deliveries", "reconcile", str(log), "--dry-run", code=1)
    assert "would be accepted" in dry.out
    assert rows(site) == before
    ran = site.run("deliveries", "reconcile", str(log), code=1)
    assert "2 decided; 1 stay unknown: these logs prove nothing" in ran.out
    assert f"{LOST[0]}  accepted  4jYzZp63WdzJJ5t: from=" in ran.out
    found = rows(site)
    assert [found[name]["state"] for name in LOST] == ["accepted", "failed", "unknown"]
    assert found[LOST[0]]["reply"].startswith("postfix log: 4jYzZp63WdzJJ5t: from=")
    assert "5.7.1 spam" in found[LOST[1]]["reply"]
    consent = {
        s["email"]: s["consent"] for s in site.run("subscribers", "list", "--json").rows
    }
    assert consent[LOST[1]] == "confirmed"


def test_logs_come_packed_and_in_pieces(site: Site, tmp_path: Path) -> None:
    """Several files one after the other, .gz or plain, or a pipe."""
    lines = log_of(site).splitlines(keepends=True)
    old, new = tmp_path / "mail.log.2.gz", tmp_path / "mail.log"
    old.write_bytes(gzip.compress("".join(lines[:1]).encode()))
    new.write_bytes(b"\xff\xfe odd octets\n" + lines[1].encode())
    ran = site.run("deliveries", "reconcile", str(old), str(new), "--json", code=1).json
    assert (ran["unknown"], ran["left"]) == (3, 2)
    assert [set(item) for item in ran["decided"]] == [
        {"edition", "email", "state", "queue_id", "log"}
    ]
    assert (ran["decided"][0]["email"], ran["decided"][0]["state"]) == (
        LOST[0],
        "accepted",
    )
    piped = subprocess.run(
        [sys.executable, "-m", "postroom", "-C", str(site.root), "deliveries", "reconcile", "-"],
        input="".join(lines[2:]).encode(),
        capture_output=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )  # fmt: skip
    assert piped.returncode == 1
    assert b"1 decided; 1 stay unknown" in piped.stdout
    assert site.ledger()[LOST[1]] == "failed"


def test_a_log_that_cannot_be_read_decides_nothing(site: Site, tmp_path: Path) -> None:
    """Exit 2, the file is named; also when only a part of it can be unpacked."""
    whole = tmp_path / "mail.log"
    whole.write_text(log_of(site), encoding="utf-8")
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(os.urandom(50_000))[:-2000])
    (tmp_path / "no.gz").write_bytes(b"not packed")
    for name in ("cut.gz", "no.gz", "missing.log"):
        ran = site.run(
            "deliveries", "reconcile", str(whole), str(tmp_path / name), code=2
        )
        assert f"{name}: cannot be read" in ran.err
    assert set(rows(site, "--state", "unknown")) == set(LOST)


def test_with_nothing_unknown_a_log_has_nothing_to_say(
    site: Site, tmp_path: Path
) -> None:
    """Exit 0."""
    site.run("deliveries", "resolve", edition(site), "--all", "--as", "accepted")
    empty = tmp_path / "mail.log"
    empty.touch()
    ran = site.run("deliveries", "reconcile", str(empty))
    assert ran.out == "nothing is unknown\n"

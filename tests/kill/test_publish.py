"""kill -9 between any two steps of `publish`, then run again: the ledger is true.

Nobody is skipped. With `hold` nobody gets two; with `resend` at most the one message
that was on the wire of each connection goes out again. The outbox never holds two,
because a message's file is named by its Message-ID.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stage import Relay, Site, make_site, running, smtp_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DRIVER = Path(__file__).with_name("driver.py")
NOW = "2026-11-23T08:05:00+09:00"
READERS = [f"reader{number}@reader.example" for number in range(7)]
KILLS = int(os.environ.get("POSTROOM_KILLS", "40"))
CONNECTIONS = 2


def prepared(root: Path, extra: str) -> Site:
    """A site whose next run has two editions to send."""
    site = make_site(root, extra)
    site.essay("2026-11-01", "첫 글")
    site.run("publish", "--now", "2026-11-22T12:00:00+09:00")
    table = root / "readers.csv"
    rows = [
        f"{address},confirmed,{'daily' if number % 2 else 'weekly'}\n"
        for number, address in enumerate(READERS)
    ]
    table.write_text("email,consent,cadence\n" + "".join(rows), encoding="utf-8")
    site.run("subscribers", "import", str(table))
    site.essay("2026-11-22", "둘째 글")
    return site


def killed_at(site: Site, line: int) -> subprocess.CompletedProcess[str]:
    """Publish and die at a line; 0 lets it live and prints how many there are."""
    return subprocess.run(
        [
            sys.executable,
            str(DRIVER),
            str(line),
            "-C",
            str(site.root),
            "publish",
            "--now",
            NOW,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def spread(total: int) -> Iterator[int]:
    """Lines to die at: the kills spread evenly over the whole run."""
    return (1 + total * number // KILLS for number in range(KILLS))


def kill_and_finish(
    root: Path, extra: str, relay: Relay | None = None
) -> Iterator[tuple[Site, int]]:
    """For each line to die at: a site killed there and then run to its end."""
    total = int(killed_at(prepared(root / "whole", extra), 0).stderr.split()[-1])
    for line in spread(total):
        site = prepared(root / str(line), extra)
        if relay is not None:
            relay.received.clear()
        assert killed_at(site, line).returncode == -9
        site.run("publish", "--now", NOW)
        yield site, line


def test_the_outbox_holds_exactly_what_the_ledger_says(tmp_path: Path) -> None:
    """One file for each subscriber, wherever the run died."""
    for site, line in kill_and_finish(tmp_path, ""):
        sent = Counter(
            message["To"].addresses[0].addr_spec for message in site.outbox()
        )
        assert sent == Counter(READERS), line
        assert site.ledger() == dict.fromkeys(READERS, "accepted"), line


@pytest.mark.parametrize("policy", ["hold", "resend"])
def test_a_relay_gets_every_letter(tmp_path: Path, policy: str) -> None:
    """What the ledger does not know for sure it names, and does not guess."""
    with running(Relay()) as relay:
        extra = f'on_unknown = "{policy}"\n' + smtp_settings(relay.port)
        extra += f"connections = {CONNECTIONS}\n"
        for site, line in kill_and_finish(tmp_path, extra, relay):
            sent = Counter(recipient for _, recipient, _ in relay.received)
            ledger = site.ledger()
            unknown = {email for email, state in ledger.items() if state == "unknown"}
            assert set(ledger) == set(READERS), line
            assert set(sent) | unknown >= set(READERS), line
            surplus = sum(sent.values()) - len(sent)
            if policy == "hold":
                assert surplus == 0, line
                assert len(unknown) <= CONNECTIONS, line
                assert all(
                    ledger[email] == "accepted" for email in set(READERS) - unknown
                )
            else:
                assert surplus <= CONNECTIONS, line
                assert not unknown, line
                assert set(ledger.values()) == {"accepted"}, line

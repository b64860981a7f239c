"""A delivery's Message-ID can be computed again when no intent with it is on record."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.compose.message_ids import find_message_id
from postroom.config.reading import read_config
from postroom.store.opening import open_ledger
from tests.stage import make_site

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.values import Creation

SUNDAY = "2026-11-22T12:00:00+09:00"
MONDAY = "2026-11-23T08:05:00+09:00"


def no_creation() -> Creation:
    """There is a ledger already."""
    raise AssertionError


def test_it_is_the_one_that_was_sent(tmp_path: Path) -> None:
    """Of the letters in the outbox, by edition and address alone; none of the erased."""
    site = make_site(tmp_path / "site")
    site.essay("2026-11-01", "첫 글")
    site.publish(SUNDAY)
    for name in ("minji", "Jun", "김"):
        site.subscribe(f"{name}@reader.example")
    site.essay("2026-11-22", "느린 편지")
    site.publish(MONDAY)
    config = read_config(site.root, os.environ)
    secret = config.secret_path.read_bytes().strip()
    with open_ledger(config.database_path, no_creation) as store:
        rows = list(store.deliveries())
        assert len(rows) == 3
        for row in rows:
            forgotten = replace(row, message_id="")
            found = find_message_id(forgotten, store, config, secret)
            assert found == row.message_id != ""
            assert find_message_id(row, store, config, b"") == row.message_id
            erased = replace(forgotten, email="")
            assert find_message_id(erased, store, config, secret) == ""
            stranger = replace(forgotten, email="nobody@reader.example")
            assert find_message_id(stranger, store, config, secret) == ""

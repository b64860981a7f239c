"""A fresh store of every kind; a test that takes `store` runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.scenes import open_new

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postroom.store.base import Store


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    """Where a site's SQLite ledger goes; nothing is there yet."""
    return tmp_path / "state" / "postroom.db"


@pytest.fixture(params=["sqlite"])
def store(ledger_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_new(ledger_path) as opened:
        yield opened

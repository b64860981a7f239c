"""An empty ledger on a real file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.scenes import open_new

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postroom.store.base import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new ledger; nobody has subscribed."""
    with open_new(tmp_path / "state" / "postroom.db") as opened:
        yield opened

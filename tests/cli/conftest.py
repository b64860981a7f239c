"""Fixtures of tests that drive the real command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stage import Relay, Site, make_site, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with the outbox transport and no posts yet."""
    return make_site(tmp_path / "site")


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A server that accepts, refuses `gone…` and defers `later…`."""
    with running(Relay()) as kept:
        yield kept

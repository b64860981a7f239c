"""One server for all tests that only look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.served import Server, make_public, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site at the top of its host, with a hub; nobody changes its files."""
    root = tmp_path_factory.mktemp("served") / "site"
    hub = '[feeds]\nhub = "https://hub.example/"\n'
    with serving(make_public(root, more=hub)) as running:
        yield running


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose files a test may change."""
    with serving(make_public(tmp_path_factory.mktemp("served") / "site")) as running:
        yield running

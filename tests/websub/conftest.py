"""A hub, and a site of two topics that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stage import Site, make_site
from tests.websub.hub import Hub, open_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub that looks at the site's files when it is pinged."""
    with open_hub(tmp_path / "site/public") as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path, hub: Hub) -> Site:
    """A site with a post in each of two topics; not published yet."""
    made = make_site(tmp_path / "site", hub.settings)
    made.essay("2026-11-01", "첫 글", "생각")
    made.essay("2026-11-02", "둘째 글", "여행")
    return made

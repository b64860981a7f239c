"""Settings and fixtures that every test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=150, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

CORPORA = Path(
    os.environ.get("POSTROOM_CORPORA", Path(__file__).parents[2] / "shared" / "corpora")
)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of public posts and bounce mails; tests skip where it is absent."""
    if not CORPORA.is_dir():
        pytest.skip("no corpora: set POSTROOM_CORPORA to a folder of public posts")
    return CORPORA

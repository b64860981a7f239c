"""No program that judges feeds finds a fault in any feed of any corpus of real posts.

The W3C feed validator judges too where POSTROOM_FEEDVALIDATOR names a checkout of it
and POSTROOM_FEEDVALIDATOR_PYTHON an interpreter with lxml, html5lib and rdflib.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.readers.blog import URL
from tests.readers.judges import (
    CHECKOUT,
    GRAMMAR,
    PublishedFeed,
    fault_of_form,
    faults_of_entries,
    faults_of_grammar,
    faults_of_validator,
    feeds_of,
)
from tests.stage import make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.readers.conftest import Blog

NOW = "2026-11-24T12:00:00+09:00"
CORPORA = Path(
    os.environ.get("POSTROOM_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")
)
OURS = "our own blog"
FOLDERS = CORPORA.iterdir() if CORPORA.is_dir() else ()
BLOGS = (path.name for path in FOLDERS if path.is_dir())
NAMES = [OURS, *sorted(name for name in BLOGS if not name.startswith("bounces"))]


@pytest.fixture(scope="module", params=NAMES)
def feeds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, blog: Blog
) -> list[PublishedFeed]:
    """The feeds that the command line makes of a folder of posts, with every option on."""
    if request.param == OURS:
        return feeds_of(blog.second, URL)
    folder = json.dumps(str((CORPORA / request.param).resolve()))
    root = tmp_path_factory.mktemp("corpus")
    site = make_site(root / "site", f"[posts]\nfolder = {folder}\n")
    site.run("build", "--now", NOW, code=None)
    found = feeds_of(site.root / "public", URL)
    assert {"atom.xml", "rss.xml", "feed.json"} <= {feed.path for feed in found}
    return found


@pytest.mark.parametrize("judge", [fault_of_form, faults_of_entries])
def test_every_feed_is_sound(
    feeds: list[PublishedFeed], judge: Callable[[PublishedFeed], Iterator[str]]
) -> None:
    """Well-formed; ids once; titles; no relative address."""
    assert [fault for feed in feeds for fault in judge(feed)] == []


@pytest.mark.skipif(not GRAMMAR.exists(), reason="no RELAX NG grammar of Atom")
def test_every_atom_feed_follows_the_grammar(feeds: list[PublishedFeed]) -> None:
    """RFC 4287, appendix B."""
    assert list(faults_of_grammar(feeds)) == []


@pytest.mark.skipif(not CHECKOUT, reason="POSTROOM_FEEDVALIDATOR names no checkout")
def test_the_validator_has_nothing_to_say(feeds: list[PublishedFeed]) -> None:
    """Neither an error nor a warning."""
    assert faults_of_validator(feeds) == []

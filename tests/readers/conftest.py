"""A blog at two instants, `postroom serve` for it, and readers of its feeds."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import feedparser_sgmllib
import pytest

from tests.readers.blog import edit_blog, ids_by_name, write_blog
from tests.readers.clients import CLIENTS
from tests.readers.facts import FILES
from tests.readers.serving import serving
from tests.stage import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.readers.clients import Client
    from tests.readers.serving import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Blog:
    """The output folder of a blog, before and after an edit."""

    site: Site
    first: Path
    second: Path
    ids: dict[str, str]
    """By the name of the post's file, from the ledger."""


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands between, and reader finds the fork of `sgmllib`.

    Its own copy of feedparser (reader 3.26) still imports the old name.
    """
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(sys.modules, "sgmllib", feedparser_sgmllib)


@pytest.fixture(scope="session")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Blog:
    """Build it once; both folders keep the times of their files."""
    root = tmp_path_factory.mktemp("blog")
    site = make_site(root / "site")
    write_blog(site)
    shutil.copytree(site.root / "public", root / "first")
    edit_blog(site)
    shutil.copytree(site.root / "public", root / "second")
    return Blog(
        site=site,
        first=root / "first",
        second=root / "second",
        ids=ids_by_name(site),
    )


@pytest.fixture(scope="session")
def running(blog: Blog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`postroom serve`, started once."""
    with serving(blog.site, tmp_path_factory.mktemp("log") / "log") as served:
        yield served


@pytest.fixture
def server(running: Served, blog: Blog) -> Served:
    """The same, with the blog as it was first."""
    running.show(blog.first)
    running.forget()
    return running


@pytest.fixture
def subscribe(tmp_path: Path) -> Callable[[str, str, str], Client]:
    """Return what lets a reader subscribe: by its name, a server's URL and a format."""

    def make(name: str, url: str, form: str) -> Client:
        kind = CLIENTS[name]
        if lacking := kind.lacks():
            pytest.skip(f"not installed: {lacking}")
        folder = tmp_path / f"{name}-{form}"
        folder.mkdir()
        return kind(folder=folder, url=url + FILES[form])

    return make

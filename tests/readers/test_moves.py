"""A new file name, slug, date or domain delivers nothing again.

The feed's own address stays, the real command line runs in between. A reader that takes
a moved post for a new one would show, or mail, it a second time; a new domain would do
that to the whole blog.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.readers.blog import ESSAYS, URL, ids_by_name, write_blog
from tests.readers.clients import CLIENTS, Newsboat, ReaderLibrary
from tests.readers.serving import serving
from tests.stage import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.readers.clients import Client

NOW = "2026-03-22T09:00:00+09:00"
MOVED = ESSAYS[2]
NEW_URL = "https://new.example/blog/"


def rename_file(site: Site) -> None:
    """Another name in another folder, not a byte of it changed; so another slug."""
    path = site.root / "posts/2026/2026-03-03-옮긴-글.md"
    path.parent.mkdir()
    (site.root / "posts" / MOVED.name).rename(path)


def change_slug(site: Site) -> None:
    """Another address."""
    edit(site, "slug: 새-주소\n")


def change_date(site: Site) -> None:
    """Another day, later than all."""
    edit(site, "date: 2026-03-21 12:00\n")


def change_domain(site: Site) -> None:
    """Another host and another folder on it."""
    path = site.root / "postroom.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(URL, NEW_URL), encoding="utf-8")


def edit(site: Site, line: str) -> None:
    """Add a line to the post's front matter."""
    path = site.root / "posts" / MOVED.name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("---\n", f"---\n{line}", 1), encoding="utf-8")


MOVES: dict[str, Callable[[Site], None]] = {
    "file": rename_file,
    "slug": change_slug,
    "date": change_date,
    "domain": change_domain,
}
CELLS = [("newsboat", "atom"), ("newsboat", "rss"), ("rss2email", "atom")] + [
    ("reader", form) for form in ("atom", "rss", "json")
]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The blog, built once; each test moves a copy of it."""
    site = make_site(tmp_path_factory.mktemp("moves") / "site")
    write_blog(site)
    return site


@pytest.fixture
def site(published: Site, tmp_path: Path) -> Site:
    """A blog of one's own, ledger and all."""
    shutil.copytree(published.root, tmp_path / "site")
    return Site(tmp_path / "site")


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_post_keeps_its_id(site: Site, move: str) -> None:
    """In the ledger, and so in every feed; what moved did move."""
    before = ids_by_name(site)
    feed = site.root / "public/atom.xml"
    old = feed.read_bytes()
    MOVES[move](site)
    site.run("build", "--now", NOW)
    assert sorted(ids_by_name(site).values()) == sorted(before.values())
    assert feed.read_bytes() != old


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_post_is_new_to_no_reader(
    site: Site, subscribe: Callable[..., Client], tmp_path: Path, move: str
) -> None:
    """No second row, nothing unread again, no second mail."""
    with serving(site, tmp_path / "log") as server:
        clients = [
            subscribe(name, server.url, form)
            for name, form in CELLS
            if not CLIENTS[name].lacks()
        ]
        before = []
        for client in clients:
            before.append({entry.id for entry in client.visit()})
            if isinstance(client, Newsboat):
                with client.cache() as rows, rows:
                    rows.execute("update rss_item set unread = 0")
        MOVES[move](site)
        site.run("build", "--now", NOW)
        for client, ids in zip(clients, before, strict=True):
            found = client.visit()
            assert {entry.id for entry in found} == ids
            assert len(found) == len(ESSAYS)
            if isinstance(client, Newsboat):
                assert client.unread() == 0
            if isinstance(client, ReaderLibrary):
                assert client.new == 0


def test_sfeed_alone_takes_a_new_address_for_a_new_entry(
    site: Site, subscribe: Callable[..., Client], tmp_path: Path
) -> None:
    """It merges by id, title and link together: known, and nothing a feed can mend."""
    with serving(site, tmp_path / "log") as server:
        client = subscribe("sfeed", server.url, "atom")
        client.visit()
        change_domain(site)
        site.run("build", "--now", NOW)
        found = client.visit()
    assert len(found) == 2 * len(ESSAYS)
    assert len({entry.id for entry in found}) == len(ESSAYS)

"""A build after a change ends where a build from nothing would, and writes little."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import brotli
import pytest

from tests.stage import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-11-24T12:00:00+09:00"
LONG = "느린 우편함은 하루에 한 번 열린다. 그때까지 편지는 모두 같은 시각을 기다린다.\n"
"""Ten of them are more than an excerpt shows."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Thirty essays of one topic."""
    made = make_site(tmp_path / "site")
    for day in range(1, 31):
        head = f"---\ntitle: 글 {day}\ndate: 2026-10-{day:02}\ntags: [길]\n---\n\n"
        made.post(f"2026-10-{day:02}-글-{day}.md", head + LONG * 10)
    build(made)
    return made


def build(site: Site, now: str = NOW) -> dict[str, int]:
    """Build, and return how many files were written and how many were not."""
    files: dict[str, int] = site.run("build", "--json", "--now", now).json["files"]
    return files


def output(site: Site) -> dict[str, bytes]:
    """Every file of the output folder."""
    public = site.root / "public"
    return {
        path.relative_to(public).as_posix(): path.read_bytes()
        for path in sorted(public.rglob("*"))
        if path.is_file()
    }


def is_as_from_nothing(site: Site, now: str = NOW) -> bool:
    """Whether the output is that of a build without caches."""
    kept = output(site)
    for name in ("rendered.db", "build.json"):
        (site.root / "state" / name).unlink()
    build(site, now)
    return output(site) == kept


def changed_by(site: Site, before: dict[str, bytes]) -> set[str]:
    """Files that are not as they were, pages named by their folder."""
    after = output(site)
    names = {name for name in before | after if before.get(name) != after.get(name)}
    return {name.removesuffix("index.html") for name in names}


def test_an_edited_text_changes_its_page_and_its_feeds(site: Site) -> None:
    """No list shows it, and no neighbour."""
    before = output(site)
    with (site.root / "posts/2026-10-12-글-12.md").open("a", encoding="utf-8") as post:
        post.write("\n한 문단을 더 적는다.\n")
    assert build(site)["written"] == len(changed_by(site, before))
    changed = changed_by(site, before)
    assert "posts/글-12/" in changed
    assert {"atom.xml", "rss.xml", "feed.json"} <= changed
    pages = {name for name in changed if name.endswith("/") or not name}
    assert pages == {"posts/글-12/"}
    assert is_as_from_nothing(site)


def test_an_enclosure_that_grows_is_told_with_a_text_that_changes(site: Site) -> None:
    """Its length stands in the feed, and its copy in the output."""
    site.post("a.mp3", "ID3")
    site.post(
        "2026-11-02-a.md", "---\ntitle: 소리\nenclosure: a.mp3\n---\n\n들어 보라.\n"
    )
    build(site)
    assert b'length="3"' in output(site)["rss.xml"]
    site.post("a.mp3", "ID3 and more")
    with (site.root / "posts/2026-10-12-글-12.md").open("a", encoding="utf-8") as post:
        post.write("\n한 문단을 더 적는다.\n")
    build(site)
    assert b'length="12"' in output(site)["rss.xml"]
    assert is_as_from_nothing(site)


def test_a_new_title_changes_what_shows_it(site: Site) -> None:
    """Lists, neighbours, the archive."""
    before = output(site)
    path = site.root / "posts/2026-10-12-글-12.md"
    path.write_text(path.read_text().replace("title: 글 12", "title: 새 이름"))
    build(site)
    changed = changed_by(site, before)
    assert {"posts/글-12/", "posts/글-11/", "posts/글-13/", "archive/"} <= changed
    assert "posts/글-20/" not in changed
    assert is_as_from_nothing(site)


def test_a_post_that_moves_takes_its_links_along(site: Site) -> None:
    """Whoever links to it is rendered anew, although its own file is the same."""
    site.post("2026-11-01-a.md", "# A\n\n[옛 글](2026-10-12-글-12.md)\n")
    build(site)
    path = site.root / "posts/2026-10-12-글-12.md"
    path.write_text(path.read_text().replace("---\n", "---\nslug: moved\n", 1))
    build(site)
    assert 'href="../../posts/moved/"' in output(site)["posts/a/index.html"].decode()
    path.unlink()
    build(site)
    assert "moved" not in output(site)["posts/a/index.html"].decode()
    assert is_as_from_nothing(site)


def test_a_draft_goes_and_comes_back(site: Site) -> None:
    """Also as the very file it was before."""
    path = site.root / "posts/2026-10-12-글-12.md"
    public = path.read_text()
    before = output(site)
    path.write_text(public.replace("---\n", "---\ndraft: true\n", 1))
    build(site)
    assert "posts/글-12/index.html" not in output(site)
    path.write_text(public)
    build(site)
    assert output(site) == before


def test_time_alone_brings_posts_and_takes_them(site: Site) -> None:
    """A scheduled one appears, another expires, links to them follow."""
    site.post("b.md", "---\ndate: 2026-11-01\n---\n\n[a](a.md) [c](c.md)\n")
    site.post("a.md", "---\ndate: 2026-11-25\n---\n\n곧\n")
    site.post("c.md", "---\ndate: 2026-10-02\nexpires: 2026-11-25\n---\n\n잠깐\n")
    build(site)
    page = output(site)["posts/b/index.html"].decode()
    assert ("posts/a/" in page, "posts/c/" in page) == (False, True)
    later = "2026-11-26T12:00:00+09:00"
    build(site, later)
    page = output(site)["posts/b/index.html"].decode()
    assert (page.count("posts/a/"), "posts/c/" in page) == (
        2,
        False,
    )  # and as a neighbour
    assert "posts/c/index.html" not in output(site)
    assert is_as_from_nothing(site, later)


def test_a_file_of_the_output_that_is_gone_is_made_again(site: Site) -> None:
    """Alone, although nothing of it changed."""
    before = output(site)
    (site.root / "public/posts/글-12/index.html").unlink()
    (site.root / "public/atom.xml").write_bytes(b"torn")
    assert build(site)["written"] == 2
    assert output(site) == before


def test_what_a_check_has_rendered_is_still_news_to_a_build(site: Site) -> None:
    """The ledger learns the new content, by which it knows a renamed file."""
    path = site.root / "posts/2026-10-12-글-12.md"
    path.write_text(path.read_text() + "\n더.\n")
    site.run("check")
    build(site)
    with closing(sqlite3.connect(site.root / "state/postroom.db")) as ledger:
        query = "SELECT digest FROM publication WHERE path = ?"
        found = ledger.execute(query, (path.name,)).fetchone()
    assert found == (hashlib.sha256(path.read_bytes()).hexdigest(),)
    assert is_as_from_nothing(site)


@pytest.mark.parametrize("lost", [False, True])
def test_text_is_there_compressed_where_a_site_asks_for_it(
    site: Site, *, lost: bool
) -> None:
    """Each form is that of the file as it is now, or gone; small files have none."""
    site.environ["POSTROOM_OUTPUT__PRECOMPRESS"] = "true"
    site.post("2026-11-02-b.md", "---\ntitle: 짧은 글\n---\n\n![점](a.svg)\n")
    site.post("a.svg", "<svg/>")
    build(site)
    path = site.root / "posts/2026-10-12-글-12.md"
    path.write_text(path.read_text() + "\n더.\n")
    written = build(site)["written"]
    assert written % 3 == 0
    files = output(site)
    for name in ("index.html", "atom.xml", "posts/글-12/index.html", "feeds.opml"):
        assert gzip.decompress(files[f"{name}.gz"]) == files[name]
        assert brotli.decompress(files[f"{name}.br"]) == files[name]
    assert "media/a.svg.gz" not in files
    (site.root / "public/atom.xml.br").unlink()
    assert build(site)["written"] == 1
    assert is_as_from_nothing(site)
    site.environ.clear()
    if lost:
        (site.root / "state/build.json").unlink()
    build(site)
    assert not [name for name in output(site) if name.endswith((".gz", ".br"))]


def test_a_damaged_cache_costs_time_and_nothing_else(site: Site) -> None:
    """Found when it is opened, or when a card of it is read."""
    before = output(site)
    cache = site.root / "state/rendered.db"
    path = site.root / "posts/2026-10-12-글-12.md"
    for spoil in (
        lambda: cache.write_bytes(b"x" * 5000),
        lambda: _execute(cache, "UPDATE card SET card = '[1]'"),
        lambda: _execute(cache, "DELETE FROM body"),
    ):
        path.write_text(path.read_text().rstrip() + "\n\n더.\n")
        spoil()
        build(site)
        assert is_as_from_nothing(site)
    assert output(site).keys() == before.keys()


def test_a_cache_found_damaged_by_a_letter_is_made_anew(site: Site) -> None:
    """The run ends with a word, the next one sends."""
    site.publish(NOW)
    site.subscribe("a@reader.example", "--cadence", "daily")
    site.essay("2026-11-24", "새 글")
    build(site)
    _execute(site.root / "state/rendered.db", "UPDATE card SET card = '[1]'")
    told = site.run("publish", "--now", "2026-11-25T09:00:00+09:00", code=75)
    assert "run it once more" in told.err
    site.publish("2026-11-25T09:00:00+09:00")
    assert [message["To"] for message in site.outbox()] == ["a@reader.example"]


def _execute(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()

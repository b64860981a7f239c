"""`postroom import`, through the command line: what comes in goes out in our own feeds."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import pytest

from tests.stage import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = Path(__file__).parents[1] / "importing" / "files"
NOW = "2026-11-24T12:00:00+09:00"
OLD_SITE = "https://old.example"
WHOLE = [
    "rss20.xml", "rss10.rdf", "atom10.xml", "atom03.xml", "podcast.xml", "media.xml",
    "jsonfeed11.json", "jsonfeed10.json", "wordpress.xml", "ghost.json", "substack", "html",
    "cp949.xml", "cp949-says-utf8.xml", "utf16.xml", "twice.xml", "damaged.xml",
    "truncated.xml", "truncated.json", "rss091.xml", "empty.xml",
]  # fmt: skip
FAULTY = {"ghost.json", "damaged.xml", "truncated.xml", "truncated.json"}
ENCLOSURE = re.compile(
    r'^  - url: "([^"]+)"\n    (?:type|length|duration): (?!text/vtt)', re.MULTILINE
)
SCRIPT = re.compile("<script.*?</script>", re.DOTALL)
TAG = re.compile(r"<[^<>]*>")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site without posts."""
    return make_site(tmp_path / "site")


def rows(
    site: Site, name: str, *words: str, code: int | None = 0
) -> list[dict[str, Any]]:
    """Import a file of the set; what each entry became."""
    return site.run("import", "--json", str(FILES / name), *words, code=code).rows


def entries(site: Site) -> dict[str, Any]:
    """The entries of our Atom feed, as a reader has them, by id."""
    parsed = feedparser.parse((site.root / "public" / "atom.xml").read_bytes())
    assert not parsed.bozo
    return {entry.id: entry for entry in parsed.entries}


def words(html: str) -> str:
    """Visible text without blanks."""
    return "".join(unescape(TAG.sub("", html)).split())


@pytest.fixture(scope="module")
def journey(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Site, dict[str, list[dict[str, Any]]]]:
    """A site into which every file was imported, one after the other, and built once."""
    site = make_site(
        tmp_path_factory.mktemp("journey") / "site", "[feeds]\nlimit = 100\n"
    )
    done = {
        name: rows(site, name, "--site", OLD_SITE, code=1 if name in FAULTY else 0)
        for name in WHOLE
    }
    site.run("build", "--now", NOW)
    return site, done


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_imported_is_published_as_it_was(
    journey: tuple[Site, dict[str, list[dict[str, Any]]]], name: str
) -> None:
    """Every entry with a date is in our feed: its id, title, instant and tags.

    A damaged file names what is lost, and loses nothing else.
    """
    site, done = journey
    published = entries(site)
    written = [row for row in done[name] if row["state"] == "written"]
    dated = [
        row
        for row in written
        if row["date"] and not row["draft"] and not is_page(site, row)
    ]
    assert [row["id"] in published for row in dated if row["id"]] == [True] * sum(
        bool(row["id"]) for row in dated
    )
    for row in dated:
        entry = published[row["id"]] if row["id"] else by_title(published, row["title"])
        if row["title"]:
            assert unescape(entry.title) == row["title"]
        assert instant(entry.published) == instant(row["date"])
        body = (site.root / "posts" / row["path"]).read_text(encoding="utf-8")
        files = [item["href"] for item in entry.get("enclosures", [])]
        assert files == ENCLOSURE.findall(body)
        assert bool(re.search("^tags:", body, re.MULTILINE)) == bool(entry.get("tags"))


def test_nothing_else_is_published(
    journey: tuple[Site, dict[str, list[dict[str, Any]]]],
) -> None:
    """Drafts, paid posts and undated ones are in no feed."""
    site, done = journey
    written = [row for name in WHOLE for row in done[name] if row["state"] == "written"]
    dated = [
        row
        for row in written
        if row["date"] and not row["draft"] and not is_page(site, row)
    ]
    assert len(entries(site)) == len(dated)
    assert len(dated) > 20


def by_title(published: dict[str, Any], title: str) -> Any:
    """The entry of a title, where it had no id of its own."""
    return next(entry for entry in published.values() if unescape(entry.title) == title)


def is_page(site: Site, row: dict[str, Any]) -> bool:
    """Whether an imported file has no date, as WordPress's and Ghost's pages."""
    text = (site.root / "posts" / row["path"]).read_text(encoding="utf-8")
    return "\ndate: " not in text


def instant(text: str) -> Any:
    """A date as feeds write it; one without an offset is Seoul's."""
    from datetime import datetime  # noqa: PLC0415 - only here
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Asia/Seoul"))
    return moment.replace(microsecond=0)


def feed_texts(path: Path) -> Iterator[str]:
    """The text of each entry, as feedparser reads an old feed."""
    for entry in feedparser.parse(path.read_bytes()).entries:
        summary = {"value": entry.get("summary", ""), "type": "text/html"}
        content = (entry.get("content") or [summary])[0]
        plain = content.get("type") == "text/plain"
        yield content["value"].replace("<", "&lt;") if plain else content["value"]


@pytest.mark.parametrize(
    "name",
    ["rss20.xml", "rss10.rdf", "atom03.xml", "atom10.xml", "podcast.xml", "twice.xml"],
)
def test_the_words_of_a_feed_come_out_as_another_reader_sees_them_go_in(
    journey: tuple[Site, dict[str, list[dict[str, Any]]]], name: str
) -> None:
    """Feedparser reads the old feed and ours: the same words."""
    site, done = journey
    published = entries(site)
    ids = {row["id"] for row in done[name]}
    titles = {row["title"] for row in done[name] if not row["id"]}
    ours = sorted(
        words(entry.content[0].value)
        for own, entry in published.items()
        if own in ids or unescape(entry.title) in titles
    )
    assert ours == sorted(
        {words(SCRIPT.sub("", text)) for text in feed_texts(FILES / name)}
    )


def test_a_second_import_writes_nothing(site: Site) -> None:
    """What is there is named, and keeps every octet."""
    rows(site, "wordpress.xml")
    post = site.root / "posts" / "about.md"
    post.write_text(post.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (site.root / "posts").iterdir()
    }
    again = rows(site, "wordpress.xml")
    assert {row["state"] for row in again} == {"there"}
    after = {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in (site.root / "posts").iterdir()
    }
    assert before == after
    assert rows(site, "wordpress.xml", "--overwrite")[0]["state"] == "rewritten"
    assert "More." not in post.read_text(encoding="utf-8")


def test_a_post_of_the_same_name_is_not_touched(site: Site) -> None:
    """Another post's file and address stay its own."""
    mine = site.post(
        "2024-03-05-river-morning.md",
        "---\ntitle: Mine\nid: https://mine.example/1\n---\n\nMine.\n",
    )
    done = rows(site, "rss20.xml")
    assert mine.read_text(encoding="utf-8").endswith("Mine.\n")
    assert "2024-03-05-river-morning-2.md" in {row["path"] for row in done}


def test_a_dry_run_writes_nothing(site: Site) -> None:
    """It lists what would be written."""
    ran = site.run("import", "--dry-run", str(FILES / "rss20.xml"))
    assert "2024-03-05-river-morning.md" in ran.out
    assert not list((site.root / "posts").iterdir())


def test_nothing_imported_is_mailed(site: Site) -> None:
    """Not even what is new today, and not by `publish --yes`; --mail leaves that out."""
    site.essay("2026-10-01", "옛글")
    site.subscribe("minji@reader.example", "--cadence", "immediate")
    site.publish("2026-11-20T08:00:00+09:00")
    fresh = site.root / "fresh.xml"
    item = "<item><title>{0}</title><guid>https://f.example/{0}</guid><pubDate>Mon, 23 Nov 2026 00:00:00 GMT</pubDate><description>words</description></item>"
    fresh.write_text(
        f"<rss><channel>{item.format('one')}</channel></rss>", encoding="utf-8"
    )
    site.run("import", str(fresh))
    site.publish(NOW, "--yes")
    assert not site.outbox()
    fresh.write_text(
        f"<rss><channel>{item.format('two')}</channel></rss>", encoding="utf-8"
    )
    site.run("import", "--mail", str(fresh))
    site.publish("2026-11-24T13:00:00+09:00", "--yes")
    assert len(site.outbox()) == 1


def test_since_takes_the_newer_ones(site: Site) -> None:
    """By the instant, in the site's zone."""
    done = rows(site, "rss20.xml", "--since", "2024-03-05")
    assert [row["state"] for row in done] == ["written", "written", "older"]


def test_another_folder(site: Site, tmp_path: Path) -> None:
    """--to names it; it is made."""
    site.run("import", "--to", str(tmp_path / "elsewhere"), str(FILES / "rss20.xml"))
    assert len(list((tmp_path / "elsewhere").glob("*.md"))) == 3


def test_what_is_no_export_is_said(site: Site) -> None:
    """Usage ends with 2, a file of another kind with 1, both in one line."""
    assert "no such file" in site.run("import", "missing.xml", code=2).err
    assert (
        "--since"
        in site.run("import", "--since", "soon", str(FILES / "rss20.xml"), code=2).err
    )
    assert (
        "--site"
        in site.run("import", "--site", "old", str(FILES / "ghost.json"), code=2).err
    )
    assert (
        "neither XML, JSON nor a zip"
        in site.run("import", str(site.root / "postroom.toml"), code=1).err
    )


def test_faults_name_their_place(site: Site) -> None:
    """path:line: title and what is wrong; the others are imported; exit code 1."""
    ran = site.run("import", str(FILES / "damaged.xml"), code=1)
    assert "damaged.xml:5:1: `Broken inside`: damaged XML" in ran.err
    assert "3 written, 2 with a fault" in ran.out


def test_our_own_feeds_can_be_imported(site: Site, tmp_path: Path) -> None:
    """Ids, titles and words of all three formats survive the way round."""
    rows(site, "atom10.xml")
    site.run("build", "--now", NOW)
    original = entries(site)
    for name in ("atom.xml", "rss.xml", "feed.json"):
        other = make_site(tmp_path / name)
        other.run("import", str(site.root / "public" / name))
        other.run("build", "--now", NOW)
        assert json.dumps(
            {
                own: (entry.title, words(entry.content[0].value))
                for own, entry in entries(other).items()
            },
            sort_keys=True,
        ) == json.dumps(
            {
                own: (entry.title, words(entry.content[0].value))
                for own, entry in original.items()
            },
            sort_keys=True,
        )

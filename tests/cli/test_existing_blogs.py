"""A blog that exists keeps its pages: feeds and letters lead to where its posts are read."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import feedparser
import pytest

from tests.stage import Site
from tests.starting.scene import BLOGS, HUGO, JEKYLL, make_blog, post

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-11-24T12:00:00+09:00"
PAGES = {"index.html", "404.html", "sitemap.xml", "robots.txt"}
CONFIG = """
[site]
title = "느린 우편함"
url = "https://b.example/"
language = "ko"
timezone = "Asia/Seoul"
pages = false
media = {media}
[posts]
permalink = "{permalink}"
[digest]
max_age = "900d"
[mail]
from = "느린 우편함 <letters@b.example>"
"""


def started(root: Path, *words: str, home: str = "") -> Site:
    """Read a blog's settings and return the site that they make."""
    site = Site(root)
    site.run("init", "--from", *words)
    return Site(root / home)


def away(
    root: Path,
    permalink: str = "https://b.example/{year}/{slug}/",
    *,
    media: bool = False,
) -> Site:
    """A site whose pages another program makes."""
    config = CONFIG.format(permalink=permalink, media=str(media).lower())
    return Site(make_blog(root, {"postroom.toml": config, "posts/.keep": ""}))


def links(feed: Path) -> dict[str, str]:
    """Title → address of the entries of a feed."""
    parsed = feedparser.parse(feed.read_bytes())
    assert not parsed.bozo
    return {entry.title: entry.link for entry in parsed.entries}


def content(feed: Path, title: str) -> str:
    """The HTML of one entry."""
    parsed = feedparser.parse(
        feed.read_bytes(), resolve_relative_uris=False, sanitize_html=False
    )
    return next(str(e.content[0].value) for e in parsed.entries if e.title == title)


def test_a_hugo_blog_gets_feeds_with_its_own_addresses(tmp_path: Path) -> None:
    """Into static/, in all three formats, and not one page."""
    site = started(make_blog(tmp_path, HUGO))
    site.run("build", "--now", NOW)
    static = tmp_path / "static"
    base = "https://garden.example/notes/2024"
    assert links(static / "atom.xml") == {
        "첫눈": f"{base}/03/%EC%B2%AB%EB%88%88/",
        "비": f"{base}/04/%EB%B9%84/",
    }
    assert links(static / "rss.xml") == links(static / "atom.xml")
    made = {path.name for path in static.rglob("*") if path.is_file()}
    assert not made & PAGES
    assert not (tmp_path / "public").exists()


def test_a_jekyll_blog_keeps_its_categories_and_the_ledger_at_home(
    tmp_path: Path,
) -> None:
    """Addresses as Jekyll gives them; what is private is not published with the blog."""
    site = started(make_blog(tmp_path, JEKYLL), home="_postroom")
    site.run("build", "--now", NOW)
    base = "https://kitchen.example/diary"
    assert links(site.root / "feeds/atom.xml") == {
        "첫 국": f"{base}/soup/winter/2024/03/05/first-soup/",
        "봄나물": f"{base}/2024/04/06/Spring-Herbs/",
    }
    outside = [p for p in tmp_path.rglob("*.db") if "_postroom" not in p.parts]
    assert outside == []


@pytest.mark.parametrize("kind", list(BLOGS))
def test_every_kind_of_blog_is_built(tmp_path: Path, kind: str) -> None:
    """At once after `init`; a second build has nothing to do."""
    homes = {"jekyll": "_postroom", "obsidian": ".postroom"}
    root = make_blog(tmp_path, BLOGS[kind])
    site = started(root, "--url", "https://b.example/", home=homes.get(kind, ""))
    counts = site.run("build", "--json", "--now", NOW).json
    assert counts["posts"]["published"] >= (kind != "obsidian")
    again = site.run("build", "--json", "--now", NOW).json
    assert again["files"]["written"] == 0
    assert again["files"]["unchanged"] == counts["files"]["written"]
    site.run("check")


def test_links_between_posts_lead_to_their_addresses(tmp_path: Path) -> None:
    """By source, by name and with a heading; the rest as a browser would from the page."""
    site = away(tmp_path)
    site.post("a.md", post("가", "2024-01-02"))
    body = (
        "\n[가](a.md) [뜻](a.md#뜻) [[a]] [옆](../b/) [위](/about/) ![](x.png) ![](/img/y.png)"
        "\n\n[아래](#아래)\n\n## 아래\n\n끝[^1].\n\n[^1]: 주\n"
    )
    site.post("b.md", post("나", "2024-01-03") + body)
    site.post("x.png", "not shown here, but where the page is")
    site.run("build", "--now", NOW)
    html = content(site.root / "public/atom.xml", "나")
    for leads in (
        'href="https://b.example/2024/a/"',
        'href="https://b.example/2024/a/#%EB%9C%BB"',
        'href="https://b.example/2024/b/"',
        'href="https://b.example/about/"',
        'src="https://b.example/2024/b/x.png"',
        'src="https://b.example/img/y.png"',
        'href="https://b.example/2024/b/#%EC%95%84%EB%9E%98"',
    ):
        assert leads in html, leads
    assert not (site.root / "public/media").exists()


def test_pictures_beside_posts_can_be_copied(tmp_path: Path) -> None:
    """For programs that give them names of their own."""
    site = away(tmp_path, media=True)
    site.post("x.png", "a picture")
    site.post("b.md", post("나", "2024-01-03") + "\n![](x.png)\n")
    site.run("build", "--now", NOW)
    html = content(site.root / "public/atom.xml", "나")
    assert 'src="https://b.example/media/x.png"' in html
    assert (site.root / "public/media/x.png").read_text() == "a picture"


def test_an_address_of_the_front_matter_wins_and_moves(tmp_path: Path) -> None:
    """Feeds and the links of other posts follow when it is changed."""
    site = away(tmp_path)
    own = "---\ntitle: 가\ndate: 2024-01-02\npermalink: /{}/x/\n---\n글\n"
    site.post("a.md", own.format("old"))
    site.post("b.md", post("나", "2024-01-03") + "\n[가](a.md)\n")
    site.run("build", "--now", NOW)
    feed = site.root / "public/atom.xml"
    assert links(feed)["가"] == "https://b.example/old/x/"
    site.post("a.md", own.format("new"))
    site.run("build", "--now", NOW)
    assert links(feed)["가"] == "https://b.example/new/x/"
    assert 'href="https://b.example/new/x/"' in content(feed, "나")


def test_letters_lead_to_the_same_addresses(tmp_path: Path) -> None:
    """In HTML and in text; the pages may be on another host than the feeds."""
    site = away(tmp_path, "https://pages.example/{path:hugo_path}/")
    site.subscribe("minji@reader.example", "--cadence", "immediate")
    site.post("dir/My Post.md", post("편지", "2026-11-20"))
    site.publish(NOW, "--yes")
    (message,) = site.outbox()
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert "https://pages.example/dir/my-post/" in part.get_content()
        assert "posts/my-post" not in part.get_content()


def test_two_posts_of_one_address_are_named(tmp_path: Path) -> None:
    """The program that makes the pages keeps one of them; both stay in the feeds."""
    site = away(tmp_path, "https://b.example/{stem}/")
    site.post("2024/same.md", post("하나", "2024-01-01"))
    site.post("2025/same.md", post("둘", "2025-01-01"))
    ran = site.run("check")
    assert (
        "2025/same.md: 2024/same.md is read at https://b.example/same/ too" in ran.out
    )
    site.run("build", "--now", NOW)
    assert len(links(site.root / "public/atom.xml")) == 2


def test_excluded_folders_hold_no_posts(tmp_path: Path) -> None:
    """Notes and templates beside the posts stay private, also behind a link."""
    config = CONFIG.format(permalink="https://b.example/{slug}/", media="true")
    config = config.replace("[digest]", 'exclude = ["Private"]\n[digest]')
    site = Site(make_blog(tmp_path, {"postroom.toml": config}))
    site.post("Private/secret.md", post("비밀", "2024-01-01"))
    site.post(
        "a.md", post("가", "2024-01-02") + "\n[[secret]] [비밀](Private/secret.md)\n"
    )
    site.run("build", "--now", NOW)
    assert list(links(site.root / "public/atom.xml")) == ["가"]
    assert not (site.root / "public/media").exists()


CORPORA = [
    (
        "en-jekyll/docs",
        "jekyll",
        "_postroom",
        "feeds",
        "https://b.example/release/2025/",
    ),
    ("ko-jekyllrb", "jekyll", "_postroom", "feeds", "https://b.example/release/20"),
    ("ko-pytorch-kr", "jekyll", "_postroom", "feeds", "https://b.example/"),
    ("en-rust-toml", "hugo", "", "static", "https://b.example/"),
    ("en-18f", "hugo", "", "static", "https://b.example/posts/"),
]


@pytest.mark.parametrize("case", CORPORA)
def test_real_blogs_are_built(
    tmp_path: Path, corpora: Path, case: tuple[str, str, str, str, str]
) -> None:
    """Faulty posts are named, all others are in the feeds at their own addresses."""
    name, kind, home, output, begins = case
    shutil.copytree(corpora / name, tmp_path / "blog", copy_function=shutil.copyfile)
    root = tmp_path / "blog"
    Site(root).run("init", "--from", kind, "--url", "https://b.example/")
    site = Site(root / home)
    site.run("check", code=None)
    report = site.run("build", "--json", code=None).json
    assert report["posts"]["published"] > 15
    found = links(site.root / output / "atom.xml")
    assert any(link.startswith(begins) for link in found.values())
    assert all("/posts/posts/" not in link for link in found.values())


def test_a_real_vault_publishes_only_what_is_named(
    tmp_path: Path, corpora: Path
) -> None:
    """Without a folder of posts nothing is written."""
    root = tmp_path / "vault"
    shutil.copytree(
        corpora / "odd-obsidian-kepano", root, copy_function=shutil.copyfile
    )
    ran = Site(root).run("init", "--from", "obsidian", code=2)
    assert "--posts FOLDER" in ran.err
    assert not (root / ".postroom").exists()
    Site(root).run("init", "--from", "obsidian", "--posts", "Notes")
    site = Site(root / ".postroom")
    site.run("check", code=None)
    site.run("build", code=None)
    texts = "".join(
        p.read_text(encoding="utf-8") for p in (site.root / "public").rglob("*.html")
    )
    assert "Daily/" not in texts

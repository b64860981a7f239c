"""`build`: one bad post stops nothing, what vanishes is taken away, bytes are stable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import feedparser

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.stage import Site

NOW = "2026-11-24T12:00:00+09:00"


def outputs(site: Site) -> dict[str, bytes]:
    """Every file of the output folder."""
    public = site.root / "public"
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
    }


def test_a_faulty_post_is_named_with_its_place_and_the_rest_is_published(
    site: Site,
) -> None:
    """`path:line:column: what, how to mend it`, exit 1; again in every run until mended."""
    site.essay("2026-11-01", "좋은 글")
    site.post("bad.md", "---\ndate: 2026-11-02\nauthor: @me\n---\nText.\n")
    for _ in range(2):
        ran = site.run("build", "--json", "--now", NOW, code=1)
        assert ran.err.startswith("bad.md:3:9: ")
        problem = ran.json["posts"]["problems"][0]
        assert (problem["path"], problem["line"]) == ("bad.md", 3)
        assert ran.json["posts"]["published"] == 1
    site.post("bad.md", '---\ndate: 2026-11-02\nauthor: "@me"\n---\nText.\n')
    assert site.run("build", "--json", "--now", NOW).json["posts"]["published"] == 2


def test_words_of_drafts_and_dates_are_obeyed(site: Site) -> None:
    """Drafts, scheduled, expired and undated posts, and a scheduled one whose time came."""
    site.essay("2026-11-01", "공개")
    site.post("draft.md", "---\ndate: 2026-11-02\ndraft: true\n---\nx\n")
    site.post("off.md", "---\ndate: 2026-11-02\npublished: false\n---\nx\n")
    site.post("old.md", "---\ndate: 2026-01-02\nexpiryDate: 2026-11-20\n---\nx\n")
    site.post("about.md", "---\ntitle: 소개\n---\n쪽이다.\n")
    site.essay("2026-12-24", "예약")
    counts = site.run("build", "--json", "--now", NOW).json["posts"]
    assert (
        counts["published"],
        counts["drafts"],
        counts["scheduled"],
        counts["pages"],
    ) == ((1, 2, 1, 1))
    assert (site.root / "public/about/index.html").exists()
    feed = (site.root / "public/atom.xml").read_text(encoding="utf-8")
    assert "소개" not in feed
    assert "예약" not in feed
    assert "about.md: has no date" in site.run("check").out
    later = site.run("build", "--json", "--now", "2026-12-25T00:00:00+09:00").json[
        "posts"
    ]
    assert (later["published"], later["scheduled"]) == (2, 0)


def test_what_is_no_longer_public_is_taken_away(site: Site) -> None:
    """Also a picture that nothing shows any more; nothing of others is touched."""
    post = site.essay("2026-11-01", "글")
    (site.root / "posts/a.png").write_bytes(b"\x89PNG")
    post.write_text(
        post.read_text(encoding="utf-8") + "\n![그림](a.png)\n", encoding="utf-8"
    )
    site.run("build", "--now", NOW)
    (site.root / "public/CNAME").write_text("blog.example")
    assert (site.root / "public/media/a.png").exists()
    post.write_text(
        "---\ntitle: 글\ndate: 2026-11-01\ndraft: true\n---\nx\n", encoding="utf-8"
    )
    site.run("build", "--now", NOW)
    assert "posts/글/index.html" not in outputs(site)
    assert "media/a.png" not in outputs(site)
    assert "CNAME" in outputs(site)


def test_a_deleted_output_comes_back(site: Site) -> None:
    """Whoever empties the output folder gets all of it with the next run."""
    site.essay("2026-11-01", "글")
    site.run("build", "--now", NOW)
    before = outputs(site)
    (site.root / "public/atom.xml").unlink()
    (site.root / "public/index.html").write_bytes(b"")
    assert site.run("build", "--json", "--now", NOW).json["files"]["written"] == 2
    assert outputs(site) == before


def test_an_edit_that_keeps_size_and_time_is_seen(site: Site) -> None:
    """Two edits within one tick of the clock."""
    post = site.essay("2026-11-01", "글")
    site.run("build", "--now", NOW)
    text = post.read_text(encoding="utf-8")
    post.write_text(text.replace("둘째", "셋째"), encoding="utf-8")
    site.run("build", "--now", NOW)
    assert "셋째" in outputs(site)["posts/글/index.html"].decode()


def test_ids_stay(site: Site) -> None:
    """A new title, slug or file name is not a new post to any feed reader."""
    post = site.essay("2026-11-01", "글")
    site.run("build", "--now", NOW)
    first = feedparser.parse(str(site.root / "public/atom.xml")).entries[0]
    post.rename(post.with_name("2026-11-01-다른-이름.md"))
    site.run("build", "--now", NOW)
    moved = feedparser.parse(str(site.root / "public/atom.xml")).entries[0]
    assert first.id == moved.id
    assert first.id.startswith("tag:blog.example,2026-")
    assert first.link != moved.link


def test_bytes_do_not_depend_on_the_machine(site: Site, tmp_path: Path) -> None:
    """Hash seed, time zone, locale, day of the build and place of the folder."""
    site.essay("2026-11-01", "글", "생각", "연구")
    site.essay("2026-11-03", "Hello", "b", "a")
    seen = []
    for number, (seed, zone, locale, now) in enumerate(
        [
            ("0", "UTC", "C", NOW),
            ("1", "America/New_York", "ko_KR.UTF-8", NOW),
            ("2", "Asia/Seoul", "C.UTF-8", "2027-03-01T00:00:00+00:00"),
        ]
    ):
        copy = type(site)(tmp_path / str(number), {
            "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale,
        })  # fmt: skip
        (copy.root / "posts").mkdir(parents=True)
        for path in [site.root / "postroom.toml", *site.root.glob("posts/*")]:
            (copy.root / path.relative_to(site.root)).write_bytes(path.read_bytes())
        copy.run("build", "--now", NOW)
        copy.run("build", "--now", now)
        seen.append(outputs(copy))
    assert seen[0] == seen[1] == seen[2]


def test_hostile_titles_change_no_page_and_no_feed(site: Site) -> None:
    """Markup, controls and bidi tricks are text or gone."""
    title = "<script>alert(1)</script>\\u202e\\u0000\\r\\nBcc: x"
    site.post(
        "2026-11-01-x.md", f'---\ntitle: "{title}"\n---\n\ntext <b onclick=x>y</b>\n'
    )
    ran = site.run("build", "--json", "--now", NOW, code=None)
    assert ran.code in {0, 1}
    for path, data in outputs(site).items():
        if path.endswith((".html", ".xml", ".json")):
            text = data.decode("utf-8")
            # The title of a JSON Feed item is plain text: there it is no markup.
            assert "<script" not in text or path == "feed.json", path
            assert "\u202e" not in text, path
            assert "onclick" not in text, path


def test_templates_can_be_overridden_file_by_file(site: Site) -> None:
    """A site's own template wins; a fault in it names file and line."""
    site.essay("2026-11-01", "글")
    own = site.root / "templates/site"
    own.mkdir(parents=True)
    (own / "404.html").write_text("<p>여기 없다</p>\n", encoding="utf-8")
    site.run("build", "--now", NOW)
    assert outputs(site)["404.html"].decode() == "<p>여기 없다</p>\n"
    (own / "404.html").write_text("<p>\n{{ nothing.at.all }}</p>\n", encoding="utf-8")
    broken = site.run("build", "--now", NOW, code=2)
    assert "templates/site/404.html:2" in broken.err


BLOGS = {
    "ko-pytorch-kr": "_posts",
    "ko-subicura": "_posts",
    "ko-jekyllrb": "_posts",
    "ko-johngrib-sample": ".",
    "ko-nushell-book": "ko",
    "en-18f": "content",
    "en-jekyll": ".",
    "en-nodejs": "apps",
    "en-nushell-blog": "blog",
    "en-rust-toml": "content",
    "ja-vim-jp": "_posts",
    "multi-opensource-guide": "_articles",
    "odd-derived": ".",
    "odd-gsa-blank-first": "content",
    "odd-obsidian-kepano": ".",
    "odd-synthetic": ".",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a blog."""
    if "blog" in metafunc.fixturenames:
        metafunc.parametrize("blog", BLOGS)


def test_real_blogs_build(site: Site, corpora: Path, blog: str) -> None:
    """No traceback, as many entries as public dated posts, and a rerun writes nothing."""
    text = (site.root / "postroom.toml").read_text(encoding="utf-8")
    folder = json.dumps(str(corpora / blog / BLOGS[blog]))
    (site.root / "postroom.toml").write_text(
        f"{text}\n[posts]\nfolder = {folder}\n", encoding="utf-8"
    )
    ran = site.run("build", "--json", "--now", NOW, code=None)
    assert ran.code in {0, 1}, ran.err
    counts = ran.json["posts"]
    expected = min(counts["published"], 50)
    for name in ("atom.xml", "rss.xml"):
        feed = feedparser.parse(str(site.root / "public" / name))
        assert not feed.bozo, feed.get("bozo_exception")
        assert len(feed.entries) == expected
    items = json.loads((site.root / "public/feed.json").read_text(encoding="utf-8"))[
        "items"
    ]
    assert len(items) == expected
    assert (
        site.run("build", "--json", "--now", NOW, code=None).json["files"]["written"]
        == 0
    )

"""A feed opened in a browser: its style sheet makes Atom and RSS readable, by CSS alone.

Chromium opens a page of our own that loads both feeds in frames, and measures what can
be seen of them. It heeds the processing instruction in `application/xml` only.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.site.chromium import measure, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = Path(__file__).parents[2] / "templates" / "site"
STYLE = TEMPLATES / "feed.css"
WIDTHS = (320, 1200)
TOKEN = re.compile(r"--([a-z-]+):\s*(#[0-9a-f]{6});")
HEAD = '<?xml version="1.0"?><?xml-stylesheet type="text/css" href="feed.css"?>'
LONG = "https://example.kr/posts/" + "%EA%B8%80" * 60 + "/"

ATOM = f"""{HEAD}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ko">
<id>tag:example.kr,2024:feed</id><title>느린 바퀴</title>
<updated>2024-11-02T09:30:00+09:00</updated><author><name>김바퀴</name></author>
<link href="https://example.kr/atom.xml" rel="self"/>
<link href="https://example.kr/" rel="alternate"/><subtitle>자전거 기록</subtitle>
<entry><id>tag:example.kr,2024:1</id><title>강을 따라</title>
<updated>2024-11-03T09:30:00+09:00</updated>
<content type="html">&lt;p&gt;{"끊을곳없는" * 80}&lt;/p&gt;</content>
<link href="{LONG}" rel="alternate"/>
<link href="https://example.kr/a.mp3" rel="enclosure" type="audio/mpeg" length="3"/>
<summary>{"끊을곳없는" * 80}</summary><category term="자전거"/>
<published>2024-11-02T09:30:00+09:00</published></entry></feed>"""

RSS = f"""{HEAD}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
xmlns:content="http://purl.org/rss/1.0/modules/content/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>느린 바퀴</title>
<link>https://example.kr/</link><description>자전거 기록</description>
<atom:link href="https://example.kr/rss.xml" rel="self"/><language>ko</language>
<item><title>강을 따라</title><link>{LONG}</link><description>{"끊을곳없는" * 80}</description>
<content:encoded>&lt;p&gt;전문&lt;/p&gt;</content:encoded><dc:creator>김바퀴</dc:creator>
<guid isPermaLink="false">tag:example.kr,2024:1</guid><category>자전거</category>
<pubDate>Sat, 02 Nov 2024 09:30:00 +0900</pubDate></item></channel></rss>"""

MEASURE = """<!DOCTYPE html><meta charset="utf-8"><title>busy</title><pre id="found"></pre>
<script>
const measure = (file, width, view) => {
  const root = view.document.documentElement;
  const box = element => element.getBoundingClientRect();
  const shown = [...root.querySelectorAll("*")].filter(e => box(e).height > 0);
  return {
    file, width, scroll: root.scrollWidth, inner: view.innerWidth,
    shown: shown.map(e => [box(e).top, e.localName]).sort((a, b) => a[0] - b[0]).map(e => e[1]),
    wide: shown.filter(e => box(e).right > width + 0.5).map(e => e.localName),
    about: view.getComputedStyle(root, "::before").content,
  };
};
const open = (file, width) => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = file; frame.style.border = "0";
  frame.onload = () => { done(measure(file, width, frame.contentWindow)); frame.remove(); };
  document.body.append(frame);
});
(async () => {
  const found = [];
  for (const file of ["atom.xml", "rss.xml"])
    for (const width of WIDTHS) found.push(await open(file, width));
  document.getElementById("found").textContent = JSON.stringify(found);
  document.title = "done";
})();
</script>"""


@pytest.fixture(scope="session")
def feeds_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Both feeds and the sheet, served on loopback as long as the tests run."""
    root = tmp_path_factory.mktemp("feeds")
    page = MEASURE.replace("<script>", f"<script>const WIDTHS = {list(WIDTHS)};", 1)
    for name, text in (("atom.xml", ATOM), ("rss.xml", RSS), ("measure.html", page)):
        (root / name).write_text(text, encoding="utf-8")
    shutil.copy(STYLE, root)
    with serving(root) as address:
        yield address


@pytest.fixture(scope="session")
def seen(feeds_address: str, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What the browser shows of each feed at each width."""
    profile = tmp_path_factory.mktemp("chromium")
    found = measure(f"{feeds_address}/measure.html", profile)
    assert len(found) == 2 * len(WIDTHS)
    return found


def test_a_feed_reads_from_its_title_to_its_last_entry(seen: list[Any]) -> None:
    """Whatever the order of the file: title, about, address; then day, title, summary."""
    for one in seen:
        atom = one["file"] == "atom.xml"
        names = [
            name for name in one["shown"] if name not in {"channel", "entry", "item"}
        ]
        assert names == (
            ["title", "subtitle", "link", "published", "title", "summary", "link"]
            if atom
            else [
                "title",
                "description",
                "link",
                "pubDate",
                "title",
                "description",
                "link",
            ]
        )


def test_a_feed_is_no_wider_than_the_window(seen: list[Any]) -> None:
    """Not at 320 px, with an address and a summary that have no place to break."""
    for one in seen:
        place = (one["file"], one["width"])
        assert one["inner"] == one["width"], place
        assert one["scroll"] <= one["width"], place
        assert one["wide"] == [], place


def test_a_feed_says_what_it_is(seen: list[Any]) -> None:
    """In Korean and English, to those who came by a link and expected a page."""
    for one in seen:
        assert "피드 리더에 넣으면" in one["about"]
        assert "This is a feed." in one["about"]


def test_the_sheet_asks_nothing_of_the_network() -> None:
    """No import, no picture, no font: what is shown is what the feed says."""
    text = STYLE.read_text(encoding="utf-8")
    assert re.findall(r"url\(|@import|@font-face", text) == []


def test_the_colours_are_those_of_the_pages() -> None:
    """Each is named as in style.css, and has the same value in both schemes."""
    pages = TOKEN.findall((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    feeds = TOKEN.findall(STYLE.read_text(encoding="utf-8"))
    assert len(feeds) == 14
    assert set(feeds) <= set(pages)
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLE.read_text(encoding="utf-8")))
    assert used == {name for name, _ in feeds}

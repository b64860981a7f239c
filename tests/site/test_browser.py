"""The pages in a real browser: nothing is wider than the window, from phone to desk.

Chromium opens a page of our own that loads each page of two sites in a frame of each
width, measures, and writes what it found into its own document; the tests skip where
there is no Chromium. All of it is served from 127.0.0.1.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.posts.post import Person
from postroom.site.info import FeedGroup
from tests.site.chromium import measure, serving
from tests.site.holdings import make_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import jinja2

    from postroom.posts.post import Post
    from postroom.site.info import OutputFile, SiteInfo

WIDTHS = (320, 360, 768, 1200)

TOKEN = "끊을곳없는" * 60 + "x" * 500
PAGES = (
    "blog/index.html",
    "blog/posts/river/index.html",
    "blog/posts/rain/index.html",
    "blog/follow/index.html",
    "blog/tags/index.html",
    "blog/archive/index.html",
    "blog/404.html",
    "endless/index.html",
    "endless/posts/p0/index.html",
    "endless/tags/index.html",
    "endless/archive/index.html",
    "endless/page/1/index.html",
    "endless/follow/index.html",
)

MEASURE = """<!DOCTYPE html><meta charset="utf-8"><title>busy</title><pre id="found"></pre>
<script>
const scrolls = element => {
  for (; element; element = element.parentElement)
    if (getComputedStyle(element).overflowX !== "visible") return true;
  return false;
};
const measure = (page, width, view) => {
  view.document.querySelectorAll("details").forEach(e => e.open = true);
  const all = [...view.document.body.querySelectorAll("*")];
  const name = element => element.tagName.toLowerCase() + "." + element.className;
  const box = element => element.getBoundingClientRect();
  const shown = all.filter(e => box(e).width > 1);
  return {
    page, width,
    inner: view.innerWidth,
    scroll: view.document.documentElement.scrollWidth,
    wide: shown.filter(e => !scrolls(e) && (box(e).right > width + 0.5 || box(e).left < -0.5))
      .map(name),
    tiny: shown.filter(e => parseFloat(view.getComputedStyle(e).fontSize) < 12 && e.tagName !== "SUP"
      && !e.closest("sup")).map(name),
    edges: shown.filter(e => e.matches(".column:not(.box), .row > .text")).map(e => Math.round(box(e).left)),
    small: shown.filter(e => e.matches(".address, .addresses a, .readers a, .formats a, summary, button, select"))
      .filter(e => box(e).height < 44 || box(e).width < 44).map(name),
    low: shown.filter(e => e.matches("nav a, .meta a, .more a, footer.site a, button, input, select"))
      .filter(e => box(e).height < 24).map(name),
    body: parseFloat(view.getComputedStyle(view.document.body).fontSize),
    ground: view.getComputedStyle(view.document.documentElement).backgroundColor,
  };
};
const open = (page, width) => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.width = width; frame.height = 900; frame.src = page; frame.style.border = "0";
  frame.onload = () => { done(measure(page, width, frame.contentWindow)); frame.remove(); };
  document.body.append(frame);
});
(async () => {
  const found = [];
  for (const page of PAGES) for (const width of WIDTHS) found.push(await open("/" + page, width));
  document.getElementById("found").textContent = JSON.stringify(found);
  document.title = "done";
})();
</script>"""


@pytest.fixture(scope="session")
def essays(
    environment: jinja2.Environment,
    korean_site: SiteInfo,
    korean_posts: list[Post],
    korean_pages: list[Post],
) -> list[OutputFile]:
    """The Korean essays."""
    return list(make_pages(korean_site, korean_posts, korean_pages, environment))


@pytest.fixture(scope="session")
def endless(
    environment: jinja2.Environment,
    english_site: SiteInfo,
    make_post: Callable[..., Post],
) -> list[OutputFile]:
    """A site on which everything is one endless word."""
    newest = datetime(2024, 9, 28, tzinfo=UTC)
    groups = tuple(
        FeedGroup(kind, f"{TOKEN}{n}", f"{kind}/{n}/")
        for kind, count in (("language", 2), ("author", 12), ("topic", 40))
        for n in range(count)
    )
    site = replace(english_site, feed_groups=groups, opml="feeds.opml")
    posts = [
        make_post(
            f"p{n}",
            title=TOKEN,
            excerpt=TOKEN,
            tags=(TOKEN, "b"),
            authors=(Person(name=TOKEN),),
            published=newest - timedelta(days=n),
            page_html=f"<p>{TOKEN}</p><h2>{TOKEN}</h2><ul><li><code>{TOKEN}</code></ul>"
            f"<pre><code>{TOKEN}</code></pre><blockquote><p>{TOKEN}</p></blockquote>"
            f"<table><tr><td>{TOKEN}</td><td>a b</td></tr></table>"
            f'<p><img src="x.png" width="4000" height="10" alt=""></p>',
        )
        for n in range(22)
    ]
    return list(make_pages(site, posts, [], environment))


@pytest.fixture(scope="session")
def sites(
    tmp_path_factory: pytest.TempPathFactory,
    essays: list[OutputFile],
    endless: list[OutputFile],
) -> Path:
    """Both sites on disk, and the page that measures them."""
    root = tmp_path_factory.mktemp("sites")
    for name, files in (("blog", essays), ("endless", endless)):
        for file in files:
            place = root / name / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.data)
    lists = f"const PAGES = {json.dumps(PAGES)}, WIDTHS = {json.dumps(WIDTHS)};"
    page = MEASURE.replace("<script>", f"<script>{lists}", 1)
    (root / "measure.html").write_text(page, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def address(sites: Path) -> Iterator[str]:
    """The sites, served on loopback as long as the tests run."""
    with serving(sites) as address:
        yield address


@pytest.fixture(scope="session")
def found(address: str, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What the browser measured: one entry per page and width."""
    profile = tmp_path_factory.mktemp("chromium")
    result = measure(f"{address}/measure.html", profile)
    assert len(result) == len(PAGES) * len(WIDTHS)
    return result


def test_no_page_scrolls_sideways(found: list[Any]) -> None:
    """Not at 320 px, and not with words of 800 letters: only code and tables scroll."""
    for one in found:
        place = (one["page"], one["width"])
        assert one["inner"] == one["width"], place
        assert one["scroll"] == one["inner"], place
        assert one["wide"] == [], place


def test_the_style_sheet_is_loaded(found: list[Any]) -> None:
    """The content security policy lets it through, at every depth."""
    assert {one["ground"] for one in found} <= {"rgb(252, 251, 248)", "rgb(23, 22, 20)"}


def test_text_is_never_tiny(found: list[Any]) -> None:
    """Body text of 17 px everywhere, nothing but footnote marks below 12 px."""
    assert {one["body"] for one in found} == {17}
    assert [(one["page"], one["tiny"]) for one in found if one["tiny"]] == []


def test_all_text_has_one_left_edge(found: list[Any]) -> None:
    """Header, posts, box and footer stand under each other, on any width."""
    for one in found:
        assert len(set(one["edges"])) == 1, (one["page"], one["width"], one["edges"])


def test_targets_are_large_enough(found: list[Any]) -> None:
    """24 px at least for what is tapped (WCAG 2.5.8)."""
    assert [(one["page"], one["low"]) for one in found if one["low"]] == []


def test_fields_and_readers_are_large_enough_for_a_thumb(found: list[Any]) -> None:
    """44 px for what the page on how to follow is there for (WCAG 2.5.5)."""
    assert [(one["page"], one["small"]) for one in found if one["small"]] == []

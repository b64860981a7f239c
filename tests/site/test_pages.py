"""The pages as a set: complete, linked, well-formed, escaped, and the same every time."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

import jinja2
import pytest
from lxml import html as lxml_html

from postroom.errors import TemplateError
from postroom.posts.post import Image
from postroom.site.theme import build_environment
from tests.site.holdings import make_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post
    from postroom.site.info import SiteInfo

    MakePost = Callable[..., Post]
    Build = Callable[..., dict[str, str]]

VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}  # fmt: skip
HOSTILE = "</title><script>alert(1)</script>\"'&<img src=x onerror=y>\u202egnp.exe"


def _pages(site: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in site.items() if path.endswith(".html")}


def _tree(text: str) -> Any:
    return lxml_html.document_fromstring(text)


def _hrefs(text: str) -> list[str]:
    return [str(found) for found in _tree(text).xpath("//@href | //@src")]


# -- the set ---------------------------------------------------------------------


def test_every_page_of_the_site_is_made(korean: dict[str, str]) -> None:
    """Index, posts, pages, topics, archive, follow, error, maps and assets."""
    assert {
        "index.html",
        "posts/river/index.html",
        "about/index.html",
        "tags/index.html",
        "tags/자전거/index.html",
        "archive/index.html",
        "follow/index.html",
        "404.html",
        "sitemap.xml",
        "robots.txt",
    } <= korean.keys()
    assets = sorted(path for path in korean if path.startswith("assets/"))
    assert [re.sub("[0-9a-f]{10}", "#", path) for path in assets] == [
        "assets/favicon-#.svg",
        "assets/style-#.css",
    ]


def test_every_internal_link_leads_somewhere(
    korean: dict[str, str],
    many: dict[str, str],
    korean_site: SiteInfo,
    english_site: SiteInfo,
) -> None:
    """To a page of the set, a feed, or a file of the author; and to an id that is there."""
    for site, info in ((korean, korean_site), (many, english_site)):
        folders = {posixpath.dirname(path) for path in site if path.startswith("tags/")}
        feeds = {file_name for _, file_name, _ in info.feeds}
        known = site.keys() | feeds | {"media/bridge.svg"}
        known |= {f"{folder}/{feed}" for folder in folders for feed in feeds}
        for path, text in _pages(site).items():
            for href in _hrefs(text):
                file = _file_of(href, path, info)
                assert file is None or file in known, (path, href)
                if href.startswith("#"):
                    assert unquote(href[1:]) in _tree(text).xpath("//@id"), (path, href)


def _file_of(href: str, path: str, site: SiteInfo) -> str | None:
    """The file of the output folder that a link leads to; None when it leaves the site."""
    target = urldefrag(urljoin(site.url + quote(path), href)).url
    if urlsplit(target).netloc != urlsplit(site.url).netloc:
        return None
    assert target.startswith(site.url), (path, href)
    file = unquote(target.removeprefix(site.url))
    return file + "index.html" if file == "" or file.endswith("/") else file


def test_links_in_pages_are_relative(
    korean: dict[str, str], korean_site: SiteInfo
) -> None:
    """The output may lie under any path: only canonical and og: name the site's address."""
    for path, text in _pages(korean).items():
        body = text.partition("<body>")[2]
        links = [href for href in _hrefs(body) if href.startswith(korean_site.url)]
        assert links == [], path


def test_the_error_page_works_at_any_depth(korean: dict[str, str]) -> None:
    """A server shows it for any address, so its links begin at the host."""
    hrefs = [href for href in _hrefs(korean["404.html"]) if not href.startswith("#")]
    assert all(href.startswith("/blog/") for href in hrefs)
    assert '<meta name="robots" content="noindex">' in korean["404.html"]


def test_canonical_addresses_are_absolute_and_encoded(korean: dict[str, str]) -> None:
    """A Hangul topic is percent-encoded where others read the address."""
    for path, text in _pages(korean).items():
        if path == "404.html":
            continue
        (canonical,) = _tree(text).xpath("//link[@rel='canonical']/@href")
        assert canonical.isascii()
        address = "https://example.kr/blog/" + path.removesuffix("index.html")
        assert unquote(canonical) == address
        assert f'<meta property="og:url" content="{canonical}">' in text


def test_every_page_names_the_feeds(korean: dict[str, str]) -> None:
    """One autodiscovery link per format, on every page."""
    for text in _pages(korean).values():
        links = _tree(text).xpath("//head/link[@rel='alternate']")
        assert [link.get("type") for link in links] == [
            "application/atom+xml",
            "application/rss+xml",
            "application/feed+json",
        ]
        assert links[0].get("title") == "느린 바퀴 (Atom)"


def test_the_sitemap_holds_what_can_be_read(korean: dict[str, str]) -> None:
    """Every page but the error page, and the day a post last changed."""
    assert "404" not in korean["sitemap.xml"]
    assert "<loc>https://example.kr/blog/</loc>" in korean["sitemap.xml"]
    assert (
        "<loc>https://example.kr/blog/posts/river/</loc><lastmod>2024-11-05</lastmod>"
        in korean["sitemap.xml"]
    )
    assert korean["sitemap.xml"].count("<url>") == len(_pages(korean)) - 1


def test_the_same_values_give_the_same_bytes(
    build: Build,
    korean: dict[str, str],
    korean_site: SiteInfo,
    korean_posts: list[Post],
    korean_pages: list[Post],
) -> None:
    """No clock and no chance: also from other templates in another environment."""
    assert build(korean_site, list(korean_posts), korean_pages) == korean


def test_an_empty_site_is_a_site(build: Build, english_site: SiteInfo) -> None:
    """Before the first post, and with one that is no post of a year."""
    site = build(english_site, [])
    for path in ("index.html", "tags/index.html", "archive/index.html"):
        assert "There are no posts yet." in site[path], path


# -- every page ------------------------------------------------------------------


class _Balance(HTMLParser):
    """Every element is closed, in order; ids are unique."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), tag
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_well_formed(korean: dict[str, str], many: dict[str, str]) -> None:
    """Nothing is left to a browser's guess, and lxml reads the same title."""
    for site in (korean, many):
        for path, text in _pages(site).items():
            parser = _Balance()
            parser.feed(text)
            parser.close()
            assert parser.open == [], path
            assert len(set(parser.ids)) == len(parser.ids), path
            assert text.startswith("<!DOCTYPE html>\n<html lang="), path
            assert len(_tree(text).xpath("//main")) == 1, path
            assert len(_tree(text).xpath("//h1")) == 1, path
            assert _tree(text).xpath("//title")[0].text, path


def test_pages_run_no_script_and_carry_no_style(
    korean: dict[str, str], many: dict[str, str]
) -> None:
    """They work under the strictest content security policy."""
    for site in (korean, many):
        for path, text in _pages(site).items():
            tree = _tree(text)
            assert tree.xpath("//script | //style | //@style") == [], path
            assert [name for name in tree.xpath("//@*/..") if _acts(name)] == [], path
            assert "default-src 'none'" in text, path


def _acts(element: Any) -> bool:
    return any(name.startswith("on") for name in element.attrib)


def test_the_policy_lets_the_form_reach_the_web_part_only(
    korean: dict[str, str], many: dict[str, str]
) -> None:
    """The origin of `link_url`, and none where there is no form."""
    assert "form-action https://letters.example.kr;" in korean["index.html"]
    assert "form-action 'none';" in many["index.html"].replace("&#39;", "'")


def test_hostile_text_is_text_everywhere(
    build: Build, english_site: SiteInfo, make_post: MakePost
) -> None:
    """Title, topic, excerpt, author, description: no value becomes markup."""
    post = make_post(
        "evil",
        title=HOSTILE,
        tags=(HOSTILE,),
        excerpt=HOSTILE,
        language='en"><script>',
        image=Image(url='https://x.test/"><script>', alt=HOSTILE),
        canonical_url='https://x.test/"><script>',
    )
    site = build(
        replace(english_site, title=HOSTILE, description=HOSTILE, author=HOSTILE),
        [post],
        [replace(post, path="e2", url_path="e2/", published=None, canonical_url="")],
    )
    for path, text in _pages(site).items():
        tree = _tree(text)
        assert tree.xpath("//script") == [], path
        assert tree.xpath("//img") == [], path
        assert "\u202e" not in tree.xpath("//title")[0].text, path
        parser = _Balance()
        parser.feed(text)
        assert parser.open == [], path
    assert _tree(site["posts/evil/index.html"]).xpath("//h1")[0].text == HOSTILE


def test_a_right_to_left_site_says_so(
    build: Build, english_site: SiteInfo, make_post: MakePost
) -> None:
    """Our words, which are English there, are marked as such inside it."""
    arabic = replace(english_site, language="ar", title="دفتر")
    text = build(arabic, [make_post("a", language="ar")])["index.html"]
    assert '<html lang="ar" dir="rtl">' in text
    assert '<nav class="menu" aria-label="Site" lang="en" dir="ltr">' in text


# -- a site's own templates ------------------------------------------------------


def test_a_site_overrides_file_by_file(
    environment: jinja2.Environment, english_site: SiteInfo, make_post: MakePost
) -> None:
    """A block of one template, and the style sheet, whose name changes with it."""
    assert environment.loader is not None
    own = jinja2.DictLoader(
        {
            "site/404.html": '{% extends "site/_base.html" %}'
            "{% block main %}<h1>Gone</h1>{% endblock %}",
            "site/style.css": "p { color: red }",
        }
    )
    layered = build_environment(jinja2.ChoiceLoader([own, environment.loader]))
    made = {
        file.path: file.data
        for file in make_pages(english_site, [make_post()], [], layered)
    }
    assert b"<h1>Gone</h1>" in made["404.html"]
    (style,) = [path for path in made if path.startswith("assets/style-")]
    assert made[style] == b"p { color: red }"
    assert style.encode() in made["index.html"]


def test_a_theme_without_a_style_sheet_is_an_error(english_site: SiteInfo) -> None:
    """It is named, as templates are."""
    empty = build_environment(jinja2.DictLoader({}))
    with pytest.raises(TemplateError, match=r"templates/site/style\.css"):
        list(make_pages(english_site, [], [], empty))


def test_the_index_stays_light(korean: dict[str, str]) -> None:
    """The page and its one style sheet, uncompressed: a slow phone shows it at once."""
    assert len(korean["index.html"].encode()) < 20_000
    (style,) = [path for path in korean if path.startswith("assets/style-")]
    assert len(korean[style].encode()) < 16_000

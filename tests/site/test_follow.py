"""The page on how to follow: every address to copy, every reader one link away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html as lxml_html

from postroom.site.follow import KINDS, SHOWN, Part, Section, build_follow
from postroom.site.info import FeedGroup
from postroom.site.words import ENGLISH, KOREAN, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.site.info import SiteInfo

    Build = Callable[..., dict[str, str]]

PAGE = "follow/index.html"
ATOM, RSS, JSON = (
    ("Atom", "atom.xml", "application/atom+xml"),
    ("RSS", "rss.xml", "application/rss+xml"),
    ("JSON Feed", "feed.json", "application/feed+json"),
)
GROUPS = (
    FeedGroup("topic", "자전거", "tags/자전거/"),
    FeedGroup("language", "한국어", "languages/ko/"),
    FeedGroup("author", "Robin Example", "authors/robin-example/"),
    FeedGroup("topic", "C++", "tags/c-plus-plus/"),
)
HOSTILE = "</summary><script>alert(1)</script>\"'{format}\u202e"


def _tree(text: str) -> Any:
    return lxml_html.document_fromstring(text)


def _sections(site: SiteInfo) -> tuple[Section, ...]:
    sections = build_follow(site, ENGLISH)["sections"]
    assert isinstance(sections, tuple)
    return sections


@pytest.fixture
def site(korean_site: SiteInfo) -> SiteInfo:
    """A Korean site under a sub-path, with feeds of its parts and a list of them."""
    return replace(korean_site, feed_groups=GROUPS, opml="feeds.opml")


@pytest.fixture
def page(build: Build, site: SiteInfo) -> Any:
    """Its page."""
    return _tree(build(site, [])[PAGE])


# -- the feeds of all posts ------------------------------------------------------


def test_each_format_has_a_field_to_copy_from(page: Any) -> None:
    """Read-only, labelled, and the whole address: what a reader must be given."""
    fields = page.xpath("//input[@readonly]")
    assert [field.get("value") for field in fields] == [
        "https://example.kr/blog/atom.xml",
        "https://example.kr/blog/rss.xml",
        "https://example.kr/blog/feed.json",
    ]
    labels = [page.xpath(f"//label[@for='{field.get('id')}']")[0] for field in fields]
    assert [label.text for label in labels] == ["Atom", "RSS", "JSON Feed"]


def test_each_format_is_a_plain_link_too(page: Any) -> None:
    """With its media type, and without a scheme that some program would have to know."""
    links = page.xpath("//ul[@class='addresses']//a")
    assert [(link.get("href"), link.get("type")) for link in links] == [
        ("../atom.xml", ATOM[2]),
        ("../rss.xml", RSS[2]),
        ("../feed.json", JSON[2]),
    ]
    assert [href for href in page.xpath("//@href") if href.startswith("feed:")] == []


def test_an_address_is_copied_in_ascii(english_site: SiteInfo) -> None:
    """A Hangul path is encoded: not every reader does that itself."""
    site = replace(english_site, url="https://notes.example/블로그/")
    addresses = build_follow(site, ENGLISH)["addresses"]
    assert isinstance(addresses, tuple)
    assert all(address.url.isascii() for address in addresses)
    assert unquote(addresses[0].url) == "https://notes.example/블로그/atom.xml"


# -- readers ---------------------------------------------------------------------


def test_a_reader_is_given_the_whole_address(page: Any) -> None:
    """Encoded once more, so that no part of it is taken for the reader's own."""
    links = {link.text: link.get("href") for link in page.xpath("//a[@rel='nofollow']")}
    assert links == {
        name: f"{form}https%3A%2F%2Fexample.kr%2Fblog%2Fatom.xml"
        for name, form in (
            ("Feedly", "https://feedly.com/i/subscription/feed%2F"),
            ("Inoreader", "https://www.inoreader.com/?add_feed="),
            ("NewsBlur", "https://www.newsblur.com/?url="),
            ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url="),
            ("Feedbin", "https://feedbin.com/?subscribe="),
        )
    }


def test_no_other_host_is_asked_before_a_link_is_followed(page: Any) -> None:
    """Readers are links, never pictures or scripts: the page tells nobody of a visit."""
    assert page.xpath("//img | //script | //iframe") == []
    hosts = {urlsplit(href).netloc for href in page.xpath("//link/@href")}
    assert hosts == {"", "example.kr"}


def test_readers_are_offered_what_all_of_them_read(english_site: SiteInfo) -> None:
    """The first XML format; none on a site that writes JSON Feed alone."""
    values = build_follow(replace(english_site, feeds=(JSON, RSS)), ENGLISH)
    assert isinstance(values["readers"], tuple)
    assert all(each.url.endswith("rss.xml") for each in values["readers"])
    assert build_follow(replace(english_site, feeds=(JSON,)), ENGLISH)["readers"] == ()


# -- parts of the posts ----------------------------------------------------------


def test_parts_stand_by_kind_in_the_order_they_came(page: Any, site: SiteInfo) -> None:
    """Languages, authors, topics: each under its name, each with its formats."""
    headings = [found.text for found in page.xpath("//h3")]
    assert headings == [KOREAN.by_language, KOREAN.by_author, KOREAN.by_topic]
    labels = [found.text for found in page.xpath("//ul[@class='parts']/li/bdi")]
    assert labels == ["한국어", "Robin Example", "자전거", "C++"]
    links = page.xpath("//ul[@class='parts']/li[last()]//a")
    assert [unquote(link.get("href")) for link in links][-3:] == [
        "../tags/c-plus-plus/atom.xml",
        "../tags/c-plus-plus/rss.xml",
        "../tags/c-plus-plus/feed.json",
    ]
    assert len(page.xpath("//ul[@class='parts']//a")) == len(GROUPS) * len(site.feeds)


def test_a_link_is_named_for_those_who_hear_it_alone(page: Any) -> None:
    """Forty times `Atom` says nothing; a name contains what is seen (WCAG 2.5.3)."""
    links = page.xpath("//ul[@class='parts']//a")
    names = [link.get("aria-label") for link in links]
    assert len(set(names)) == len(names)
    assert all(link.text in link.get("aria-label") for link in links)


def test_a_long_list_is_folded_up(build: Build, english_site: SiteInfo) -> None:
    """With its number on the fold; a short one is simply there."""
    many = tuple(FeedGroup("topic", f"t{n}", f"tags/t{n}/") for n in range(SHOWN + 1))
    folded = replace(english_site, feed_groups=(*many, *GROUPS[1:3]))
    page = _tree(build(folded, [])[PAGE])
    assert [one.text for one in page.xpath("//details/summary")] == ["Show all 13"]
    assert len(page.xpath("//details//li")) == SHOWN + 1
    assert len(page.xpath("//ul[@class='parts'][not(ancestor::details)]/li")) == 2
    short = build(replace(english_site, feed_groups=many[1:]), [])[PAGE]
    assert "<details>" not in short


def test_groups_may_be_plain_tuples(english_site: SiteInfo) -> None:
    """As feeds may; and are the same then."""
    rows: Any = tuple(tuple(group) for group in GROUPS)
    plain = replace(english_site, feed_groups=rows)
    assert _sections(plain) == _sections(replace(english_site, feed_groups=GROUPS))


def test_a_kind_that_nobody_knows_is_an_error(english_site: SiteInfo) -> None:
    """It would be a heading without a word."""
    site = replace(english_site, feed_groups=(FeedGroup("month", "May", "may/"),))
    with pytest.raises(ValueError, match="month"):
        build_follow(site, ENGLISH)


def test_without_a_format_no_part_is_listed(english_site: SiteInfo) -> None:
    """There would be nothing to follow."""
    site = replace(english_site, feeds=(), feed_groups=GROUPS)
    assert _sections(site) == ()


def test_hostile_labels_are_text(build: Build, english_site: SiteInfo) -> None:
    """A topic's name is a value, in the page and in the names of its links."""
    group = FeedGroup("topic", HOSTILE, "tags/evil/")
    site = replace(english_site, feed_groups=(group,))
    page = _tree(build(site, [])[PAGE])
    assert page.xpath("//script") == []
    assert page.xpath("//ul[@class='parts']/li/bdi")[0].text == HOSTILE
    (part,) = _sections(site)[0].parts
    assert isinstance(part, Part)
    assert part.links[0].name == f"{HOSTILE} Atom"


@pytest.mark.parametrize("language", WORDS)
def test_every_language_names_every_kind(language: str, site: SiteInfo) -> None:
    """In the order of the page, and with the number where a list is folded up."""
    groups = tuple(
        FeedGroup(kind, f"{n}", f"{kind}/{n}/") for kind in KINDS for n in range(20)
    )
    values = build_follow(replace(site, feed_groups=groups), WORDS[language])
    sections = values["sections"]
    assert isinstance(sections, tuple)
    assert [section.kind for section in sections] == list(KINDS)
    assert len({section.heading for section in sections}) == len(KINDS)
    for section in sections:
        assert "20" in section.fold


# -- the rest of the page --------------------------------------------------------


def test_the_list_of_all_feeds_is_a_file_to_take(
    page: Any, build: Build, site: SiteInfo
) -> None:
    """It is linked where there is one, relative to the page."""
    (link,) = page.xpath("//a[@href='../feeds.opml']")
    assert link.get("type") == "text/x-opml"
    assert "feeds.opml" not in build(replace(site, opml=""), [])[PAGE]


def test_mail_is_offered_where_one_can_sign_up(build: Build, site: SiteInfo) -> None:
    """The form comes first: most people know mail better than feeds."""
    text = build(site, [])[PAGE]
    assert text.index('class="signup"') < text.index('class="addresses"')
    assert 'class="signup"' not in build(replace(site, link_url=""), [])[PAGE]


def test_a_site_without_feeds_has_a_page_all_the_same(
    build: Build, english_site: SiteInfo
) -> None:
    """It says how to follow by mail, or only that one may."""
    page = _tree(build(replace(english_site, feeds=()), [])[PAGE])
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//input") == []


def test_names_of_readers_read_from_the_left_in_an_arabic_page(
    build: Build, english_site: SiteInfo
) -> None:
    """Names and addresses are not Arabic, whatever is around them."""
    site = replace(english_site, language="ar", feed_groups=GROUPS)
    page = _tree(build(site, [])[PAGE])
    assert {link.get("dir") for link in page.xpath("//a[@rel='nofollow']")} == {"ltr"}
    assert {each.get("dir") for each in page.xpath("//input")} == {"ltr"}


# -- autodiscovery ---------------------------------------------------------------


def test_a_topic_page_names_the_feeds_of_its_topic(many: dict[str, str]) -> None:
    """One link per format more than elsewhere, where topics have feeds."""
    page = _tree(many["tags/all/index.html"])
    links = page.xpath("//head/link[@rel='alternate']")
    assert [link.get("href") for link in links] == [
        "../../atom.xml",
        "../../rss.xml",
        "../../feed.json",
        "../../tags/all/atom.xml",
        "../../tags/all/rss.xml",
        "../../tags/all/feed.json",
    ]
    assert len({link.get("title") for link in links}) == 6


def test_other_pages_name_the_feeds_of_all_posts_alone(
    build: Build, site: SiteInfo
) -> None:
    """A browser offers what it finds: a choice of forty feeds is none."""
    page = _tree(build(site, [])[PAGE])
    assert len(page.xpath("//head/link[@rel='alternate']")) == len(site.feeds)


def test_the_style_sheet_of_feeds_lies_beside_them(
    build: Build, english_site: SiteInfo
) -> None:
    """Under a name that never changes, and only where there are feeds."""
    assert "pubDate" in build(english_site, [])["feed.css"]
    assert "feed.css" not in build(replace(english_site, feeds=()), [])

"""What readers find on index, topics, archive, posts and the sign-up form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lxml import html as lxml_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post
    from postroom.site.info import SiteInfo

    MakePost = Callable[..., Post]
    Build = Callable[..., dict[str, str]]


def _tree(text: str) -> Any:
    return lxml_html.document_fromstring(text)


# -- index and topics ------------------------------------------------------------


def test_the_index_shows_the_newest_posts_and_leads_to_the_rest(
    many: dict[str, str],
) -> None:
    """Ten and what does not fill a page; the other pages are numbered from the oldest."""
    listed = [
        re.findall(r'<h2><a href="[./]*posts/(p\d+)/"', many[path])
        for path in ("index.html", "page/1/index.html")
    ]
    assert [len(page) for page in listed] == [15, 10]
    assert sum(listed, []) == [f"p{n}" for n in range(25)]  # noqa: RUF017 - two lists
    assert "page/2/index.html" not in many
    assert '<a rel="next" href="page/1/">' in many["index.html"]
    assert '<a rel="prev" href="../../">' in many["page/1/index.html"]
    assert "<li>Page 1</li>" in many["page/1/index.html"]
    assert 'rel="next"' not in many["page/1/index.html"]


def test_a_new_post_leaves_old_pages_alone(
    build: Callable[..., dict[str, str]],
    english_site: SiteInfo,
    make_post: Callable[..., Post],
) -> None:
    """Only the first page of each list shows it, and its neighbour leads to it."""
    newest = datetime(2024, 11, 2, tzinfo=UTC)
    posts = [
        make_post(f"p{n}", published=newest - timedelta(days=n), tags=("all",))
        for n in range(45)
    ]
    before, after = build(english_site, posts[1:]), build(english_site, posts)
    changed = {path for path, text in after.items() if before.get(path) != text}
    assert changed == {
        "index.html",
        "tags/all/index.html",
        "tags/index.html",
        "archive/index.html",
        "sitemap.xml",
        "posts/p0/index.html",
        "posts/p1/index.html",
    }


def test_the_box_follows_the_third_post(korean: dict[str, str]) -> None:
    """Late enough to know what one would get, early enough to be seen."""
    order = re.findall(r'class="post row"|class="box column"', korean["index.html"])
    assert order.index('class="box column"') == 3
    assert len(order) == 9


def test_read_more_is_unambiguous_and_in_the_language_of_the_post(
    korean: dict[str, str],
) -> None:
    """Eight times the same two words: each link has a name of its own."""
    links = _tree(korean["index.html"]).xpath("//p[@class='more']/a[@aria-label]")
    labels = [link.get("aria-label") for link in links]
    assert labels[0] == "강을 따라 예순 킬로미터 더보기"
    assert "Read more: Notes on writing plainly" in labels
    assert len(set(labels)) == len(labels) == 8
    english = links[labels.index("Read more: Notes on writing plainly")]
    assert english.getparent().getparent().get("lang") == "en"


def test_the_menu_shows_where_one_is(many: dict[str, str]) -> None:
    """One entry is current on our pages, none on a post."""
    current = {
        path: re.findall(r'aria-current="true">(\w+)<', text)
        for path, text in many.items()
        if path.endswith(".html")
    }
    assert current["index.html"] == current["page/1/index.html"] == ["Posts"]
    assert current["tags/all/index.html"] == current["tags/index.html"] == ["Topics"]
    assert current["archive/index.html"] == ["Archive"]
    assert current["follow/index.html"] == ["Follow"]
    assert current["posts/p0/index.html"] == []


def test_spellings_of_a_topic_share_a_page(many: dict[str, str]) -> None:
    """`All` and `all`: one page, counted once, with feeds of its own."""
    assert "25 posts" in many["tags/all/index.html"]
    assert re.findall(r'class="count">(\d+)<', many["tags/index.html"]) == ["25"]
    assert '<a href="../../tags/all/atom.xml"' in many["tags/all/index.html"]
    assert "tags/all/page/1/index.html" in many


def test_the_archive_lists_every_title_by_year(korean: dict[str, str]) -> None:
    """Posts of a year under it, undated pages last."""
    headings = _tree(korean["archive/index.html"]).xpath("//main//h2/text()")
    assert headings == ["2024", "2023", "그 밖의 글"]
    titles = _tree(korean["archive/index.html"]).xpath("//li/a[@class='text']/text()")
    assert len(titles) == 9
    assert titles[-1] == "이 기록에 대하여"


# -- posts -----------------------------------------------------------------------


def test_a_post_knows_its_neighbours(korean: dict[str, str]) -> None:
    """Previous is the older one; the newest has no next."""
    rain = _tree(korean["posts/rain/index.html"])
    assert rain.xpath("//a[@rel='prev']/@href") == ["../../posts/kitchen-notes/"]
    assert rain.xpath("//a[@rel='next']/@href") == ["../../posts/river/"]
    assert 'rel="next"' not in korean["posts/river/index.html"]
    assert 'rel="prev"' not in korean["posts/winter-light/index.html"]


def test_a_post_shows_when_by_whom_and_about_what(korean: dict[str, str]) -> None:
    """Day, topics, other authors than the site's, and the day of a later change."""
    (meta,) = _tree(korean["posts/river/index.html"]).xpath("//div[@class='meta']")
    assert " ".join(meta.text_content().split()) == (
        "2024. 11. 2. 자전거 여행 글쓴이: 김바퀴, 이페달 고침 2024. 11. 5."
    )
    (plain,) = _tree(korean["posts/rain/index.html"]).xpath("//div[@class='meta']")
    assert " ".join(plain.text_content().split()) == "2024. 9. 16. 자전거"


def test_a_shared_post_carries_picture_and_excerpt(korean: dict[str, str]) -> None:
    """What a link preview shows."""
    text = korean["posts/river/index.html"]
    assert '<meta property="og:type" content="article">' in text
    assert 'content="https://example.kr/blog/media/bridge.svg"' in text
    assert '<meta name="description" content="바람이 센 날에는' in text


def test_a_post_published_elsewhere_points_there(
    build: Build, english_site: SiteInfo, make_post: MakePost
) -> None:
    """Its canonical address is the author's, and our sitemap does not claim it."""
    post = make_post("copy", canonical_url="https://first.test/가/")
    site = build(english_site, [post])
    assert (
        '<link rel="canonical" href="https://first.test/%EA%B0%80/">'
        in (site["posts/copy/index.html"])
    )
    assert "copy" not in site["sitemap.xml"]


def test_an_author_s_page_takes_the_place_of_ours(
    build: Build, english_site: SiteInfo, make_post: MakePost
) -> None:
    """A page written for `follow/` is the one that is shown, and shown once."""
    own = make_post("follow", published=None, page_html="<p>Write to me.</p>")
    site = build(english_site, [], [own])
    assert "Write to me." in site["follow/index.html"]
    assert site["sitemap.xml"].count("follow/") == 1


# -- sign-up ---------------------------------------------------------------------


def test_the_form_is_plain_html(korean: dict[str, str]) -> None:
    """Address, rhythm, language, and a field that only machines fill."""
    (form,) = _tree(korean["index.html"]).xpath("//form")
    assert form.get("action") == "https://letters.example.kr/subscribe"
    assert form.get("method") == "post"
    fields = {field.get("name"): field for field in form.xpath(".//*[@name]")}
    assert fields.keys() == {"email", "cadence", "language", "note"}
    assert fields["email"].get("type") == "email"
    assert fields["language"].get("value") == "ko"
    assert fields["note"].get("tabindex") == "-1"
    options = form.xpath(".//option")
    assert [option.text for option in options] == ["바로", "매일", "매주", "매월"]
    assert [o.get("value") for o in options if o.get("selected") is not None] == [
        "weekly"
    ]
    labels = set(form.xpath(".//label/@for"))
    assert labels == {fields[name].get("id") for name in ("email", "cadence", "note")}


def test_without_a_web_part_the_box_leads_to_the_feeds(many: dict[str, str]) -> None:
    """No form that nobody answers; on the follow page no box at all."""
    assert "<form" not in "".join(many.values())
    assert '<a href="../../follow/">How to follow' in many["posts/p0/index.html"]
    assert 'class="box' not in many["follow/index.html"]


def test_the_follow_page_shows_every_address_in_full(korean: dict[str, str]) -> None:
    """To be copied into a reader."""
    shown = _tree(korean["follow/index.html"]).xpath("//input[@readonly]/@value")
    assert shown == [
        f"https://example.kr/blog/{name}"
        for name in ("atom.xml", "rss.xml", "feed.json")
    ]
    assert "<form" in korean["follow/index.html"]

"""Each format in its own structure: what it says arrives in the post, or is named."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postroom.importing.fields import Choices
from postroom.importing.found import Kind
from postroom.importing.moments import local_moment, parse_moment
from postroom.posts.head import parse_head
from postroom.posts.post import Source
from tests.importing.conftest import RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.importing.conftest import Imported

    Take = Callable[..., Imported]


def test_rss_with_every_usual_module(take: Take) -> None:
    """Content, creators, categories, a guid that is no link, CDATA with its own end."""
    done = take("rss20.xml")
    text = done.text("2024-03-05-river-morning.md")
    assert 'title: "강가의 아침 & 안개"' in text
    assert "date: 2024-03-05 07:30:00 +0900" in text
    assert 'id: "https://walk.example/?p=12"' in text
    assert "tags: [아침 산책, rivers]" in text
    assert "summary: 강을 따라 걸은 어느 아침의 기록이다." in text
    assert 'image: "https://walk.example/fog.jpg"' in text
    assert "`a[i] ]]> 0`" in text
    assert "alert" not in text
    other = done.text("2024-03-03-no-guid.md")
    assert 'id: "https://walk.example/2024/03/no-guid/"' in other
    assert 'title: "No guid, \xa0an entity of HTML …"' in other
    assert "date: 2024-03-03 10:00:00 +0900" in other
    assert 'Bare & ampersand, and text with "quotes".' in other
    assert not done.problems


def test_rss_of_1999_has_no_dates(take: Take) -> None:
    """Its document type is passed over, its Latin letters are read, its items are pages."""
    done = take("rss091.xml")
    assert done.names == ["creme.md", "second.md"]
    assert "title: Crème brûlée" in done.text("creme.md")
    assert [len(outcome.notes) for outcome in done.outcomes] == [1, 1]


def test_rss_as_rdf(take: Take) -> None:
    """Items stand beside the channel; the address is the id."""
    done = take("rss10.rdf")
    text = done.text("2004-05-06-1.md")
    assert 'id: "http://rdf.example/1"' in text
    assert "tags: [자전거]" in text
    assert "> 인용한다." in text


def test_atom_with_bases_languages_and_text_kinds(take: Take) -> None:
    """xml:base of feed and entry, html, xhtml and text, a link post, an enclosure."""
    done = take("atom10.xml")
    one = done.text("2024-01-02-one.md")
    assert 'title: "기울인 제목 & 부호"' in one
    assert "updated: 2024-01-05 00:00:00 +0000" in one
    assert "lang" not in one
    assert "tags: [수필, 긴 이름]" in one
    assert 'authors: ["Kim & Sons"]' in one
    assert "[다음 글](https://atom.example/blog/2024/two.html)" in one
    assert "![그림](<https://atom.example/blog/pic/가 나.png>)" in one
    assert '```python\nx = {"a": 1}\n\nprint(x)  # {{ y }}\n```' in one
    two = done.text("2024-01-03-two.md")
    assert "title: A bold title" in two
    assert 'id: "urn:uuid:5f0a7c3e-1111-4222-8333-944455566677"' in two
    assert 'link: "https://elsewhere.example/thing"' in two
    assert "<figcaption>설명 <em>글</em></figcaption>" in two
    assert "lang: en" in two
    three = done.text("2024-01-01-plain-text.md")
    assert "First line\\\nsecond \\*line\\*\n\nNew \\<paragraph>." in three


def test_atom_of_2003(take: Take) -> None:
    """Its own names for dates, and content that was escaped."""
    text = take("atom03.xml").text("2003-12-13-1.md")
    assert "date: 2003-12-13 08:29:29 -0400" in text
    assert "Escaped **once**." in text


def test_a_podcast_keeps_what_players_ask(take: Take) -> None:
    """Sound, length, duration, number and season, transcript and chapters."""
    done = take("podcast.xml")
    text = done.text("2023-12-01-1화-시작.md")
    for line in (
        'url: "https://radio.example/1.mp3?x=1&y=2"', "length: 12345678", "duration: 3723",
        "episode: 1", "season: 2", "episode_type: full", "explicit: false", 'id: "urn:x-guid:radio-0001"',
        'url: "https://radio.example/1.vtt"', 'chapters: "https://radio.example/1.json"',
    ):  # fmt: skip
        assert line in text
    assert "length" not in done.text("2023-11-30-trailer.md")


@pytest.mark.parametrize(
    "name",
    [
        "podcast.xml",
        "media.xml",
        "rss20.xml",
        "atom10.xml",
        "jsonfeed11.json",
        "wordpress.xml",
        "substack",
    ],
)
def test_enclosures_episodes_and_link_posts_are_read_back(
    take: Take, name: str
) -> None:
    """Front matter says of them all that the old feed said."""
    done = take(name)
    for outcome in done.outcomes:
        data = (done.folder / outcome.path).read_bytes()
        head = parse_head(Source(path=outcome.path, data=data), RULES)
        assert head.enclosures == outcome.found.enclosures
        assert head.episode == outcome.found.episode
        assert head.link == outcome.found.link
        assert head.summary == "" or outcome.found.summary
        assert head.authors == outcome.found.authors


def test_media_files_and_a_player(take: Take) -> None:
    """A film is an enclosure, a still the picture, a frame a link to its page."""
    text = take("media.xml").text("2024-01-10-film.md")
    assert 'image: "https://pics.example/base/still.png"' in text
    assert 'url: "https://pics.example/base/film.mp4"' in text
    assert "<https://www.youtube.com/watch?v=abc123>" in text


def test_json_feed_of_both_versions(take: Take) -> None:
    """One author or many, text or HTML, a number as id, a byte order mark."""
    done = take("jsonfeed11.json")
    one = done.text("2024-02-03-1.md")
    assert 'title: "첫 글 & <b>"' in one
    assert "summary: 손으로 쓴 요약이다." in one
    assert "3. 셋\n4. 넷" in one
    link = done.text("2024-02-02-a-link.md")
    assert 'link: "https://other.example/about"' in link
    assert 'id: "urn:x-guid:42"' in link
    assert "Two lines\\\nof text." in link
    old = take("jsonfeed10.json")
    assert old.outcomes[0].found.authors[0].name == "Solo"
    assert old.outcomes[0].found.title == ""


def test_a_wordpress_export(take: Take) -> None:
    """Local and UTC dates, names of authors, pictures by number, blocks and shortcodes."""
    done = take("wordpress.xml")
    assert done.names == [
        "2010-05-01-classic.md",
        "2024-03-11-호밀빵.md",
        "2024-03-20-쓰다-만-글.md",
        "about.md",
    ]
    rye = done.text("2024-03-11-호밀빵.md")
    assert 'title: "호밀빵 <굽기> & 기다리기"' in rye
    assert "date: 2024-03-11 00:30:00 +0900" in rye
    assert "updated: 2024-03-12 09:00:00 +0900" in rye
    assert 'id: "https://bread.example/?p=7"' in rye
    assert "tags: [호밀, 빵]" in rye
    assert "authors: [한미나]" in rye
    assert "summary: 하룻밤 쉬는 반죽 이야기." in rye
    assert 'image: "https://bread.example/wp-content/uploads/2024/03/rye.jpg"' in rye
    assert 'permalink: "/2024/03/rye/"' in rye
    assert "wp:" not in rye
    assert "\n<!--more-->\n" in rye
    assert "맛있겠다" not in rye
    classic = done.text("2010-05-01-classic.md")
    assert "First paragraph\\\nwith a second line." in classic
    assert "<figcaption>A loaf &amp; more</figcaption>" in classic
    assert "2024/03/two.png" in classic
    assert "<https://video.example/watch?v=1>" in classic
    assert '```php\n<?php echo "a < b";\n```' in classic
    assert "length: 2222\n    duration: 100" in classic
    assert "tags" not in classic
    draft = done.text("2024-03-20-쓰다-만-글.md")
    assert "draft: true" in draft
    assert "date: 2024-03-20 10:00:00\n" in draft
    page = done.text("about.md")
    assert "date:" not in page
    assert "email" not in page


def test_a_ghost_export(take: Take) -> None:
    """Tags in order and without internal ones, the old address filled in, paid as drafts."""
    done = take("ghost.json", site="https://ghost.example")
    text = done.text("2024-03-01-first-ghost.md")
    assert 'id: "urn:x-guid:65f0c0ffee0000000000a001"' in text
    assert "tags: [집, 밤]" in text
    assert "image_alt: 검은 고양이" in text
    assert "[다음](https://ghost.example/second/)" in text
    assert "__GHOST_URL__" not in text
    assert "draft: true\nvisibility: paid" in done.text("2024-03-03-second.md")
    assert "Only plain.\n\nWords." in done.text("2024-03-09-plain.md")
    assert "date:" not in done.text("about.md")
    assert ["`Editor only`" in problem.message for problem in done.problems] == [True]


@pytest.mark.parametrize("packed", ["packed", "unpacked"])
def test_a_substack_export(
    take: Take, files: Path, tmp_path: Path, packed: str
) -> None:
    """As the zip that one downloads, or unpacked; with its old address it has ids."""
    source: Path = files / "substack"
    if packed == "packed":
        source = tmp_path / "export.bin"
        with zipfile.ZipFile(source, "w") as zip_file:
            for path in sorted((files / "substack").rglob("*.*")):
                zip_file.write(path, path.relative_to(files / "substack").as_posix())
    done = take(source, site="https://letter.example")
    first = done.text("2024-01-05-first-letter.md")
    assert 'id: "https://letter.example/p/first-letter"' in first
    assert 'title: "First, a letter"' in first
    assert (
        '<a href="https://cdn.example/fetch/big.png"><img alt="Desk" src="https://cdn.example/fetch/small.png"/></a><figcaption>My desk</figcaption>'
        in first
    )
    assert "Subscribe" not in first
    assert '1. <a id="fn1"></a>주석이다.' in done.text("2024-01-12-한글-편지.md")
    assert "audio/mpeg" in done.text("2024-01-19-episode-one.md")
    assert "draft: true\nvisibility: only_paid" in done.text("2024-01-26-for-payers.md")
    assert "draft: true" in done.text("unfinished.md")
    assert not done.problems


def test_without_the_old_address_readers_are_warned_of(take: Take) -> None:
    """An export that does not say where it was cannot give ids."""
    assert "--site" in take("substack").notes[0].message


def test_a_folder_of_pages(take: Take) -> None:
    """Title from the heading, day from the name, pictures from beside the page."""
    done = take("html")
    text = done.text("2019-07-08-오래된-글.md")
    assert "title: 오래된 글\n" in text
    assert "tags: [옛날, 홈페이지]" in text
    assert "메뉴" not in text
    picture = text.partition("![점](")[2].partition(")")[0]
    assert (done.folder / picture).read_bytes().startswith(b"\x89PNG")
    assert "No date & no heading." in done.text("undated.md")


@pytest.mark.parametrize("name", ["cp949.xml", "cp949-says-utf8.xml", "utf16.xml"])
def test_old_korean_files(take: Take, name: str) -> None:
    """Also those whose declaration is not true."""
    text = take(name).text("2002-09-07-1.md")
    assert "title: 똠방각하와 펲시" in text
    assert "뷁" in text


def test_the_kind_is_told_by_content(take: Take, files: Path, tmp_path: Path) -> None:
    """A wrong ending changes nothing; --format overrides."""
    wrong = tmp_path / "feed.json"
    wrong.write_bytes((files / "atom10.xml").read_bytes())
    assert len(take(wrong).outcomes) == 3
    forced = take(files / "wordpress.xml", kind=Kind.FEED)
    assert len(forced.outcomes) > 4


def test_an_empty_feed_is_no_fault(take: Take) -> None:
    """There is nothing to import, and nothing wrong."""
    done = take("empty.xml")
    assert not done.outcomes
    assert not done.problems


def test_choices_change_the_front_matter(take: Take) -> None:
    """Mail, the old page as the original, a folder for each post."""
    done = take(
        "rss20.xml",
        choices=Choices(language="ko", mail=True, canonical=True),
        bundles=True,
    )
    text = done.text("2024-03-05-river-morning/index.md")
    assert "email" not in text
    assert 'canonical_url: "https://walk.example/2024/03/river-morning/"' in text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue, 05 Mar 2024 07:30:00 +0900", "2024-03-05T07:30:00+09:00"),
        ("5 Mar 2024 07:30 EST", "2024-03-05T07:30:00-05:00"),
        ("Tue, 05 Mar 2024 24:00:00 GMT", "2024-03-05T00:00:00+00:00"),
        ("2024-03-05T07:30:00.123Z", "2024-03-05T07:30:00.123000+00:00"),
        ("2024-03-05", "2024-03-05T00:00:00"),
        ("2024-03-05 07:30:00", "2024-03-05T07:30:00"),
        ("Wed, 30 Nov -0001 00:00:00 +0000", None),
        ("0000-00-00 00:00:00", None),
        ("2024-13-45", None),
        ("yesterday", None),
        ("", None),
    ],
)  # fmt: skip
def test_dates_of_feeds(text: str, moment: str | None) -> None:
    """What names no zone stays without one; what is none is none."""
    assert parse_moment(text) == (datetime.fromisoformat(moment) if moment else None)


def test_wordpress_dates_tell_their_offset() -> None:
    """The local date minus the one in UTC, in quarters of an hour."""
    moment = local_moment("2024-03-11 05:15:00", "2024-03-10 23:30:00")
    assert moment is not None
    assert moment.isoformat() == "2024-03-11T05:15:00+05:45"
    assert local_moment("0000-00-00 00:00:00", "2024-03-10 23:30:00") == datetime(
        2024, 3, 10, 23, 30, tzinfo=UTC
    )
    assert local_moment("0000-00-00 00:00:00", "0000-00-00 00:00:00") is None

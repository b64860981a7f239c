"""Any head becomes a post that is safe everywhere, or one clear error."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import lxml.html
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import PostError
from postroom.posts.cached import dump_card, links_hold, load_post
from postroom.posts.decode import parse_text
from postroom.posts.head import parse_head
from postroom.posts.markdown import ILLEGAL
from postroom.posts.post import Enclosure, Episode, SiteMap, Source, Transcript
from postroom.posts.render import build_post

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postroom.posts.post import Post, Rules

MARKS = "*_`~[]()<>!#|-=\\\n {}%$&;:\"'/"
SNIPPETS = (
    "한글", "word", "日本", "👩‍👩‍👧", "नमस्ते", "[x](b.md)", "![x](a.png)", "[[x]]", "{{ x }}",
    "{% raw %}", "{% endraw %}", "{{< y >}}", "```py\n", "    ", "> ", "- ", "| a |\n|--|\n",
    "[^1]", "\n\n[^1]: y\n", "<b>", "</b>", "<script>", "<!-- more -->", "<iframe src=x>",
    '<img srcset="a 1x, b">', "https://ex.kr/가", "$$x$$", "&#1;", "&#x3", "\0", "\x03", "\ud800",
    "\ufffe", "\r\n", "<p dir=rtl>", "# ", "{#id}", "{: .x}", "> [!NOTE]\n", "<a href='#x'>",
)  # fmt: skip
BODIES = st.one_of(
    st.text(),
    st.text(alphabet=MARKS),
    st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=5)).map("".join),
)


def shown(post: Post) -> tuple[str, ...]:
    """Return everything a reader sees of a post."""
    return (post.title, post.html, post.page_html, post.text, post.excerpt)


@given(
    body=BODIES,
    summary=st.sampled_from(["", "요약 **글**", "{{ x }}"]),
    place=st.text(),
)
def test_any_body_becomes_a_post_or_a_post_error(
    render: Callable[..., Post], body: str, summary: str, place: str
) -> None:
    """No other exception, no control character, well-formed HTML, a short excerpt."""
    attached = (Enclosure(url=place, title=summary), Enclosure(url=body))
    episode = Episode(image=place, chapters=place)
    try:
        post = render(body, summary=summary, enclosures=attached, episode=episode)
    except PostError:
        return
    for text in shown(post):
        assert not ILLEGAL.search(text)
    for html in (post.html, post.page_html):
        lxml.html.fragment_fromstring(html, create_parent="div")
        assert "javascript:" not in html or "javascript:" in body
    assert len(regex.findall(r"\X", post.excerpt)) <= 200
    assert post.title
    for enclosure in post.enclosures:
        assert enclosure.url.isascii()
        assert not ILLEGAL.search(enclosure.url + enclosure.title)
    card = dump_card(post)
    bodies = {"html": post.html, "page_html": post.page_html, "plain": post.text}
    assert load_post(card, **bodies) == post


@given(body=BODIES)
def test_the_html_is_well_nested(render: Callable[..., Post], body: str) -> None:
    """As XML too, but for HTML's void elements and names for characters."""
    try:
        html = render(body).html
    except PostError:
        return
    html = re.sub(r"<((?:img|br|hr|wbr|col)\b[^<>]*)>", r"<\1/>", html)
    ET.fromstring(f"<div>{html.replace('&nbsp;', ' ')}</div>")  # noqa: S314 - our own output


def test_a_heading_is_the_title_and_is_not_repeated(
    render: Callable[..., Post],
) -> None:
    """Neither in the HTML, nor the text, nor the excerpt."""
    post = render("# 나의 *첫* 글 & 둘\n\n본문이다.")
    assert post.title == "나의 첫 글 & 둘"
    assert post.html == post.page_html == "<p>본문이다.</p>"
    assert post.text == post.excerpt == "본문이다."


def test_a_title_of_the_front_matter_wins(render: Callable[..., Post]) -> None:
    """An H1 that repeats it at the beginning goes, any other stays."""
    assert render("# 제목\n\n글", title="제목").html == "<p>글</p>"
    post = render("# 다른 제목\n\n글", title="제목")
    assert post.title == "제목"
    assert "다른 제목" in post.html
    assert "<h1" in render("글\n\n# 제목\n", title="제목").html


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("2026-01-02-my_first-post.md", "my first post"),
        ("여름 노트.md", "여름 노트"),
        ("garden/index.md", "garden"),
    ],
)
def test_without_a_title_the_file_name_serves(
    render: Callable[..., Post], path: str, title: str
) -> None:
    """Without date, extension and dashes."""
    assert render("글", path=path).title == title


def test_headings_have_ids_of_their_own(render: Callable[..., Post]) -> None:
    """Hangul stays, equal headings are numbered, a sign alone is a section."""
    html = render(
        "## 여는 말\n\n## 여는 말\n\n## !!!\n\n## It's *new*: C++\n"
    ).page_html
    ids = [
        name.partition("-")[2].partition("-")[2]
        for name in re.findall(r' id="([^"]+)"', html)
    ]
    assert ids == ["여는-말", "여는-말-1", "section", "its-new-c"]


def test_an_excerpt_comes_from_the_summary_first(render: Callable[..., Post]) -> None:
    """It may be Markdown, and is cut like any other."""
    post = render("본문", summary="**요약**은 `짧다`. [글](없음.md)")
    assert post.excerpt == "요약은 짧다. 글"
    assert post.warnings == ()


@pytest.mark.parametrize(
    "marker",
    [
        "<!--more-->",
        "<!-- more -->",
        "<!-- excerpt -->",
        "<!-- PELICAN_END_SUMMARY -->",
    ],
)
def test_an_excerpt_ends_at_the_authors_mark(
    render: Callable[..., Post], marker: str
) -> None:
    """The post itself goes on as if there were none."""
    post = render(f"첫 문단.\n\n{marker}\n\n둘째 문단.")
    assert post.excerpt == "첫 문단."
    assert "둘째 문단." in post.html
    assert "more" not in post.html + post.page_html
    assert not ILLEGAL.search(post.html + post.page_html)


def test_a_mark_in_code_or_at_the_very_beginning_is_none(
    render: Callable[..., Post],
) -> None:
    """An empty excerpt helps nobody."""
    assert render("가 `<!--more-->` 나").excerpt == "가 <!--more--> 나"
    assert render("<!--more-->\n\n글").excerpt == "글"


def test_an_english_post_with_its_excerpt(render: Callable[..., Post]) -> None:
    """The same rules hold for every language."""
    body = "# A day\n\n" + "It was quiet in the town that morning. " * 10
    post = render(body, language="en")
    assert post.excerpt.endswith("morning.")
    assert 120 <= len(post.excerpt) <= 200


def test_the_page_colours_code_and_the_feed_does_not(
    render: Callable[..., Post],
) -> None:
    """Feed readers have no stylesheet of ours; images on a page load when seen."""
    post = render('```python\nx = "{{ y }}"\n```\n\n![a](/img/root.png)')
    assert "<span" not in post.html
    assert 'class="highlight"' in post.page_html
    assert "{{ y }}" in post.html
    assert '<img loading="lazy"' in post.page_html
    assert "loading" not in post.html


def test_alerts_get_a_title(render: Callable[..., Post]) -> None:
    """GitHub's and Obsidian's, in the language of the post, and not in the excerpt."""
    post = render("> [!NOTE]\n> 알림이다.\n\n> [!tip] 내 제목\n> 도움말이다.")
    assert '<p class="alert-title">참고</p>\n<p>알림이다.</p>' in post.html
    assert '<p class="alert-title">내 제목</p>' in post.html
    assert post.excerpt == "알림이다. 도움말이다."
    assert ">Warning</p>" in render("> [!WARNING]\n> x", language="en").html


def test_an_enclosure_in_the_posts_folder_is_copied(
    render: Callable[..., Post],
) -> None:
    """By absolute URL, with its path, so that its size can be found."""
    post = render(
        "글",
        enclosures=(
            Enclosure(url="../notes/표.pdf", title="표\x01"),
            Enclosure(url="https://cdn.kr/가 나.mp3", length=7, duration=61),
            Enclosure(url="없음.mp3"),
            Enclosure(url="https://cdn.kr/odd"),
        ),
        episode=Episode(
            number=1,
            image="/img/root.png",
            chapters="chapters.json",
            transcripts=(
                Transcript(url="https://cdn.kr/1.vtt", media_type="text/vtt"),
                Transcript(url="gone.vtt", media_type="text/vtt"),
            ),
        ),
    )
    assert post.enclosures == (
        Enclosure(
            url="https://ex.kr/blog/media/notes/%ED%91%9C.pdf",
            media_type="application/pdf",
            title="표",
            path="notes/표.pdf",
        ),
        Enclosure(
            url="https://cdn.kr/%EA%B0%80%20%EB%82%98.mp3",
            media_type="audio/mpeg",
            length=7,
            duration=61,
        ),
        Enclosure(url="https://cdn.kr/odd", media_type="application/octet-stream"),
    )
    assert post.episode == Episode(
        number=1,
        image="https://ex.kr/blog/media/img/root.png",
        transcripts=(Transcript(url="https://cdn.kr/1.vtt", media_type="text/vtt"),),
    )
    assert post.files == ("notes/표.pdf", "img/root.png")
    assert [problem.message for problem in post.warnings] == [
        "a file that is not in the posts folder: 없음.mp3",
        "a file that is not in the posts folder: chapters.json",
        "a file that is not in the posts folder: gone.vtt",
    ]
    assert ("file:2026/없음.mp3", "") in post.links


def test_an_episode_without_its_file_is_none(render: Callable[..., Post]) -> None:
    """What is left of it would be told to nobody."""
    lost = (Enclosure(url="없음.mp3"),)
    assert render("글", enclosures=lost, episode=Episode(number=1)).episode is None


def test_controls_in_the_head_never_leave(render: Callable[..., Post]) -> None:
    """A title is shown in more places than a body."""
    post = render(
        "글",
        title="가\x01\ud800나",
        subject="\x07s",
        preheader="p\ufffe",
        image_alt="a\0",
    )
    assert (post.title, post.subject, post.preheader) == ("가나", "s", "p")


def test_a_footnote_bomb_is_refused(render: Callable[..., Post]) -> None:
    """250 kB that would become 14 MB."""
    with pytest.raises(PostError, match="bytes"):
        render("[^1] " * 50_000 + "\n\n[^1]: x")


def test_a_bomb_in_the_summary_is_refused(render: Callable[..., Post]) -> None:
    """It is rendered too."""
    with pytest.raises(PostError, match="block quotes"):
        render("글", summary=">" * 500)


def test_public_posts_render(corpora: Path, rules: Rules) -> None:
    """Every public post becomes a post without raw notations, or a post error."""
    rendered = 0
    for folder in sorted(corpora.iterdir()):
        paths = [
            path
            for path in sorted(folder.rglob("*"))
            if path.suffix in {".md", ".markdown", ".mdx"}
        ]
        sources = [
            Source(path=str(path.relative_to(folder)), data=path.read_bytes())
            for path in paths
        ]
        site_map = SiteMap(pages={s.path: f"posts/{n}/" for n, s in enumerate(sources)})
        for source in sources:
            try:
                post = build_post(parse_head(source, rules), rules, site_map, "")
            except PostError:
                continue
            rendered += 1
            assert links_hold(post, site_map)
            assert not any(ILLEGAL.search(text) for text in shown(post))
            assert not re.search(r"\{\{|\{%", post.excerpt), post.path
            lxml.html.fragment_fromstring(post.html, create_parent="div")
    assert rendered > 500


def test_public_files_render_with_their_front_matter_as_body(
    corpora: Path, render: Callable[..., Post]
) -> None:
    """Text that was never meant as Markdown is no reason to fail either."""
    rendered = 0
    for path in sorted(corpora.glob("odd-*/**/*.md")):
        with contextlib.suppress(PostError):
            text = parse_text(Source(path=path.name, data=path.read_bytes())).text
            rendered += bool(render(text).title)
    assert rendered > 50

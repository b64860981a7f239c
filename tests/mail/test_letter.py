"""The letter: complete with inline styles alone, small, and in the reader's language."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import pytest
from lxml import html as lxml_html
from wcwidth import wcswidth

from postroom.errors import PostError
from postroom.mail.letter import (
    PREFERENCES_HOLE,
    UNSUBSCRIBE_HOLE,
    Letter,
    LetterSettings,
    render_letter,
)
from postroom.mail.palette import contrast
from postroom.mail.words import letter_words
from postroom.posts.head import parse_head
from postroom.posts.post import Image, Person, Post, Rules, SiteMap, Source
from postroom.posts.render import build_post
from postroom.site.theme import build_environment
from postroom.subscribers.subscriber import Cadence

SEOUL = ZoneInfo("Asia/Seoul")
RULES = Rules(site_url="https://blog.example/", language="ko", zone=SEOUL)
ENVIRONMENT = build_environment(
    jinja2.FileSystemLoader(Path(__file__).parents[2] / "templates")
)
SETTINGS = LetterSettings(
    site_title="느린 우편함",
    site_url="https://blog.example/",
    language="ko",
    zone=SEOUL,
    cadence=Cadence.WEEKLY,
    edition="weekly-20261123T0800",
    slot=datetime(2026, 11, 22, 23, tzinfo=UTC),
    author="한미나",
    postal_address="서울시 어느 길 4",
)
BODY = "편지가 천천히 온다. 그래서 좋다. " * 9


def post(number: int, title: str = "", body: str = BODY, lang: str = "ko") -> Post:
    """A rendered post of its own."""
    text = (
        f"---\ntitle: {title or f'글 {number}'}\ndate: 2026-11-{number + 1:02} 09:05\n"
        f"lang: {lang}\n---\n\n{body}\n"
    )
    source = Source(path=f"{number}.md", data=text.encode())
    return build_post(parse_head(source, RULES), RULES, SiteMap(), "d")


def letter(count: int, language: str = "ko") -> Letter:
    """A letter of so many posts."""
    posts = [post(number) for number in range(count, 0, -1)]
    return render_letter(posts, replace(SETTINGS, language=language), ENVIRONMENT)


@pytest.mark.parametrize(
    ("language", "count"), list(product(("ko", "en"), (1, 3, 12, 20)))
)
def test_nothing_in_it_depends_on_what_a_client_may_drop(
    language: str, count: int
) -> None:
    """Absolute links, no scripts, no leftovers of the template, nothing unfilled."""
    made = letter(count, language)
    tree = lxml_html.document_fromstring(made.html)
    assert tree.get("lang") == language
    for link in tree.iter("a"):
        href = link.get("href") or ""
        assert href.startswith(
            ("https://blog.example/", UNSUBSCRIBE_HOLE, PREFERENCES_HOLE)
        ), href
    assert not tree.xpath("//script | //link | //form | //iframe")
    for left in ("{{", "{%", "undefined", "None"):
        assert left not in made.html
        assert left not in made.text
    for hole in (UNSUBSCRIBE_HOLE, PREFERENCES_HOLE):
        assert hole in made.html
        assert hole in made.text
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", made.html, re.DOTALL)
    assert any("prefers-color-scheme" in block for block in blocks)
    assert any("max-width" in block for block in blocks)
    assert any("data-ogsc" in block for block in blocks)
    assert "/*" not in "".join(blocks)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", made.html)


def test_every_post_is_there_and_the_rest_as_titles() -> None:
    """At most max_posts excerpts; each title once as a heading or a link."""
    made = letter(15)
    tree = lxml_html.document_fromstring(made.html)
    headings = [heading.text_content().strip() for heading in tree.iter("h2")]
    assert headings[:12] == [f"글 {number}" for number in range(15, 3, -1)]
    text = tree.text_content()
    for number in (1, 2, 3):
        assert f"글 {number}" in text
        assert f"글 {number}" in made.text


def test_the_text_part_fits_a_terminal() -> None:
    """72 columns, Hangul counting two, but for addresses, which stand alone."""
    for line in letter(12).text.splitlines():
        if "https://" in line or UNSUBSCRIBE_HOLE in line or PREFERENCES_HOLE in line:
            assert " " not in line.strip() or len(line) < 78
        else:
            assert wcswidth(line.rstrip()) <= 72, line


def test_it_is_small() -> None:
    """Twelve Korean posts stay far below the size at which Gmail clips."""
    made = letter(12)
    assert len(made.html.encode()) < 30_000
    assert len(made.text.encode()) < 10_000


@pytest.mark.parametrize(
    ("language", "subject"), [("ko", "글 3 외 2편"), ("en", "글 3 and 2 more")]
)
def test_the_subject_names_the_lead(language: str, subject: str) -> None:
    """In the reader's language, cut by display width."""
    assert letter(3, language).subject == subject
    long = render_letter([post(1, "아주 긴 제목이다 " * 12)], SETTINGS, ENVIRONMENT)
    assert wcswidth(long.subject) <= 60


def test_a_single_post_is_carried_whole_with_its_code_coloured_inline() -> None:
    """Inline styles, because mail clients keep no classes."""
    body = BODY + "\n\n```python\nprint('안녕')\n```\n\n마지막 문단이다."
    made = render_letter([post(1, "코드", body)], SETTINGS, ENVIRONMENT)
    assert "마지막 문단이다." in made.html
    assert "마지막 문단이다." in made.text
    assert re.search(r"<span style=\"[^\"]*color:[^\"]*\">print</span>", made.html)
    assert made.subject == "코드"


def test_a_cover_has_a_size_and_words() -> None:
    """Images may be off: the box says what it would show."""
    lead = replace(post(3), image=Image(url="https://blog.example/a.png", alt="언덕"))
    made = render_letter([lead, post(2)], SETTINGS, ENVIRONMENT)
    (image,) = lxml_html.document_fromstring(made.html).iter("img")
    assert image.get("width") == "600"
    assert image.get("alt") == "언덕"


def test_hostile_posts_change_nothing_but_their_own_words() -> None:
    """Markup is text, holes cannot be forged, controls are gone."""
    title = "</h2><script>alert(1)</script>"
    bad = replace(
        post(2),
        title=f"{title}\u202e\x00 {UNSUBSCRIBE_HOLE}",
        excerpt=f"<img src=x onerror=y> {UNSUBSCRIBE_HOLE}",
        authors=(Person(name="<b>\r\nX</b>"),),
    )
    made = render_letter([post(3), bad, post(1)], SETTINGS, ENVIRONMENT)
    tree = lxml_html.document_fromstring(made.html)
    assert not tree.xpath("//script | //img | //b")
    clean = letter(3)
    assert made.html.count(UNSUBSCRIBE_HOLE) == clean.html.count(UNSUBSCRIBE_HOLE)
    assert "\u202e" not in made.html + made.text + made.subject + made.preheader


def test_right_to_left_letters_say_so() -> None:
    """`dir` at both places that some client drops, and on titles of another direction."""
    made = render_letter(
        [post(1), post(2)], replace(SETTINGS, language="ar"), ENVIRONMENT
    )
    assert made.html.count('dir="') >= 2


def test_words_are_complete_in_both_languages() -> None:
    """Each word is there, and is not the other language's."""
    korean, english = letter_words("ko"), letter_words("en")
    for name in korean.__dataclass_fields__:
        one, other = getattr(korean, name), getattr(english, name)
        assert one not in ("", None), name
        assert other not in ("", None), name
    assert letter_words("ko-KR") == korean
    assert letter_words("xx") == english


def test_contrast_is_computed_as_wcag_does() -> None:
    """Black on white is 21, and the letter's own pairs reach 4.5."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for ink, paper in (
        ("#5c5f63", "#f3f1ec"),
        ("#0e5a4f", "#ffffff"),
        ("#8ed1bf", "#1b1c1e"),
    ):
        assert contrast(ink, paper) >= 4.5


def test_real_posts_become_letters(corpora: Path) -> None:
    """Alone and together: one way out, nothing clipped, no line too wide."""
    posts = []
    for path in sorted(corpora.glob("[ekjmo]*/**/*.md"))[::20]:
        source = Source(path=path.name, data=path.read_bytes())
        with suppress(PostError):
            posts.append(
                build_post(parse_head(source, RULES), RULES, SiteMap(), digest="d")
            )
    made = [render_letter([each], SETTINGS, ENVIRONMENT) for each in posts]
    for each in [*made, render_letter(posts, SETTINGS, ENVIRONMENT)]:
        assert each.html.count(UNSUBSCRIBE_HOLE) == 1
        assert len(each.html.encode()) < 99_000
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", each.html + each.text)
        for line in each.text.split("\n"):
            if "://" not in line and not line.startswith("  "):
                assert wcswidth(line) <= 72

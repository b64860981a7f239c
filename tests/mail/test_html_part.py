"""The HTML part stands on inline styles; every block on top of them may be lost."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from postroom.errors import TemplateError
from postroom.mail.html_part import breakable
from postroom.mail.letter import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE, render_letter
from postroom.mail.palette import DARK, LIGHT, MIN_CONTRAST, Palette, contrast
from postroom.site.theme import build_environment
from tests.mail.scenes import ENVIRONMENT, SETTINGS, golden_letters, post

if TYPE_CHECKING:
    from postroom.posts.post import Post

LETTERS = golden_letters()
ELEMENTS = "*"
BLOCK = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
HTML = pytest.mark.parametrize(
    "html", [letter.html for letter in LETTERS.values()], ids=LETTERS
)


def words_of(html: str) -> list[str]:
    """What a reader sees, blanks apart."""
    body = lxml_html.document_fromstring(html).find("body")
    assert body is not None
    return "".join(body.itertext()).split()


@HTML
def test_losing_any_style_block_or_the_head_loses_no_words(html: str) -> None:
    """Some webmails drop one, some all, some the head."""
    words = words_of(html)
    for block in BLOCK.findall(html):
        assert words_of(html.replace(block, "")) == words
    headless = re.sub(
        r"<head>.*?</head>|</?(?:html|body)[^>]*>", "", html, flags=re.DOTALL
    )
    assert words_of(headless) == words


@HTML
def test_every_element_that_says_something_is_styled_inline(html: str) -> None:
    """Size, line height and colour reach each paragraph, title and link by itself."""
    body = lxml_html.document_fromstring(BLOCK.sub("", html)).find("body")
    assert body is not None
    # Elements of a post's own body inherit from the div around them.
    inner = set(body.xpath('//div[contains(@class, "f")]//*'))
    for element in body.iter("p", "h1", "h2", "a"):
        style = element.get("style", "")
        says = (element.text or "").strip("\u00a0 \n")
        if says and element not in inner:
            parent = element.getparent()
            around = "" if parent is None else parent.get("style", "")
            for wanted in ("color:#", "font-size:", "line-height:"):
                assert wanted in style or wanted in around, element.text


@HTML
def test_the_kept_blocks_are_what_clients_accept(html: str) -> None:
    """Apart, in the order of their worth, flat, small, without comments."""
    phone, dark, outlook, word = BLOCK.findall(html)
    assert phone.startswith("@media (max-width:480px){")
    assert dark.startswith("@media (prefers-color-scheme:dark){")
    assert all(
        part.lstrip().startswith(("[data-ogsc] ", "[data-ogsb] "))
        for rule in re.findall(r"([^{}]+)\{", outlook)
        for part in rule.split(",")
    )
    assert "mso-line-height-rule:exactly" in word
    assert html.index("<!--[if mso]><xml") < html.index(word)
    for block in (phone, dark, outlook):
        assert block.count("@") <= 1
        assert "/*" not in block
        assert block.count("{") == block.count("}")
        assert block.count("!important") == block.count(" !important")
    assert len((phone + dark + outlook).encode()) <= 4096


@HTML
def test_every_class_is_named_in_a_block(html: str) -> None:
    """A class that nothing styles is weight."""
    named = set(re.findall(r"\.([a-z][\w-]*)", "".join(BLOCK.findall(html))))
    used = {
        name
        for element in lxml_html.document_fromstring(html).iter(ELEMENTS)
        for name in element.get("class", "").split()
    }
    assert used <= named
    assert 'class=""' not in html
    assert 'style=""' not in html


@HTML
def test_it_is_clean(html: str) -> None:
    """Nothing of the template, no relative link, no control, one table attribute set."""
    for left in ("{{", "{%", "{#", "data-css-inline", "/*", "None", "&amp;amp;"):
        assert left not in html
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", html)
    tree = lxml_html.document_fromstring(html)
    for name in ("href", "src"):
        for value in tree.xpath(f"//@{name}"):
            assert value.startswith(("https://", UNSUBSCRIBE_HOLE, PREFERENCES_HOLE)), (
                value
            )
    for table in tree.xpath("//table[@role]"):
        assert table.get("role") == "presentation"
        assert table.get("cellpadding") == table.get("cellspacing") == "0"
    assert not re.search(r"#[0-9a-f]{3}\b(?![0-9a-f])", "".join(BLOCK.findall(html)))


@HTML
def test_a_screen_reader_finds_its_way(html: str) -> None:
    """One h1, no level skipped, a language and direction twice, names for links."""
    tree = lxml_html.document_fromstring(html)
    levels = [int(tag.tag[1]) for tag in tree.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    (article,) = tree.xpath('//*[@role="article"]')
    assert article.get("lang") == tree.get("lang")
    assert article.get("dir") == tree.get("dir") == "ltr"
    for link in tree.iter("a"):
        label = link.get("aria-label")
        name = label or link.text_content().strip() or link.xpath("string(.//img/@alt)")
        assert name
        assert label is None or label.startswith(link.text_content().strip())
    for image in tree.iter("img"):
        assert image.get("alt")


def test_the_preheader_comes_first_and_fills_its_line() -> None:
    """Hidden, 120 columns at least seen by the in-box, padded only when it is short."""
    made = LETTERS["several-ko"]
    body = made.html.partition("<body")[2].partition(">")[2].lstrip()
    assert body.startswith('<div class="h" style="display:none;max-height:0')
    assert (
        made.preheader
        == "R&D 부서에 보내는 편지 · Unicode 노트 · 네 시의 우편함 (3) · R&D 부서에 보내는 편지 (4)"
    )
    assert "\u034f" not in made.html
    short = render_letter(
        [post(0), replace(post(1), title="짧다")], SETTINGS, ENVIRONMENT
    )
    assert short.preheader == "짧다"
    assert short.html.count("\u034f\u2007") == 116
    own = replace(post(0), preheader="  내가\n쓴 말 ")
    assert (
        render_letter([own, post(1)], SETTINGS, ENVIRONMENT).preheader == "내가 쓴 말"
    )


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(palette: Palette) -> None:
    """WCAG AA for each colour on its ground, light and dark."""
    for name, (ink, ground) in palette.pairs().items():
        assert contrast(ink, ground) >= MIN_CONTRAST, name


def test_every_colour_is_of_the_palettes() -> None:
    """So that the contrasts above are those of the letter."""
    own = {getattr(p, name) for p in (LIGHT, DARK) for name in Palette.__slots__}
    for name, letter in LETTERS.items():
        html = re.sub(
            r"<pre.*?</pre>", "", letter.html, flags=re.DOTALL
        )  # Pygments' own
        assert set(re.findall(r"#[0-9a-f]{6}\b", html)) <= own, name


def test_right_to_left_turns_sides_and_titles_of_another_direction() -> None:
    """Alignment flips; a title says its direction only where it differs."""
    arabic = replace(post(1), title="رسالة", excerpt="كتبت على مهل.", language="ar")
    made = render_letter(
        [arabic, post(0, "en")], replace(SETTINGS, language="ar"), ENVIRONMENT
    )
    tree = lxml_html.document_fromstring(made.html)
    assert tree.get("dir") == "rtl"
    assert "text-align:right" in made.html
    assert 'align="left"' in made.html
    assert "margin-left:18px" in made.html
    first, second = tree.xpath("//h2")[:2]
    assert first.get("dir") is None
    assert second.get("dir") == "ltr"
    assert second.get("lang") == "en"


def test_posts_of_another_language_say_so() -> None:
    """A screen reader changes its voice; `keep-all` is for Korean letters alone."""
    made = render_letter([post(0, "en"), post(1)], SETTINGS, ENVIRONMENT)
    assert made.html.count('lang="en"') == 2
    assert "word-break:keep-all" in made.html
    assert "word-break:keep-all" not in LETTERS["several-en"].html


def test_a_long_token_may_break_after_its_signs() -> None:
    """Few clients know `overflow-wrap: anywhere`."""
    url = "https://blog.example/a-b?c=d&e"
    assert breakable(f"x <b> {url}") == (
        "x &lt;b&gt; https://<wbr>blog.<wbr>example/<wbr>a-<wbr>b?<wbr>c=<wbr>d&amp;<wbr>e"
    )
    assert breakable("a-b 한국-어") == "a-b 한국-어"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("<p>{{ words.nothing }}</p>", "no attribute 'nothing'"),
        ("<p>{% if %}</p>", "letter.html:1"),
        ("<p>no way out</p>", "no link to leave"),
        ("<p>{{ unsubscribe }}{{ unsubscribe[:3] }}</p>", "a hole is damaged"),
    ],
)
def test_a_sites_own_template_is_judged(template: str, message: str) -> None:
    """With its name, and whatever it forgets."""
    environment = build_environment(
        jinja2.DictLoader({"letter/letter.html": template, "letter/letter.txt": ""})
    )
    with pytest.raises(TemplateError, match=message):
        render_letter([post(0), post(1)], SETTINGS, environment)


def test_a_text_template_needs_its_link_too() -> None:
    """Who reads plain text leaves as easily."""
    environment = build_environment(
        jinja2.DictLoader(
            {"letter/letter.html": "{{ unsubscribe }}", "letter/letter.txt": "x"}
        )
    )
    with pytest.raises(TemplateError, match=r"letter\.txt"):
        render_letter([post(0), post(1)], SETTINGS, environment)


HOSTILE = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\r\n\0\x85\u2028\u202e\u2066\ufdd0\ufdd1{}%#=/ \ud800"),
        st.characters(exclude_categories=()),
    ),
    max_size=40,
)
KNOWN = lxml_html.document_fromstring(LETTERS["several-ko"].html)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_becomes_markup(title: str, excerpt: str, name: str, site: str) -> None:
    """Any text in any place: the same elements, holes and kinds of links as ever."""
    bad: list[Post] = [
        replace(
            post(number),
            title=title,
            excerpt=excerpt,
            subject=title,
            preheader=excerpt,
            slug=title,
            authors=(replace(post(0).authors[0], name=name),),
        )
        for number in (0, 1)
    ]
    settings = replace(SETTINGS, site_title=site, author=name, postal_address=excerpt)
    for posts in (bad, bad[:1]):
        made = render_letter(posts, settings, ENVIRONMENT)
        made.html.encode()
        made.text.encode()
        assert made.html.count(UNSUBSCRIBE_HOLE) == 1
        assert made.text.count(UNSUBSCRIBE_HOLE) == 1
        tree = lxml_html.document_fromstring(made.html)
        allowed = {tag.tag for tag in KNOWN.iter(ELEMENTS)}
        allowed |= {"wbr", "pre", "code", "span", "em", "h3"}
        assert {tag.tag for tag in tree.iter(ELEMENTS)} <= allowed
        assert not tree.xpath("//@*[starts-with(name(), 'on')]")
        text = made.html + made.text + made.subject + made.preheader
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]", text)
        assert "\n" not in made.subject + made.preheader


@pytest.mark.parametrize(
    "html",
    [
        "<ul>" + "<li>항목</li>" * 9000 + "</ul>",
        "<h2>제목</h2><p>글이 길다. </p>" * 4000,
        "<table>" + "<tr><td>칸</td><td>칸</td></tr>" * 3000 + "</table>",
    ],
    ids=["list", "prose", "table"],
)
def test_a_very_long_post_is_not_clipped(html: str) -> None:
    """Gmail hides what comes after about 100 kB: the letter ends before, and says so."""
    long = replace(post(0), html=html, text="글이 길다.\n\n" * 30_000)
    made = render_letter([long], SETTINGS, ENVIRONMENT)
    assert len(made.html.encode()) < 99_000
    assert "이어서 읽기" in made.html
    assert UNSUBSCRIBE_HOLE in made.html
    assert len(made.text) < 110_000

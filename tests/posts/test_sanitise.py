"""Nothing an author wrote acts on a reader's machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import lxml.html
import pytest

from postroom.errors import PostError
from postroom.posts.sanitise import check_nesting

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post

VECTORS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    '<img src="x" onerror="alert(1)">',
    "<img src=x:x onerror=alert(1)//>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<math><mtext></p><style><img src onerror=alert(1)></style></mtext></math>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href=' &#1; javascript:alert(1)'>x</a>",
    '<a href="vbscript:msgbox(1)">x</a>',
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](javascript:alert(1))",
    '<img srcset="javascript:alert(1) 1x, data:image/png;base64,AA 2x">',
    '<img src="a" srcset="//ex.kr/a 1x" style="background:url(javascript:alert(1))">',
    '<video poster="javascript:alert(1)" src="javascript:alert(1)"></video>',
    '<audio src="data:audio/mp3;base64,AA" autoplay></audio>',
    '<iframe src="javascript:alert(1)"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<object data="javascript:alert(1)"></object>',
    '<embed src="javascript:alert(1)">',
    '<form action="javascript:alert(1)"><button formaction="javascript:alert(1)">x</button></form>',
    '<input autofocus onfocus="alert(1)">',
    '<details open ontoggle="alert(1)">x</details>',
    '<blockquote cite="javascript:alert(1)">x</blockquote>',
    '<meta http-equiv="refresh" content="0;url=javascript:alert(1)">',
    '<base href="https://evil.example/">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    "<style>@import 'https://evil.example/x.css';</style>",
    '<p style="position:fixed">x</p>',
    '<a href="https://ex.kr" target="_blank" onclick="alert(1)">x</a>',
    '<div id="x" class="evil footnotes">x</div>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "<textarea><script>alert(1)</script></textarea>",
    "<template><script>alert(1)</script></template>",
    "<xmp><script>alert(1)</script></xmp>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "[[javascript:alert(1)|x]]",
    '{{< figure src="javascript:alert(1)" link="javascript:alert(1)" >}}',
    '{{< youtube "x\\"><script>alert(1)</script>" >}}',
    '```"><script>alert(1)</script>\nx\n```',
    '[x](https://ex.kr/"onmouseover=alert(1))',
    'https://ex.kr/"onmouseover=alert(1)가나',
    "# <img src=x onerror=alert(1)> 제목\n\n글",
    "글[^<script>]\n\n[^<script>]: x",
]
ACTIVE = {
    "script", "style", "iframe", "object", "embed", "form", "input", "button", "svg",
    "math", "meta", "base", "link", "video", "audio", "textarea", "template", "noscript",
}  # fmt: skip
ADDRESSES = {"href", "src", "cite", "poster", "action", "data"}
SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:|#|\.\.?/)")


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_active_survives(render: Callable[..., Post], vector: str) -> None:
    """No element, attribute or address that runs, loads frames or styles the page."""
    post = render(vector)
    for html in (post.html, post.page_html):
        for element in lxml.html.fragment_fromstring(html, create_parent="div").iter():
            assert element.tag not in ACTIVE
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                assert name not in {"style", "srcdoc", "target", "formaction"}
                if name in ADDRESSES:
                    assert SAFE_ADDRESS.match(value), value
                if name == "srcset":
                    assert "javascript" not in value
                    assert "data:" not in value


def test_what_comrak_made_is_kept(render: Callable[..., Post]) -> None:
    """Footnotes, code languages, alignment, details, language and direction."""
    post = render(
        "글[^1]\n\n[^1]: 주\n\n```py\nx\n```\n\n| a |\n|--:|\n| 1 |\n\n"
        '<details open><summary>더</summary>안</details>\n\n<p lang="ar" dir="rtl">نص</p>'
    )
    for kept in (
        'class="footnote-ref"',
        '<section class="footnotes">',
        '<code class="language-py">',
        'align="right"',
        "<summary>더</summary>",
        '<p lang="ar" dir="rtl">',
    ):
        assert kept in post.html


def test_frames_and_players_become_links(render: Callable[..., Post]) -> None:
    """No page of ours loads a third party; the reader may follow the link."""
    post = render(
        '<iframe src="https://www.youtube.com/embed/ab-c" title="영상"></iframe>\n\n'
        '<video poster="/img/root.png"><source src="https://ex.kr/v.mp4"></video>\n\n'
        '<audio controls src="https://ex.kr/a.mp3"></audio>\n\n<embed src="https://ex.kr/e.swf">\n'
    )
    assert (
        '<a href="https://www.youtube.com/watch?v=ab-c" rel="noopener noreferrer">영상</a>'
        in post.html
    )
    assert re.search(
        r'<a href="https://ex.kr/v.mp4"[^>]*><img src="https://ex.kr/blog/media/img/root.png"',
        post.html,
    )
    assert 'href="https://ex.kr/a.mp3"' in post.page_html
    assert 'href="https://ex.kr/e.swf"' in post.page_html


def test_a_script_nobody_closes_swallows_nothing(render: Callable[..., Post]) -> None:
    """`<script>` written as a word is shown as one."""
    post = render("태그 <script> 와 <style> 이야기\n\n다음 문단")
    assert "&lt;script&gt;" in post.html
    assert "다음 문단" in post.html


def test_a_type_parameter_is_text(render: Callable[..., Post]) -> None:
    """`Vec<String>` outside of backticks loses nothing."""
    assert "Vec&lt;String&gt;" in render("값은 Vec<String> 이다").html


def test_images_with_data_show_their_text_and_warn(render: Callable[..., Post]) -> None:
    """Mail clients block them, and feeds grow by megabytes."""
    post = render("글\n\n![고양이](data:image/png;base64,AAAA)")
    assert "<img" not in post.html
    assert "고양이" in post.html
    assert [(w.line, "data:" in w.message) for w in post.warnings] == [(7, True)]


@pytest.mark.parametrize(
    "reference",
    ["&#1;", "&#x1;", "&#x0002", "&#3;", "&#0;", "&#xFFFE;", "&#xD800;", "&#127;"],
)
def test_references_to_controls_never_leave(
    render: Callable[..., Post], reference: str
) -> None:
    """XML forbids them, and they must not be taken for marks of ours."""
    post = render(f'가{reference}나\n\n<b title="x{reference}y">다{reference}</b>')
    for text in (post.html, post.page_html, post.text, post.excerpt):
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", text
        )
        assert "https" not in text


def test_a_large_image_in_the_text_costs_the_image_only(
    render: Callable[..., Post],
) -> None:
    """Editors paste them; the post goes out all the same."""
    data = "data:image/png;base64," + "iVBORw0KGgo/" * 20_000
    post = render(f'앞 ![고양이]({data})\n\n<img alt="개" src="{data}"> 뒤')
    assert post.text == "앞 고양이\n\n개 뒤"
    assert "data:" in post.warnings[0].message


BOMBS = [
    "<div>" * 5000,
    "<p><div></p>" * 5000,
    "<b><div></b>" * 5000,
    "<x>" * 5000,
    "<p><object><div></p>" * 5000,
    "<i>" * 150 + "<p>a" * 5000,
    "<div " + "a=1 " * 10_000 + ">",
]


@pytest.mark.parametrize("html", BOMBS)
def test_nesting_is_limited_before_nh3_meets_it(html: str) -> None:
    """nh3 is quadratic in depth: a hundred kilobytes could take minutes."""
    with pytest.raises(PostError):
        check_nesting(html, "a.md")


def test_ordinary_html_is_within_the_limits() -> None:
    """Unclosed paragraphs and items are HTML's own way."""
    check_nesting(
        "<ul>" + "<li><p>a" * 3000 + "</ul>" + "<div><b>x</b></div>" * 3000, "a.md"
    )

"""HTML becomes Markdown that renders to the same words, links and pictures."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postroom.importing.body import Body
from postroom.importing.found import Found, Text
from postroom.importing.html_tree import TooDeepError, parse_html
from postroom.posts.decode import CONTROLS
from postroom.posts.markdown import render_markdown
from postroom.posts.shortcodes import Notations


def convert(html: str, form: Text = Text.HTML, **more: str) -> str:
    """Markdown of a text."""
    return Body(Found(text=html, form=form, **more)).markdown()  # type: ignore[arg-type]


def words(html: str) -> str:
    """Visible text without blanks."""
    return "".join(CONTROLS.sub("", str(parse_html(html).get_text())).split())


def shown(markdown: str) -> str:
    """Visible text of what a build makes of Markdown."""
    return words(render_markdown(Notations("", 1, markdown).expand()))


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<h2>제목</h2><p>글</p>", "## 제목\n\n글"),
        ("<p><strong>강조(bold)</strong>를</p>", "**강조(bold)**를"),
        ("<p>a_b_c and _x_ and 5 * 3</p>", "a_b_c and \\_x\\_ and 5 \\* 3"),
        ("<p># no heading<br>1. no list<br>- no list<br>&gt; no quote</p>", "\\# no heading\\\n1\\. no list\\\n\\- no list\\\n\\> no quote"),
        ("<p>{{ x }} {% y %}</p>", "&#123;{ x }} &#123;% y %}"),
        ("<pre><code class='language-js'>a `b` {{ c }}\n\n  d</code></pre>", "```js\na `b` {{ c }}\n\n  d\n```"),
        ("<p>x<sup>2</sup> <a href='#n'>1</a></p><p id='n'>note</p>", 'x<sup>2</sup> [1](#n)\n\n<a id="n"></a>note'),
        ("<p><img src='/가 나.png' alt='a [b]'></p>", "![a \\[b\\]](</가 나.png>)"),
        ("<p>Save &amp;amp; now &amp;copy;</p>", "Save &amp;amp; now &amp;copy;"),
        ("<iframe src='https://video.example/1'></iframe>", "<https://video.example/1>"),
        ("<p>keep</p><script>alert(1)</script><style>p{}</style>", "keep"),
        ("<ol start='3'><li>c</li><li>d</li></ol>", "3. c\n4. d"),
        ("<table><tr><th>a</th></tr><tr><td>b|c</td></tr></table>", "| a |\n| --- |\n| b\\|c |"),
        ("<blockquote><p>하나</p><p>둘</p></blockquote>", "> 하나\n>\n> 둘"),
        ("<p>before</p><!--more--><p>after</p>", "before\n\n<!--more-->\n\nafter"),
        ("", ""),
    ],
)  # fmt: skip
def test_usual_texts_become_usual_markdown(html: str, markdown: str) -> None:
    """What an author would have typed."""
    assert convert(html) == markdown


@pytest.mark.parametrize(
    "html",
    [
        "<figure><img src='a.png'><figcaption>말 <em>b</em></figcaption></figure>",
        "<table><tr><td colspan='2'>a</td></tr><tr><td>b</td><td>c</td></tr></table>",
        "<dl><dt>t</dt><dd>d</dd></dl>",
        "<details><summary>s</summary><p>inside</p></details>",
        '<p>a<b>"x"</b>y</p>',
        "<div>stray <p>para</p> more</div>",
        "<ul><li><p>a</p><pre>code\n\nmore</pre></li><li>b<table><tr><td>x</td></tr></table></li></ul>",
    ],
)
def test_what_markdown_cannot_say_stays_html(html: str) -> None:
    """And its words stay with it."""
    assert shown(convert(html)) == words(html)


TAGS = st.sampled_from(
    [
        "p",
        "div",
        "b",
        "em",
        "code",
        "pre",
        "ul",
        "li",
        "a href='x'",
        "blockquote",
        "h2",
        "td",
        "tr",
        "table",
        "span",
        "ol",
        "figure",
        "sup",
    ]
)
HOSTILE = st.sampled_from(
    [
        "*",
        "**",
        "_",
        "`",
        "```",
        "#",
        "- ",
        "1. ",
        "|",
        "[x](y)",
        "![",
        "]]",
        "{{",
        "{%",
        "$$",
        "&amp;",
        "&lt;b&gt;",
        "<br>",
        "\n",
        "\n\n",
        "    ",
        "~~",
        "---",
        "===",
        "가",
        "나다",
        "https://a.kr/x입니다",
        "www.a.kr",
        ":",
        "\\",
        "<!--",
        "-->",
        "[^1]",
        "[^1]: x",
        "<hr>",
        "[TOC]",
        "> [!NOTE]",
    ]
)
fragments = st.recursive(
    st.one_of(st.text(max_size=8).map(escape), HOSTILE),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        TAGS,
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(st.lists(fragments, max_size=5).map("".join))
def test_no_word_is_lost(html: str) -> None:
    """Whatever tags and signs a text is made of."""
    body = Body(Found(text=html))
    before = "".join(CONTROLS.sub("", str(body.tree.get_text())).split())
    assert shown(body.markdown()) == before


@given(st.text(max_size=200))
@example("\x00")
def test_plain_text_comes_through(text: str) -> None:
    """Every sign of it, also where Markdown or a template would read it."""
    assert shown(convert(text, Text.PLAIN)) == "".join(CONTROLS.sub("", text).split())


def test_deep_and_huge_texts_are_refused() -> None:
    """Before a parser is given them."""
    with pytest.raises(TooDeepError):
        convert("<div>" * 5000)
    with pytest.raises(TooDeepError):
        convert("x" * (4 * 1024 * 1024 + 1))


def test_wordpress_text_gets_its_paragraphs() -> None:
    """Blank lines part them, captions become figures, code stays code."""
    text = 'One\ntwo\n\n<pre>a\n\nb</pre>\n\n[caption width="1"]<img src="/x.png" /> Words[/caption]\n\n[code]1 < 2[/code]\n\n[unknown a="b"]'
    made = convert(text, Text.WORDPRESS, base="https://w.example/")
    assert made == (
        "One\\\ntwo\n\n```\na\n\nb\n```\n\n"
        '<figure><img src="https://w.example/x.png"/><figcaption>Words</figcaption></figure>\n\n'
        "```\n1 < 2\n```\n\n"
        '\\[unknown a="b"\\]'
    )


def test_relative_addresses_are_resolved() -> None:
    """Against the base; a fragment stays on the page."""
    made = convert(
        "<p><a href='../b'>b</a> <a href='#c'>c</a> <img data-src='i.png' src='data:image/gif;base64,R0lGODlhAQABAAAAACH5'></p>",
        base="https://r.example/x/y/",
    )
    assert made == "[b](https://r.example/x/b) [c](#c) ![](https://r.example/x/y/i.png)"

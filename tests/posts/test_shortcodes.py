"""Notations of other generators become Markdown or go; readers never meet them raw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.posts.shortcodes import Notations

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post


def expand(body: str) -> str:
    """Return a body without notations."""
    return Notations("a.md", 1, body).expand()


MAPPED = [
    (
        '{{< figure src="a.png" alt="고양이" caption="우리 집" >}}',
        '<figure><img src="a.png" alt="고양이"><figcaption>우리 집</figcaption></figure>',
    ),
    ("{{< youtube dQw4w9WgXcQ >}}", "<https://www.youtube.com/watch?v=dQw4w9WgXcQ>"),
    ('{{< youtube id="ab_c-1" >}}', "<https://www.youtube.com/watch?v=ab_c-1>"),
    ("{% youtube abc %}", "<https://www.youtube.com/watch?v=abc>"),
    ("{{% vimeo 123 %}}", "<https://vimeo.com/123>"),
    ("{{< gist kim 123 >}}", "<https://gist.github.com/kim/123>"),
    ("[글]({% post_url 2026/2026-01-02-a %})", "[글](2026-01-02-a.md)"),
    ('[글]({{< relref "b.md" >}})', "[글](b.md)"),
    ("[글]({{ site.baseurl }}/about/)", "[글](/about/)"),
    ('![x]({{ "/img/a.png" | relative_url }})', "![x](/img/a.png)"),
    ("{% raw %}{{ x }}{% endraw %}", "{\x04{ x }}"),
    ("가 {% comment %}숨김{% endcomment %}나", "가 나"),
    ("{{< note >}}내용{{< /note >}}", "내용"),
    ("{% if a %}내용{% endif %}", "내용"),
    ("제목 {#my-id}", '제목<a id="my-id"></a>'),
    ("문단\n{: .lead}", "문단\n"),
    ('[x](y){:target="_blank"}로', "[x](y)로"),
    ("* TOC\n{:toc}\n\n글", "\n\n글"),
    ("[[1]](https://ex.kr)", r"[\[1\]](https://ex.kr)"),
    ("[[글]]{이름}", "[[글|이름]]"),
    ("![[그림.png|300]]", "![](<wiki:그림.png>)"),
    ("**https://ex.kr**입니다", "**<https://ex.kr>**입니다"),
]


@pytest.mark.parametrize(("text", "markdown"), MAPPED)
def test_what_has_a_plain_meaning_is_kept(text: str, markdown: str) -> None:
    """Figures, players, addresses, contents of pairs."""
    assert expand(text) == markdown


@pytest.mark.parametrize(
    "text",
    [
        "`{{ x }}` 와 ``{% y %}``",
        "```liquid\n{{ page.url }}\n{% raw %}{% endraw %}\n```",
        "글\n\n    {{< figure >}}\n",
        "> ~~~\n> {{ x }}\n> ~~~",
        "<pre>{{ x }}</pre>",
        r"$\frac{{a}}{{b}}$ 과 $$\hat{{x}}$$",
        "함수 f() { return {}; }",
        "plain text",
    ],
)
def test_code_and_maths_are_untouched(text: str) -> None:
    """Samples about Liquid and Hugo stay samples."""
    assert expand(text) == text


def test_highlight_becomes_a_fence_longer_than_any_within() -> None:
    """Also when the code holds fences, and within a list."""
    assert expand("{% highlight ruby %}\nputs `x`\n{% endhighlight %}\n") == (
        "```ruby\nputs `x`\n```\n"
    )
    assert expand('{{< highlight go "linenos=1" >}}\n```\n{{< /highlight >}}') == (
        "````go\n```\n````"
    )
    assert expand("- a\n  {% highlight js %}\n  x\n  {% endhighlight %}") == (
        "- a\n  ```js\n  x\n  ```"
    )


def test_notations_in_highlighted_code_stay(render: Callable[..., Post]) -> None:
    """The code of a highlight tag is code."""
    post = render(
        "{% highlight liquid %}\n{{ page.url }}\n{% endhighlight %}\n\n{{ page.url }}끝"
    )
    assert "{{ page.url }}" in post.html
    assert post.html.endswith("<p>끝</p>")


def test_each_kind_left_out_is_one_warning_with_its_line(
    render: Callable[..., Post],
) -> None:
    """Ten `{% include %}` are one thing to mend."""
    post = render(
        "글\n\n{% include a.html %}\n{% include b.html %}\n\n{{< toc >}} {{ page.url }}"
    )
    lines = {
        warning.message.partition(" is ")[0]: warning.line for warning in post.warnings
    }
    assert lines == {"{% include %}": 7, "{{< toc >}}": 10, "{{ … }}": 10}


@pytest.mark.parametrize(
    "notation",
    ["{{ x }}", "{% x %}", "{{< x y=1 >}}", "{{% x %}}", "{{</* x */>}}", "{%- x -%}"],
)
def test_no_reader_sees_a_notation(render: Callable[..., Post], notation: str) -> None:
    """Not in feed, page, text or excerpt."""
    post = render(f"앞 문장 {notation} 뒤 문장.")
    for shown in (post.html, post.page_html, post.text, post.excerpt):
        assert "{" not in shown
        assert "앞 문장" in shown
        assert "뒤 문장." in shown


def test_an_end_that_is_missing_loses_no_text(render: Callable[..., Post]) -> None:
    """`{% raw %}` without its end hides nothing."""
    post = render("가 {% raw %} 나\n\n{{< highlight go >}}\n다")
    assert "나" in post.text
    assert "다" in post.text
    assert len(post.warnings) == 2

"""Markdown is CommonMark and GFM, with emphasis, links and lines that suit Korean."""

from __future__ import annotations

import pytest

from postroom.errors import PostError
from postroom.posts.markdown import (
    check_source,
    find_code,
    join_lines,
    render_markdown,
)


def first_line(text: str) -> str:
    """Return what a line becomes within its paragraph."""
    return render_markdown(text).strip().removeprefix("<p>").removesuffix("</p>")


EMPHASIS = [
    ("**강조(bold)**를", "<strong>강조(bold)</strong>를"),
    ('**"따옴표"**는', "<strong>&quot;따옴표&quot;</strong>는"),
    ("**5%**가", "<strong>5%</strong>가"),
    (
        "**[글](https://ex.kr/)**만",
        '<strong><a href="https://ex.kr/">글</a></strong>만',
    ),
    ("그는**“그렇다.”**라고", "그는<strong>“그렇다.”</strong>라고"),
    ("**`코드`**를", "<strong><code>코드</code></strong>를"),
    ("*기울임!*이라", "<em>기울임!</em>이라"),
    ("~~취소(선)~~은", "<del>취소(선)</del>은"),
    ("**日本語。**です", "<strong>日本語。</strong>です"),
    ("**plain** text", "<strong>plain</strong> text"),
    ("snake_case_name", "snake_case_name"),
    ("2 ** 3 ** 4", "2 ** 3 ** 4"),
]


@pytest.mark.parametrize(("text", "html"), EMPHASIS)
def test_emphasis_closes_before_a_particle(text: str, html: str) -> None:
    """A closing `**` after punctuation works although Hangul follows at once."""
    assert first_line(text) == html


PARTICLES = [
    ("https://ex.kr/x입니다", "https://ex.kr/x", "입니다"),
    ("www.ex.kr에서", "www.ex.kr", "에서"),
    ("https://ex.kr/a/b1로", "https://ex.kr/a/b1", "로"),
    ("https://ex.kr/x(y)는", "https://ex.kr/x(y)", "는"),
    ("https://ex.kr/x입니다.그리고", "https://ex.kr/x", "입니다.그리고"),
    ("https://ex.kr/한글", "https://ex.kr/한글", ""),
    ("https://ex.kr/?q=한글", "https://ex.kr/?q=한글", ""),
    ("https://ex.kr/a-한글", "https://ex.kr/a-한글", ""),
    ("https://ex.kr/xです", "https://ex.kr/x", "です"),
    ("https://ex.kr/x。次", "https://ex.kr/x", "。次"),
    ("<https://ex.kr/x입니다>", "https://ex.kr/x입니다", ""),
]


@pytest.mark.parametrize(("text", "shown", "rest"), PARTICLES)
def test_a_bare_url_ends_before_its_particle(text: str, shown: str, rest: str) -> None:
    """Hangul right behind a letter or digit is no part of a URL, elsewhere it is."""
    line = first_line(text)
    assert f">{shown}</a>{rest}" in line
    assert line.endswith(f"</a>{rest}")
    assert line.startswith('<a href="http')


def test_a_url_before_a_bracket_or_quote_ends_there() -> None:
    """Brackets and quotes around a URL stay outside of it."""
    assert ">https://ex.kr/x</a>)에서" in first_line("(https://ex.kr/x)에서")
    assert ">https://ex.kr</a>&quot;라고" in first_line('"https://ex.kr"라고')


def test_an_address_keeps_its_particle_outside() -> None:
    """`user@ex.kr로` links to user@ex.kr."""
    assert first_line("user@ex.kr로") == '<a href="mailto:user@ex.kr">user@ex.kr</a>로'


@pytest.mark.parametrize(
    ("language", "joined"),
    [("ja", True), ("zh-Hant", True), ("ko", False), ("en", False)],
)
def test_soft_breaks_join_in_ja_and_zh_only(language: str, joined: bool) -> None:  # noqa: FBT001 - a table's column
    """A line end between two ideographs is no blank in Japanese and Chinese."""
    html = join_lines("<p>東京\n<em>大阪</em>\n名古屋</p>", language)
    assert ("\n" not in html) is joined


def test_soft_breaks_never_join_hangul_latin_or_code() -> None:
    """Hangul and Latin need the blank, and code is the author's."""
    html = "<p>서울\n부산\nab\n東</p>\n<pre><code>東\n京\n</code></pre>"
    assert join_lines(html, "ja") == html


def test_hard_breaks_are_a_choice() -> None:
    """A line end is a `<br />` only where the site says so."""
    assert "<br" not in render_markdown("가\n나")
    assert "<br />" in render_markdown("가\n나", hard_breaks=True)


def test_task_lists_show_their_state_without_forms() -> None:
    """Boxes become characters that feeds and mail can show."""
    html = render_markdown("- [ ] 할 일\n- [x] 한 일\n")
    assert "☐ 할 일" in html
    assert "☑ 한 일" in html
    assert "<input" not in html


def test_maths_stays_as_it_was_written() -> None:
    """Nothing between `$$` is emphasis."""
    assert "$$a_1*b*c_2*$$" in render_markdown("식 $$a_1*b*c_2*$$ 끝")
    assert first_line("$5 and $10") == "$5 and $10"


def test_code_is_found_where_the_parser_sees_it() -> None:
    """Fences, indented blocks, spans and the author's own HTML, in characters."""
    text = "한글 `가{{나` x\n\n> ```\n> {{ b }}\n> ```\n\n    {{ c }}\n\n<pre>{{ d }}</pre>\n{{ e }}"
    inside = "".join(text[start:end] for start, end in find_code(text))
    for name in ("가{{나", "{{ b }}", "{{ c }}", "{{ d }}"):
        assert name in inside
    assert "{{ e }}" not in inside


BOMBS = {
    "quotes": (">" * 200_000, "block quotes"),
    "tables": (
        "|".join("a" * 500) + "\n" + "|".join("-" * 500) + "\na" * 500,
        "tables",
    ),
    "size": ("가" * 1_100_000, "characters"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_rendering(name: str) -> None:
    """What a small text would blow up is an error that names limit and line."""
    text, limit = BOMBS[name]
    with pytest.raises(PostError, match=limit):
        check_source(text, "a.md", 7)


def test_the_line_of_a_bomb_counts_in_the_file() -> None:
    """The body begins somewhere below the front matter."""
    with pytest.raises(PostError) as caught:
        check_source("a\n\n" + "> " * 200, "a.md", 7)
    assert caught.value.problem.line == 9


def test_a_large_table_of_a_real_post_is_fine() -> None:
    """Ten columns and 500 rows are work, but no attack."""
    check_source(
        "|a" * 10 + "|\n" + "|-" * 10 + "|\n" + ("|1" * 10 + "|\n") * 500, "a.md", 1
    )

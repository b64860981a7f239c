"""Addresses lead somewhere from feed, letter and page alike, or are no links."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.posts.links import encode_url, id_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.posts.post import Post, Rules

SECOND = "posts/%EB%91%98%EC%A7%B8-%EA%B8%80/"
PICTURE = "media/2026/%EA%B7%B8%EB%A6%BC%20%ED%95%98%EB%82%98.png"

INSIDE = [
    ("[x](<둘째 글.md>)", SECOND),
    ("[x](둘째%20글.md)", SECOND),
    ("[x](./둘째%20글.md)", SECOND),
    ("[x](../2026/둘째%20글)", SECOND),
    ("[x](/2026/둘째%20글.md)", SECOND),
    ("[x](../notes/Garden.md)", "posts/garden/"),
    ("[x](Garden.md)", "posts/garden/"),
    ("[x](../about/)", "about/"),
    ("[x](../../posts/garden/)", "posts/garden/"),
    ("[x](../garden/)", "posts/garden/"),
    ("[x](/posts/garden/)", "posts/garden/"),
    ("[x](/blog/posts/garden/)", "posts/garden/"),
    ("[x](https://ex.kr/blog/posts/garden/)", "posts/garden/"),
    ("[x](../notes/Garden.html)", "posts/garden/"),
    ("[x](@/notes/Garden.md)", "posts/garden/"),
    ("[[Garden]]", "posts/garden/"),
    ("[[garden|정원]]", "posts/garden/"),
    ("[[notes/Garden]]", "posts/garden/"),
    ("[[둘째 글]]", SECOND),
    ("[x](../notes/표.pdf)", "media/notes/%ED%91%9C.pdf"),
    ("![x](<그림 하나.png>)", PICTURE),
    ('<img src="그림 하나.png">', PICTURE),
    ("![[그림 하나.png]]", PICTURE),
    ("![x](/img/root.png)", "media/img/root.png"),
    ("![x](../img/root.png?v=2)", "media/img/root.png?v=2"),
]


@pytest.mark.parametrize(("text", "place"), INSIDE)
def test_what_is_in_the_posts_folder_is_found(
    render: Callable[..., Post], text: str, place: str
) -> None:
    """Absolute for feeds and letters, relative to its page for the page."""
    post = render(text)
    assert f'="https://ex.kr/blog/{place}"' in post.html
    assert f'="../../{place}"' in post.page_html
    assert post.warnings == ()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("[x](https://other.kr/a?b=c&d#e)", "https://other.kr/a?b=c&amp;d#e"),
        ("[x](//cdn.kr/a)", "https://cdn.kr/a"),
        ("[x](mailto:a@ex.kr)", "mailto:a@ex.kr"),
        ("[x](/elsewhere/a)", "https://ex.kr/blog/elsewhere/a"),
        ("[x](https://한국.kr/가 )", "https://xn--3e0b707e.kr/%EA%B0%80"),
        ('<a href="https://ex.kr/가 나">x</a>', "https://ex.kr/%EA%B0%80%20%EB%82%98"),
        ("![x](/none.png)", "https://ex.kr/blog/none.png"),
    ],
)
def test_what_is_outside_stays(
    render: Callable[..., Post], text: str, url: str
) -> None:
    """The same address in feed and page, percent-encoded once, hosts as IDNA."""
    post = render(text)
    assert f'="{url}"' in post.html
    assert f'="{url}"' in post.page_html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[이름](없는-글.md)", "이름"),
        ("[이름](../../../etc/passwd)", "이름"),
        ("[이름](없음.pdf)", "이름"),
        ("[[없는 글|이름]]", "이름"),
        ("[이름]()", "이름"),
        ("[이름](file:///etc/passwd)", "이름"),
        ("![그림](없음.png)", "그림"),
    ],
)
def test_a_missing_target_is_a_warning_and_its_text_stays(
    render: Callable[..., Post], text: str, shown: str
) -> None:
    """No reader follows a link to nothing, and the author learns the line."""
    post = render(f"첫 줄\n\n앞 {text} 뒤")
    assert f"앞 {shown} 뒤" in post.html
    assert [warning.line for warning in post.warnings if text != "[이름]()"] in (
        [7],
        [0],
        [],
    )
    if "file:" not in text:
        assert len(post.warnings) == 1


def test_an_image_with_a_blank_in_its_address_is_pointed_out(
    render: Callable[..., Post],
) -> None:
    """To Markdown it is text; the author sees what to write."""
    (warning,) = render("글\n\n![그림](img/가 나.png) `![x](a b.png)`").warnings
    assert warning.line == 7
    assert "<a b.png>" in warning.cure


def test_files_shown_are_files_to_copy(render: Callable[..., Post]) -> None:
    """Each once, the post's own picture included."""
    post = render(
        "![x](<그림 하나.png>) ![y](<그림 하나.png>) [표](../notes/표.pdf)",
        image="/img/root.png",
        image_alt="뿌리",
    )
    assert post.files == ("2026/그림 하나.png", "notes/표.pdf", "img/root.png")
    assert post.image is not None
    assert post.image.url == "https://ex.kr/blog/media/img/root.png"
    assert post.image.alt == "뿌리"


def test_a_picture_from_elsewhere_is_not_copied(render: Callable[..., Post]) -> None:
    """A missing one is a warning and no picture."""
    image = render("글", image="https://cdn.kr/a.png").image
    assert image is not None
    assert image.url == "https://cdn.kr/a.png"
    post = render("글", image="none.png")
    assert post.image is None
    assert len(post.warnings) == 1


@pytest.mark.parametrize(
    ("srcset", "page"),
    [
        (
            "a,b.png 1x, /img/root.png 2x",
            "../../media/2026/a%2Cb.png 1x, ../../media/img/root.png 2x",
        ),
        ("그림 하나.png 300w", f"../../{PICTURE} 300w"),
        ("/img/root.png", "../../media/img/root.png"),
        (
            "https://c.kr/w_4,h_3/a.png 400w,  https://c.kr/b.png 1.5x",
            "https://c.kr/w_4%2Ch_3/a.png 400w, https://c.kr/b.png 1.5x",
        ),
        (
            "https://c.kr/a.png 1x,https://c.kr/b.png 2x",
            "https://c.kr/a.png 1x, https://c.kr/b.png 2x",
        ),
        ("none.png 1x, /img/root.png 2x", "../../media/img/root.png 2x"),
    ],
)
def test_every_image_of_a_srcset_is_resolved(
    render: Callable[..., Post], srcset: str, page: str
) -> None:
    """Commas and blanks within addresses included; what is missing is left out."""
    post = render(f'<img src="/img/root.png" srcset="{srcset}">')
    assert f'srcset="{page}"' in post.page_html
    assert f'srcset="{page.replace("../../", "https://ex.kr/blog/")}"' in post.html


def test_a_poster_is_resolved(render: Callable[..., Post]) -> None:
    """A player's picture shows in its link."""
    post = render('<video src="https://ex.kr/v.mp4" poster="../img/root.png"></video>')
    assert 'src="../../media/img/root.png"' in post.page_html


def test_fragments_stay_on_the_page_and_leave_the_feed(
    render: Callable[..., Post],
) -> None:
    """In a feed or letter a fragment leads to the post's page."""
    post = render(
        "[가](#둘째-제목) [나](#Second)\n\n## 둘째 제목\n\n## Second {#second}\n"
    )
    prefix = id_prefix("2026/안녕.md")
    page = "https://ex.kr/blog/posts/%EC%95%88%EB%85%95/"
    heading = f"#{prefix}%EB%91%98%EC%A7%B8-%EC%A0%9C%EB%AA%A9"
    assert f'href="{heading}"' in post.page_html
    assert f'href="{page}{heading}"' in post.html
    assert f'id="{prefix}둘째-제목"' in post.html
    assert f'href="#{prefix}second"' in post.page_html


def test_a_link_to_a_heading_of_another_post_names_its_id(
    render: Callable[..., Post],
) -> None:
    """Ids carry the prefix of their post, links from elsewhere too."""
    target = render("## 둘째 제목", path="notes/Garden.md", url_path="posts/garden/")
    link = render("[x](../notes/Garden.md#둘째-제목)")
    found = re.search(r'id="([^"]+)"', target.page_html)
    assert found
    fragment = link.page_html.partition("posts/garden/#")[2].partition('"')[0]
    assert encode_url(found[1]) == fragment


def test_footnotes_of_two_posts_never_meet(render: Callable[..., Post]) -> None:
    """They stand on one page in a feed reader and in a letter."""
    first = render("글[^1]\n\n[^1]: 주", path="a.md")
    second = render("글[^1]\n\n[^1]: 주", path="b.md")
    ids = [set(re.findall(r' id="([^"]+)"', post.html)) for post in (first, second)]
    assert len(ids[0]) == 2
    assert not ids[0] & ids[1]
    for post, own in zip((first, second), ids, strict=True):
        targets = re.findall(r'href="#([^"]+)"', post.page_html)
        assert set(targets) == own


def test_a_lost_fragment_is_a_warning(render: Callable[..., Post]) -> None:
    """`#top` is every page's own."""
    (warning,) = render("[위](#top) [x](#없는-제목)").warnings
    assert "#없는-제목" in warning.message


def test_a_site_at_the_root_of_its_host(
    render: Callable[..., Post], rules: Rules
) -> None:
    """Nothing depends on a sub-path."""
    post = render(
        "[x](/posts/garden/) [y](/a)", rules=replace(rules, site_url="https://ex.kr/")
    )
    assert 'href="https://ex.kr/posts/garden/"' in post.html
    assert 'href="https://ex.kr/a"' in post.html

"""`posts.permalink`: a pattern gives every post the address it has on another's site."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.permalink import (
    Place,
    build_address,
    build_permalink,
    is_whole,
    page_url,
    parse_permalink,
    public_url,
    split_source,
)
from postroom.posts.url_styles import STYLES

SEOUL = ZoneInfo("Asia/Seoul")
EVENING = datetime(2024, 12, 31, 15, 30, 5, tzinfo=UTC)
"""The new year has begun in Seoul."""


MY_POST = Place(path="dir/sub/2024-12-31-My Post.md", published=EVENING, slug="my-post")


def place(path: str = MY_POST.path, **changes: Any) -> Place:
    """A post of that evening."""
    return replace(MY_POST, path=path, **changes)


def path_of(pattern: str, found: Place) -> str:
    """The address without its host."""
    url = build_permalink(parse_permalink(f"https://b.example/{pattern}"), found, SEOUL)
    return url.removeprefix("https://b.example/")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{slug}/", "my-post/"),
        ("{year}/{month}/{day}/{slug}.html", "2025/01/01/my-post.html"),
        ("{hour}{minute}{second}-{slug}", "003005-my-post"),
        (
            "{date:%y/%-m/%-d/%j/%b/%B/%-B}/{slug}",
            "25/1/1/001/Jan/January/january/my-post",
        ),
        ("{name}/", "2024-12-31-My%20Post/"),
        ("{stem:jekyll}.html", "My-Post.html"),
        ("{dated_stem:jekyll}/{slug}", "My-Post/my-post"),
        ("{path:hugo_path}/", "dir/sub/2024-12-31-my-post/"),
        ("{section}/{parent}/{slug}/", "dir/sub/my-post/"),
        ("{folder}/{slug}/", "dir/sub/my-post/"),
        ("{path:obsidian}", "dir/sub/2024-12-31-My+Post"),
        ("?p={slug}", "?p=my-post"),
        ("글/{slug}/", "%EA%B8%80/my-post/"),
        ("a%20b/{slug}/", "a%20b/my-post/"),
    ],
)
def test_a_placeholder_is_what_it_is_called(pattern: str, path: str) -> None:
    """Dates are those of the site's zone; what is encoded in the pattern stays so."""
    assert path_of(pattern, place()) == path


def test_the_first_text_that_is_not_empty_counts_in_its_own_style() -> None:
    """A slug of the front matter, else the name of the file; at last a literal."""
    pattern = "{own_slug:hugo|name:hugo_path}/"
    assert path_of(pattern, place()) == "2024-12-31-my-post/"
    assert path_of(pattern, place(own_slug="Mine, too")) == "mine-too/"
    assert path_of("{category|=misc}/{slug}", place()) == "misc/my-post"
    assert path_of(
        "{category:lower|=misc}/{slug}", place(categories=("Food", "b"))
    ) == ("food/my-post")


def test_what_is_empty_leaves_no_empty_folder() -> None:
    """A post without category, folder or language has a shorter address."""
    pattern = "{language}/{categories:lower}/{folder}/{slug}/"
    assert path_of(pattern, place("x.md")) == "my-post/"
    full = place("a/x.md", categories=("Tech", "AI"), language="en")
    assert path_of(pattern, full) == "en/tech/ai/a/my-post/"


def test_addresses_are_ascii_and_encoded_once() -> None:
    """NFC whatever the file system says; slashes and percent signs of a text are no syntax."""
    nfd = unicodedata.normalize("NFD", "한글 글.md")
    assert path_of("{name}/", place(nfd)) == path_of("{name}/", place("한글 글.md"))
    assert path_of("{title}/{slug}", place(title="50% a/b?#")) == (
        "50%25%20a%2Fb%3F%23/my-post"
    )
    korean = parse_permalink("https://블로그.한국/{slug}/")
    assert build_permalink(korean, place(), SEOUL) == (
        "https://xn--2i0b10rqve.xn--3e0b707e/my-post/"
    )


def test_a_post_without_a_date_has_no_address_in_a_dated_pattern() -> None:
    """Nothing is guessed; without a date in the pattern there is one."""
    undated = place(published=None)
    assert path_of("{year}/{slug}/", undated) == ""
    assert path_of("{slug}/", undated) == "my-post/"


@pytest.mark.parametrize(
    ("path", "folders", "name"),
    [
        ("a/b/c.md", ("a", "b"), "c"),
        ("a/slug/index.md", ("a",), "slug"),
        ("slug/index.ko.md", (), "slug"),
        ("2024-01-02-x.ko.markdown", (), "2024-01-02-x"),
        ("index.md", (), "index"),
        ("v1.2.mdx", (), "v1.2"),
    ],
)
def test_a_source_has_folders_and_a_name(
    path: str, folders: tuple[str, ...], name: str
) -> None:
    """Without extension and language; a bundle is named by its folder."""
    assert split_source(path) == (folders, name)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("blog.example/{slug}/", "must be an address such as"),
        ("ftp://b.example/{slug}/", "must be an address such as"),
        ("https://{slug}.example/", "must be an address such as"),
        ("https:///{slug}", "must be an address such as"),
        ("https://b.example/{slgu}/", "did you mean 'slug'?"),
        ("https://b.example/{yearr}/{slug}/", "did you mean 'year'?"),
        ("https://b.example/{name:hogo}/", "did you mean 'hugo'?"),
        ("https://b.example/{xyzzy}/", "there are year, month"),
        ("https://b.example/{slug/", "a brace without its other half"),
        ("https://b.example/slug}/", "a brace without its other half"),
        ("https://b.example/{slug}/#x", "must not contain"),
        ("https://b.example/a b/{slug}/", "must not contain"),
        ("https://b.example/{year}/{month}/", "same address"),
        ("https://b.example/", "same address"),
        ("https://b.example/{date:%Q}/{slug}", "write parts of a date"),
        ("https://b.example/{date}/{slug}", "write parts of a date"),
        ("https://b.example/{year|slug}/", "'year'"),
    ],
)
def test_a_fault_of_the_pattern_is_named(pattern: str, says: str) -> None:
    """With what was meant, where that can be told."""
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_permalink(pattern)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("/2024/my-post/", "https://b.example/blog/2024/my-post/"),
        ("2024/my-post", "https://b.example/blog/2024/my-post"),
        ("/a/index.html", "https://b.example/blog/a/"),
        ("/한글/", "https://b.example/blog/%ED%95%9C%EA%B8%80/"),
        ("/caf%C3%A9/", "https://b.example/blog/caf%C3%A9/"),
        ("https://b.example/else/", "https://b.example/else/"),
        ("https://b.example.evil/else/", ""),
        ("https://other.example/x/", ""),
        ("/:year/:title/", ""),
        ("/{{ page.slug }}/", ""),
        ("/", ""),
        ("", ""),
    ],
)
def test_an_address_of_the_front_matter_is_a_path_of_the_site(
    written: str, url: str
) -> None:
    """As Jekyll, Hugo and Zola read it; patterns and other hosts are none."""
    pattern = parse_permalink("https://b.example/blog/{slug}/")
    assert build_address(pattern, "https://b.example/blog/", written) == url


def test_where_the_feeds_lie_elsewhere_the_path_begins_at_the_pages_host() -> None:
    """`site.url` need not be the host of the pages."""
    pattern = parse_permalink("https://b.example/{slug}/")
    found = build_address(pattern, "https://letters.example/", "/x/")
    assert found == "https://b.example/x/"


def test_the_public_address_is_the_authors_own_then_the_whole_one_then_ours() -> None:
    """One rule for feeds, letters and links."""

    class Post:
        canonical_url = ""
        url_path = "posts/x/"

    post, site = Post(), "https://b.example/"
    assert (
        public_url(post, site) == page_url(post, site) == "https://b.example/posts/x/"
    )
    post.url_path = "https://old.example/x/"
    assert is_whole(post.url_path)
    assert public_url(post, site) == "https://old.example/x/"
    post.canonical_url = "https://first.example/x/"
    assert public_url(post, site) == "https://first.example/x/"
    assert page_url(post, site) == "https://old.example/x/"


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@given(
    path=st.lists(TEXT, min_size=1, max_size=3).map("/".join),
    texts=st.tuples(TEXT, TEXT, TEXT),
    style=st.sampled_from(["", *(f":{name}" for name in STYLES)]),
    offset=st.integers(-1439, 1439),
)
def test_whatever_a_post_says_its_address_is_one(
    path: str, texts: tuple[str, str, str], style: str, offset: int
) -> None:
    """ASCII, of the pattern's host, without blanks; stable when it is decoded."""
    names = ("own_slug", "title", "path", "category", "name", "id")
    pattern = "/".join(f"{{{name}{style}}}" for name in names)
    zone = timezone(timedelta(minutes=offset))
    found = Place(
        path=f"{path}.md",
        published=EVENING,
        slug="s",
        own_slug=texts[0],
        title=texts[1],
        categories=texts[2:],
        id=texts[0],
    )
    url = build_permalink(
        parse_permalink(f"https://b.example/{{year}}/{pattern}/{{slug}}/"), found, zone
    )
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(' "<>\\^`{}|')
    parts = urlsplit(url)
    assert parts.netloc == "b.example"
    assert parts.query == parts.fragment == ""
    assert "//" not in parts.path
    assert unicodedata.is_normalized("NFC", unquote(parts.path)) or style

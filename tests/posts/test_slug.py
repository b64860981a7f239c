"""Addresses of posts: readable in every script, safe as file names, stable across systems."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.slug import (
    RESERVED,
    SLUG_BYTES,
    build_slug,
    is_post_path,
    parse_language,
    parse_name,
    slug_of_address,
    slug_of_name,
    title_of,
)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hello, World!", "hello-world"),
        ("안녕하세요 세계", "안녕하세요-세계"),
        ("What's new in v1.0.2?", "whats-new-in-v1-0-2"),
        ("snake_case -- kept", "snake_case-kept"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\u200bb\u00adc", "abc"),
        ("हिन्दी में", "हिन्दी-में"),
        ("ÀÉ", "àé"),
        ("CON", "con-post"),
        ("lpt1", "lpt1-post"),
        ("🎉", ""),
        ("...", ""),
    ],
)
def test_a_slug_keeps_letters_of_every_script(text: str, slug: str) -> None:
    """Everything else becomes one hyphen, or nothing at the ends."""
    assert build_slug(text) == slug


@given(st.text(max_size=300))
def test_a_slug_is_a_safe_file_name(text: str) -> None:
    """Short enough, no path, no dots, NFC, and a slug stays itself."""
    slug = build_slug(text)
    assert len(slug.encode()) <= SLUG_BYTES + len("-post")
    assert not set(slug) & set('/\\.:*?"<>| \0')
    assert unicodedata.is_normalized("NFC", slug)
    assert build_slug(slug) == slug


@given(st.text(max_size=60))
def test_macos_and_linux_agree(text: str) -> None:
    """The decomposed form of a name gives the same slug."""
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    assert len({build_slug(form) for form in forms}) == 1


def test_long_names_stay_apart() -> None:
    """Two titles that differ in their last syllable only have two addresses."""
    one, two = (build_slug("가" * 200 + end) for end in "나다")
    assert one != two
    assert len(one.encode()) <= SLUG_BYTES


@pytest.mark.parametrize(
    ("path", "day", "slug", "language"),
    [
        ("2024-01-02-hello.md", date(2024, 1, 2), "hello", ""),
        ("2024-01-02 안녕 세계.md", date(2024, 1, 2), "안녕-세계", ""),
        ("2024-1-2_hello.markdown", date(2024, 1, 2), "hello", ""),
        ("2024-01-02.md", date(2024, 1, 2), "2024-01-02", ""),
        ("2024/01/02/hello.md", date(2024, 1, 2), "hello", ""),
        ("blog/2024/1/2/hello/index.md", date(2024, 1, 2), "hello", ""),
        ("2024-01-02-hello/index.md", date(2024, 1, 2), "hello", ""),
        ("notes/README.md", None, "notes", ""),
        ("hello/index.ko.md", None, "hello-ko", "ko"),
        ("2024-01-02-hello.pt-br.md", date(2024, 1, 2), "hello-pt-br", "pt-BR"),
        ("node.js.md", None, "node-js", ""),
        ("2024-13-45-hello.md", None, "2024-13-45-hello", ""),
        ("index.md", None, "index", ""),
        ("a/[240908-til]-제목.md", None, "240908-til-제목", ""),
    ],
)
def test_a_path_says_day_slug_and_language(
    path: str, day: date | None, slug: str, language: str
) -> None:
    """Names of Jekyll, Cobalt and Hugo bundles."""
    name = parse_name(path)
    assert (name.day, name.language) == (day, language)
    assert slug_of_name(path, name) == slug
    assert name.misdated == (path == "2024-13-45-hello.md")


def test_a_name_without_letters_still_has_an_address() -> None:
    """From the digest of its path, so that it stays the same."""
    one, two = (slug_of_name(path, parse_name(path)) for path in ("🎉.md", "✨.md"))
    assert one.startswith("post-")
    assert one != two


def test_the_name_reads_as_a_title() -> None:
    """Hyphens and underscores are blanks, the date is no part."""
    assert title_of(parse_name("2024-01-02-my_first-post.md")) == "my first post"


@pytest.mark.parametrize(
    ("address", "slug"),
    [
        ("/2024/01/02/hello.html", "hello"),
        ("https://a.kr/blog/hello/?x=1#y", "hello"),
        ("/%EC%95%88%EB%85%95/", "안녕"),
        ("/hello/index.html", "hello"),
        ("2019/02/22/Core-changes", "core-changes"),
        ("/:year/:title/", ""),
        ("/{{ slug }}/", ""),
        ("pretty", ""),
        ("/", ""),
        ("https://a.kr/", ""),
        ("../..", ""),
    ],
)
def test_a_permalink_gives_its_last_part(address: str, slug: str) -> None:
    """Patterns and names of styles give none."""
    assert slug_of_address(address) == slug


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("KO", "ko"),
        ("ko_KR.UTF-8", "ko-KR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("no", "no"),
        ("es-419", "es-419"),
        ("Korean", ""),
        ("go", ""),
        ("", ""),
        ("ko kr", ""),
    ],
)
def test_language_tags_have_one_spelling(text: str, tag: str) -> None:
    """What is no tag gives nothing."""
    assert parse_language(text) == tag


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", True),
        ("A.MD", True),
        ("b/a.markdown", True),
        ("a.mdx", True),
        ("b/README.md", True),
        ("_drafts/a.md", True),
        ("README.md", False),
        ("b/_index.md", False),
        ("a.txt", False),
        ("md", False),
        (".md", False),
        (".hidden.md", False),
        (".git/a.md", False),
        ("_site/a.md", False),
        ("b/node_modules/c/a.md", False),
        ("Templates/a.md", False),
    ],
)
def test_what_is_a_post(path: str, *, expected: bool) -> None:
    """By extension, in folders that an author writes in."""
    assert is_post_path(path) is expected


def test_the_reserved_words_are_slugs() -> None:
    """Each word can be met by a page, so each is in the form of a slug."""
    assert {"posts", "tags", "archive", "follow", "editions", "media"} <= RESERVED
    assert {build_slug(word) for word in RESERVED} == RESERVED

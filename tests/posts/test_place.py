"""The front matter of a post says where it is read, else the site's pattern does."""

from __future__ import annotations

import pytest

from tests.posts.place_scene import SITE, read_address

DATED = "---\ntitle: 제목\ndate: 2024-03-05\n{}\n---\n글\n"


def address(extra: str, pattern: str = "{year}/{slug}/", path: str = "a.md") -> str:
    """The path of a dated post with a line of its own."""
    url, problems = read_address(pattern, path, DATED.format(extra))
    assert problems == []
    return url.removeprefix(SITE)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("permalink: /my/own/", "my/own/"),
        ("permalink: /own.html", "own.html"),
        ("permalink: /own", "own"),
        ("url: /my/own", "my/own/"),
        ("url: own.html", "own.html"),
        ("path: 2014/12/12/1.0-Timeline", "2014/12/12/1.0-Timeline/"),
        ("permalink: pretty", "2024/a/"),
        ("slug: other", "2024/other/"),
        ("", "2024/a/"),
        ("url: https://b.example/whole/", "whole/"),
    ],
)
def test_an_address_of_its_own_wins(line: str, path: str) -> None:
    """Jekyll's is taken as it stands; Hugo's and Zola's are folders."""
    assert address(line) == path


def test_an_address_elsewhere_is_what_the_post_is_about() -> None:
    """It says nothing of where the post is read."""
    assert address("url: https://far.example/x", "{name}/") == "a/"


def test_a_pattern_in_the_front_matter_is_not_guessed_at() -> None:
    """The site's counts, and the author is told."""
    url, problems = read_address(
        "{slug}/", "a.md", DATED.format("permalink: /:year/:title/")
    )
    assert url == f"{SITE}a/"
    assert "`permalink` is no address of this site" in problems[0]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("categories: food drink", "food/drink/a/"),
        ("categories: [Two Words, b]", "two%20words/b/a/"),
        ("category: Two Words", "two%20words/a/"),
        ("category: one\ncategories: [two]", "one/a/"),
        ("tags: [x]", "a/"),
    ],
)
def test_categories_are_those_of_jekyll(line: str, path: str) -> None:
    """`category` is one; a text at `categories` is parted at blanks; tags are none."""
    assert address(line, "{categories:lower}/{slug}/") == path


def test_a_translation_has_its_language_in_the_address() -> None:
    """The site's own language has none."""
    assert address("", "{language}/{name}/", "post.en.md") == "en/post/"
    assert address("", "{language}/{name}/", "post.ko.md") == "post/"


def test_a_page_without_a_date_has_no_address_in_a_dated_pattern() -> None:
    """It is no post; links to it are named by `check`."""
    assert read_address("{year}/{slug}/", "about.md", "# 소개\n") == ("", [])

"""Names become addresses as the programs write them: measured on their own output."""

from __future__ import annotations

import pytest

from postroom.posts import url_styles

# As Hugo 0.168 wrote them.
HUGO_SLUGS = {
    "C++ x": "c++-x",
    "a/b": "a/b",
    "-lead - tail-": "lead-tail",
    "50% off": "50-off",
    "한글: 제목?": "한글-제목",
    "x—y – z": "xy-z",
    "A & B": "a-b",
    "a#b": "a#b",
    "it’s «q»": "its-q",
    "٣ x½²": "٣-x",
    "x  y": "x-y",
    "dots.": "dots.",
    "---a---": "a",
    "🎉 party": "party",
    "a_b~c": "a_b~c",
    "(x) [y]": "x-y",
}
HUGO_TITLES = {
    "---a---": "---a---",
    "-lead - tail-": "-lead-tail-",
    "a/b": "a-b",
    "a\\b": "a-b",
    "a+b": "a-b",
    "C++ x": "c-x",
    "Ünï & co": "ünï-co",
    "x:y; z": "xy-z",
    "日本語ー。テスト": "日本語ーテスト",
    "No.1: 'q'": "no.1-q",
}
HUGO_PATHS = {
    "2024-01-02-Dated Name": "2024-01-02-dated-name",
    "a - b  c": "a---b--c",
    "C++ & me, v1.2!": "c++--me-v1.2",
    "-lead - tail-": "-lead---tail-",
    "x—y – z": "xy--z",
    "🎉 party": "-party",
    "Émile's café": "émiles-café",
}
# As Pelican 4.12 wrote them, without and with SLUGIFY_USE_UNICODE.
PELICAN = {
    "C++ & me, v1.2!": ("c-me-v12", "c-me-v12"),
    "a - b  c": ("a-b-c", "a-b-c"),
    "Under_score": ("under_score", "under_score"),
    "Émile's café": ("emiles-cafe", "émiles-café"),
    "a/b c": ("ab-c", "ab-c"),
    "한글 제목 — 그리고": ("한글-제목-그리고", "한글-제목-그리고"),
}


@pytest.mark.parametrize(("text", "address"), HUGO_SLUGS.items())
def test_hugo_writes_slugs(text: str, address: str) -> None:
    """Hyphens and blanks at the ends go, inside they are one."""
    assert url_styles.hugo(text) == address


@pytest.mark.parametrize(("text", "address"), HUGO_TITLES.items())
def test_hugo_writes_titles(text: str, address: str) -> None:
    """Slashes and plus signs part words."""
    assert url_styles.hugo_title(text) == address


@pytest.mark.parametrize(("text", "address"), HUGO_PATHS.items())
def test_hugo_writes_names_of_files(text: str, address: str) -> None:
    """Each blank is a hyphen of its own."""
    assert url_styles.hugo_path(text) == address


@pytest.mark.parametrize(("text", "addresses"), PELICAN.items())
def test_pelican_writes_slugs(text: str, addresses: tuple[str, str]) -> None:
    """Without accents, or with them; Hangul stays, where Pelican may romanise it."""
    found = (url_styles.pelican(text), url_styles.pelican_unicode(text))
    assert found == addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("My Post", "My-Post"),
        ("Q&A (2): a.b", "Q&A-(2)-a.b"),
        ("--한글 제목!--", "한글-제목!"),
        ("escape-+ %20[]", "escape-+-20"),
    ],
)
def test_jekyll_keeps_the_case_and_what_addresses_allow(
    text: str, address: str
) -> None:
    """`:title`, by the rules of its `slugify`, mode `pretty`."""
    assert url_styles.jekyll(text) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [("v1.2 Notes", "v12-notes"), ("A  b!", "a--b"), ("한글 글", "한글-글")],
)
def test_astro_takes_dots_away(text: str, address: str) -> None:
    """Ids of a collection are GitHub's slugs."""
    assert url_styles.astro(text) == address

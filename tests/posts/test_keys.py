"""The same key under all its names: case, `_` and `-` make no difference."""

from __future__ import annotations

import pytest

from postroom.posts.keys import ALIASES, HANGUL_KEYS, KNOWN, Keys, fold, near_miss


@pytest.mark.parametrize(
    ("canonical", "alias"),
    [(canonical, alias) for canonical, names in ALIASES.items() for alias in names],
)
def test_every_alias_is_found(canonical: str, alias: str) -> None:
    """As written in the table, in capitals and with a hyphen."""
    for key in (alias, alias.upper(), alias.replace("_", "-").title()):
        entry = Keys({key: "x"}).first(canonical)
        assert entry is not None
        assert (entry.key, entry.value) == (key, "x")


def test_the_first_that_is_not_empty_counts() -> None:
    """The order is the table's, not the file's; null and blank are as if absent."""
    keys = Keys({"excerpt": "b", "summary": None, "description": "c"})
    entry = keys.first("summary")
    assert entry is not None
    assert entry.value == "b"
    assert Keys({"summary": " ", "excerpt": []}).first("summary") is None


def test_inner_maps_add_to_the_outer_pairs() -> None:
    """Hugo's `params` and Zola's `taxonomies` count, unless the key stands outside."""
    keys = Keys({"title": "a", "params": {"Title": "b", "author": "c"}})
    title, author = keys.first("title"), keys.first("authors")
    assert title is not None
    assert author is not None
    assert (title.value, author.value) == ("a", "c")
    tags = Keys({"taxonomies": {"tags": ["x"]}}).first("tags")
    assert tags is not None


def test_contradictions_are_remarked() -> None:
    """Two dates that differ are one too many; an excerpt beside a description is not."""
    keys = Keys({"date": "2024-01-01", "pubdate": "2024-01-02", "published": "true"})
    remarks = list(keys.remarks())
    assert [remark.key for remark in remarks] == ["pubdate"]
    assert "`date` and `pubdate` differ" in remarks[0].message
    assert not list(Keys({"date": "a", "pubdate": "a"}).remarks())
    assert not list(Keys({"excerpt": "a", "description": "b"}).remarks())
    assert list(Keys({"Title": "a", "title": "b"}).remarks())


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("titl", "title"),
        ("dat", "date"),
        ("darft", "draft"),
        ("제목", "title"),
        ("날짜", "date"),
        ("태그", "tags"),
    ],
)
def test_misspelt_and_korean_keys_get_a_hint(key: str, meant: str) -> None:
    """A key that does nothing is not passed over silently."""
    remarks = list(Keys({key: "x"}).remarks())
    assert [remark.cure for remark in remarks] == [f"did you mean `{meant}`?"]


@pytest.mark.parametrize(
    "key",
    [
        "layout",
        "toc",
        "author_site",
        "subtitle",
        "등급",
        "mood",
        "x",
        "end",
        "chapter",
        "seasons",
        "durations",
        "media",
    ],
)
def test_other_keys_are_nobodys_business(key: str) -> None:
    """Extra keys of other generators are neither error nor warning."""
    assert not list(Keys({key: "x"}).remarks())


def test_no_known_key_is_a_near_miss_of_itself() -> None:
    """The table and the hints do not contradict each other."""
    assert all(fold(name) in KNOWN for name in HANGUL_KEYS.values())
    assert near_miss("qqqq") == ""

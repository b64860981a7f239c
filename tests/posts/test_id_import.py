"""Published ids find their posts again, and nothing a ledger has is changed unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.posts.adoption import ADOPTED
from postroom.posts.id_import import ImportPlan, match_entries, plan_import
from postroom.posts.id_table import KnownId
from postroom.posts.publication import MailState, Publication
from postroom.posts.published_ids import PublishedEntry
from postroom.posts.tag_uri import authority_of, derived_ids, is_authority
from tests.posts.id_scene import a_post

if TYPE_CHECKING:
    from postroom.posts.post import Card

AUTHORITY = "blog.example,2026-11-01"
OURS = "blog.example,2026-12-24"
SITE = "https://blog.example/"
DAY = datetime(2026, 11, 3, tzinfo=UTC)
NOW = datetime(2026, 12, 24, tzinfo=UTC)


def card(path: str, **values: Any) -> Card:
    """A post at `posts/NAME/`."""
    name = path.removesuffix(".md")
    plain = replace(a_post(path), slug=name, url_path=f"posts/{name}/", published=DAY)
    return replace(plain, **values)


def entry(id: str, url: str = "", published: datetime | None = DAY) -> PublishedEntry:
    """An entry of a feed."""
    return PublishedEntry(id=id, url=url, published=published, file="atom.xml", line=3)


def derived(path: str) -> str:
    """The id that a file gets."""
    return next(derived_ids(path, AUTHORITY))


def matched(
    entries: list[PublishedEntry], *posts: Card, paths: tuple[str, ...] = ()
) -> dict[str, str]:
    """Path by id."""
    names = [*paths, *(post.path for post in posts)]
    rows = match_entries(entries, posts, names, SITE, AUTHORITY)
    return {row.id: row.path for row in rows}


@pytest.mark.parametrize(
    ("url", "values"),
    [
        (f"{SITE}posts/a/", {}),
        ("http://old.example/posts/a/index.html", {}),
        (f"{SITE}posts/%EA%B8%80/", {"url_path": "posts/글/"}),
        (
            "https://elsewhere.example/x",
            {"canonical_url": "https://elsewhere.example/x/"},
        ),
        (f"{SITE}2020/a.html", {"url_path": "2020/a/", "published": None}),
        (f"{SITE}2020/a/", {"url_path": "https://blog.example/2020/a"}),
        ("https://old.example/2020/a/", {"url_path": "https://blog.example/2020/a/"}),
        ("https://old.example/blog/posts/a/", {}),
        ("", {"id": "x:1"}),
        ("https://gone.example/", {"id": "x:1"}),
    ],
)
def test_an_entry_finds_its_post(url: str, values: dict[str, object]) -> None:
    """By address on any host, by canonical address, by the id of its front matter."""
    assert matched([entry("x:1", url)], card("a.md", **values)) == {"x:1": "a.md"}


def test_a_derived_id_finds_its_file() -> None:
    """Also when the address changed, and when the file is a draft now."""
    ids = [derived("a.md"), derived("draft.md")]
    entries = [entry(name, f"{SITE}no/longer/{name[-4:]}/") for name in ids]

    found = matched(entries, card("a.md"), paths=("draft.md",))

    assert found == {ids[0]: "a.md", ids[1]: "draft.md"}


def test_an_old_name_does_not_beat_address_and_date() -> None:
    """a.md became b.md, and another post is called a.md today."""
    old, later = derived("a.md"), DAY + timedelta(days=9)
    posts = [
        card("a.md", url_path="posts/other/", published=later),
        card("b.md", url_path="posts/a/"),
    ]

    assert matched([entry(old, f"{SITE}posts/a/")], *posts) == {old: "b.md"}


def test_an_entry_that_finds_nothing_is_kept() -> None:
    """Without a path; the end of an address alone is not enough."""
    late = DAY + timedelta(days=1)
    entries = [
        entry("x:1", "https://old.example/b/posts/a/", late),
        entry("x:2", "http://["),
        entry("x:3", f"{SITE}b/"),
    ]

    assert matched(entries, card("a.md")) == {"x:1": "", "x:2": "", "x:3": ""}


def test_a_post_gets_one_id_and_an_id_one_post() -> None:
    """The first entry counts, wherever it is repeated."""
    url = f"{SITE}posts/a/"
    entries = [entry("x:1", url), entry("x:2", url), entry("x:1", f"{SITE}posts/b/")]

    assert matched(entries, card("a.md"), card("b.md")) == {"x:1": "a.md", "x:2": ""}


# -- what to store -------------------------------------------------------------


def row(id: str, path: str = "", **values: Any) -> KnownId:
    """A row that was read."""
    return KnownId(id=id, path=path, file="t.jsonl", line=2, **values)


def publication(id: str, path: str, **values: Any) -> Publication:
    """What a ledger has."""
    plain = Publication(path=path, id=id, digest="d", first_seen=NOW)
    return replace(plain, **values)


def imported(
    *rows: KnownId, known: tuple[Publication, ...] = (), yes: bool = False
) -> ImportPlan:
    """Plan an import of a table of `AUTHORITY`."""
    return plan_import(rows, known, NOW, authorities=(OURS, AUTHORITY), yes=yes)


def test_an_empty_ledger_takes_everything() -> None:
    """Archived, unnumbered, with the authority of the table; what has no file is told."""
    plan = imported(row("x:1", "a.md", first_seen=DAY), row("x:2"))

    assert plan.publications == (
        publication(
            "x:1",
            "a.md",
            digest="",
            first_seen=DAY,
            mail=MailState.ARCHIVED,
            reason="imported",
        ),
        publication("x:2", "", digest="", mail=MailState.ARCHIVED, reason="imported"),
    )
    assert (plan.recorded, plan.unchanged, plan.unmatched) == (2, 0, ("x:2",))
    assert plan.authority == AUTHORITY


def test_the_second_time_changes_nothing() -> None:
    """What is known is known, where its post is now; an id that was given up stays so."""
    known = (
        publication("x:1", "moved.md"),
        publication("x:2", ""),
        publication("x:3", "", reason=ADOPTED),
    )

    plan = imported(row("x:1", "a.md"), row("x:2"), row("x:3", "b.md"), known=known)

    assert (plan.publications, plan.unchanged, plan.problems) == ((), 3, ())


def test_an_id_without_file_gets_its_file_later() -> None:
    """When a later feed or folder matches."""
    (stored,) = imported(
        row("x:1", "a.md"), known=(publication("x:1", ""),)
    ).publications

    assert (stored.id, stored.path) == ("x:1", "a.md")


def test_a_post_with_another_id_is_a_problem() -> None:
    """Ids never change without a word; the other rows count."""
    known = (publication(f"tag:{OURS}:1", "a.md", number=4, mail=MailState.NUMBERED),)

    plan = imported(row("x:1", "a.md"), row("x:2", "b.md"), known=known)

    assert [item.id for item in plan.publications] == ["x:2"]
    assert str(plan.problems[0]).startswith("t.jsonl:2:1: a.md has the id tag:")
    assert plan.authority == ""


def test_with_yes_a_post_gets_the_imported_id() -> None:
    """With the number it has, so that nobody is mailed again; the other id is given up."""
    known = (publication(f"tag:{OURS}:1", "a.md", number=4, mail=MailState.NUMBERED),)

    plan = imported(row("x:1", "a.md"), known=known, yes=True)

    given_up, stored = plan.publications
    assert (stored.id, stored.path, stored.number) == ("x:1", "a.md", 4)
    assert (given_up.path, given_up.number, given_up.reason) == ("", None, ADOPTED)
    assert plan.problems == ()
    assert plan.authority == AUTHORITY


def test_the_authority_stays_while_a_post_depends_on_it() -> None:
    """Ids that authors wrote are completed with it: they must stay what they are."""
    known = (publication(f"tag:{OURS}:mine", "b.md"),)

    assert imported(row("x:1", "a.md"), known=known).authority == ""


@pytest.mark.parametrize(
    ("id", "authority"),
    [
        (derived("a.md"), AUTHORITY),
        (f"tag:{AUTHORITY}:feed", AUTHORITY),
        (f"tag:{AUTHORITY}:{'0' * 64}-2", AUTHORITY),
        (f"tag:{AUTHORITY}:essay", ""),
        ("tag:blogger.com,1999:blog-1.post-2", ""),
        ("tag:x.example,2026-02-30:0123456789abcdef", ""),
        ("https://blog.example/", ""),
    ],
)
def test_only_ids_of_ours_tell_an_authority(id: str, authority: str) -> None:
    """Derived under a host and a day that exists (RFC 4151 §2.1)."""
    assert authority_of(id) == authority
    assert is_authority(authority) == bool(authority)

"""A post keeps its id for ever: through edits, renames, and the loss of the ledger."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from postroom.posts.publication import Publication
from tests.posts.id_scene import (
    AUTHORITY,
    LATER,
    a_post,
    id_of,
    plan,
    problems,
    stored,
)

if TYPE_CHECKING:
    from postroom.posts.post import Post


def test_a_new_post_gets_a_tag_uri() -> None:
    """The id is derived from the path, and nothing else (RFC 4151)."""
    (publication,) = plan([a_post("2026/essay.md")])
    assert publication == Publication(
        path="2026/essay.md",
        id="tag:blog.example,2026-11-01:a8757ca2fadc0a90",
        digest="digest of 2026/essay.md",
        first_seen=LATER,
    )


def test_a_lost_ledger_gives_the_same_ids() -> None:
    """The same paths derive the same ids again, in whatever normal form they come."""
    paths = ["a.md", "여행/제주.md", "b.md"]
    before = plan([a_post(path) for path in paths])
    after = plan([a_post(unicodedata.normalize("NFD", path)) for path in paths[::-1]])
    assert {item.id for item in before} == {item.id for item in after}
    assert len({item.id for item in before}) == 3


@pytest.mark.parametrize(
    ("own", "stored_id"),
    [
        ("tag:old.example,2009:42", "tag:old.example,2009:42"),
        ("https://old.example/?p=42", "https://old.example/?p=42"),
        ("urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6",) * 2,
        ("essay-42", f"tag:{AUTHORITY}:essay-42"),
        ("제주 1", f"tag:{AUTHORITY}:%EC%A0%9C%EC%A3%BC%201"),
        ("bad\ud800", f"tag:{AUTHORITY}:bad?"),
    ],
)
def test_an_id_of_the_author_is_taken(own: str, stored_id: str) -> None:
    """An IRI is kept as it is, any other text becomes part of our tag URI."""
    (publication,) = plan([a_post("a.md", own=own)])
    assert publication.id == stored_id


def test_nothing_changed_is_nothing_to_store() -> None:
    """A second run over the same posts stores nothing."""
    posts = [a_post("a.md"), a_post("b.md", own="b")]
    assert plan(posts, stored(posts)) == []


def test_an_edited_post_keeps_id_and_number() -> None:
    """Only the digest is stored anew."""
    known = stored([a_post("a.md", "first")])
    assert plan([a_post("a.md", "second")], known) == [
        replace(known[0], digest="digest of second")
    ]


def test_a_renamed_post_keeps_id_and_number() -> None:
    """The old path is gone and the content is the same: the path is stored anew."""
    known = stored([a_post("a.md", "text")])
    assert plan([a_post("2026/b.md", "text")], known) == [
        replace(known[0], path="2026/b.md")
    ]


def test_a_post_with_an_id_may_be_renamed_and_edited_at_once() -> None:
    """The id in its front matter tells who it is."""
    known = stored([a_post("a.md", "text", own="x")])
    (change,) = plan([a_post("b.md", "other", own="x")], known)
    assert (change.id, change.path, change.number) == (known[0].id, "b.md", 1)


def test_a_copy_is_a_post_of_its_own() -> None:
    """While the old file is there, also as a draft, the same content elsewhere is new."""
    known = stored([a_post("a.md", "text")])
    for draft in (False, True):
        (change,) = plan(
            [a_post("a.md", "text", draft=draft), a_post("b.md", "text")], known
        )
        assert change.path == "b.md"
        assert change.id != known[0].id


def test_twins_that_move_both_keep_an_id() -> None:
    """Two vanished posts of the same content: one moves along, the other is new."""
    known = stored([a_post("a.md", "same"), a_post("b.md", "same")])
    changes = plan([a_post("c.md", "same"), a_post("d.md", "same")], known)
    assert [change.path for change in changes] == ["c.md", "d.md"]
    assert changes[0].id == known[0].id
    assert changes[1].id != known[0].id


def test_an_old_name_for_a_new_post() -> None:
    """a.md became b.md; a new a.md gets a longer id, for its own one is taken."""
    known = stored([a_post("a.md", "text")])
    known = stored([a_post("b.md", "text")], known)
    (change,) = plan([a_post("a.md", "new"), a_post("b.md", "text")], known)
    assert change.path == "a.md"
    assert change.id.startswith(known[0].id)
    assert len(change.id) > len(known[0].id)


def test_one_name_used_again_and_again() -> None:
    """However often a name is freed and used again, each post gets an id of its own."""
    posts: list[Post] = []
    known: list[Publication] = []
    for number in range(12):
        posts = [replace(post, path=f"{post.text}.md") for post in posts]
        known = stored(posts, known)
        posts.append(a_post("today.md", f"text {number}"))
        known = stored(posts, known)
    assert len({item.id for item in known}) == 12


def test_two_posts_with_one_id() -> None:
    """The second by path is a problem and has no publication; the first goes on."""
    posts = [a_post("b.md", own="x"), a_post("a.md", own="x"), a_post("c.md")]
    assert [item.path for item in plan(posts)] == ["a.md", "c.md"]
    assert problems(posts, []) == [
        "b.md: a.md has the id 'x' too, give it an id of its own"
    ]


def test_who_has_an_id_keeps_it() -> None:
    """A copy that sorts before the original takes neither its id nor its number."""
    known = stored([a_post("b.md", "text", own="x")])
    posts = [a_post("a.md", "copy", own="x"), a_post("b.md", "edited", own="x")]
    assert [item.path for item in plan(posts, known)] == ["b.md"]
    assert problems(posts, known) == [
        "a.md: b.md has the id 'x' too, give it an id of its own"
    ]


def test_an_id_copied_from_a_feed_is_not_stolen() -> None:
    """A post that names the derived id of an unchanged other one is refused."""
    known = stored([a_post("b.md", "text")])
    posts = [a_post("a.md", own=known[0].id), a_post("b.md", "text")]
    assert plan(posts, known) == []
    assert len(problems(posts, known)) == 1


def test_two_posts_swap_their_names() -> None:
    """Ids in the front matter, not names, tell which is which."""
    one, two = a_post("a.md", "one", own="1"), a_post("b.md", "two", own="2")
    known = stored([one, two])
    changes = plan([replace(one, path="b.md"), replace(two, path="a.md")], known)
    assert {(change.id[-1], change.path) for change in changes} == {
        ("1", "b.md"),
        ("2", "a.md"),
    }


def test_an_id_set_too_late_changes_nothing() -> None:
    """A published post keeps its id, and the author is told which it is."""
    known = stored([a_post("a.md", "text")])
    posts = [a_post("a.md", "edited", own="mine")]
    assert [item.id for item in plan(posts, known)] == [known[0].id]
    (problem,) = problems(posts, known)
    assert problem.endswith(f"write id: {known[0].id} or leave it out")


def test_only_public_posts_get_ids() -> None:
    """Pages without date, drafts and scheduled posts wait; nothing known is touched."""
    known = stored([a_post("was.md")])
    posts = [
        replace(a_post("page.md"), published=None),
        a_post("draft.md", draft=True),
        replace(a_post("soon.md"), published=LATER + timedelta(days=1)),
        a_post("was.md", "edited", draft=True),
    ]
    assert plan(posts, known) == []


def test_a_file_name_that_is_no_text() -> None:
    """A name with octets that are no UTF-8 has an id like any other."""
    (publication,) = plan([a_post("caf\udce9.md")])
    assert publication.id.isascii()


def test_an_unchanged_post_stays_who_it_is() -> None:
    """A claim that was refused does not become good because the other post is edited."""
    known = stored([a_post("a.md", "one"), a_post("b.md", "two")])
    copied = a_post("b.md", "three", own=known[0].id)
    known = stored([a_post("a.md", "one"), copied], known)

    posts = [a_post("a.md", "edited"), copied]

    assert [item.id for item in plan(posts, known)] == [known[0].id]
    assert len(problems(posts, known)) == 1


def test_an_id_that_nobody_may_have_blocks_nobody() -> None:
    """A published post that sets a new id has none of it; a new post with it has."""
    known = stored([a_post("a.md", "one")])
    posts = [a_post("a.md", "two", own="x"), a_post("b.md", own="x")]

    assert {item.path: item.id for item in plan(posts, known)} == {
        "a.md": known[0].id,
        "b.md": f"tag:{AUTHORITY}:x",
    }


def test_who_lost_its_id_cannot_take_that_of_another() -> None:
    """c.md says it is what a.md was; the id that a.md sets now is one of d.md."""
    known = stored([a_post("a.md", "one")])
    posts = [
        a_post("a.md", "two", own="x"),
        a_post("c.md", own=known[0].id),
        a_post("d.md", own="x"),
    ]

    assert {item.path: item.id for item in plan(posts, known)} == {
        "c.md": known[0].id,
        "d.md": f"tag:{AUTHORITY}:x",
    }
    assert problems(posts, known) == [
        "a.md: d.md has the id 'x' too, give it an id of its own"
    ]


def test_who_lost_its_path_is_known_by_its_content() -> None:
    """b.md, by its id, moved to the place of a.md, which moved to c.md."""
    known = stored([a_post("a.md", "one"), a_post("b.md", "two", own="b")])

    posts = [a_post("a.md", "two", own="b"), a_post("c.md", "one")]
    after = {item.id: item.path for item in plan(posts, known)}

    assert after == {id_of("a.md", known): "c.md", id_of("b.md", known): "a.md"}


def test_who_was_overwritten_has_no_path() -> None:
    """No two publications are at one path, so the next edit cannot change identities."""
    known = stored([a_post("a.md", "one"), a_post("b.md", "two", own="b")])
    overwritten = id_of("a.md", known)
    known = stored([a_post("a.md", "two", own="b")], known)
    assert {item.id: item.path for item in known} == {
        overwritten: "",
        f"tag:{AUTHORITY}:b": "a.md",
    }

    (change,) = plan([a_post("a.md", "its id was taken out")], known)

    assert change.id == f"tag:{AUTHORITY}:b"

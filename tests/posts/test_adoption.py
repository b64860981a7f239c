"""Two publications of one post become one: nobody mailed twice, nobody passed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.adoption import AdoptionError, join, plan_adoption
from postroom.posts.publication import MailState, Publication

OLD = Publication(
    path="old.md",
    id="tag:blog.example,2026-11-01:old",
    digest="d1",
    first_seen=datetime(2026, 11, 2, tzinfo=UTC),
    number=3,
    mail=MailState.NUMBERED,
)
NEW = replace(
    OLD,
    path="new.md",
    id="tag:blog.example,2026-11-01:new",
    digest="d2",
    number=None,
    mail=MailState.NEW,
)


def test_the_older_id_moves_and_the_younger_is_given_up() -> None:
    """Id, number and date stay; the other has no file, no content and no mail."""
    adopted, given_up = plan_adoption("old.md", "new.md", "d3", [OLD, NEW], {"new.md"})

    assert adopted == replace(OLD, path="new.md", digest="d3")
    assert given_up == replace(
        NEW, path="", digest="", mail=MailState.ARCHIVED, reason="adopted"
    )


def test_a_file_that_no_run_has_seen_is_adopted_too() -> None:
    """Then there is nothing to give up; the old post may be named by its id."""
    adopted, given_up = plan_adoption(OLD.id, "new.md", "d3", [OLD], {"new.md"})

    assert (adopted.id, adopted.path, given_up) == (OLD.id, "new.md", None)


@pytest.mark.parametrize(
    ("old", "new", "present", "words"),
    [
        ("never.md", "new.md", {"new.md"}, "never.md: no post of that path or id"),
        ("", "new.md", {"new.md"}, "no post of that path or id"),
        ("old.md", "new.md", {"old.md", "new.md"}, "old.md: is still there"),
        ("old.md", "none.md", {"new.md"}, "none.md: no such post"),
        (NEW.id, "new.md", {"new.md"}, "new.md: has the id .*:new already"),
    ],
)
def test_what_cannot_be_adopted_is_named(
    old: str, new: str, present: set[str], words: str
) -> None:
    """Unknown, still there, no file, or its own already."""
    with pytest.raises(AdoptionError, match=words):
        plan_adoption(old, new, "d", [OLD, NEW], present)


def test_a_path_of_several_posts_is_ambiguous() -> None:
    """Then the id must be named, and the error names the choice."""
    twin = replace(OLD, id="tag:blog.example,2026-11-01:twin", number=9)

    with pytest.raises(AdoptionError, match=r":old, .*:twin"):
        plan_adoption("old.md", "new.md", "d", [OLD, twin], {"new.md"})

    adopted = plan_adoption(twin.id, "new.md", "d", [OLD, twin], {"new.md"}).adopted
    assert adopted.id == twin.id


def test_what_was_numbered_needs_a_yes() -> None:
    """It may have been mailed as a new post: a person decides."""
    numbered = replace(NEW, number=7, mail=MailState.NUMBERED)
    known = [OLD, numbered]

    with pytest.raises(AdoptionError, match=r"new\.md: was numbered 7"):
        plan_adoption("old.md", "new.md", "d", known, {"new.md"})

    adopted, given_up = plan_adoption(
        "old.md", "new.md", "d", known, {"new.md"}, yes=True
    )
    assert adopted.number == 3
    assert given_up
    assert (given_up.number, given_up.path) == (7, "")


def test_what_was_never_mailed_takes_the_number_of_what_was() -> None:
    """Else a held post would be numbered again, and reach some readers twice."""
    held = replace(OLD, number=None, mail=MailState.HELD, reason="max_new")
    numbered = replace(NEW, number=7, mail=MailState.NUMBERED)

    adopted, given_up = join(held, numbered)

    assert (adopted.number, adopted.mail, adopted.reason) == (7, MailState.NUMBERED, "")
    assert given_up
    assert (given_up.number, given_up.mail) == (None, MailState.ARCHIVED)


NUMBERS = st.none() | st.integers(1, 6)


@given(NUMBERS, NUMBERS, st.integers(0, 7))
def test_a_reader_is_offered_a_post_once(
    old: int | None, new: int | None, mark: int
) -> None:
    """Whoever has either number behind them gets neither; who has none of them, one."""
    if old is not None and old == new:
        return
    older = replace(OLD, number=old, mail=_state(old))
    younger = replace(NEW, number=new, mail=_state(new))
    numbers = [number for number in (old, new) if number is not None]

    adopted, given_up = join(older, younger)

    offered_before = any(number <= mark for number in numbers)
    offered_again = adopted.number is not None and adopted.number > mark
    assert offered_again == (bool(numbers) and not offered_before)
    assert given_up
    assert given_up.path == ""
    kept = {item.number for item in (adopted, given_up)} - {None}
    assert kept == set(numbers)


def _state(number: int | None) -> MailState:
    return MailState.HELD if number is None else MailState.NUMBERED

"""`posts.exclude`: what it names is no post, whatever its case; all else is as before."""

from __future__ import annotations

from postroom.posts.exclude import build_post_test
from postroom.posts.slug import is_post_path


def test_named_folders_and_files_hold_no_posts() -> None:
    """Whole names only: `Work` is not `Workshop`."""
    is_post = build_post_test(("Meta/Templates", "Work", "Inbox.md"))
    paths = ["meta/templates/x.md", "Work/a/b.md", "inbox.md"]
    assert not any(map(is_post, paths))
    others = ["Meta/x.md", "Workshop/a.md", "a/Inbox.md", "Work.md"]
    assert all(map(is_post, others))


def test_without_names_nothing_changes() -> None:
    """The test is the plain one."""
    assert build_post_test(()) is is_post_path

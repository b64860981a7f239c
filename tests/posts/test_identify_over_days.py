"""Whatever is done to the files, in any order: ids stay, and are never used again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.adoption import AdoptionError, plan_adoption
from postroom.posts.identify import only_contents_changed, renew_digests
from postroom.posts.publication import MailState
from tests.posts.id_scene import AUTHORITY, a_post, plan, problems, stored

if TYPE_CHECKING:
    from postroom.posts.post import Post
    from postroom.posts.publication import Publication

POSTS = st.lists(
    st.builds(
        a_post,
        st.sampled_from(["a.md", "b.md", "c.md", "d.md"]),
        st.sampled_from(["1", "2", "3"]),
        own=st.sampled_from(["", "", "x", "y"]),
        draft=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda post: post.path,
)


@given(st.lists(POSTS, max_size=6))
def test_whatever_happens_to_the_files(days: list[list[Post]]) -> None:
    """Over any days of edits: no id is lost or shared, each public post has one or a problem."""
    known: list[Publication] = []
    for posts in days:
        before = {item.id: item.first_seen for item in known}
        named = {text.partition(":")[0] for text in problems(posts, known)}
        known = stored(posts, known)
        assert before.items() <= {item.id: item.first_seen for item in known}.items()
        assert plan(posts, known) == []
        for post in posts:
            if not post.draft:
                held = [
                    item
                    for item in known
                    if item.digest == post.digest and item.path == post.path
                ]
                assert held or post.path in named


def seen(posts: list[Post], known: list[Publication]) -> tuple[list[Post], set[str]]:
    """Return the public posts that are not as recorded, and all public paths."""
    public = [post for post in posts if not post.draft]
    digests = {item.path: item.digest for item in known}
    changed = [post for post in public if digests.get(post.path) != post.digest]
    return changed, {post.path for post in public}


@given(st.lists(POSTS, min_size=2, max_size=6))
def test_the_short_way_ends_where_the_long_one_does(days: list[list[Post]]) -> None:
    """Whenever only contents changed, renewed digests are the whole plan."""
    known: list[Publication] = []
    for posts in days:
        changed, public = seen(posts, known)
        ids = {item.path: item.id for item in known if item.path}
        if only_contents_changed(changed, public, ids, AUTHORITY):
            at = [
                item for item in known if item.path in {post.path for post in changed}
            ]
            short = renew_digests(changed, at)
            assert sorted(short, key=lambda item: item.id) == sorted(
                plan(posts, known), key=lambda item: item.id
            )
        claiming = [post for post in posts if not post.draft and post.id]
        if only_contents_changed([*changed, *claiming], public, ids, AUTHORITY):
            assert problems(posts, known) == []
        known = stored(posts, known)


def test_the_short_way_is_taken() -> None:
    """For an edit, and for nothing; not for a new post or a change of an id."""
    posts = [a_post("a.md", "one", own="a"), a_post("b.md", "two")]
    known = stored(posts)
    ids = {item.path: item.id for item in known}

    def short(*now: Post) -> bool:
        changed, public = seen(list(now), known)
        return only_contents_changed(changed, public, ids, AUTHORITY)

    assert short(*posts)
    assert short(posts[0], a_post("b.md", "three"))
    assert short(a_post("a.md", "four", own="a"))
    assert not short(*posts, a_post("c.md"))
    assert not short(posts[0], a_post("c.md", "two"))
    assert not short(a_post("a.md", "four", own="b"), posts[1])


STEPS = st.tuples(
    st.sampled_from(["write", "rename", "rewrite", "delete", "adopt", "swap"]),
    st.sampled_from("abcd"),
    st.sampled_from("abcd"),
    st.booleans(),
)


class Blog:
    """A folder and its ledger; every step may be followed by a run, or by another step."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.known: dict[str, Publication] = {}
        self.count = 0

    def text(self) -> str:
        """Return a text nobody had."""
        self.count += 1
        return f"text {self.count}"

    def step(self, what: str, one: str, other: str) -> None:
        """Do to the file `one` what the word says."""
        if what == "write":
            self.texts[one] = self.text()
        elif what == "swap" and one in self.texts and other in self.texts:
            self.texts[one], self.texts[other] = self.texts[other], self.texts[one]
        elif what == "adopt":
            self.adopt(one, other)
        elif one in self.texts:
            text = self.texts.pop(one)
            if what != "delete":
                self.texts[other] = text if what == "rename" else self.text()

    def adopt(self, old: str, new: str) -> None:
        """Adopt where that is allowed, and look at what came of it."""
        known = list(self.known.values())
        try:
            adoption = plan_adoption(
                old, new, "digest", known, self.texts.keys(), yes=True
            )
        except AdoptionError:
            return
        before = {item.number for item in known}
        self.known |= {item.id: item for item in adoption.changes()}
        assert {item.number for item in self.known.values()} == before
        assert adoption.adopted.path == new

    def run(self, number: int) -> None:
        """Build, and number what is new."""
        posts = [a_post(path, text) for path, text in self.texts.items()]
        changes = plan(posts, list(self.known.values()))
        for item in changes:
            assert (
                item.id not in self.known or item.number == self.known[item.id].number
            )
        self.known |= {item.id: item for item in changes}
        for offset, item in enumerate(self.known.values()):
            if item.mail is MailState.NEW and item.path in self.texts:
                mailed = replace(
                    item, mail=MailState.NUMBERED, number=100 * number + offset
                )
                self.known[item.id] = mailed


@given(st.lists(STEPS, max_size=25))
def test_ids_outlive_everything(steps: list[tuple[str, str, str, bool]]) -> None:
    """Over writing, renaming, adopting: no id or number is lost, shared or used again."""
    blog = Blog()
    for number, (what, one, other, runs) in enumerate(steps, 1):
        before = {item.id: item.first_seen for item in blog.known.values()}
        numbers = {item.number for item in blog.known.values()}
        blog.step(what, one, other)
        if runs:
            blog.run(number)
        items = blog.known.values()
        assert before.items() <= {item.id: item.first_seen for item in items}.items()
        assert numbers <= {item.number for item in items} | {None}
        given = [item.number for item in items if item.number is not None]
        assert len(given) == len(set(given))
        paths = [item.path for item in items if item.path]
        assert len(paths) == len(set(paths))
        if runs:
            assert blog.texts.keys() <= set(paths)

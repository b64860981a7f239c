"""Only what is new, recent and not too much at once is mailed without being asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.digests.guard import Guards, MailingPlan, plan_mailing
from postroom.posts.post import Post
from postroom.posts.publication import MailState, Publication

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
GUARDS = Guards(
    max_age=timedelta(days=30),
    max_new=3,
    yes=False,
    first_run=False,
    counter=40,
    now=NOW,
)


def a_post(
    path: str, *, days: int = 0, mailed: bool = True, draft: bool = False
) -> Post:
    """Build a post that was published so many days ago."""
    return Post(
        path=path,
        title=path,
        published=NOW - timedelta(days=days),
        updated=None,
        expires=None,
        draft=draft,
        slug=path,
        url_path=f"posts/{path}/",
        language="ko",
        tags=(),
        authors=(),
        excerpt="",
        html="",
        page_html="",
        text="",
        image=None,
        subject="",
        preheader="",
        canonical_url="",
        id="",
        mailed=mailed,
        digest="",
    )


def a_publication(
    path: str, mail: MailState = MailState.NEW, reason: str = ""
) -> Publication:
    """Build what the ledger knows of the post at `path`."""
    return Publication(
        path=path, id=f"tag:{path}", digest="", first_seen=NOW, mail=mail, reason=reason
    )


def plan(posts: list[Post], guards: Guards = GUARDS) -> MailingPlan:
    """Judge posts that are all new."""
    return plan_mailing([a_publication(post.path) for post in posts], posts, guards)


def states(mailing: MailingPlan) -> dict[str, tuple[MailState, int | None, str]]:
    """Show what was decided, by path."""
    return {
        item.path: (item.mail, item.number, item.reason) for item in mailing.changes
    }


def test_new_posts_get_the_next_numbers() -> None:
    """Numbers follow the counter in the order of publication, then of path; no words."""
    mailing = plan([a_post("c"), a_post("b"), a_post("a", days=2)])
    assert states(mailing) == {
        "a": (MailState.NUMBERED, 41, ""),
        "b": (MailState.NUMBERED, 42, ""),
        "c": (MailState.NUMBERED, 43, ""),
    }
    assert mailing.notice == ""


def test_a_first_run_mails_nobody() -> None:
    """What is there when a site begins counts as sent, and the run says so."""
    mailing = plan([a_post("a"), a_post("b", days=90)], replace(GUARDS, first_run=True))
    assert set(states(mailing).values()) == {(MailState.ARCHIVED, None, "first run")}
    assert "2 posts already here count as sent" in mailing.notice


def test_a_first_run_with_yes_mails_the_recent_ones() -> None:
    """`publish --yes` on a new ledger numbers what is not older than max_age."""
    guards = replace(GUARDS, first_run=True, yes=True, max_new=1, counter=0)
    mailing = plan(
        [a_post("new"), a_post("old", days=31), a_post("newer", days=30)], guards
    )
    assert states(mailing) == {
        "old": (MailState.ARCHIVED, None, "max_age"),
        "newer": (MailState.NUMBERED, 1, ""),
        "new": (MailState.NUMBERED, 2, ""),
    }


def test_an_old_post_is_not_mailed() -> None:
    """An essay dated last year goes to feeds and site; the notice names it."""
    mailing = plan([a_post("old.md", days=31), a_post("new.md")])
    assert states(mailing)["old.md"] == (MailState.ARCHIVED, None, "max_age")
    assert states(mailing)["new.md"][0] is MailState.NUMBERED
    assert "1 post older than digest.max_age (30 days)" in mailing.notice
    assert "old.md" in mailing.notice


def test_the_author_can_say_no_mail() -> None:
    """`email: false` archives in silence: the author knows."""
    mailing = plan([a_post("a", mailed=False)])
    assert states(mailing) == {"a": (MailState.ARCHIVED, None, "email: false")}
    assert mailing.notice == ""


def test_too_many_at_once_wait() -> None:
    """More than max_new are all held; old ones and silent ones do not count."""
    quiet = [a_post("old", days=99), a_post("silent", mailed=False)]
    three = [a_post(f"p{number}") for number in range(3)]
    assert all(
        state is MailState.NUMBERED
        for path, (state, *_) in states(plan([*three, *quiet])).items()
        if path.startswith("p")
    )
    mailing = plan([*three, a_post("p3"), *quiet])
    assert {
        path: state for path, state in states(mailing).items() if path[0] == "p"
    } == {f"p{number}": (MailState.HELD, None, "max_new") for number in range(4)}
    assert "4 posts at once are more than digest.max_new (3)" in mailing.notice
    assert "p0, p1, p2 and 1 more" in mailing.notice
    assert "publish --yes" in mailing.notice


def test_yes_releases_what_max_new_holds() -> None:
    """It numbers the held and the new, also when the held have waited past max_age."""
    posts = [a_post("held", days=60), a_post("kept"), a_post("new")]
    publications = [
        a_publication("held", MailState.HELD, "max_new"),
        a_publication("kept", MailState.HELD, "by hand"),
        a_publication("new"),
    ]
    assert states(plan_mailing(publications, posts, replace(GUARDS, yes=True))) == {
        "held": (MailState.NUMBERED, 41, ""),
        "new": (MailState.NUMBERED, 42, ""),
    }
    assert states(plan_mailing(publications, posts, GUARDS)) == {
        "new": (MailState.NUMBERED, 41, "")
    }


@pytest.mark.parametrize(
    "post",
    [None, a_post("a", draft=True), a_post("a", days=-1)],
    ids=["gone", "draft", "ahead"],
)
def test_a_post_that_is_not_public_stays_new(post: Post | None) -> None:
    """A post that left the folder, or became a draft again, is judged when it is back."""
    posts = [post] if post else []
    assert plan_mailing([a_publication("a")], posts, GUARDS).changes == ()


STATES = st.sampled_from(
    [
        (MailState.NEW, ""),
        (MailState.HELD, "max_new"),
        (MailState.HELD, "by hand"),
        (MailState.NUMBERED, ""),
        (MailState.ARCHIVED, "first run"),
    ]
)


@given(
    given_posts=st.lists(
        st.tuples(STATES, st.integers(-2, 60), st.booleans()), max_size=12
    ),
    yes=st.booleans(),
    first=st.booleans(),
)
def test_whatever_the_posts(
    *,
    given_posts: list[tuple[tuple[MailState, str], int, bool]],
    yes: bool,
    first: bool,
) -> None:
    """Nothing numbered or archived changes, numbers are consecutive, no new post is left."""
    posts = [
        a_post(str(number), days=days, mailed=mailed)
        for number, (_, days, mailed) in enumerate(given_posts)
    ]
    publications = [
        a_publication(str(number), *state)
        for number, (state, _, _) in enumerate(given_posts)
    ]
    mailing = plan_mailing(
        publications, posts, replace(GUARDS, yes=yes, first_run=first)
    )
    before = {item.path: item for item in publications}
    for change in mailing.changes:
        assert before[change.path].mail in {MailState.NEW, MailState.HELD}
        assert change.mail is not MailState.NEW
        assert (change.number is None) is (change.mail is not MailState.NUMBERED)
    numbers = sorted(item.number for item in mailing.changes if item.number)
    assert numbers == list(range(41, 41 + len(numbers)))
    assert yes or len(numbers) <= GUARDS.max_new
    public = {post.path for post in posts if post.published and post.published <= NOW}
    judged = {change.path for change in mailing.changes}
    assert {
        item.path for item in publications if item.mail is MailState.NEW
    } & public <= judged

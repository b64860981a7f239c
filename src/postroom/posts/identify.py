"""Give each public post its permanent id, and know it again when its file is renamed.

An id is made once and stored. A post is recognised by the id in its front matter, else
by its path, else (its old path gone) by its content.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from postroom.errors import Problem
from postroom.posts.post import Visibility, visibility_of
from postroom.posts.publication import Publication
from postroom.posts.tag_uri import derived_ids, own_id

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from postroom.posts.post import Card, Spine

    Seen = Card | Spine


class IdPlan(NamedTuple):
    """What to store, and what authors have to mend."""

    publications: tuple[Publication, ...]
    """New, moved or edited ones; each replaces the stored one of its id."""
    problems: tuple[Problem, ...]


def plan_ids(
    posts: Sequence[Seen],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str] = frozenset(),
) -> IdPlan:
    """Return what to store for new posts, renamed files and changed content.

    `present` are the paths of all files of the folder, also of drafts and faulty posts:
    a file that is there still was not renamed. `authority` is `host,YYYY-MM-DD`. A post
    keeps id and number when its file is renamed, or edited, but not when both happen
    between two runs and it sets no id (`posts adopt` mends that). One that did not
    change stays who it is. Posts that are not public now, and pages without a date, get
    nothing; nothing is ever removed: who lost its path to another has none.

    A post that claims the id of another is a problem, and has no publication until it
    is mended.
    """
    found = _match(posts, known, authority, now, present)
    return IdPlan(tuple(_changes(found, known)), tuple(found.problems))


def plan_publications(
    posts: Sequence[Seen],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str] = frozenset(),
) -> tuple[Publication, ...]:
    """Return the publications to store: the first half of `plan_ids`."""
    return plan_ids(posts, known, authority, now, present).publications


def find_id_problems(
    posts: Sequence[Seen],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str] = frozenset(),
) -> tuple[Problem, ...]:
    """Return what is wrong with ids that authors set: the other half of `plan_ids`."""
    return plan_ids(posts, known, authority, now, present).problems


# -- when little changed -------------------------------------------------------


def only_contents_changed(
    changed: Iterable[Seen],
    public_paths: Iterable[str],
    ids: Mapping[str, str],
    authority: str,
) -> bool:
    """Tell whether all that `plan_ids` would store are the digests of `changed`.

    `changed` are the public posts whose content is not the recorded one, those that
    became public again included; `ids` is `Store.publication_ids`. Then every public
    path has an id and no changed post names another one, so that `renew_digests` gives
    the plan. Where `changed` has all posts that set an id as well, there is no problem.
    """
    if not all(path in ids for path in public_paths):
        return False
    for post in changed:
        own = own_id(post.id, authority)
        if own and own != ids.get(post.path):
            return False
    return True


def renew_digests(
    changed: Iterable[Seen], publications: Iterable[Publication]
) -> tuple[Publication, ...]:
    """Return the publications of changed public posts with the new digests.

    `publications` are those at their paths, in any order (`Store.publications_at`).
    """
    digests = {post.path: post.digest for post in changed}
    return tuple(
        replace(item, digest=digests[item.path])
        for item in publications
        if digests.get(item.path, item.digest) != item.digest
    )


# -- all of it -----------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Identities:
    """Who is who, found step by step; `given` by path."""

    known: dict[str, Publication]
    """By id."""
    authority: str
    now: datetime
    given: dict[str, Publication] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Ids that a post of the folder has now."""
    problems: list[Problem] = field(default_factory=list)

    def give(self, post: Seen, publication: Publication) -> None:
        self.taken.add(publication.id)
        self.given[post.path] = replace(publication, path=post.path, digest=post.digest)

    def give_new(self, post: Seen) -> None:
        publication = Publication(
            path=post.path,
            id=own_id(post.id, self.authority) or self._derived_id(post.path),
            digest=post.digest,
            first_seen=self.now,
        )
        self.give(post, publication)

    def refuse(self, post: Seen, message: str, cure: str) -> None:
        self.problems.append(Problem(path=post.path, message=message, cure=cure))

    def _derived_id(self, path: str) -> str:
        return next(
            candidate
            for candidate in derived_ids(path, self.authority)
            if candidate not in self.taken and candidate not in self.known
        )


def _match(
    posts: Sequence[Seen],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str],
) -> _Identities:
    found = _Identities(
        known={publication.id: publication for publication in known},
        authority=authority,
        now=now,
    )
    by_path = {item.path: item for item in known if item.path}
    public = [post for post in posts if visibility_of(post, now) is Visibility.PUBLIC]
    open_posts = sorted(
        (post for post in public if not _keep_unchanged(found, post, by_path)),
        key=lambda post: post.path,
    )
    refused = set(_match_by_own_id(found, open_posts, by_path))
    for post in open_posts:
        old = by_path.get(post.path)
        if post.path not in found.given and old and old.id not in found.taken:
            _warn_of_other_id(found, post, old)
            found.give(post, old)
            refused.discard(post.path)
    fresh = [
        post
        for post in open_posts
        if post.path not in found.given and post.path not in refused
    ]
    if fresh:
        _match_by_content(found, fresh, known, present | {post.path for post in posts})
    found.problems.sort(key=lambda problem: problem.path)
    return found


def _keep_unchanged(
    found: _Identities, post: Seen, by_path: Mapping[str, Publication]
) -> bool:
    """Give a post that is as it was recorded what it has; the usual case, and quick.

    What it says of its id was judged when it came: no claim becomes good later.
    """
    old = by_path.get(post.path)
    if old is None or old.digest != post.digest:
        return False
    if post.id:
        _warn_of_other_id(found, post, old)
    found.taken.add(old.id)
    found.given[post.path] = old
    return True


def _match_by_own_id(
    found: _Identities, posts: Sequence[Seen], by_path: Mapping[str, Publication]
) -> Iterator[str]:
    """Give ids that authors set to their posts; yield the paths of those refused."""
    for own, claimants in _claims(found, posts, by_path).items():
        if own in found.taken:  # by a post that did not change
            holder, others = found.known[own].path, claimants
        else:
            first, *others = claimants
            holder = first.path
            if own in found.known:
                found.give(first, found.known[own])
            else:
                found.give_new(first)
        for post in others:
            _refuse_claim(found, post, holder)
            yield post.path


def _claims(
    found: _Identities, posts: Sequence[Seen], by_path: Mapping[str, Publication]
) -> dict[str, list[Seen]]:
    """Return who claims each id set in a front matter, the rightful one first.

    Of several, that is the post that has it already, else the first by path. A post
    that was published cannot change to an id that none had.
    """
    claims: dict[str, list[Seen]] = {}
    for post in posts:
        own = own_id(post.id, found.authority)
        if own and (own in found.known or post.path not in by_path):
            claims.setdefault(own, []).append(post)
    for own in claims.keys() & found.known.keys():
        holder = found.known[own].path
        claims[own].sort(key=lambda post: post.path != holder)
    return claims


def _refuse_claim(found: _Identities, post: Seen, holder: str) -> None:
    found.refuse(
        post, f"{holder} has the id {post.id!r} too", "give it an id of its own"
    )


def _warn_of_other_id(found: _Identities, post: Seen, old: Publication) -> None:
    """An id is permanent: one set or changed after publication has no effect."""
    own = own_id(post.id, found.authority)
    if (
        own
        and own != old.id
        and all(other.path != post.path for other in found.problems)
    ):
        found.refuse(
            post,
            f"this post was published with the id {old.id}, which never changes",
            f"write id: {old.id} or leave it out",
        )


def _match_by_content(
    found: _Identities,
    fresh: Sequence[Seen],
    known: Sequence[Publication],
    paths: Container[str],
) -> None:
    """Recognise renamed files; what is left over is new."""
    vanished: dict[str, Publication] = {}
    for item in known:
        gone = item.path not in paths or item.path in found.given
        if gone and item.digest and item.id not in found.taken:
            vanished.setdefault(item.digest, item)  # the first of equal ones counts
    for post in fresh:
        renamed = vanished.pop(post.digest, None)
        if renamed is not None:
            found.give(post, renamed)
    for post in fresh:
        if post.path in found.given:
            continue
        # It lost its own to a claim, and another new post was first with this one.
        if (own := own_id(post.id, found.authority)) and own in found.taken:
            holder = next(at for at, item in found.given.items() if item.id == own)
            _refuse_claim(found, post, holder)
        else:
            found.give_new(post)


def _changes(found: _Identities, known: Sequence[Publication]) -> Iterator[Publication]:
    """What is not stored so, and first of all who lost a path to another post."""
    for item in known:
        if item.path in found.given and item.id not in found.taken:
            yield replace(item, path="")
    for publication in found.given.values():
        stored = found.known.get(publication.id)
        if stored is not publication and stored != publication:
            yield publication

"""Give each public post its permanent id, and know it again when its file is renamed.

An id is a `tag:` URI (RFC 4151) made once and stored. It is derived from the post's
path, so that a lost database gives the same ids to files that kept their names.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from postroom.errors import Problem
from postroom.posts.post import Visibility, visibility_of
from postroom.posts.publication import Publication

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from postroom.posts.post import Post

TOKEN_DIGITS = 16
"""Hex digits of a derived id: no two of ten thousand paths meet by chance."""
LONGER = 8
"""Digits added while an id is taken, as when an old name is used for a new post."""

IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`\x00-\x20\x7f\ud800-\udfff]+')
"""An absolute IRI (RFC 3987) as far as feeds care: a scheme and no space."""
SPECIFIC = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@/?-]")
"""What the last part of a tag URI may hold unescaped (RFC 4151 §2.1)."""


def plan_publications(
    posts: Sequence[Post],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str] = frozenset(),
) -> tuple[Publication, ...]:
    """Return the publications to store: new posts, renamed files, changed content.

    `present` are the paths of all files of the folder, also of drafts and faulty posts:
    a file that is there still was not renamed. `authority` is `host,YYYY-MM-DD`. A post is recognised by the
    id in its front matter, else by its path, else (its old path gone) by its content;
    so it keeps id and number when the file is renamed, or edited, but not when both
    happen between two runs and no id is set. Posts that are not public now, and pages
    without a date, get nothing; nothing is ever removed.
    """
    identities = _match(posts, known, authority, now, present)
    stored = {publication.id: publication for publication in known}
    return tuple(
        publication
        for publication in identities.given.values()
        if stored.get(publication.id) != publication
    )


def find_id_problems(
    posts: Sequence[Post],
    known: Sequence[Publication],
    authority: str,
    now: datetime,
    present: frozenset[str] = frozenset(),
) -> tuple[Problem, ...]:
    """Return what is wrong with ids that authors set; same arguments as the plan.

    A post that claims the id of another has no publication until it is mended.
    """
    return tuple(_match(posts, known, authority, now, present).problems)


@dataclass(slots=True, kw_only=True)
class _Identities:
    """Who is who, found in four steps; `given` by path."""

    known: dict[str, Publication]
    """By id."""
    authority: str
    now: datetime
    given: dict[str, Publication] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Ids that a post of the folder has now."""
    problems: list[Problem] = field(default_factory=list)

    def give(self, post: Post, publication: Publication) -> None:
        self.taken.add(publication.id)
        self.given[post.path] = replace(publication, path=post.path, digest=post.digest)

    def give_new(self, post: Post) -> None:
        publication = Publication(
            path=post.path,
            id=_own_id(post, self.authority) or self._derived_id(post.path),
            digest=post.digest,
            first_seen=self.now,
        )
        self.give(post, publication)

    def refuse(self, post: Post, message: str, cure: str) -> None:
        self.problems.append(Problem(path=post.path, message=message, cure=cure))

    def _derived_id(self, path: str) -> str:
        name = unicodedata.normalize("NFC", path).encode(errors="surrogateescape")
        token = hashlib.sha256(name).hexdigest()
        for length in range(TOKEN_DIGITS, len(token) + 1, LONGER):
            candidate = f"tag:{self.authority}:{token[:length]}"
            if candidate not in self.taken and candidate not in self.known:
                return candidate
        # The same name for the fifth post in turn: count on from the whole digest.
        number = 2
        while True:
            candidate = f"tag:{self.authority}:{token}-{number}"
            if candidate not in self.taken and candidate not in self.known:
                return candidate
            number += 1


def _match(
    posts: Sequence[Post],
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
    public = sorted(
        (post for post in posts if visibility_of(post, now) is Visibility.PUBLIC),
        key=lambda post: post.path,
    )
    by_path = {publication.path: publication for publication in known}
    refused = set(_match_by_own_id(found, public, by_path))
    for post in public:
        old = by_path.get(post.path)
        if post.path not in found.given and old and old.id not in found.taken:
            _warn_of_other_id(found, post, old)
            found.give(post, old)
            refused.discard(post.path)
    fresh = [
        post
        for post in public
        if post.path not in found.given and post.path not in refused
    ]
    vanished = _vanished(found, known, present | {post.path for post in posts})
    for post in fresh:
        renamed = vanished.pop(post.digest, None)
        if renamed is not None:
            found.give(post, renamed)
    for post in fresh:
        if post.path not in found.given:
            found.give_new(post)
    return found


def _match_by_own_id(
    found: _Identities, public: Sequence[Post], by_path: dict[str, Publication]
) -> Iterator[str]:
    """Give ids that authors set to their posts; yield the paths of those refused."""
    for own, (first, *others) in _claims(found, public).items():
        if own in found.known:
            found.give(first, found.known[own])
        elif first.path not in by_path:
            found.give_new(first)
        for post in others:
            found.refuse(
                post,
                f"{first.path} has the id {post.id!r} too",
                "give it an id of its own",
            )
            yield post.path


def _claims(found: _Identities, public: Sequence[Post]) -> dict[str, list[Post]]:
    """Return who claims each id set in a front matter, the rightful one first.

    Of several, that is the post that has it already, else the first by path. A post
    that did not change since it got an id claims it without a word.
    """
    claims: dict[str, list[Post]] = {}
    for post in public:
        if own := _own_id(post, found.authority):
            claims.setdefault(own, []).append(post)
    posts_by_path = {post.path: post for post in public}
    for own in claims.keys() & found.known.keys():
        holder = found.known[own]
        still = posts_by_path.get(holder.path)
        if still is None:
            continue
        if still in claims[own]:
            claims[own].remove(still)
        elif still.digest != holder.digest:
            continue
        claims[own].insert(0, still)
    return claims


def _warn_of_other_id(found: _Identities, post: Post, old: Publication) -> None:
    """An id is permanent: one set or changed after publication has no effect."""
    own = _own_id(post, found.authority)
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


def _vanished(
    found: _Identities, known: Sequence[Publication], paths: frozenset[str]
) -> dict[str, Publication]:
    """Publications whose file is gone, by content; the first of equal ones counts."""
    vanished: dict[str, Publication] = {}
    for publication in known:
        if publication.path not in paths and publication.id not in found.taken:
            vanished.setdefault(publication.digest, publication)
    return vanished


def _own_id(post: Post, authority: str) -> str:
    """Return the id an author set as an IRI: as it is, or within our tag URI."""
    text = unicodedata.normalize("NFC", post.id.strip())
    if not text or IRI.fullmatch(text):
        return text
    escaped = "".join(
        chr(octet) if SPECIFIC.match(bytes([octet])) else f"%{octet:02X}"
        for octet in text.encode(errors="replace")
    )
    return f"tag:{authority}:{escaped}"

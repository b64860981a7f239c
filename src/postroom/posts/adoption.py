"""Give a publication to the post that is it, where recognition could not know.

A file that was renamed and edited between two runs looks like a new post. Joining the
two keeps the older id, and every number that subscribers were offered: nobody is mailed
twice, nobody is passed over. The id that is given up stays in the ledger without a file,
so that it is never given to another post.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from postroom.errors import PostroomError
from postroom.posts.publication import MailState, Publication

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ADOPTED = "adopted"
"""Why an id without a file is archived: its post has an older one."""


class AdoptionError(PostroomError):
    """A publication cannot be given to that post."""

    exit_code = 2


class Adoption(NamedTuple):
    """Both publications as they are to be stored, together."""

    adopted: Publication
    """The older one, now at the new path."""
    given_up: Publication | None
    """What the post had meanwhile, without a file."""

    def changes(self) -> tuple[Publication, ...]:
        """Return what to store."""
        return (self.given_up, self.adopted) if self.given_up else (self.adopted,)


def plan_adoption(
    old: str,
    new: str,
    digest: str,
    known: Sequence[Publication],
    present: Collection[str],
    *,
    yes: bool = False,
) -> Adoption:
    """Return the publication `old` (its path or id) at the path `new`.

    `digest` is that of the file at `new`, `present` are the paths of all files of the
    folder. Raises AdoptionError where `old` is unknown, ambiguous or still there, where
    `new` is no file, and, without `yes`, where `new` was given a number meanwhile.
    """
    publication = _find(old, known)
    if new not in present:
        raise AdoptionError(
            f"{new}: no such post", cure="name its file in the posts folder"
        )
    if publication.path == new:
        raise AdoptionError(f"{new}: has the id {publication.id} already")
    if publication.path in present:
        raise AdoptionError(
            f"{publication.path}: is still there, and has the id {publication.id}",
            cure="remove it first if the other file replaces it",
        )
    younger = next((item for item in known if item.path == new), None)
    if younger and younger.number is not None and not yes:
        raise AdoptionError(
            f"{new}: was numbered {younger.number} as a new post, and may have been mailed",
            cure="with --yes the two become one all the same: nothing that was mailed is "
            "mailed again, and who was not offered the post yet still is, once",
        )
    return join(replace(publication, path=new, digest=digest), younger)


def join(older: Publication, younger: Publication | None) -> Adoption:
    """Return the one publication that two of one post become, and what is given up.

    The number first offered counts: who has it behind them was offered the post. Where
    both have one, the later stays with the id that is given up, without a file: editions
    may name it, nobody is offered it any more.
    """
    if younger is None:
        return Adoption(older, None)
    given_up = replace(
        younger,
        path="",
        digest="",
        number=None,
        mail=MailState.ARCHIVED,
        reason=ADOPTED,
    )
    numbers = sorted(
        item.number for item in (older, younger) if item.number is not None
    )
    if not numbers:
        return Adoption(older, given_up)
    adopted = replace(older, number=numbers[0], mail=MailState.NUMBERED, reason="")
    if len(numbers) > 1:
        given_up = replace(given_up, number=numbers[1], mail=MailState.NUMBERED)
    return Adoption(adopted, given_up)


def _find(old: str, known: Sequence[Publication]) -> Publication:
    """Look it up by id, else by path."""
    by_id = [item for item in known if item.id == old]
    found = by_id or [item for item in known if item.path == old]
    if not found or not old:
        raise AdoptionError(
            f"{old}: no post of that path or id was published",
            cure="`postroom posts list` shows them all",
        )
    if len(found) > 1:
        ids = ", ".join(item.id for item in found)
        raise AdoptionError(
            f"{old}: several posts were there once: {ids}", cure="name one by its id"
        )
    return found[0]

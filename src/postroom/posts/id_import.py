"""Put published ids back into a ledger: match them to posts, and plan what to store.

Ids are matched to posts by what is strongest: the id in the front matter, then the id
that the file's name derives to, or its address, first with its date and then without. An id that matches nothing is
kept without a file, so that nothing else ever gets it, and `posts adopt` can give it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from postroom.posts.adoption import ADOPTED, join
from postroom.posts.id_table import KnownId
from postroom.posts.permalink import is_whole
from postroom.posts.publication import MailState, Publication
from postroom.posts.tag_uri import OURS, derived_ids, own_id

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from datetime import datetime

    from postroom.errors import Problem
    from postroom.posts.post import Card, Head, Spine
    from postroom.posts.published_ids import PublishedEntry

    Seen = Card | Head | Spine


# -- entries to posts ----------------------------------------------------------


def match_entries(
    entries: Sequence[PublishedEntry],
    posts: Sequence[Seen],
    paths: Iterable[str],
    site_url: str,
    authority: str,
) -> tuple[KnownId, ...]:
    """Return each id once, with the path of its post where there is one.

    `paths` are those of all files of the folder, `posts` what is known of some of them.
    The first entry of an id counts, and a post gets the first id that matches it.
    """
    matching = _Matching(entries, posts, paths, site_url, authority)
    for round_ in (
        matching.by_own_id,
        matching.by_name_and_date,
        matching.by_address_and_date,
        matching.by_address,
        matching.by_name,
        matching.by_end_of_address_and_date,
    ):
        round_()
    return tuple(
        KnownId(
            id=entry.id,
            file=entry.file,
            line=entry.line,
            path=matching.paths.get(entry.id, ""),
            first_seen=entry.published,
        )
        for entry in matching.entries.values()
    )


class _Matching:
    """The rounds of matching; each takes what the ones before left over."""

    def __init__(
        self,
        entries: Sequence[PublishedEntry],
        posts: Sequence[Seen],
        paths: Iterable[str],
        site_url: str,
        authority: str,
    ) -> None:
        self.entries: dict[str, PublishedEntry] = {}
        for entry in entries:
            self.entries.setdefault(entry.id, entry)
        self.paths: dict[str, str] = {}
        """By id."""
        self._free = {post.path: post for post in posts}
        self._names = set(paths)
        self._base = _address(site_url)[1]
        self._authority = authority

    def by_own_id(self) -> None:
        self._round(
            lambda post: [own_id(post.id, self._authority)] if post.id else [],
            lambda entry: [entry.id],
        )

    def by_address_and_date(self) -> None:
        self._round(
            lambda post: [(key, _second(post)) for key in self._addresses(post)],
            lambda entry: [(key, _second(entry)) for key in _addresses_of(entry)],
        )

    def by_address(self) -> None:
        self._round(self._addresses, _addresses_of)

    def by_name_and_date(self) -> None:
        """The id is the one that the name of a file with this date derives to."""
        self._round(
            lambda post: [
                (next(derived_ids(post.path, self._authority)), _second(post))
            ],
            lambda entry: [(entry.id, _second(entry))],
        )

    def by_name(self) -> None:
        """The same, of any file: also of a draft, or a faulty one."""
        left = self.entries.keys() - self.paths.keys()
        if not any(OURS.fullmatch(entry_id) for entry_id in left):
            return
        for path in sorted(self._names - set(self.paths.values())):
            derived = next(derived_ids(path, self._authority))
            if derived in self.entries and derived not in self.paths:
                self._take(derived, path)

    def by_end_of_address_and_date(self) -> None:
        """The whole site moved below another folder, or had longer addresses."""
        self._round(
            lambda post: (
                []
                if is_whole(post.url_path)
                else [(("", _plain(post.url_path)), _second(post))]
            ),
            lambda entry: [
                (("", end), _second(entry)) for end in _ends(_address(entry.url)[1])
            ],
        )

    def _addresses(self, post: Seen) -> Iterator[tuple[str, str]]:
        """Where the post is: on any host, and elsewhere where it says so."""
        if is_whole(post.url_path):
            host, path = _address(post.url_path)
            yield host, path
            yield "", path
        else:
            yield "", self._base + _plain(post.url_path)
        if post.canonical_url:
            yield _address(post.canonical_url)

    def _round(
        self,
        keys_of_post: Callable[[Seen], Iterable[Hashable]],
        keys_of_entry: Callable[[PublishedEntry], Iterable[Hashable]],
    ) -> None:
        """Match by equal keys; None in a key matches nothing."""
        index: dict[Hashable, Seen] = {}
        for post in self._free.values():
            for key in keys_of_post(post):
                index.setdefault(key, post)
        for entry in self.entries.values():
            if entry.id in self.paths:
                continue
            for key in keys_of_entry(entry):
                found = index.get(key)
                if found and found.path in self._free and _is_whole(key):
                    self._take(entry.id, found.path)
                    break

    def _take(self, id: str, path: str) -> None:
        self.paths[id] = path
        self._free.pop(path, None)


def _is_whole(key: Hashable) -> bool:
    return not (isinstance(key, tuple) and key[-1] is None)


def _second(item: Seen | PublishedEntry) -> int | None:
    """The date to the second, as feeds write it."""
    return int(item.published.timestamp()) if item.published else None


def _addresses_of(entry: PublishedEntry) -> Iterator[tuple[str, str]]:
    host, path = _address(entry.url)
    if entry.url:
        yield host, path
        yield "", path


def _address(url: str) -> tuple[str, str]:
    """Host and path of an absolute URL, in one spelling."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.netloc.lower(), _plain(parts.path.lstrip("/"))


def _plain(path: str) -> str:
    """One spelling for what servers serve as one page: `a/`, `a/index.html`, `a.html`."""
    path = unicodedata.normalize("NFC", unquote(path))
    path = path.removesuffix("index.html").rstrip("/").removesuffix(".html")
    return f"{path}/" if path else ""


def _ends(path: str) -> Iterator[str]:
    """`a/b/c/` → `a/b/c/`, `b/c/`, `c/`."""
    parts = path.rstrip("/").split("/")
    for start in range(len(parts)):
        if parts[start]:
            yield "/".join(parts[start:]) + "/"


# -- what to store -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import stores, and what it leaves alone."""

    publications: tuple[Publication, ...]
    """To be stored together."""
    recorded: int
    """Ids that are new in the ledger."""
    unchanged: int
    """Ids that were there already."""
    unmatched: tuple[str, ...]
    """New ids of which no file is known."""
    authority: str
    """To be the ledger's from now on; empty: it stays as it is."""
    problems: tuple[Problem, ...]


def plan_import(
    rows: Sequence[KnownId],
    known: Sequence[Publication],
    now: datetime,
    *,
    authorities: tuple[str, str],
    yes: bool = False,
) -> ImportPlan:
    """Return how `rows` go into a ledger that knows `known`.

    `authorities` are the ledger's and the one the rows tell, or nothing. None of the
    rows is mailed by it. A post that has another id here is a problem; with `yes` it
    gets the imported one, and a number it has goes with it. The authority changes when
    no id of a post depends on the ledger's.
    """
    importing = _Importing(known, now, yes=yes)
    for row in rows:
        importing.take(row)
    ours, told = authorities
    bound = any(
        item.path and _is_of(item.id, ours) for item in importing.ledger.values()
    )
    return ImportPlan(
        publications=tuple(importing.changed.values()),
        recorded=importing.recorded,
        unchanged=importing.unchanged,
        unmatched=tuple(importing.unmatched),
        authority=told if told != ours and not bound else "",
        problems=tuple(importing.problems),
    )


def _is_of(id: str, authority: str) -> bool:
    return id.startswith(f"tag:{authority}:")


class _Importing:
    """The ledger as it becomes, row by row."""

    def __init__(
        self, known: Sequence[Publication], now: datetime, *, yes: bool
    ) -> None:
        self.ledger = {item.id: item for item in known}
        self.changed: dict[str, Publication] = {}
        self.recorded = 0
        self.unchanged = 0
        self.unmatched: list[str] = []
        self.problems: list[Problem] = []
        self._at = {item.path: item.id for item in known if item.path}
        self._now = now
        self._yes = yes

    def take(self, row: KnownId) -> None:
        """Bring one id in."""
        stored = self.ledger.get(row.id)
        if stored and (stored.path or not row.path or stored.reason == ADOPTED):
            self.unchanged += 1
            return
        there = self.ledger[self._at[row.path]] if row.path in self._at else None
        if there and not self._yes:
            self.problems.append(
                row.as_problem(
                    f"{row.path} has the id {there.id} here, not {row.id}",
                    "--yes gives it the imported one",
                )
            )
            return
        incoming = (
            replace(stored, path=row.path, digest=row.digest)
            if stored
            else _publication(row, self._now)
        )
        for item in join(incoming, there).changes():
            self.ledger[item.id] = self.changed[item.id] = item
        if row.path:
            self._at[row.path] = row.id
        elif not stored:
            self.unmatched.append(row.id)
        self.recorded += 1


def _publication(row: KnownId, now: datetime) -> Publication:
    return Publication(
        path=row.path,
        id=row.id,
        digest=row.digest,
        first_seen=row.first_seen or now,
        mail=row.mail if row.mail is not MailState.NUMBERED else MailState.ARCHIVED,
        reason=row.reason,
    )

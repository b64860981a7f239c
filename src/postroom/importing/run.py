"""One import: read a source, decide for each entry, write posts and pictures.

What is there is never overwritten, so the same import twice writes nothing the second
time, and one that was killed goes on where it stopped.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from postroom.errors import PostError, PostroomError, Problem
from postroom.files.folder import read_source, walk_folder
from postroom.importing.body import Body
from postroom.importing.fetch import Fetcher, NotFetchedError, host_of
from postroom.importing.fields import Choices, front_of
from postroom.importing.files import write_new
from postroom.importing.found import Fault, Found, Kind, Note
from postroom.importing.front import render_front
from postroom.importing.html_tree import TooDeepError
from postroom.importing.naming import Place, Shelf, State
from postroom.importing.picture_store import PictureStore
from postroom.importing.reading import Reader
from postroom.importing.source import Source, fetch_source, open_source
from postroom.importing.texts import build_id
from postroom.posts.head import parse_head
from postroom.posts.post import SiteMap
from postroom.posts.post import Source as PostSource
from postroom.posts.render import build_post
from postroom.posts.slug import is_post_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import IO

    from postroom.posts.post import Rules

MAX_PAGES = 1000
"""Documents of one paged feed: 10,000 entries of WordPress, forty years of RFC 5005."""

PAGE_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator asked for."""

    folder: Path
    kind: Kind | None = None
    site: str = ""
    """Address of the old site, where an export does not name it."""
    since: datetime | None = None
    pictures: bool = False
    allow_private: bool = False
    follow: bool = False
    """Older pages of a feed too."""
    overwrite: bool = False
    bundles: bool = False
    dry: bool = False
    choices: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one entry."""

    state: str
    """`written`, `rewritten`, `there`, `twice`, `older`."""
    found: Found
    path: str = ""
    id: str = ""
    pictures: int = 0
    notes: tuple[Problem, ...] = ()


Step: TypeAlias = Outcome | Problem | Note


@dataclass(slots=True, kw_only=True)
class Importer:
    """One import into one folder."""

    rules: Rules
    options: Options
    fetcher: Fetcher = field(init=False)
    shelf: Shelf = field(init=False)
    store: PictureStore = field(init=False)

    def __post_init__(self) -> None:
        """Look at the folder: what is there keeps its names and ids."""
        self.fetcher = Fetcher(allow_private=self.options.allow_private)
        self.shelf = read_shelf(self.options.folder, self.rules)
        self.shelf.bundles = self.options.bundles

    def run(self, name: str, standard_input: IO[bytes]) -> Iterator[Step]:
        """Import what `name` names: yields what became of each entry, faults and notes.

        Raises SourceError, SourceAwayError, ConfigError when nothing can be read.
        """
        self._trust(name)
        with ExitStack() as opened:
            source = open_source(name, standard_input, self.fetcher, opened)
            yield from self._documents(source, opened)

    def _documents(self, source: Source, opened: ExitStack) -> Iterator[Step]:
        """Read one document, then the older ones that it leads to."""
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            reader = Reader(
                source, opened, kind=self.options.kind, site=self.options.site
            )
            before = len(self.shelf.seen)
            self.store = self._picture_store(source)
            for step in reader.steps():
                yield from self._take(step, reader)
            older = self._older(reader, seen, grew=len(self.shelf.seen) > before)
            if not older:
                return
            seen.add(older)
            following = self._fetch_older(older, opened)
            if isinstance(following, Note):
                yield following
                return
            source = following
        yield Note(message=f"more than {MAX_PAGES} pages: the rest was not read")

    def _trust(self, name: str) -> None:
        try:
            self.fetcher.trusted.add(host_of(name))
        except NotFetchedError:
            return

    def _picture_store(self, source: Source) -> PictureStore:
        return PictureStore(
            root=self.options.folder,
            fetcher=self._stranger() if self.options.pictures else None,
            members=source.members,
            dry=self.options.dry,
        )

    def _stranger(self) -> Fetcher:
        """For addresses that stand in the file: no host is trusted."""
        return Fetcher(allow_private=self.options.allow_private)

    # -- older pages -----------------------------------------------------------------

    def _older(self, reader: Reader, seen: set[str], *, grew: bool) -> str:
        """Return the address of the next page of a feed, nothing at its end."""
        source, channel = reader.source, reader.channel
        if not (self.options.follow and source.url):
            return ""
        older = channel.next_url
        if not older and channel.older_by_number and grew:
            older = _next_number(source.url)
        return "" if older in seen or older == source.url else older

    def _fetch_older(self, url: str, opened: ExitStack) -> Source | Note:
        try:
            return fetch_source(url, self.fetcher, opened)
        except PostroomError as error:
            if "paged=" in url:
                return Note(message=f"the feed ends before {url}")
            return Note(message=f"older entries were not read: {error.what}")

    # -- one entry -------------------------------------------------------------------

    def _take(self, step: Found | Fault | Note, reader: Reader) -> Iterator[Step]:
        if isinstance(step, Note):
            yield step
            return
        if isinstance(step, Fault):
            yield _problem(reader, step.line, step.name, step.message, step.cure)
            return
        try:
            yield self._import(step, reader)
        except TooDeepError as error:
            yield _problem(reader, step.line, step.name, f"`{step.title}`: {error}", "")
        except PostError as error:
            message = f"`{step.title}`: would be no post: {error.problem.message}"
            yield _problem(reader, step.line, step.name, message, error.problem.cure)

    def _import(self, found: Found, reader: Reader) -> Outcome:
        if self._is_older(found):
            return Outcome(state="older", found=found)
        place = self.shelf.place(found)
        if place.state is State.TWICE:
            return Outcome(state="twice", found=found, id=place.id)
        there = place.state is State.THERE
        if there and not self.options.overwrite:
            return Outcome(state="there", found=found, path=place.path, id=place.id)
        text, pictures, notes = self._render(found, place)
        data = text.encode()
        self._prove(place, data)
        if not self.options.dry:
            write_new(self.options.folder / place.path, data, replace=there)
        problems = (
            _problem(reader, found.line, found.name, f"`{found.title}`: {note}", "")
            for note in notes
        )
        return Outcome(
            state="rewritten" if there else "written",
            found=found,
            path=place.path,
            id=place.id,
            pictures=pictures,
            notes=tuple(problems),
        )

    def _is_older(self, found: Found) -> bool:
        since = self.options.since
        if since is None:
            return False
        moment = found.published
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.rules.zone)
        return moment is None or moment < since

    def _render(self, found: Found, place: Place) -> tuple[str, int, list[str]]:
        """Return the file's text, how many pictures came with it, and notes."""
        body = Body(found)
        wanted = [*body.pictures(), *([found.image] if found.image else [])]
        taken, failures = self.store.take([*dict.fromkeys(wanted)])
        up = "../" * place.path.count("/")
        places = {url: up + path for url, path in taken.items()}
        body.place(places)
        image = places.get(
            found.image, "" if found.image.startswith("data:") else found.image
        )
        front = front_of(found, place, image, self.options.choices)
        notes = [*found.notes, *failures]
        if found.id and not place.id:
            notes.append("has the id of another entry: it gets one of its own")
        if found.published is None and not found.page and not found.draft:
            notes.append(
                "has no date: a page, in no feed, until you write `date:` into it"
            )
        return f"{render_front(front)}\n{body.markdown()}\n", len(taken), notes

    def _prove(self, place: Place, data: bytes) -> None:
        """Read the post as `build` will; raises PostError where that would refuse it."""
        head = parse_head(PostSource(path=place.path, data=data), self.rules)
        build_post(head, self.rules, SiteMap(), sha256(data).hexdigest())


def _problem(reader: Reader, line: int, name: str, message: str, cure: str) -> Problem:
    path = reader.inner.name + (f":{name}" if name and not line else "")
    return Problem(path=path, line=line, message=message, cure=cure)


def _next_number(url: str) -> str:
    """Return WordPress's next page: `?paged=2`, then 3."""
    parts = urlsplit(url)
    pairs = [
        pair
        for pair in parts.query.split("&")
        if pair and not pair.startswith("paged=")
    ]
    digits = parts.query.rpartition("paged=")[2]
    counted = "paged=" in parts.query and digits.isdigit()
    number = int(digits[:PAGE_DIGITS]) if counted else 1
    return urlunsplit(parts._replace(query="&".join([*pairs, f"paged={number + 1}"])))


def read_shelf(folder: Path, rules: Rules) -> Shelf:
    """Return the names and ids of the posts that a folder holds."""
    shelf = Shelf()
    if not folder.is_dir():
        return shelf
    walked = walk_folder(folder, is_post_path)
    for path in walked.posts:
        shelf.paths[path] = ""
        try:
            head = parse_head(read_source(walked, path), rules)
        except PostError:
            continue
        known = build_id(head.id)
        shelf.paths[path] = known
        shelf.slugs.setdefault(head.slug, path)
        if known:
            shelf.ids.setdefault(known, path)
    return shelf

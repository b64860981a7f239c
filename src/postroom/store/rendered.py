"""The cache of rendered posts: a file that may be deleted at any time.

Kept apart from the ledger, because losing it costs time and nothing else: it is not
synced, and a damaged one is thrown away. Of each post it has a spine, which a run reads
of all of them at once, a card and a text, which it reads of those it shows anew; and of
each file of the output the key of what it was made from.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from postroom.errors import PostroomError
from postroom.posts.post import Person, Spine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS made (
    key TEXT NOT NULL,
    map INTEGER NOT NULL,
    unheard INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS spine (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    title TEXT NOT NULL,
    published REAL,
    updated REAL,
    expires REAL,
    slug TEXT NOT NULL,
    url_path TEXT NOT NULL,
    language TEXT NOT NULL,
    tags TEXT NOT NULL,
    authors TEXT NOT NULL,
    canonical_url TEXT NOT NULL,
    id TEXT NOT NULL,
    mailed INTEGER NOT NULL,
    digest TEXT NOT NULL,
    files TEXT NOT NULL,
    asks INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    listed INTEGER NOT NULL,
    named INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS card (path TEXT PRIMARY KEY, card TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS body (
    path TEXT PRIMARY KEY,
    html TEXT NOT NULL,
    page_html TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS output (path TEXT PRIMARY KEY, key INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
"""
TABLES = ("spine", "card", "body", "output", "made")
KEEP_SPINE = """
INSERT OR REPLACE INTO spine VALUES
(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
FORGET = (
    "DELETE FROM spine WHERE path = ?",
    "DELETE FROM card WHERE path = ?",
    "DELETE FROM body WHERE path = ?",
)
MEMORY = ":memory:"
BETWEEN = "\x1f"
"""Between the texts of a list; no control character is left in them."""
WITHIN = "\x1e"


class Body(NamedTuple):
    """The text of a post; see `posts.post.Post`."""

    html: str
    page_html: str
    text: str


class Rendered(NamedTuple):
    """A post as the cache keeps it."""

    spine: Spine
    stamp: tuple[int, int, int]
    """Size, modification and change time of the file in nanoseconds."""
    card: str
    """See `posts.cached`."""
    body: Body


class CacheDamagedError(PostroomError):
    """The cache cannot be read or written: what it held must be rendered again."""

    exit_code = 75


class RenderCache:
    """Rendered posts by path; `key` names everything else they depend on.

    What changes can be read at once; raises CacheDamagedError where it cannot be kept.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        """Open the cache at `path`, anew if need be; None: one that ends with the run."""
        self._path = path
        self.is_shared = False
        """Whether another process can read all that is here: see `reopen`."""
        try:
            self._db = _open(path or MEMORY, key)
        except sqlite3.DatabaseError:
            self._db = _open_anew(path or MEMORY, key)

    # -- what is there -----------------------------------------------------------

    def spines(self) -> dict[str, tuple[tuple[int, int, int], Spine]]:
        """Every post: stamp and spine by path."""
        try:
            rows = self._db.execute("SELECT * FROM spine").fetchall()
        except sqlite3.DatabaseError:
            return {}
        return {row[0]: ((row[1], row[2], row[3]), _spine(row)) for row in rows}

    def card(self, path: str) -> str:
        """The card of a post; raises CacheDamagedError."""
        return str(self._one("SELECT card FROM card WHERE path = ?", path)[0])

    def body(self, path: str) -> Body:
        """The text of a post; raises CacheDamagedError."""
        query = "SELECT html, page_html, text FROM body WHERE path = ?"
        return Body(*self._one(query, path))

    def outputs(self) -> dict[str, int]:
        """Of each file of the output the key of what it was made from."""
        try:
            return dict(self._db.execute("SELECT path, key FROM output").fetchall())
        except sqlite3.DatabaseError:
            return {}

    def map_key(self) -> int:
        """The key of the site map for which all links were right."""
        return int(self._one("SELECT map FROM made")[0])

    def unheard(self) -> bool:
        """Whether posts were rendered of which the ledger has not heard."""
        return bool(self._one("SELECT unheard FROM made")[0])

    def _one(self, query: str, *path: str) -> tuple[str, ...]:
        try:
            row = self._db.execute(query, path).fetchone()
        except sqlite3.DatabaseError as error:
            raise self.spoil(str(error)) from None
        if row is None:
            raise self.spoil("a row is not in it")
        return tuple(row)

    # -- what changes; kept by `commit` ------------------------------------------

    def keep(self, made: Rendered) -> None:
        """Add or replace a post."""
        spine = made.spine
        row = (
            spine.path,
            *made.stamp,
            spine.title,
            spine.published_at,
            spine.updated_at,
            spine.expires_at,
            spine.slug,
            spine.url_path,
            spine.language,
            BETWEEN.join(spine.tags),
            BETWEEN.join(WITHIN.join(_fields(person)) for person in spine.authors),
            spine.canonical_url,
            spine.id,
            spine.mailed,
            spine.digest,
            json.dumps(spine.files, ensure_ascii=False) if spine.files else "",
            spine.asks,
            spine.seen,
            spine.listed,
            spine.named,
        )
        self._write(KEEP_SPINE, row)
        self._write("INSERT OR REPLACE INTO card VALUES (?, ?)", (row[0], made.card))
        body = (row[0], *made.body)
        self._write("INSERT OR REPLACE INTO body VALUES (?, ?, ?, ?)", body)

    def restamp(self, path: str, stamp: tuple[int, int, int]) -> None:
        """Note that a file was touched and has the same content."""
        query = (
            "UPDATE spine SET size = ?, modified_ns = ?, changed_ns = ? WHERE path = ?"
        )
        self._write(query, (*stamp, path))

    def forget(self, paths: Iterable[str]) -> None:
        """Remove posts whose files are gone."""
        for path in paths:
            for query in FORGET:
                self._write(query, (path,))

    def keep_outputs(self, keys: Mapping[str, int], gone: Iterable[str]) -> None:
        """Add or replace keys of files of the output, and forget those of others."""
        for item in keys.items():
            self._write("INSERT OR REPLACE INTO output VALUES (?, ?)", item)
        for path in gone:
            self._write("DELETE FROM output WHERE path = ?", (path,))

    def keep_map_key(self, key: int) -> None:
        """Note for which site map all links are right."""
        self._write("UPDATE made SET map = ?", (key,))

    def keep_unheard(self, *, unheard: bool) -> None:
        """Note whether the ledger has heard of everything that is here."""
        self._write("UPDATE made SET unheard = ?", (unheard,))

    def commit(self) -> None:
        """Make all changes at once; a full disk is no fault."""
        try:
            self._db.commit()
            on_disk = self._db.execute("PRAGMA database_list").fetchone()[2]
            self.is_shared = bool(on_disk)
        except sqlite3.DatabaseError:
            self.is_shared = False

    def _write(self, query: str, row: tuple[object, ...]) -> None:
        try:
            self._db.execute(query, row)
        except sqlite3.DatabaseError as error:
            raise self.spoil(str(error)) from None

    def spoil(self, what: str) -> CacheDamagedError:
        """Remove the file, so that whoever comes next renders everything again.

        Returns the error to raise.
        """
        if self._path:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        return CacheDamagedError(f"{self._path}: {what}", cure="run it once more")

    def reopen(self) -> None:
        """Leave the connection to the process that made it, and make one for reading."""
        if self._path:
            self._theirs = self._db  # kept: to close it would give up that one's locks
            self._db = sqlite3.connect(self._path)

    def close(self) -> None:
        """Give the file back; what was not committed is lost."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _spine(row: Any) -> Spine:
    """Return the spine of a row; ten thousand of them must cost next to nothing."""
    (
        path, _, _, _, title, published, updated, expires, slug, url_path, language,
        tags, authors, canonical_url, id_, mailed, digest, files, asks,
        seen, listed, named,
    ) = row  # fmt: skip
    return Spine(
        path,
        title,
        published,
        updated,
        expires,
        slug,
        url_path,
        language,
        _split(tags),
        _people(authors),
        canonical_url,
        id_,
        mailed != 0,
        digest,
        tuple(json.loads(files)) if files else (),
        asks != 0,
        seen,
        listed,
        named,
    )


@lru_cache(maxsize=1024)
def _split(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(BETWEEN)) if joined else ()


@lru_cache(maxsize=1024)
def _people(joined: str) -> tuple[Person, ...]:
    return tuple(
        Person(name=name, email=email, url=url)
        for name, email, url in (person.split(WITHIN) for person in _split(joined))
    )


def _fields(person: Person) -> tuple[str, str, str]:
    return person.name, person.email, person.url


def _open_anew(path: Path | str, key: str) -> sqlite3.Connection:
    """A new file; where the disk takes none, a cache that ends with this run."""
    try:
        if not isinstance(path, str):
            path.unlink(missing_ok=True)
        return _open(path, key)
    except (OSError, sqlite3.DatabaseError):
        return _open(MEMORY, key)


def _open(path: Path | str, key: str) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    if _made_with(database) != [(key,)]:
        with database:
            for table in TABLES:
                database.execute(f"DROP TABLE IF EXISTS {table}")
        database.executescript(SCHEMA)
        with database:
            database.execute("INSERT INTO made VALUES (?, 0, 1)", (key,))
    return database


def _made_with(database: sqlite3.Connection) -> list[tuple[str]]:
    try:
        return database.execute("SELECT key FROM made").fetchall()
    except sqlite3.OperationalError:  # no such table, or one of another version
        return []

"""Programs and libraries people read feeds with, each behind one call: visit a feed.

`visit()` fetches the feed and returns what the reader has then; what a reader keeps
between visits it keeps in its own files. A field that a reader does not keep is empty.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import fastfeedparser
import feedparser
from reader import make_reader

from tests.readers.blog import Attached

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import EmailMessage

PATIENCE = 60
"""Seconds for one visit; the slowest takes one."""
NPM = Path(sys.prefix) / "readers"
"""Where the set-up puts the libraries of the npm world."""
SCRIPT = Path(__file__).parent / "read_feed.mjs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An entry as a reader has it."""

    id: str
    title: str
    url: str
    content: str
    attached: tuple[Attached, ...] = ()
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


class RefusedError(Exception):
    """The reader says that this is no feed."""


class Client(Protocol):
    """One reader with one subscription. `folder` is its own, `url` the feed's."""

    folder: Path
    url: str

    def __init__(self, folder: Path, url: str) -> None:
        """Make one that has visited nothing yet."""

    def visit(self) -> list[Seen]:
        """Fetch the feed; return every entry the reader has now, in any order."""

    @classmethod
    def lacks(cls) -> str:
        """What must be installed to use it; empty when all is there."""


def environ(home: Path) -> dict[str, str]:
    """The environment of a reader: its own home, no proxy, UTF-8."""
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@dataclass(slots=True)
class _Program:
    folder: Path
    url: str
    programs: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def lacks(cls) -> str:
        return ", ".join(name for name in cls.programs if not shutil.which(name))

    def call(self, *command: str, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
        """Run a program in the reader's folder, or in `cwd`; return what it printed."""
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=environ(self.folder),
            input=stdin,
            check=True,
            timeout=PATIENCE,
            capture_output=True,
        ).stdout


class Newsboat(_Program):
    """The terminal reader; keeps a row an entry in SQLite, by guid."""

    programs = ("newsboat",)

    def visit(self) -> list[Seen]:
        """Reload, and read its cache."""
        self.reload()
        columns = "guid, title, url, content, enclosure_url, enclosure_type, author"
        with self.cache() as rows:
            found = rows.execute(f"select {columns} from rss_item").fetchall()  # noqa: S608 - our own words
        return [
            Seen(
                id=guid,
                title=title,
                url=url,
                content=content,
                attached=(Attached(url=file, media_type=kind),) if file else (),
                authors=(author,) if author else (),
            )
            for guid, title, url, content, file, kind, author in found
        ]

    def reload(self) -> None:
        """Fetch the feed."""
        (self.folder / "urls").write_text(f"{self.url}\n", encoding="utf-8")
        (self.folder / "config").touch()
        own = ("-u", "urls", "-C", "config", "-c", "cache.db")
        self.call("newsboat", *own, "-x", "reload")

    def unread(self) -> int:
        """Count what it would show as new."""
        with self.cache() as rows:
            query = "select count(*) from rss_item where unread"
            return int(rows.execute(query).fetchone()[0])

    def cache(self) -> closing[sqlite3.Connection]:
        """Its database."""
        return closing(sqlite3.connect(self.folder / "cache.db"))


class Sfeed(_Program):
    """The shell reader; keeps a line of TAB-separated values an entry."""

    programs = ("sfeed_update", "curl")
    escapes: ClassVar = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}

    def visit(self) -> list[Seen]:
        """Update, and read its file."""
        (self.folder / "sfeedrc").write_text(
            f'sfeedpath="{self.folder}/feeds"\n'
            f'feeds() {{\n\tfeed blog "{self.url}" "{self.url}"\n}}\n',
            encoding="utf-8",
        )
        self.call("sfeed_update", "sfeedrc")
        lines = (self.folder / "feeds/blog").read_text(encoding="utf-8").splitlines()
        return [self._seen(*line.split("\t")[1:]) for line in lines]

    def _seen(self, *columns: str) -> Seen:
        title, url, content, _, guid, author, file, tags = columns
        return Seen(
            id=guid,
            title=title,
            url=url,
            content=re.sub(r"\\[nt\\]", lambda found: self.escapes[found[0]], content),
            attached=(Attached(url=file),) if file else (),
            tags=tuple(filter(None, tags.split("|"))),
            authors=(author,) if author else (),
        )


class Rss2email(_Program):
    """Sends a mail an entry; here into a maildir."""

    programs = ("r2e",)
    config = (
        "[DEFAULT]\nto = reader@example.org\nfrom = r2e@example.org\nhtml-mail = True\n"
        "email-protocol = maildir\nmaildir-path = {0}/mail\nmaildir-mailbox = INBOX\n"
    )

    def visit(self) -> list[Seen]:
        """Run it, and open the mails it has delivered so far."""
        files = ("-c", "r2e.cfg", "-d", "r2e.json")
        if not (self.folder / "r2e.cfg").exists():
            for name in ("cur", "new", "tmp"):
                (self.folder / "mail/INBOX" / name).mkdir(parents=True)
            (self.folder / "r2e.cfg").write_text(self.config.format(self.folder))
            self.call("r2e", *files, "add", "blog", self.url)
        self.call("r2e", *files, "run")
        mails = (self.folder / "mail/INBOX/new").iterdir()
        return [self._seen(path.read_bytes()) for path in sorted(mails)]

    def _seen(self, data: bytes) -> Seen:
        mail: EmailMessage = message_from_bytes(data, policy=policy.default)
        content = mail.get_content()
        files = re.findall(r'Enclosure: <a href="([^"]+)"', content)
        return Seen(
            id=mail["X-RSS-ID"],
            title=mail["Subject"],
            url=mail["X-RSS-URL"],
            content=content,
            attached=tuple(Attached(url=file) for file in files),
            tags=tuple(filter(None, (mail["X-RSS-TAGS"] or "").split(","))),
        )


@dataclass(slots=True)
class _Library:
    folder: Path
    url: str

    @classmethod
    def lacks(cls) -> str:
        return ""


@dataclass(slots=True)
class ReaderLibrary(_Library):
    """`reader`, the Python library; keeps entries in SQLite."""

    new: int = 0
    """Entries that the last visit brought."""
    modified: int = 0

    def visit(self) -> list[Seen]:
        """Update the feed, and list its entries."""
        with closing(make_reader(str(self.folder / "reader.db"))) as library:
            library.add_feed(self.url, exist_ok=True)
            changes = library.update_feed(self.url)
            self.new = changes.new if changes else 0
            self.modified = changes.modified if changes else 0
            return [self._seen(entry) for entry in library.get_entries()]

    def _seen(self, entry: Any) -> Seen:
        return Seen(
            id=entry.id,
            title=entry.title,
            url=entry.link,
            content=entry.get_content().value,
            attached=tuple(
                Attached(
                    url=file.href, media_type=file.type or "", length=file.length or 0
                )
                for file in entry.enclosures
            ),
            authors=tuple(author.name for author in entry.authors),
        )


@dataclass(slots=True)
class Feedparser(_Library):
    """The Python library most others are made of; its caller keeps the validators."""

    etag: str | None = None
    modified: str | None = None
    entries: list[Seen] = field(default_factory=list)

    def visit(self) -> list[Seen]:
        """Parse; what was not modified is as it was."""
        found = feedparser.parse(self.url, etag=self.etag, modified=self.modified)
        if found.status != 304:
            if found.bozo:
                raise RefusedError(found.bozo_exception)
            self.etag, self.modified = found.get("etag"), found.get("modified")
            self.entries = [self._seen(entry) for entry in found.entries]
        return self.entries

    def _seen(self, entry: Any) -> Seen:
        return Seen(
            id=entry.id,
            title=entry.title,
            url=entry.link,
            content=entry.content[0].value,
            attached=_attached(entry.enclosures, "href"),
            tags=tuple(tag.term for tag in entry.get("tags", ())),
            authors=tuple(author.name for author in entry.authors),
        )


class FastFeedParser(_Library):
    """A faster Python library, which knows JSON Feed too."""

    def visit(self) -> list[Seen]:
        """Parse."""
        return [
            Seen(
                id=entry.id,
                title=entry.title,
                url=entry.link,
                content=entry.content[0]["value"],
                attached=_attached(entry.get("enclosures", ()), "url"),
                tags=tuple(tag["term"] for tag in entry.get("tags", ())),
                authors=tuple(
                    author["name"] for author in entry.get("authors", ()) or ()
                ),
            )
            for entry in fastfeedparser.parse(self.url).entries
        ]


def _attached(files: Iterable[dict[str, Any]], key: str) -> tuple[Attached, ...]:
    return tuple(
        Attached(
            url=file[key],
            media_type=file.get("type", ""),
            length=int(file.get("length") or 0),
        )
        for file in files
    )


class _Npm(_Program):
    programs = ("node",)
    library: ClassVar[str]

    @classmethod
    def lacks(cls) -> str:
        there = (NPM / "node_modules" / cls.library).is_dir()
        return super().lacks() or ("" if there else f"{cls.library} of npm")

    def visit(self) -> list[Seen]:
        """Parse."""
        node = ("node", "--input-type=module", "-", self.library, self.url)
        try:
            found = self.call(*node, stdin=SCRIPT.read_bytes(), cwd=NPM)
        except subprocess.CalledProcessError as error:
            raise RefusedError(error.stderr.decode()) from error
        return [
            Seen(
                **{
                    **entry,
                    "attached": tuple(Attached(**file) for file in entry["attached"]),
                    "tags": tuple(entry["tags"]),
                    "authors": tuple(entry["authors"]),
                }
            )
            for entry in json.loads(found)
        ]


class Feedsmith(_Npm):
    """The most complete library of the npm world."""

    library = "feedsmith"


class RssParser(_Npm):
    """The most used library of the npm world."""

    library = "rss-parser"


CLIENTS: dict[str, type[Client]] = {
    "newsboat": Newsboat,
    "sfeed": Sfeed,
    "rss2email": Rss2email,
    "reader": ReaderLibrary,
    "feedparser": Feedparser,
    "fastfeedparser": FastFeedParser,
    "feedsmith": Feedsmith,
    "rss-parser": RssParser,
}

"""Pictures of imported posts: each fetched or taken once, proved, stored in `media/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from postroom.errors import SourceError
from postroom.importing.fetch import NotFetchedError
from postroom.importing.files import write_new
from postroom.importing.pictures import (
    MAX_ALL,
    MAX_PER_POST,
    MAX_PICTURE,
    decode_data,
    ending_of,
    stem_of,
)
from postroom.importing.texts import web_url

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.importing.fetch import Fetcher
    from postroom.importing.members import Members

FOLDER = "media"


@dataclass(slots=True, kw_only=True)
class PictureStore:
    """The pictures of one import; remembers what it has and what it could not get."""

    root: Path
    fetcher: Fetcher | None
    """None: nothing is fetched."""
    members: Members | None
    """The zip or folder in which pictures may lie."""
    dry: bool = False
    places: dict[str, str] = field(default_factory=dict)
    """Address → path in the posts folder."""
    failures: dict[str, str] = field(default_factory=dict)
    """Address → why it is not here."""
    written: int = 0
    octets: int = 0
    _stems: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know what earlier imports stored, and the end of each member's name."""
        folder = self.root / FOLDER
        if folder.is_dir():
            self._stems = {path.stem: path.name for path in folder.iterdir()}
        for name in self.members.names if self.members else ():
            self._names.setdefault(name.rpartition("/")[2], name)

    def take(self, urls: list[str]) -> tuple[dict[str, str], list[str]]:
        """Return address → path for those that are stored, and what failed, in words."""
        taken: dict[str, str] = {}
        notes: list[str] = []
        for url in urls[:MAX_PER_POST]:
            path = self.places.get(url) or (
                "" if url in self.failures else self._take(url)
            )
            if path:
                taken[url] = path
            elif self.failures.get(url):
                notes.append(
                    f"picture {url[:200]}: {self.failures[url]}; its address stays"
                )
        if len(urls) > MAX_PER_POST:
            notes.append(
                f"more than {MAX_PER_POST} pictures: the others stay where they are"
            )
        return taken, notes

    def _take(self, url: str) -> str:
        stem = stem_of(url)
        if stem in self._stems:
            return self._keep(url, self._stems[stem])
        try:
            data = self._find(url)
        except NotFetchedError as error:
            return self._fail(url, error.reason)
        except SourceError as error:
            return self._fail(url, error.what)
        if data is None:
            return self._fail(url, "")
        ending = ending_of(data)
        if not ending:
            return self._fail(url, "no PNG, JPEG, GIF, WebP, AVIF or harmless SVG")
        self.octets += len(data)
        self.written += 1
        name = stem + ending
        if not self.dry:
            write_new(self.root / FOLDER / name, data)
        return self._keep(url, name)

    def _find(self, url: str) -> bytes | None:
        """Return the octets of a picture, None when nobody is to look for it."""
        if url.startswith("data:"):
            return decode_data(url)
        member = self._member(url)
        if member and self.members is not None:
            data = self.members.read(member)
            if len(data) > MAX_PICTURE:
                raise NotFetchedError(f"more than {MAX_PICTURE // (1024 * 1024)} MiB")
            return data
        if self.fetcher is None:
            return None
        if not web_url(url):
            raise NotFetchedError("no address of http or https")
        if self.dry:
            return None
        if self.octets > MAX_ALL:
            raise NotFetchedError("the pictures of one import are limited to 2 GiB")
        return self.fetcher.get(url, MAX_PICTURE).data

    def _member(self, url: str) -> str:
        """Return the member that an address means: the longest end of its path wins."""
        if self.members is None:
            return ""
        try:
            path = unquote(urlsplit(url).path)
        except ValueError:
            return ""
        name = self._names.get(path.rpartition("/")[2], "")
        parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
        known = set(self.members.names) if name else set()
        for start in range(len(parts)):
            whole = "/".join(parts[start:])
            if whole in known:
                return whole
        return name

    def _keep(self, url: str, name: str) -> str:
        self.places[url] = f"{FOLDER}/{name}"
        return self.places[url]

    def _fail(self, url: str, reason: str) -> str:
        self.failures[url] = reason
        return ""

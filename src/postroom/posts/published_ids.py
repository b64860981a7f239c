"""Read ids back from feeds that were published: Atom, RSS 2.0, JSON Feed.

A feed is as good as a table of ids for what it lists. Only ids, addresses and dates are
read. The file may come from anywhere: no entity is resolved, nothing is fetched, sizes
are bounded, and what cannot be used is named while the rest counts.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from lxml import etree

from postroom.errors import Problem
from postroom.posts.id_table import check_id, parse_instant, to_utc
from postroom.posts.tag_uri import authority_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lxml.etree import _Element as Element

MAX_OCTETS = 64 * 1024 * 1024
"""Of one file: a hundred of the longest posts we know, in full, and some air."""

ATOM = "{http://www.w3.org/2005/Atom}"
ROOTS = frozenset({f"{ATOM}feed", "rss"})
JSON_FEED = "https://jsonfeed.org/version/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEntry:
    """One entry of a feed."""

    id: str
    url: str
    """Where its post was; may be empty."""
    published: datetime | None
    """In UTC."""
    file: str
    line: int = 0
    """0: the format has no lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFeed:
    """What a feed tells of ids."""

    entries: tuple[PublishedEntry, ...] = ()
    authority: str = ""
    """Of the ids that postroom derived; empty when there is none."""
    problems: tuple[Problem, ...] = ()


def is_feed(data: bytes) -> bool:
    """Tell a feed, sound or not, from a table of ids."""
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"<") or b"jsonfeed.org/version" in head


def parse_published_feed(data: bytes, path: str) -> PublishedFeed:
    """Read the entries of a feed in any of the three formats; `path` names it.

    Of a damaged XML file, what stands before the damage counts.
    """
    if len(data) > MAX_OCTETS:
        return _refused(path, f"larger than {MAX_OCTETS // 1024 // 1024} MiB")
    found = _Found(path)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        _read_xml(data, found)
    else:
        _read_json(data, found)
    return PublishedFeed(
        entries=tuple(found.entries),
        authority=_commonest(found.authorities),
        problems=tuple(found.problems),
    )


def _refused(path: str, message: str) -> PublishedFeed:
    return PublishedFeed(problems=(Problem(path=path, message=message),))


def _commonest(authorities: Counter[str]) -> str:
    """What most ids say: a feed may carry some of another site."""
    return max(authorities, key=lambda item: (authorities[item], item), default="")


class _Found:
    """What was read so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.entries: list[PublishedEntry] = []
        self.authorities: Counter[str] = Counter()
        self.problems: list[Problem] = []

    def add(
        self, id: str, url: str, published: datetime | None, *, line: int, name: str
    ) -> None:
        """Take one entry; `name` tells it from the others where it has no line."""
        try:
            check_id(id)
        except ValueError as error:
            self.refuse(f"{name}{error}", line)
            return
        if authority := authority_of(id):
            self.authorities[authority] += 1
        self.entries.append(
            PublishedEntry(
                id=id, url=url, published=published, file=self.path, line=line
            )
        )

    def refuse(self, message: str, line: int = 0) -> None:
        self.problems.append(Problem(path=self.path, line=line, message=message))


# -- XML -----------------------------------------------------------------------


def _read_xml(data: bytes, found: _Found) -> None:
    """Stream the entries of an Atom or RSS document, as far as it is well-formed."""
    reading = etree.iterparse(
        io.BytesIO(data),
        events=("end",),
        tag=(f"{ATOM}entry", f"{ATOM}id", "item"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    try:
        for _, element in reading:
            if element.getroottree().docinfo.internalDTD is not None:
                found.refuse("has a document type; no feed of ours has one")
                return
            if element.tag == f"{ATOM}id":
                _note_feed_id(element, found)
                continue
            _read_entry(element, found)
            element.clear(keep_tail=False)
    except etree.XMLSyntaxError as error:
        found.refuse(f"damaged: {error.msg}; what follows is not read", error.lineno)
        return
    if reading.root.tag not in ROOTS:
        found.refuse("is no Atom or RSS feed")


def _note_feed_id(element: Element, found: _Found) -> None:
    """The feed's own id counts as an id with our authority, though as no entry."""
    parent = element.getparent()
    authority = authority_of(_clean(element.text))
    if authority and parent is not None and parent.tag == f"{ATOM}feed":
        found.authorities[authority] += 1


def _read_entry(element: Element, found: _Found) -> None:
    line = element.sourceline or 0
    if element.tag == "item":
        entry_id = _clean(element.findtext("guid"))
        url = _clean(element.findtext("link"))
        published = _rfc822(_clean(element.findtext("pubDate")))
        guid = element.find("guid")
        if guid is not None and not url and guid.get("isPermaLink") != "false":
            url = entry_id
    else:
        entry_id = _clean(element.findtext(f"{ATOM}id"))
        url = next(_alternates(element), "")
        published = _iso(
            _clean(
                element.findtext(f"{ATOM}published")
                or element.findtext(f"{ATOM}updated")
            )
        )
    found.add(entry_id, url, published, line=line, name="an entry: ")


def _alternates(entry: Element) -> Iterator[str]:
    for link in entry.iterfind(f"{ATOM}link"):
        if link.get("rel", "alternate") == "alternate":
            yield _clean(link.get("href"))


def _clean(text: str | None) -> str:
    return (text or "").strip()


# -- JSON ----------------------------------------------------------------------


def _read_json(data: bytes, found: _Found) -> None:
    try:
        document = json.loads(data)
    except json.JSONDecodeError as error:
        found.refuse(f"damaged: {error.msg}", error.lineno)
        return
    except (UnicodeDecodeError, RecursionError) as error:
        found.refuse(f"no JSON: {error}")
        return
    version = document.get("version") if isinstance(document, dict) else None
    items = document.get("items") if isinstance(document, dict) else None
    if not str(version).startswith(JSON_FEED) or not isinstance(items, list):
        found.refuse("is no JSON Feed")
        return
    for number, item in enumerate(items, 1):
        _read_item(item, f"item {number}: ", found)


def _read_item(item: object, name: str, found: _Found) -> None:
    if not isinstance(item, dict):
        found.refuse(f"{name}not an object")
        return
    url, date = _member(item, "url"), _member(item, "date_published")
    found.add(_member(item, "id"), url, _iso(date), line=0, name=name)


def _member(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""


# -- dates: one that nobody can read is no date --------------------------------


def _iso(text: str) -> datetime | None:
    try:
        return parse_instant(text)
    except ValueError:
        return None


def _rfc822(text: str) -> datetime | None:
    try:
        return to_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError):
        return None

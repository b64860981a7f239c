"""What can be wrong with a published feed, found by programs that are not ours.

Every judge takes the feeds of an output folder and returns what it finds, one line each:
the file, the entry where there is one, and the fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.parsers import expat

import feedparser
from lxml import etree
from lxml import html as lxml_html

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHECKOUT = os.environ.get("POSTROOM_FEEDVALIDATOR")
PYTHON = os.environ.get("POSTROOM_FEEDVALIDATOR_PYTHON", sys.executable)
GRAMMAR = Path(__file__).parents[1] / "feeds/atom.rng"
"""RFC 4287's RELAX NG grammar, where it is at hand."""

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
TYPES = {
    "atom.xml": "application/atom+xml",
    ".atom": "application/atom+xml",
    "rss.xml": "application/rss+xml",
    "feed.json": "application/feed+json",
}
MANY = 12
"""Feeds of tags, authors or languages that are judged: the largest of them."""
VALIDATOR_LIMIT = 5_000_000
"""Octets; what is longer the validator does not read."""

# In a process of its own: what the validator imports is none of our tests' business.
VALIDATE = """
import io, json, sys
sys.path.insert(0, sys.argv[1] + "/src")
import feedvalidator
from feedvalidator import logging
from feedvalidator.formatter.text_plain import Formatter
for path, media_type, base in json.load(sys.stdin):
    with open(path, "rb") as feed:
        found = feedvalidator.validateStream(
            feed, firstOccurrenceOnly=0, contentType=media_type, base=base
        )["loggedEvents"]
    for event in found:
        if isinstance(event, (logging.Error, logging.Warning)):
            said = {key: str(event.params.get(key)) for key in ("element", "line", "value")}
            print(json.dumps([path, type(event).__name__, said]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFeed:
    """A feed file of an output folder."""

    path: str
    """Relative to the output folder."""
    file: Path
    media_type: str
    url: str
    """Where it will be."""

    @property
    def is_json(self) -> bool:
        """Whether it is a JSON Feed."""
        return self.media_type.endswith("json")

    @property
    def is_atom(self) -> bool:
        """Whether it is an Atom feed."""
        return self.media_type == TYPES["atom.xml"]


def feeds_of(public: Path, site_url: str) -> list[PublishedFeed]:
    """Every feed of an output folder; of a kind with many folders the largest ones."""
    found = []
    for file in sorted(public.rglob("*")):
        path = file.relative_to(public).as_posix()
        kind = next((TYPES[end] for end in TYPES if path.endswith(end)), "")
        if path.startswith("archive/") and file.suffix == ".json":
            kind = TYPES["feed.json"]
        if not kind or path.startswith("media/"):
            continue
        url = site_url + quote(path)
        found.append(PublishedFeed(path=path, file=file, media_type=kind, url=url))
    return [feed for group in _by_kind(found) for feed in group]


def _by_kind(feeds: Sequence[PublishedFeed]) -> Iterator[list[PublishedFeed]]:
    kinds: dict[str, list[PublishedFeed]] = {}
    for feed in feeds:
        kind = feed.path.partition("/")[0] + feed.file.suffix
        kinds.setdefault(kind, []).append(feed)
    for group in kinds.values():
        group.sort(key=lambda feed: (-feed.file.stat().st_size, feed.path))
        # Archives are one chain: all of them. Everything else is many of the same.
        yield group if group[0].path.startswith("archive/") else group[:MANY]


def fault_of_form(feed: PublishedFeed) -> Iterator[str]:
    """Well-formed for expat and for feedparser; or JSON without a duplicate key."""
    data = feed.file.read_bytes()
    if feed.is_json:
        try:
            json.loads(data, object_pairs_hook=_without_duplicates)
        except ValueError as error:
            yield f"{feed.path}: {error}"
        return
    try:
        expat.ParserCreate().Parse(data, True)  # noqa: FBT003 - expat's signature
    except expat.ExpatError as error:
        yield f"{feed.path}: {error}"
    parsed = feedparser.parse(data)
    if parsed.bozo:
        yield f"{feed.path}: feedparser: {parsed.bozo_exception}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def faults_of_entries(feed: PublishedFeed) -> Iterator[str]:
    """No id twice, nothing without id, title and text, no relative address."""
    entries = list(_entries(feed))
    counts = Counter(guid for guid, *_ in entries)
    yield from (
        f"{feed.path}: {guid} is there twice" for guid in counts - Counter(set(counts))
    )
    for guid, title, content, addresses in entries:
        if not (guid and title and title.strip()):
            yield f"{feed.path}: {guid}: {title!r}: has no id or no title"
        for address in (*addresses, *_addresses(content)):
            if not _is_absolute(address):
                yield f"{feed.path}: {guid}: {title}: relative address {address!r}"


def _entries(
    feed: PublishedFeed,
) -> Iterator[tuple[str, str | None, str, list[str | None]]]:
    """Id, title, content and addresses of each entry, as they stand in the file."""
    data = feed.file.read_bytes()
    if feed.is_json:
        for item in json.loads(data)["items"]:
            files = [file["url"] for file in item.get("attachments", ())]
            yield (
                item["id"],
                item["title"],
                item.get("content_html", ""),
                [
                    item["url"],
                    *files,
                ],
            )
        return
    root = etree.fromstring(data)
    if feed.is_atom:
        for entry in root.iter(f"{ATOM}entry"):
            yield (
                entry.findtext(f"{ATOM}id"),
                entry.findtext(f"{ATOM}title"),
                entry.findtext(f"{ATOM}content") or "",
                [link.get("href") for link in entry.iter(f"{ATOM}link")],
            )
        return
    for item in root.iter("item"):
        files = [file.get("url") for file in item.iter("enclosure")]
        yield (
            item.findtext("guid"),
            item.findtext("title"),
            item.findtext(CONTENT) or "",
            [item.findtext("link"), *files],
        )


ADDRESSED = ("href", "src", "poster", "cite", "longdesc")


def _addresses(content: str) -> Iterator[str]:
    """Every address of a piece of HTML."""
    if not content.strip():
        return
    for element in lxml_html.fragment_fromstring(content, create_parent="div").iter():
        for name in ADDRESSED:
            if (value := element.get(name)) is not None:
                yield value
        for candidate in (element.get("srcset") or "").split(","):
            if candidate.strip():
                yield candidate.split()[0]


def _is_absolute(address: str | None) -> bool:
    scheme = (address or "").partition(":")[0]
    return bool(scheme) and scheme.isascii() and scheme.isalpha() and scheme != address


def faults_of_grammar(feeds: Sequence[PublishedFeed]) -> Iterator[str]:
    """What RFC 4287's grammar refuses."""
    grammar = etree.RelaxNG(etree.parse(GRAMMAR))
    for feed in feeds:
        if feed.is_atom and not grammar.validate(etree.parse(feed.file)):
            for error in grammar.error_log:
                yield f"{feed.path}:{error.line}: {error.message}"


def faults_of_validator(feeds: Sequence[PublishedFeed]) -> list[str]:
    """Errors and warnings of the W3C feed validator; it knows no JSON Feed."""
    asked = [
        (str(feed.file), f"{feed.media_type}; charset=utf-8", feed.url)
        for feed in feeds
        if not feed.is_json and feed.file.stat().st_size < VALIDATOR_LIMIT
    ]
    paths = {str(feed.file): feed.path for feed in feeds}
    found = subprocess.run(
        [PYTHON, "-c", VALIDATE, str(CHECKOUT)],
        input=json.dumps(asked).encode(),
        check=True,
        capture_output=True,
    ).stdout.decode()
    lines = (json.loads(line) for line in found.splitlines())
    return [
        f"{paths[path]}:{said['line']}: {name} {said['element']} {said['value']}"
        f" in {_title_at(path, int(said['line']))!r}"
        for path, name, said in lines
    ]


def _title_at(path: str, line: int) -> str:
    """Title of the entry that begins last before a line of a feed, if one does."""
    title = ""
    for entry in etree.parse(path).iter(f"{ATOM}entry", "item"):
        if entry.sourceline > line:
            break
        title = entry.findtext(f"{ATOM}title") or entry.findtext("title")
    return title

"""A file as the answer to one request: its coding, its validators, all of it or a part.

Each coding has its own entity tag, since a cache may keep several answers of one address
and must not take them for each other (RFC 9110 §8.8.3). That of the bytes as they are is
strong. That of compressed ones is weak: another version of a compressor makes other bytes
of the same content. Both come from the content, so a file that was built again and is
equal keeps its tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from postroom.web.codings import choose_coding
from postroom.web.conditions import judge, range_holds
from postroom.web.headers import ALWAYS, encode
from postroom.web.ranges import Span, parse_range
from postroom.web.sending import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postroom.files.compressed import Coding
    from postroom.web.headers import Fields, FileFields
    from postroom.web.shelf import Shelf
    from postroom.web.version import Version

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request says beside its path; names of `fields` are in lower case."""

    method: str
    fields: dict[str, str]

    @property
    def coding(self) -> Coding | None:
        """The coding that the client likes best. A part is of the bytes as they are."""
        return None if self.range else choose_coding(self.fields.get("accept-encoding"))

    @property
    def range(self) -> str | None:
        """The part that is asked for; it means something to GET alone (§14.2)."""
        return self.fields.get("range") if self.method == "GET" else None


async def represent(
    shelf: Shelf,
    version: Version,
    known: FileFields,
    asked: Asked,
    file: int | None = None,
) -> Answer:
    """Return the answer with a version of a file.

    `known` are the fields that the path decides, `file` is a descriptor of a version that
    is not kept in memory; only the answer to GET needs it.
    """
    coding = asked.coding
    packed = await shelf.pack(version, coding) if coding else None
    tag = entity_tag(version, coding if packed else None)
    modified = last_modified(version, shelf.clock_ns())
    fields = {"ETag": tag}
    if modified is not None:
        fields["Last-Modified"] = http_date(modified)
    outcome = judge(asked.fields, tag, modified)
    if outcome is HTTPStatus.NOT_MODIFIED:
        return Answer(status=outcome, fields=known.unchanged + encode(fields))
    if outcome is HTTPStatus.PRECONDITION_FAILED:
        return build_plain(outcome)
    if packed and coding:
        fields["Content-Encoding"] = coding
        fields["Content-Length"] = str(len(packed))
        whole = known.whole + encode(fields)
        return Answer(status=HTTPStatus.OK, fields=whole, body=packed)
    fields["Accept-Ranges"] = "bytes"
    span = parse_range(asked.range, version.stamp.size)
    if not range_holds(asked.fields.get("if-range"), tag, modified):
        span = None
    return _answer_plain(version, file, known.whole + encode(fields), span)


def _answer_plain(
    version: Version, file: int | None, fields: Fields, part: Span | None
) -> Answer:
    """Answer with the bytes as they are, or a part of them."""
    size = version.stamp.size
    span = part or Span(0, size)
    more = {"Content-Length": str(span.length)}
    if part:
        more["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    if part and not part.length:
        return build_plain(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            {"Content-Range": f"bytes */{size}"},
        )
    return Answer(
        status=HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK,
        fields=fields + encode(more),
        body=version.data[span.start : span.stop] if version.data else b"",
        file=file if version.data is None else None,
        span=span,
    )


async def represent_missing(
    shelf: Shelf, page: Version | None, fields: Fields, asked: Asked
) -> Answer:
    """Return the answer for a wrong address: the page that says so, if there is one.

    It has no validators: a client must never take it for the file that is missing.
    """
    if page is None or page.data is None:
        return build_plain(HTTPStatus.NOT_FOUND)
    coding = choose_coding(asked.fields.get("accept-encoding"))
    packed = await shelf.pack(page, coding) if coding else None
    own = {"Content-Length": str(len(packed or page.data))}
    if packed and coding:
        own["Content-Encoding"] = coding
    return Answer(
        status=HTTPStatus.NOT_FOUND,
        fields=fields + encode(own),
        body=packed or page.data,
    )


def build_plain(status: HTTPStatus, more: dict[str, str] | None = None) -> Answer:
    """Return an answer in one line of text."""
    body = f"{status.value} {status.phrase}\n".encode()
    fields = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        **ALWAYS,
        **(more or {}),
    }
    return Answer(status=status, fields=encode(fields), body=body)


def entity_tag(version: Version, coding: Coding | None) -> str:
    """Return the entity tag of a version in a coding."""
    return f'W/"{version.digest}-{coding}"' if coding else f'"{version.digest}"'


def last_modified(version: Version, now_ns: int) -> int | None:
    """Return the time of the last change in seconds; None while it does not tell versions.

    The build leaves a file alone that would not change, so the file's own time is when its
    content changed: for a feed, the run that published the newest entry or a change of one
    (its `updated` is the author's, and may be long before). In the second of a change
    another one may follow; a time to come would contradict Date (RFC 9110 §8.8.2.1).
    """
    if version.stamp.modified_ns + SECOND_NS > now_ns:
        return None
    return version.stamp.modified_ns // SECOND_NS


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> str:
    """Return seconds since 1970 as an HTTP date (RFC 9110 §5.6.7)."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def join_fields(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return header fields by name; a list in several fields is one list (§5.3)."""
    fields: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    return fields

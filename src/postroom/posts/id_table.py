"""The table of ids as JSON lines: what must outlive a database, in an open format.

The first line says what the file is and under which authority ids are derived; each
other line is one publication. Lines may be read one by one, so damage costs one line.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from postroom.errors import Problem
from postroom.posts.publication import MailState, Publication
from postroom.posts.tag_uri import IRI, is_authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "postroom ids"
VERSION = 1
MAX_LINE = 64 * 1024
"""Octets of a line: a path of 4096 octets and an id, several times over."""
MAX_ID = 2048
"""Characters of an id: what any address bar takes, and no post was published under more."""
IMPORTED = "imported"
"""Why it is archived or held: it was published before this ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownId:
    """One id that was published, and what is told of it besides."""

    id: str
    file: str
    """Where it was read."""
    line: int = 0
    path: str = ""
    """Of the post's file; empty: not known."""
    digest: str = ""
    first_seen: datetime | None = None
    mail: MailState = MailState.ARCHIVED
    reason: str = IMPORTED

    def as_problem(self, message: str, cure: str = "") -> Problem:
        """Return what is wrong with it, at its place."""
        return Problem(path=self.file, line=self.line, message=message, cure=cure)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTable:
    """What a file told."""

    rows: tuple[KnownId, ...] = ()
    authority: str = ""
    """`host,YYYY-MM-DD` of derived ids; empty: not told."""
    problems: tuple[Problem, ...] = ()


def render_id_table(
    publications: Iterable[Publication], authority: str
) -> Iterator[str]:
    """Yield the lines of the table, each with its end."""
    yield _line({"format": FORMAT, "version": VERSION, "authority": authority})
    for item in publications:
        yield _line(
            {
                "path": item.path,
                "id": item.id,
                "digest": item.digest,
                "first_seen": item.first_seen.astimezone(UTC).isoformat(),
                "number": item.number,
                "mail": item.mail.value,
                "reason": item.reason,
            }
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def parse_id_table(data: bytes, path: str) -> IdTable:
    """Read the lines of a table; `path` names it in problems.

    What was numbered counts as mailed and is archived; what waited is held until a
    person says what became of it. A line that cannot be used is a problem, and so is an
    id that was there before; the others count.
    """
    rows: dict[str, KnownId] = {}
    problems: list[Problem] = []
    authority = ""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = _parse_object(line)
            if "format" in value:
                authority = _parse_head(value)
                continue
            row = _parse_row(value, path, number)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(path=path, line=number, message=str(error)))
            continue
        if rows.setdefault(row.id, row) is not row:
            problems.append(row.as_problem("this id is there twice"))
    return IdTable(
        rows=tuple(rows.values()), authority=authority, problems=tuple(problems)
    )


def _parse_object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise ValueError(f"longer than {MAX_LINE} octets")
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for every fault of a line
    return value


def _parse_head(value: dict[str, Any]) -> str:
    if value["format"] != FORMAT:
        raise ValueError(f"format {value['format']!r} is not {FORMAT!r}")
    if value.get("version") != VERSION:
        raise ValueError(f"version {value.get('version')!r}, this one reads {VERSION}")
    authority = value.get("authority")
    if not isinstance(authority, str) or not is_authority(authority):
        raise ValueError(f"authority {authority!r} is not host,YYYY-MM-DD")
    return authority


def _parse_row(value: dict[str, Any], file: str, line: int) -> KnownId:
    mail = _text(value, "mail") or MailState.ARCHIVED
    try:
        state = MailState(mail)
    except ValueError:
        raise ValueError(f"mail {mail!r} is none of its words") from None
    waited = state in {MailState.NEW, MailState.HELD}
    kept = _text(value, "reason") if state is MailState.ARCHIVED else ""
    return KnownId(
        id=check_id(_text(value, "id")),
        file=file,
        line=line,
        path=unicodedata.normalize("NFC", _text(value, "path")),
        digest=_text(value, "digest"),
        first_seen=_instant(_text(value, "first_seen")),
        mail=MailState.HELD if waited else MailState.ARCHIVED,
        reason=kept or IMPORTED,
    )


def check_id(text: str) -> str:
    """Return an id that every feed format can carry as it is; else raise ValueError."""
    if not text:
        raise ValueError("without an id")
    if len(text) > MAX_ID:
        raise ValueError(f"an id longer than {MAX_ID} characters")
    if not IRI.fullmatch(text):
        raise ValueError(f"the id {text!r} is no IRI, so Atom cannot carry it")
    return text


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key, "")
    if not isinstance(text, str):
        raise ValueError(f"{key} is no text")  # noqa: TRY004 - one error for every fault of a line
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{key} holds half a character") from None
    return text


def _instant(text: str) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except ValueError:
        raise ValueError(f"first_seen {text!r} is no ISO 8601 time") from None


def parse_instant(text: str) -> datetime:
    """Parse ISO 8601 into UTC, which it is without an offset; ValueError otherwise."""
    instant = datetime.fromisoformat(text)
    return to_utc(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def to_utc(instant: datetime) -> datetime:
    """Return an aware instant in UTC; ValueError at the ends of the calendar."""
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None

"""A table of subscribers becomes changes, row by row; a bad row costs only itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from postroom.errors import AddressError, Problem, TableError
from postroom.subscribers.address import parse_address, parse_name
from postroom.subscribers.subscriber import Cadence, Consent, SubscriberChange
from postroom.subscribers.table.cell import unguard_cell
from postroom.subscribers.table.columns import Columns, find_columns
from postroom.subscribers.table.records import (
    Record,
    RecordReader,
    find_delimiter,
    read_lines,
    split_quoted,
)
from postroom.subscribers.topics import parse_topics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""A language tag (RFC 5646) as far as we look at one."""
FAMILY_FIRST = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]+")
"""Names in Hangul, kana or Han: family name first, and no space between."""
CADENCES = {cadence.value: cadence for cadence in Cadence}
CURE_HEADER = (
    "let the first line name the columns: email,name,consent,cadence,topics,language"
)
CURE_DOUBT = f"name it consent, and write in it {', '.join(Consent)}"

STRENGTH = {
    None: 0,
    Consent.CONFIRMED: 1,
    Consent.PENDING: 2,
    Consent.UNSUBSCRIBED: 3,
    Consent.SUPPRESSED: 4,
}
"""When two columns differ, the more cautious one counts."""
STOPPED = frozenset({Consent.UNSUBSCRIBED, Consent.SUPPRESSED})

MAX_REMEMBERED = 1000
"""Combinations of settings kept: real tables have dozens, times can make each unique."""


def read_table(
    data: bytes, *, path: str, confirmed: bool = False
) -> Iterator[SubscriberChange | Problem]:
    """Yield a change for every good row and a problem for every bad one, in order.

    A row that states no consent leaves it open (None: a new subscriber is pending);
    with `confirmed`, the operator's word that consent was given before, it is
    confirmed. Empty cells change nothing. An address given twice is a problem too:
    the later row counts, but a row that says stop is not undone by a later one.
    `path` names the table in problems. Raises TableError, before the first row, when
    `data` is no table, or when with `confirmed` a column that may say no is not
    understood.
    """
    lines = read_lines(data)
    skipped = 0
    for first in lines:
        if first.strip("\ufeff \t,;"):
            break
        skipped += 1
    else:
        raise TableError(f"{path} is empty", cure=CURE_HEADER)
    first = first.lstrip("\ufeff")
    delimiter = find_delimiter(first)
    columns, has_header = _find_columns(first, delimiter, path)
    if columns.doubtful and confirmed:
        raise TableError(
            f'{path}: the column "{columns.doubtful[0]}" may say who refused',
            cure=CURE_DOUBT,
        )
    reader = RecordReader(
        path=path,
        lines=lines,
        delimiter=delimiter,
        is_row=lambda cells: (
            len(cells) == columns.width and "@" in cells[columns.email]
        ),
        line=skipped,
    )
    reader.ahead.append(first)
    rows = reader.records()
    if has_header:
        next(rows)
    table = _Table(path=path, columns=columns, confirmed=confirmed)
    return table.changes(rows, header_line=skipped + 1)


def _find_columns(first: str, delimiter: str, path: str) -> tuple[Columns, bool]:
    """Return the columns, and whether the first line names them."""
    cells = split_quoted(first, delimiter) or first.split(delimiter)
    columns = find_columns(cells)
    if columns is not None:
        return columns, True
    bare = {1: Columns(width=1, email=0), 2: Columns(width=2, email=0, name=1)}
    if "@" in cells[0] and len(cells) in bare:
        return bare[len(cells)], False
    raise TableError(f"{path}: no column is named email", cure=CURE_HEADER)


class _RowError(Exception):
    """A row that cannot be taken; `cure` says how to mend it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """What a row says besides who it is."""

    consent: Consent | None
    cadence: Cadence | None
    topics: tuple[str, ...] | None
    language: str | None


@dataclass(slots=True, kw_only=True)
class _Table:
    """Reads rows of one table, and remembers whom it has seen."""

    path: str
    columns: Columns
    confirmed: bool
    seen: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    settings: dict[tuple[str, ...], _Settings] = field(default_factory=dict)
    """Cells → what they mean: a million rows share a few dozen of them."""
    pick: Callable[[list[str]], tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        columns = self.columns
        states = (index for index, _ in columns.states)
        # Three or more places, so that the answer is a tuple.
        self.pick = itemgetter(
            *states, columns.cadence, columns.topics, columns.language
        )

    def changes(
        self, rows: Iterator[Record | Problem], header_line: int
    ) -> Iterator[SubscriberChange | Problem]:
        """Yield what every row says, and every problem."""
        for name in self.columns.doubtful:
            yield self._problem(
                header_line,
                f'the column "{name}" may speak of consent and is not understood',
                CURE_DOUBT,
            )
        for row in rows:
            if isinstance(row, Problem):
                yield row
            elif any(row[1]):
                yield from self._change(*row)

    def _change(
        self, line: int, cells: list[str]
    ) -> tuple[SubscriberChange | Problem, ...]:
        try:
            change = self._read(cells)
        except _RowError as error:
            return (self._problem(line, error.what, error.cure),)
        if change.key not in self.seen:
            self.seen.add(change.key)
            if change.consent in STOPPED:
                self.stopped.add(change.key)
            return (change,)
        twice = self._problem(
            line,
            f"{change.email} is in this table twice",
            "remove one: the later row counts, but a stop stays",
        )
        if change.consent in STOPPED:
            self.stopped.add(change.key)
        elif change.key in self.stopped:
            change = replace(change, consent=None)
        return twice, change

    def _read(self, cells: list[str]) -> SubscriberChange:
        columns = self.columns
        missing = columns.width - len(cells)
        if missing < 0 and any(cell.strip() for cell in cells[columns.width :]):
            raise _RowError(
                f"the row has {len(cells)} cells where {columns.width} are named",
                "put cells that contain the delimiter in double quotes",
            )
        # One empty cell too many: it is what an absent column (-1) reads.
        cells.extend([""] * (missing + 1))
        try:
            address = parse_address(unguard_cell(cells[columns.email]))
        except AddressError as error:
            raise _RowError(error.what, error.cure) from None
        said = self.pick(cells)
        settings = self.settings.get(said)
        if settings is None:
            settings = self._remember(said)
        return SubscriberChange(
            email=address.email,
            key=address.key,
            name=self._name(cells) or None,
            consent=settings.consent,
            cadence=settings.cadence,
            topics=settings.topics,
            language=settings.language,
        )

    def _name(self, cells: list[str]) -> str:
        columns = self.columns
        name = parse_name(unguard_cell(cells[columns.name].strip()))
        if name or (columns.first_name < 0 and columns.last_name < 0):
            return name
        first = parse_name(unguard_cell(cells[columns.first_name].strip()))
        last = parse_name(unguard_cell(cells[columns.last_name].strip()))
        if FAMILY_FIRST.fullmatch(first) and FAMILY_FIRST.fullmatch(last):
            return last + first
        return parse_name(f"{first} {last}")

    def _remember(self, said: tuple[str, ...]) -> _Settings:
        *states, cadence, topics, language = (
            unguard_cell(cell.strip()) for cell in said
        )
        settings = _Settings(
            consent=self._consent(states),
            cadence=_cadence(cadence),
            topics=parse_topics(topics) or None,
            language=_language(language),
        )
        if len(self.settings) >= MAX_REMEMBERED:
            self.settings.clear()
        self.settings[said] = settings
        return settings

    def _consent(self, cells: list[str]) -> Consent | None:
        consent: Consent | None = None
        for cell, (_, read) in zip(cells, self.columns.states, strict=True):
            if not cell:
                continue
            try:
                stated = read(cell)
            except ValueError:
                raise _RowError(
                    f'"{parse_name(cell)}" is no state of consent that we know',
                    f"write {', '.join(Consent)}",
                ) from None
            consent = max(consent, stated, key=STRENGTH.__getitem__)
        return Consent.CONFIRMED if consent is None and self.confirmed else consent

    def _problem(self, line: int, message: str, cure: str) -> Problem:
        return Problem(path=self.path, line=line, message=message, cure=cure)


def _cadence(cell: str) -> Cadence | None:
    if not cell:
        return None
    cadence = CADENCES.get(cell.lower())
    if cadence is None:
        raise _RowError(
            f'"{parse_name(cell)}" is no cadence', f"write {', '.join(CADENCES)}"
        )
    return cadence


def _language(cell: str) -> str | None:
    if cell and not LANGUAGE.fullmatch(cell):
        raise _RowError(
            f'"{parse_name(cell)}" is no language tag', 'write "ko" or "en"'
        )
    return cell or None

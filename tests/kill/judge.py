"""What must hold after every kill, and what must be true when all is done."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from postroom.errors import PostroomError
from postroom.mail.outcome import DeliveryState
from postroom.store.sqlite.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from postroom.store.values import Delivery
    from tests.kill.scene import Variant
    from tests.stage import Site

Taken = tuple[str, str]
"""(recipient, Message-ID)"""
Expected = frozenset[tuple[str, str]]
"""(cadence, recipient) of every delivery that there has to be."""


@dataclass(slots=True)
class Verdict:
    """What became of a trial; empty `problems` is what everybody hopes for."""

    problems: list[str] = field(default_factory=list)
    lost: int = 0
    duplicates: int = 0
    unknown: int = 0
    arrived: int = 0
    """Of the unknown ones."""
    expired: int = 0


def look(site: Site) -> list[str]:
    """What is wrong with a ledger that nobody holds: read from a copy of its files."""
    try:
        with TemporaryDirectory(dir=site.root) as folder:
            database = _copied(site, Path(folder))
            with closing(sqlite3.connect(database)) as connection:
                (found,) = connection.execute("PRAGMA integrity_check").fetchone()
            with open_store(database) as store:
                unbalanced = store.unbalanced(everything=True)
    except (PostroomError, sqlite3.Error, OSError) as error:
        return [f"the ledger cannot be read: {error}"]
    problems = [f"integrity: {found}"] if found != "ok" else []
    return problems + [f"unbalanced: {key}" for key in unbalanced]


def rows(site: Site) -> list[Delivery]:
    """Every delivery of the site's ledger."""
    with TemporaryDirectory(dir=site.root) as folder:
        with open_store(_copied(site, Path(folder))) as store:
            return list(store.deliveries())


def _copied(site: Site, folder: Path) -> Path:
    for path in (site.root / "state").glob("postroom.db*"):
        if path.name in {"postroom.db", "postroom.db-wal"}:
            shutil.copyfile(path, folder / path.name)
    return folder / "postroom.db"


def outbox(site: Site) -> list[Taken]:
    """What lies in the outbox; a letter that is not whole has no Message-ID."""
    found = []
    for path in (site.root / "outbox").glob("*.eml"):
        data = path.read_bytes()
        head = BytesHeaderParser().parsebytes(data)
        id_ = str(head["Message-ID"]) if data.endswith(b"--\r\n") else "half a letter"
        found.append((str(head["To"]), id_))
    return found


def public(site: Site) -> Mapping[str, bytes]:
    """Every file that readers see."""
    root = site.root / "public"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def journals(site: Site) -> int:
    """How many journals lie beside the ledger."""
    return len(list((site.root / "state").glob("*.journal")))


def delivery_of(row: Delivery) -> tuple[str, str]:
    """Cadence and recipient; the key of an immediate edition has its minute in it."""
    return row.edition.partition("-")[0], row.email


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a trial may have led to."""

    variant: Variant
    kills: int
    bound: int | None = None
    """How many may be in doubt; by itself the open connections of each kill."""
    may_expire: bool = False
    """The clock went on by more than a letter may wait."""
    same_pages: bool = True
    """What readers see is what it would have been."""
    may_forget_ids: bool = False
    """What was in doubt may have no Message-ID: its intent was lost with the power."""

    @property
    def in_doubt(self) -> int:
        """How many may be unknown, or with `resend` sent twice."""
        if self.bound is not None:
            return self.bound
        return self.kills * self.variant.open_connections


def judge(
    terms: Terms,
    deliveries: Sequence[Delivery],
    taken: Iterable[Taken],
    expected: Expected,
) -> Verdict:
    """Compare the ledger at the end with what was taken."""
    verdict = Verdict()
    ids = {row.email: row.message_id for row in deliveries}
    if terms.may_forget_ids:
        taken = [(email, id_ if ids.get(email) else "") for email, id_ in taken]
    copies = Counter(taken)
    there = [delivery_of(row) for row in deliveries]
    if frozenset(there) != expected or len(there) != len(expected):
        missing = expected - frozenset(there)
        verdict.lost += len(missing)
        verdict.problems.append(f"not the deliveries there should be: {missing}")
    for row in deliveries:
        count = copies[row.email, row.message_id]
        if terms.may_expire and row.state is DeliveryState.EXPIRED:
            # What was to be sent once more may have arrived the first time.
            verdict.expired += 1
            if count > (terms.variant.policy == "resend"):
                verdict.problems.append(f"{row.email} expired, {count} copies")
        else:
            _judge_row(verdict, row, count, terms)
    copies = +copies
    verdict.duplicates = copies.total() - len(copies)
    for stranger in copies.keys() - ids.items():
        verdict.problems.append(f"taken, and the ledger does not know: {stranger}")
    _judge_bounds(verdict, copies, terms)
    return verdict


def _judge_row(verdict: Verdict, row: Delivery, copies: int, terms: Terms) -> None:
    variant = terms.variant
    gone = variant.deferring and row.email.startswith("gone.")
    match row.state:
        case DeliveryState.ACCEPTED if copies:
            return
        case DeliveryState.FAILED if gone:
            return
        case DeliveryState.UNKNOWN if variant.policy == "hold" or terms.kills > 1:
            verdict.unknown += 1
            verdict.arrived += bool(copies)
            return
        case _:
            verdict.lost += not copies
            verdict.problems.append(f"{row.email} {row.state}, {copies} copies: {row}")


def _judge_bounds(verdict: Verdict, copies: Counter[Taken], terms: Terms) -> None:
    bound = terms.in_doubt
    allowed = bound if terms.variant.policy == "resend" else 0
    if verdict.duplicates > allowed:
        verdict.problems.append(f"{verdict.duplicates} duplicates, {allowed} allowed")
    if verdict.unknown > bound:
        verdict.problems.append(f"{verdict.unknown} unknown, {bound} allowed")
    often = [who for who, count in copies.items() if count > 2]
    if often:
        verdict.problems.append(f"more than twice: {often}")

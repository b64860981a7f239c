"""The seal beside the database: what a lost or rolled-back ledger is told apart by.

An empty or old ledger would mail everyone again. The seal, `<database>.seal`, holds
the ledger's id and its serial; it is renewed after every change of the serial. A crash
between the two leaves the seal behind the database, never ahead of it. So a seal ahead
of its database, or without one, means that the database is not the last one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from postroom.errors import (
    LedgerDamagedError,
    LedgerRolledBackError,
    StoreUnusableError,
)
from postroom.store.beside import journals, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.values import Facts

SQLITE_MAGIC = b"SQLite format 3\x00"
TRACES = ("{}.seal", "{}-wal", "{}-journal", "secret")
"""Files beside a database that do not exist before it does."""


class LedgerState(StrEnum):
    """What is found where the ledger should be."""

    ABSENT = "absent"
    """Nothing: a new site."""
    LOST = "lost"
    """Traces of a ledger, but no database."""
    PRESENT = "present"
    """A database; whether it is sound is for `check` to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Which ledger was last written, and how far it had come."""

    ledger_id: str
    serial: int


def seal_path(path: Path) -> Path:
    """Where the seal of the database `path` is."""
    return path.with_name(f"{path.name}.seal")


def traces(path: Path) -> list[Path]:
    """The files that show that the database `path` was here once."""
    candidates = (path.with_name(trace.format(path.name)) for trace in TRACES)
    found = [candidate for candidate in candidates if candidate.exists()]
    return found + [journal for _, journal in journals(path)]


def ledger_state(path: Path) -> LedgerState:
    """Tell what is at `path`; raise LedgerDamagedError for what is no database.

    We never leave an empty or half-made file behind (a new ledger appears whole), so
    such a file was damaged, and SQLite would take it for a fresh database.
    """
    if not path.exists() and not path.is_symlink():
        return LedgerState.LOST if traces(path) else LedgerState.ABSENT
    if not _is_database(path):
        raise LedgerDamagedError(
            f"{path}: not an SQLite database",
            cure="restore it from a copy",
        )
    return LedgerState.PRESENT


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError as error:
        raise StoreUnusableError(
            f"{path}: cannot be read ({error.strerror})",
            cure="check the permissions of the file and its folder",
        ) from error


def write_seal(path: Path, facts: Seal | Facts) -> None:
    """Renew the seal of the database `path`: the old one or the new one, never half."""
    seal = seal_path(path)
    fresh = seal.with_name(f"{seal.name}.{os.getpid()}.new")
    text = json.dumps({"ledger_id": facts.ledger_id, "serial": facts.serial})
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor has no Path
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(seal)
        sync_folder(seal.parent)
    except OSError as error:
        raise StoreUnusableError(
            f"{seal}: cannot be written ({error.strerror})",
            cure="check the disk and the permissions of the folder",
        ) from error


def read_seal(path: Path) -> Seal | None:
    """The seal of the database `path`, or None where there is none."""
    seal = seal_path(path)
    try:
        content = json.loads(seal.read_text(encoding="utf-8"))
        return Seal(ledger_id=str(content["ledger_id"]), serial=int(content["serial"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnusableError(
            f"{seal}: cannot be read ({error.strerror})",
            cure="check the permissions of the file and its folder",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamagedError(
            f"{seal}: damaged, so nobody can tell whether {path.name} is the latest",
            cure="make sure that it is, then remove the seal",
        ) from error


def check_seal(path: Path, facts: Facts) -> None:
    """Raise LedgerRolledBackError when a later, or another, ledger was here."""
    seal = read_seal(path)
    if seal is None:
        return
    if seal.ledger_id != facts.ledger_id:
        raise LedgerRolledBackError(
            f"{path}: another ledger than the one used here before",
            cure="put the right database back, or run with --accept-rollback",
        )
    if seal.serial > facts.serial:
        raise LedgerRolledBackError(
            f"{path}: older than the last run (it is at {facts.serial}, the seal at "
            f"{seal.serial}); letters sent since would be sent again",
            cure="put the latest database back, or run with --accept-rollback",
        )

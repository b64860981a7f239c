"""The door to the ledger: every check that must come before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import LedgerMissingError
from postroom.store.seal import (
    LedgerState,
    check_seal,
    ledger_state,
    read_seal,
    traces,
)
from postroom.store.sqlite.store import SqliteStore, copy_store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postroom.store.values import Creation


def open_ledger(
    path: Path, create: Callable[[], Creation], *, accept_rollback: bool = False
) -> SqliteStore:
    """Open the site's ledger; only where there was never one, make it.

    Raises LedgerMissingError where only traces of one are left, LedgerDamagedError for
    what cannot be used, and LedgerRolledBackError for an older or another one, unless
    `accept_rollback`: then it goes on from there, later than what was lost.
    """
    state = ledger_state(path)
    if state is LedgerState.LOST:
        found = ", ".join(trace.name for trace in traces(path))
        raise LedgerMissingError(
            f"{path}: the ledger is gone, but {found} is there; an empty ledger would"
            " mail everyone again",
            cure="restore the database from a copy; docs/ids.md tells how to begin anew with the same ids",
        )
    create_with = create() if state is LedgerState.ABSENT else None
    store = open_store(path, create_with=create_with)
    try:
        if accept_rollback:
            _accept(path, store)
        else:
            check_seal(path, store.facts())
    except BaseException:
        store.close()
        raise
    return store


def _accept(path: Path, store: SqliteStore) -> None:
    """Go on with a ledger that its seal does not match."""
    seal = read_seal(path)
    facts = store.facts()
    if seal and (seal.ledger_id, seal.serial) != (facts.ledger_id, facts.serial):
        store.outgrow(seal.serial)


def copy_ledger(path: Path, target: Path) -> None:
    """Write a consistent copy of the ledger to a new file; the seal stays behind."""
    if ledger_state(path) is not LedgerState.PRESENT:
        raise LedgerMissingError(f"{path}: no such ledger", cure="nothing to copy yet")
    copy_store(path, target)

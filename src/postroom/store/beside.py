"""The files beside a database: the names of its journals, and names that last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNFINISHED = ".new"
"""Ending of a file that is renamed when it is whole; a killed run may leave one."""


def journal_path(database: Path, run: int) -> Path:
    """Where the journal of a run lies."""
    return database.with_name(f"{database.name}.run-{run}.journal")


def journals(database: Path) -> Iterator[tuple[int, Path]]:
    """Every journal beside a database, whole or unfinished, with the run it is of.

    Not by a pattern: the database's name may hold any character.
    """
    if not database.parent.is_dir():
        return
    for path in sorted(database.parent.iterdir()):
        head, _, rest = path.name.rpartition(".run-")
        number, _, kind = rest.partition(".")
        known = kind in {"journal", "journal" + UNFINISHED}
        if known and number.isdecimal() and head == database.name:
            yield int(number), path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A power cut: what was not forced to the disk is gone, and the machine boots anew.

SQLite forces every commit to the disk, so of its files nothing is cut; of a journal,
all that came after the last `fdatasync` may be missing, whole or in part, or be zeros.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from postroom.cli import shell
from tests.kill import forks
from tests.kill.points import Passes, install, suit

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.kill.deaths import AtPlace
    from tests.kill.forks import Ended
    from tests.kill.scene import Variant
    from tests.stage import Site

SYNCED = "synced"
"""File of the site: `inode octets` for each flush."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerCut:
    """The power fails where a run would have been killed."""

    death: AtPlace
    boot: int
    """A number for the boot that ends."""
    dice: random.Random

    def run(self, site: Site, words: Sequence[str], variant: Variant) -> Ended:
        """Run until there, and take away what the disk has not got."""

        def prepare() -> None:
            boot_as(self.boot)
            _note_flushes(site)
            suit(variant)
            install(Passes(self.death.place, self.death.number))

        ended = forks.run(site, words, prepare)
        if ended.killed:
            _cut(site, self.dice)
        return ended


def boot_as(number: int) -> None:
    """In a child: the machine has booted so many times."""
    setattr(shell, "_boot_id", lambda: f"boot-{number}")  # noqa: B010 - see mypy


def _note_flushes(site: Site) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    notes = os.open(site.root / SYNCED, flags, 0o600)
    for name in ("fsync", "fdatasync"):
        _around(name, notes)


def _around(name: str, notes: int) -> None:
    inner = getattr(os, name)

    def outer(descriptor: Any) -> None:
        # What is written while the flush is under way may be missing.
        status = os.fstat(descriptor)
        inner(descriptor)
        os.write(notes, b"%d %d\n" % (status.st_ino, status.st_size))

    setattr(os, name, outer)


def _cut(site: Site, dice: random.Random) -> None:
    lines = (site.root / SYNCED).read_text(encoding="ascii").splitlines()
    synced = {int(line.split()[0]): int(line.split()[1]) for line in lines}
    for path in (site.root / "state").glob("*.journal*"):
        status = path.stat()
        flushed = synced.get(status.st_ino, 0)
        if dice.random() < 0.3:
            os.truncate(path, flushed)
            os.truncate(path, status.st_size)
        else:
            os.truncate(path, dice.randint(flushed, status.st_size))

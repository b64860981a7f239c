"""Which edition a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import UnknownEditionError

if TYPE_CHECKING:
    from postroom.store.base import Store
    from postroom.store.values import Edition

NEAREST = 3
"""Keys offered for one that is not there."""


def find_edition(store: Store, key: str) -> Edition:
    """Return the edition of that key; UnknownEditionError names the nearest ones."""
    keys = []
    for edition in store.editions():
        if edition.key == key:
            return edition
        keys.append(edition.key)
    from difflib import get_close_matches  # noqa: PLC0415 - 10 ms, only for a fault

    near = get_close_matches(key, keys, n=NEAREST, cutoff=0.5) or keys[:NEAREST]
    raise UnknownEditionError(
        f"{key}: no such edition",
        cure=f"did you mean {' or '.join(near)}?" if near else "none was made yet",
    )


def paused_editions(store: Store) -> frozenset[str]:
    """The keys of paused editions."""
    return frozenset(edition.key for edition in store.editions() if edition.paused)

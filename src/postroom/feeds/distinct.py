"""Seconds that tell posts of the same moment apart in `atom:updated`.

Posts dated by the day alone share their midnight. Readers that sort by `updated` then
show them in any order, and validators object. So of those that changed in the same
second the one published first keeps it, and each later one is moved on to the next free
second: a new post never moves an old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def plan_delays(changed: Mapping[str, int], published: Iterable[str]) -> dict[str, int]:
    """Return by how many seconds to move the last change of which posts.

    `changed` maps a path to the second of its last change, `published` are paths in the
    order in which their posts were first published; posts that need no delay are not in
    the answer.
    """
    if len(set(changed.values())) == len(changed):
        return {}
    ranks = {path: rank for rank, path in enumerate(published)}
    order = sorted(changed, key=lambda path: (changed[path], ranks[path]))
    delays = {}
    free = changed[order[0]]
    for path in order:
        second = max(changed[path], free)
        if second > changed[path]:
            delays[path] = second - changed[path]
        free = second + 1
    return delays

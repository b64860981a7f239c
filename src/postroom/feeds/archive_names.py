"""Where the archive documents of a feed lie: `archive/2026-03.atom` and its JSON page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FOLDER = "archive/"


def name_documents(name: str, formats: Collection[str]) -> dict[str, str]:
    """Return format → path below the output folder for the archive document `name`.

    `formats` are those the main feed is published in. RSS has no archives of its own:
    its `prev-archive` is the Atom document, which is written for either of them. No
    name, no documents.
    """
    if not name:
        return {}
    paths = {}
    if "atom" in formats or "rss" in formats:
        paths["atom"] = f"{FOLDER}{name}.atom"
    if "json" in formats:
        paths["json"] = f"{FOLDER}{name}.json"
    return paths

"""Which files of the output folder are feeds with a hub, and what is in them."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from postroom.feeds.formats import FORMATS
from postroom.store.values import FeedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FILE_NAMES = "|".join(re.escape(each.file_name) for each in FORMATS.values())
FEED = re.compile(rf"(?:(?:tags|authors|languages)/.+/)?(?:{FILE_NAMES})")
"""The site's feeds and those of its groups; archives name no hub (RFC 5005 §4)."""


def read_feeds(
    output: Path, paths: Iterable[str], known: Mapping[str, FeedFile]
) -> dict[str, FeedFile]:
    """Return each feed among `paths` that lies in the output folder, by its path.

    What has the time and size of a `known` one is not read again: the build replaces a
    file only by other bytes. One that cannot be read is left out, as nobody can fetch it.
    """
    feeds = {}
    for path in filter(FEED.fullmatch, paths):
        try:
            feeds[path] = _read_feed(output / path, known.get(path))
        except OSError:
            continue
    return feeds


def _read_feed(place: Path, known: FeedFile | None) -> FeedFile:
    with place.open("rb") as file:
        status = os.fstat(file.fileno())
        stamp = f"{status.st_mtime_ns} {status.st_size}"
        if known and known.stamp == stamp:
            return known
        return FeedFile(stamp, hashlib.file_digest(file, "sha256").hexdigest())

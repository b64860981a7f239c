"""What the last build saw and wrote: when nothing differs, a run has nothing to do.

The record holds a hash of everything that decides the output (sizes and times of
posts, templates and code, the configuration), the instant at which time alone changes
the output (a scheduled post, an expiry), and the size of each file written. It may be
deleted; the next run then builds everything and writes what differs.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from postroom.errors import Problem
from postroom.posts.fingerprint import fingerprint
from postroom.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postroom.config.sections import Config
    from postroom.files.folder import Folder

FILE_NAME = "build.json"
FORMAT = 2
RACY_NS = 50_000_000
"""A file changed this close to the run's start may change again within one tick of the
file system's clock and keep size and time: its record is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many posts are what, at the time of a build."""

    published: int = 0
    drafts: int = 0
    scheduled: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One build, as the next run finds it."""

    inputs: str
    base: int
    """See `base_of`; 0 when nothing of the output is to be believed."""
    until: datetime | None
    """From then on the output may differ although no file changed."""
    counts: Counts
    problems: tuple[Problem, ...]
    sizes: dict[str, int]
    """Octets of each file of the output folder that the build put there."""


def base_of(config: Config, code: str) -> int:
    """Key of everything but the posts that decides the output.

    `code` is what `stamp_of` says of ours.
    """
    sections = (
        config.site,
        config.posts,
        config.output,
        config.feeds,
        config.podcast,
        config.excerpt,
    )
    form = (config.web.url, config.digest.cadences(), config.digest.default)
    templates = stamp_of(config.templates_folder)
    return fingerprint((repr((FORMAT, sections, form)), code, templates))


def inputs_of(folder: Folder, base: int) -> str:
    """Hash everything that decides the output: the posts, and `base_of` the rest."""
    seen = hashlib.sha256(b"%d" % base)
    for paths in (folder.posts, folder.files):
        seen.update(repr(list(paths.items())).encode("utf-8", "surrogatepass"))
    return seen.hexdigest()


def stamp_of(root: Path) -> str:
    """Hash names, sizes and times below a folder of modules or templates.

    An upgrade, or an edit in place, thereby builds anew.
    """
    found = []
    folders = [str(root)]
    while folders:
        try:
            listing = list(os.scandir(folders.pop()))
        except OSError:
            continue
        for entry in listing:
            if entry.name.startswith((".", "__pycache__")):
                continue
            if entry.is_dir():
                folders.append(entry.path)
            elif entry.is_file():
                status = entry.stat()
                name = entry.path[len(str(root)) :]
                found.append((name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr((VERSION, sorted(found))).encode()).hexdigest()


def is_racy(folder: Folder, started_ns: int) -> bool:
    """Whether a file of the folder changed so lately that its stamp proves nothing."""
    limit = started_ns - RACY_NS
    return any(
        max(stamp.modified_ns, stamp.changed_ns) >= limit
        for paths in (folder.posts, folder.files)
        for stamp in paths.values()
    )


def still_true(record: Record, inputs: str, now: datetime, output: Path) -> bool:
    """Whether the output folder is what a build at `now` would make."""
    if record.inputs != inputs or (record.until is not None and record.until <= now):
        return False
    return are_there(output, record.sizes)


def are_there(output: Path, sizes: Mapping[str, int]) -> bool:
    """Whether the output folder has all these files, in these sizes."""
    root = str(output)
    try:
        return all(
            os.stat(f"{root}/{path}").st_size == size  # noqa: PTH116 - thousands of paths
            for path, size in sizes.items()
        )
    except OSError:
        return False


def read_record(state: Path) -> Record | None:
    """Read the last build's record; None when there is none that can be read."""
    try:
        raw = json.loads((state / FILE_NAME).read_bytes())
        return Record(
            inputs=raw["inputs"],
            base=raw["base"],
            until=datetime.fromisoformat(raw["until"]) if raw["until"] else None,
            counts=Counts(**raw["counts"]),
            problems=tuple(Problem(**problem) for problem in raw["problems"]),
            sizes=raw["sizes"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def dump_record(record: Record) -> bytes:
    """Return the record as `read_record` reads it."""
    raw = {
        "inputs": record.inputs,
        "base": record.base,
        "until": record.until.isoformat() if record.until else "",
        "counts": asdict(record.counts),
        "problems": [asdict(problem) for problem in record.problems],
        "sizes": record.sizes,
    }
    return json.dumps(raw, ensure_ascii=False).encode("utf-8", "surrogatepass")

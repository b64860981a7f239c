"""Read the settings of other programs: TOML, YAML, JSON, and by sight JavaScript.

Nothing of them is ever run. A file that cannot be read costs what it says, no more.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from postroom.errors import PostError
from postroom.posts.block import Block
from postroom.posts.slug import is_post_path
from postroom.posts.values import fold_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_BYTES = 1 << 20
"""Of a file of settings; a larger one is something else."""
MAX_FILES = 20_000
"""Names looked at when folders are compared; a blog has fewer."""
MAX_PARTS = 8
"""Folders below the root that are still looked into."""
UNLIKELY = frozenset({"node_modules", "_site", "public", "dist", "output", "vendor"})
LINE = re.compile(r"^([A-Za-z_]\w*):[ \t]+(\S.*)$", re.MULTILINE)
COMMENTS = re.compile(r"/\*.*?\*/|^[ \t]*//[^\n]*", re.DOTALL | re.MULTILINE)
HOST = re.compile(r"[A-Za-z0-9.-]+\.[A-Za-z]{2,}")

Table = dict[str, Any]


def read_text(path: Path) -> str:
    """Return the text of a file; empty when there is none or it is too large."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return ""
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return ""


def read_table(path: Path) -> Table:
    """Return the table of a `.toml`, `.yaml`, `.yml` or `.json` file, empty for faults."""
    text = read_text(path)
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        if path.suffix == ".json":
            found = json.loads(text)
            return found if isinstance(found, dict) else {}
    except (ValueError, RecursionError):
        return {}
    return _read_yaml(text)


def _read_yaml(text: str) -> Table:
    """Read YAML as front matter is read; where that refuses it, its plain lines."""
    from postroom.posts.yaml_block import parse_yaml  # noqa: PLC0415 - libyaml, only where a blog has YAML

    try:
        return dict(parse_yaml(Block(path="", text=text, line=1))[0])
    except PostError:
        plain = ((key, value.split(" #")[0]) for key, value in LINE.findall(text))
        return {key: value.strip().strip("\"'") for key, value in plain}


def value_at(table: Table, place: str) -> Any:
    """Return what stands at `params.author.name`, whatever the case; None for nothing."""
    found: Any = table
    for name in place.split("."):
        if not isinstance(found, dict):
            return None
        folded = {str(key).casefold(): value for key, value in found.items()}
        found = folded.get(name.casefold())
    return found


def text_at(table: Table, *places: str) -> str:
    """Return the first text at one of `places`, as one clean line, or nothing."""
    for place in places:
        found = value_at(table, place)
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            line = clean_line(str(found))
            if line:
                return line
    return ""


def flag_at(table: Table, place: str) -> bool:
    """Whether `true` or its like stands at `place`."""
    return str(value_at(table, place)).casefold() in {"true", "yes", "on"}


def clean_line(text: str) -> str:
    """Return `text` as one line that fits into a setting."""
    return shorten(fold_line(text))


def read_script(path: Path) -> str:
    """Return JavaScript or TypeScript without its comments."""
    return COMMENTS.sub("", read_text(path))


def word_in(script: str, *names: str) -> str:
    """Return the text given to the first of `names` in a script: `site: "https://…"`."""
    for name in names:
        pattern = rf"\b{re.escape(name)}[\"']?\s*[:=]\s*([\"'`])((?:(?!\1)[^\n\\])*)\1"
        found = re.search(pattern, script)
        if found and found[2].strip() and "${" not in found[2]:
            return clean_line(found[2])
    return ""


def first_file(root: Path, names: Iterable[str]) -> Path | None:
    """Return the first file of `names` that is there."""
    return next((root / name for name in names if (root / name).is_file()), None)


def site_url(written: str, base: str = "") -> str:
    """Return the address of a site with `/` at its end; empty when it is none."""
    url = written.strip().rstrip("/")
    if base.strip("/"):
        url = f"{url}/{base.strip('/')}"
    if not re.fullmatch(r"https?://[^\s/?#{}]+(/[^\s?#{}]*)?", url):
        return ""
    host = url.split("/")[2].partition(":")[0]
    return "" if host in {"localhost", "127.0.0.1", "0.0.0.0"} else f"{url}/"  # noqa: S104 - a name to refuse


def url_of_cname(*files: Path) -> str:
    """Return the address in a `CNAME` file, as GitHub Pages reads it."""
    for path in files:
        host = read_text(path).strip()
        if HOST.fullmatch(host):
            return f"https://{host}/"
    return ""


def posts_below(folder: Path) -> Iterator[str]:
    """Yield the posts below a folder, relative to it; never more than MAX_FILES names."""
    waiting, looked = [folder], 0
    while waiting and looked < MAX_FILES:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError:
            continue
        for entry in entries:
            looked += 1
            path = entry.relative_to(folder)
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in UNLIKELY and len(path.parts) < MAX_PARTS:
                    waiting.append(entry)
            elif is_post_path(path.as_posix()):
                yield path.as_posix()


def first_folder(root: Path, names: Iterable[str]) -> str:
    """Return the first of `names` (relative to `root`) that holds a post, or nothing."""
    for name in names:
        folder = root / name if name else root
        if folder.is_dir() and next(posts_below(folder), None) is not None:
            return name
    return ""


def fullest_folder(root: Path) -> str:
    """Return the folder directly below `root` with most posts, or nothing."""
    counts: dict[str, int] = {}
    for path in posts_below(root):
        top, slash, _ = path.partition("/")
        if slash:
            counts[top] = counts.get(top, 0) + 1
    return max(counts, key=lambda name: (counts[name], name)) if counts else ""

"""Which program a folder belongs to, and who can look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.starting import astro, eleventy, hugo, jekyll, obsidian, pelican
from postroom.starting.findings import Kind
from postroom.starting.foreign import first_file, read_table, text_at, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from postroom.starting.findings import Findings

LOOKS: Mapping[Kind, Callable[[Path], Findings]] = {
    Kind.HUGO: hugo.look_at_hugo,
    Kind.JEKYLL: jekyll.look_at_jekyll,
    Kind.PELICAN: pelican.look_at_pelican,
    Kind.ELEVENTY: eleventy.look_at_eleventy,
    Kind.ASTRO: astro.look_at_astro,
    Kind.OBSIDIAN: obsidian.look_at_obsidian,
}
MARKS: Mapping[Kind, tuple[str, ...]] = {
    Kind.JEKYLL: jekyll.FILES,
    Kind.PELICAN: pelican.FILES[:1],
    Kind.ASTRO: astro.FILES,
    Kind.ELEVENTY: eleventy.FILES,
}


def detect(root: Path) -> Kind | None:
    """Return whose folder it is by the files that only one program has; None if none."""
    if _is_hugo(root):
        return Kind.HUGO
    for kind, names in MARKS.items():
        if first_file(root, names) is not None:
            return kind
    if value_at(_packages(root), "@11ty/eleventy"):
        return Kind.ELEVENTY
    if (root / jekyll.POSTS).is_dir():
        return Kind.JEKYLL
    return Kind.OBSIDIAN if (root / obsidian.SETTINGS).is_dir() else None


def _packages(root: Path) -> dict[str, object]:
    package = read_table(root / "package.json")
    return {
        **(value_at(package, "dependencies") or {}),
        **(value_at(package, "devDependencies") or {}),
    }


def _is_hugo(root: Path) -> bool:
    if first_file(root, hugo.FILES[:4]) is not None or (root / hugo.FOLDER).is_dir():
        return True
    old = first_file(root, hugo.FILES)
    return old is not None and bool(text_at(read_table(old), "baseURL"))

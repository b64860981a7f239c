"""Questions a rendering asks of the site map, as keys that can be asked again later.

A key is a kind and a text: `page:PATH` and `file:PATH` answer with the place below the
output folder, `name:NAME` (a wiki link) and `address:PLACE` (a post by where it ends up)
with a path to ask for next. The answer is empty when there is none.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.posts.post import SiteMap

PAGE = "page:"
FILE = "file:"
NAME = "name:"
ADDRESS = "address:"

EXTENSIONS = (".md", ".markdown", ".mdx")


def find(site_map: SiteMap, key: str) -> str:
    """Return the answer of `site_map` to `key`, empty when it has none."""
    kind, colon, text = key.partition(":")
    kind += colon
    if kind == PAGE:
        return site_map.pages.get(text, "")
    if kind == FILE:
        return site_map.files.get(text, "")
    if kind == NAME:
        return _find_name(_index(site_map).names, text)
    if kind == ADDRESS:
        return _index(site_map).addresses.get(text, "")
    return ""


def is_page_path(path: str) -> bool:
    """Tell whether `path` ends like the source of a post."""
    return path.lower().endswith(EXTENSIONS)


def without_extension(path: str) -> str:
    """Return `path` without `.md` and its like; other names stay whole."""
    return path.rpartition(".")[0] if is_page_path(path) else path


def fold_name(name: str) -> str:
    """Return `name` as wiki links are compared: NFC, whatever the case."""
    return unicodedata.normalize("NFC", name).strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    names: Mapping[str, tuple[tuple[str, str], ...]]
    """By last part of the folded name: (folded name, path), nearest to the top first."""
    addresses: Mapping[str, str]


_indexes: dict[int, tuple[SiteMap, _Index]] = {}
"""The index of the last site map, by identity: thousands of posts ask the same one."""


def _index(site_map: SiteMap) -> _Index:
    known = _indexes.get(id(site_map))
    if known is None or known[0] is not site_map:
        _indexes.clear()
        known = _indexes[id(site_map)] = (site_map, _build_index(site_map))
    return known[1]


def _build_index(site_map: SiteMap) -> _Index:
    names: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(
        (*site_map.pages, *site_map.files), key=lambda path: (path.count("/"), path)
    ):
        name = fold_name(without_extension(path)).removesuffix("/index")
        names.setdefault(name.rpartition("/")[2], []).append((name, path))
    return _Index(
        names={base: tuple(paths) for base, paths in names.items()},
        addresses={place: path for path, place in site_map.pages.items()},
    )


def _find_name(names: Mapping[str, tuple[tuple[str, str], ...]], wanted: str) -> str:
    """Return the path whose name is `wanted` or ends with it, nearest to the top."""
    ending = f"/{wanted}"
    for name, path in names.get(wanted.rpartition("/")[2], ()):
        if name == wanted or name.endswith(ending):
            return path
    return ""

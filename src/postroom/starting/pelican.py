"""A Pelican blog: pelicanconf.py and publishconf.py, read as text and never run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from postroom.starting.findings import Findings, Kind
from postroom.starting.foreign import first_folder, read_text, site_url, text_at
from postroom.starting.patterns import is_usable, translate_python

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.starting.foreign import Table

FILES = ("pelicanconf.py", "publishconf.py")
"""The second one adds to the first, for the site that readers see."""
DEFAULT_URL = "{slug}.html"


def look_at_pelican(root: Path) -> Findings:
    """Return what is assigned as a plain value at the top of the settings."""
    table: Table = {}
    seen, hidden = [], []
    for name in FILES:
        text = read_text(root / name)
        if text:
            seen.append(name)
            found, odd = read_assignments(text)
            table.update(found)
            hidden.extend(odd)
    asked = ("SITEURL", "SITENAME", "PATH", "ARTICLE_URL", "ARTICLE_PATHS", "TIMEZONE")
    notes = [
        f"{name} is computed in {FILES[0]}, and was not read"
        for name in asked
        if name in hidden and name not in table
    ]
    pattern, unknown = _pattern(table)
    if unknown:
        notes.append(
            f"ARTICLE_URL has {', '.join(unknown)}, which postroom cannot say:"
            " mend posts.permalink"
        )
    if not _is_unicode(table) and "slug" in text_at(table, "ARTICLE_URL") + DEFAULT_URL:
        notes.append(
            "Pelican writes titles in other scripts in Latin letters; give such posts"
            " `Slug:`, or set SLUGIFY_USE_UNICODE = True"
        )
    posts = _folder(root, table)
    if posts and any((root / posts).rglob("*.rst")):
        notes.append("posts in reStructuredText (.rst) are not read")
    return Findings(
        kind=Kind.PELICAN,
        title=text_at(table, "SITENAME"),
        url=site_url(text_at(table, "SITEURL")),
        language=text_at(table, "DEFAULT_LANG") or "en",
        timezone=text_at(table, "TIMEZONE"),
        description=text_at(table, "SITESUBTITLE", "SITEDESCRIPTION"),
        author=text_at(table, "AUTHOR"),
        posts=posts,
        permalink=pattern,
        pelican=True,
        exclude=tuple(name for name in ("pages",) if (root / posts / name).is_dir()),
        output_words="after `pelican`: cp -R postroom-feeds/. output/",
        seen=tuple(seen),
        notes=tuple(notes),
    )


def read_assignments(text: str) -> tuple[Table, list[str]]:
    """Return `NAME = value` of a Python file where the value is plain, and other names."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return {}, []
    found: Table = {}
    hidden: list[str] = []
    for node in body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    found[target.id] = _plain(value)
                except ValueError:
                    hidden.append(target.id)
    return found, hidden


def _plain(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("not a plain value") from None


def _is_unicode(table: Table) -> bool:
    return table.get("SLUGIFY_USE_UNICODE") is True


def _pattern(table: Table) -> tuple[str, tuple[str, ...]]:
    source = text_at(table, "SLUGIFY_SOURCE") or "title"
    other = "stem" if source == "basename" else "title"
    by_folder = table.get("USE_FOLDER_AS_CATEGORY", True)
    rest = text_at(table, "DEFAULT_CATEGORY") or "misc"
    style = "pelican_unicode" if _is_unicode(table) else "pelican"
    parent = f"|parent:{style}" if by_folder else ""
    tokens = {
        "slug": f"{{own_slug|{other}:{style}}}",
        "category": f"{{category:{style}{parent}|={rest}}}",
        "lang": f"{{language|={text_at(table, 'DEFAULT_LANG') or 'en'}}}",
        "base_name": "{name}",
    }
    written = text_at(table, "ARTICLE_URL") or DEFAULT_URL
    pattern, unknown = translate_python(written, tokens)
    return (pattern, unknown) if is_usable(pattern) else ("", unknown)


def _folder(root: Path, table: Table) -> str:
    content = text_at(table, "PATH") or "content"
    articles = table.get("ARTICLE_PATHS")
    inner = (
        str(articles[0])
        if isinstance(articles, list | tuple) and len(articles) == 1
        else ""
    )
    names = [f"{content}/{inner}".rstrip("/"), content]
    return first_folder(root, names)

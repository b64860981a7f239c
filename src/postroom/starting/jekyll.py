"""A Jekyll blog: _config.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.posts.slug import is_post_path
from postroom.starting.findings import Findings, Kind
from postroom.starting.foreign import (
    first_file,
    flag_at,
    posts_below,
    read_table,
    site_url,
    text_at,
    url_of_cname,
    value_at,
)
from postroom.starting.patterns import (
    JEKYLL,
    JEKYLL_STYLES,
    is_usable,
    translate_colons,
)

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.starting.foreign import Table

FILES = ("_config.yml", "_config.yaml", "_config.toml")
POSTS = "_posts"
HOME = "_postroom"
"""Jekyll publishes every folder but those with `_`: the ledger must not go online."""


def look_at_jekyll(root: Path) -> Findings:
    """Return what _config.yml says."""
    settings = first_file(root, FILES)
    table = read_table(settings) if settings else {}
    notes: list[str] = []
    pattern, unknown = _pattern(table)
    if unknown:
        notes.append(
            f"permalink of Jekyll has {', '.join(unknown)}, which postroom cannot say:"
            " mend posts.permalink"
        )
    collections = text_at(table, "collections_dir").strip("/")
    posts = f"{collections}/{POSTS}" if collections else POSTS
    notes.extend(_elsewhere(root, posts))
    if not text_at(table, "timezone"):
        notes.append("no timezone in _config.yml: dates without an offset are in UTC")
    return Findings(
        kind=Kind.JEKYLL,
        title=text_at(table, "title", "name"),
        url=site_url(text_at(table, "url"), text_at(table, "baseurl"))
        or url_of_cname(root / "CNAME"),
        language=text_at(table, "lang", "locale", "language"),
        timezone=text_at(table, "timezone"),
        description=text_at(table, "description", "subtitle", "tagline"),
        author=text_at(table, "author.name", "author"),
        posts=posts if (root / posts).is_dir() else "",
        permalink=pattern,
        hard_breaks=flag_at(table, "kramdown.hard_wrap"),
        encoding=_encoding(table),
        home=HOME,
        output=f"{HOME}/feeds",
        output_words="after `jekyll build`: cp -R _postroom/feeds/. _site/",
        seen=(settings.name,) if settings else (),
        notes=tuple(notes),
    )


def _pattern(table: Table) -> tuple[str, tuple[str, ...]]:
    """Return the pattern of posts: of the collection, of `defaults`, of the site."""
    written = (
        text_at(table, "collections.posts.permalink")
        or _default_permalink(table)
        or text_at(table, "permalink")
        or "date"
    )
    pattern, unknown = translate_colons(JEKYLL_STYLES.get(written, written), JEKYLL)
    return (pattern, unknown) if is_usable(pattern) else ("", unknown or (written,))


def _default_permalink(table: Table) -> str:
    found = value_at(table, "defaults")
    for rule in found if isinstance(found, list) else ():
        if isinstance(rule, dict):
            kind = text_at(rule, "scope.type")
            path = text_at(rule, "scope.path")
            if kind in {"posts", "post"} or (not kind and path.strip("/") == POSTS):
                permalink = text_at(rule, "values.permalink")
                if permalink:
                    return permalink
    return ""


def _encoding(table: Table) -> str:
    written = text_at(table, "encoding").casefold()
    return written if written in {"cp949", "euc-kr"} else ""


def _elsewhere(root: Path, posts: str) -> list[str]:
    """Name other `_posts` folders: in Jekyll their folders are categories."""
    found = {
        path[: path.index(f"/{POSTS}/") + len(POSTS) + 1]
        for path in posts_below(root)
        if f"/{POSTS}/" in path and is_post_path(path)
    }
    others = sorted(found - {posts})
    return [f"posts in {', '.join(others)} are not read"] if others else []

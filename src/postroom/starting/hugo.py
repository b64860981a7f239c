"""A Hugo blog: hugo.toml or config.toml, in any of its formats and places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from postroom.starting.findings import OWN_OUTPUT, Findings, Kind
from postroom.starting.foreign import (
    first_file,
    first_folder,
    flag_at,
    fullest_folder,
    posts_below,
    read_table,
    site_url,
    text_at,
    url_of_cname,
    value_at,
)
from postroom.starting.patterns import HUGO, is_usable, tidy, translate_colons

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.starting.foreign import Table

ENDINGS = (".toml", ".yaml", ".yml", ".json")
FILES = tuple(f"{name}{ending}" for name in ("hugo", "config") for ending in ENDINGS)
FOLDER = "config/_default"
SECTIONS = ("posts", "post", "blog", "articles", "writing", "essays", "news", "글")
OURS = ("atom.xml", "rss.xml", "feed.json", "feeds.opml")
"""Files of ours that a static folder must not hold already."""


def look_at_hugo(root: Path) -> Findings:
    """Return what the settings say, else what the folders show."""
    table, seen = read_settings(root)
    notes: list[str] = []
    language = text_at(table, "defaultContentLanguage") or "en"
    named = f"languages.{language}"
    content = text_at(table, f"{named}.contentDir", "contentDir") or "content"
    section = _section(root / content, table)
    pattern, unknown = _pattern(table, section)
    if unknown:
        notes.append(
            f"permalinks of Hugo has {', '.join(unknown)}, which postroom cannot say:"
            " mend posts.permalink"
        )
    folder = f"{content}/{section}" if section else content
    output, words = choose_output(
        root, text_at(table, "staticDir") or "static", "`hugo`"
    )
    return Findings(
        kind=Kind.HUGO,
        title=text_at(table, f"{named}.title", "title"),
        url=site_url(text_at(table, f"{named}.baseURL", "baseURL"))
        or url_of_cname(root / "static/CNAME"),
        language=text_at(
            table, f"{named}.languageCode", f"{named}.locale", "languageCode", "locale"
        )
        or text_at(table, "defaultContentLanguage"),
        timezone=text_at(table, "timeZone"),
        description=text_at(
            table, f"{named}.params.description", "params.description", "description"
        ),
        author=text_at(
            table,
            f"{named}.params.author.name",
            f"{named}.params.author",
            "params.author.name",
            "params.author",
            "author.name",
            "author",
        ),
        posts=folder if (root / folder).is_dir() else "",
        permalink=pattern,
        output=output,
        output_words=words,
        seen=seen,
        notes=tuple(notes),
    )


def read_settings(root: Path) -> tuple[Table, tuple[str, ...]]:
    """Return all settings as one table, and the files they stand in."""
    seen: list[str] = []
    table: Table = {}
    single = first_file(root, FILES)
    if single is not None:
        table = read_table(single)
        seen.append(single.name)
    folder = root / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix not in ENDINGS:
            continue
        seen.append(f"{FOLDER}/{path.name}")
        inner = read_table(path)
        if path.stem in {"hugo", "config"}:
            table = {**table, **inner}
        else:  # params.toml, permalinks.toml, languages.toml …
            table = {**table, path.stem: inner}
    return table, tuple(seen)


def _section(content: Path, table: Table) -> str:
    """Return the section of the posts; empty when no one section has most of them."""
    main = value_at(table, "params.mainSections") or value_at(table, "mainSections")
    names = [str(name) for name in main] if isinstance(main, list) else []
    found = first_folder(content, [*names, *SECTIONS])
    if found:
        return found
    posts = list(posts_below(content))
    fullest = fullest_folder(content)
    inside = sum(path.startswith(f"{fullest}/") for path in posts)
    return fullest if inside * 2 > len(posts) else ""


def _pattern(table: Table, section: str) -> tuple[str, tuple[str, ...]]:
    """Return the pattern of the section's posts; Hugo's default follows the folders."""
    named = text_at(table, f"permalinks.page.{section}", f"permalinks.{section}")
    dated = ":filename" in str(value_at(table, "frontmatter.date"))
    if named:
        pattern, unknown = translate_colons(named, _tokens(section, dated=dated))
    else:
        name = "dated_stem:hugo|name:hugo_path" if dated else "name:hugo_path"
        folders = f"{section}/{{folder:hugo_path}}"
        pattern, unknown = tidy(f"{folders}/{{own_slug:hugo|{name}}}/"), ()
    if flag_at(table, "uglyURLs"):
        pattern = pattern.rstrip("/") + ".html"
    elif not pattern.endswith(("/", ".html")):
        pattern += "/"
    pattern = _language_prefix(table) + pattern
    return (pattern, unknown) if is_usable(pattern) else ("", unknown)


def _tokens(section: str, *, dated: bool) -> dict[str, str]:
    """Return what Hugo's tokens are in a section; `dated` makes slugs of dated names."""
    tokens = {
        **HUGO,
        "section": section or "{section:hugo_path}",
        "sections": section or "{section:hugo_path}",
    }
    if dated:
        own = "{own_slug:hugo_title|"
        by_name = f"{own}dated_stem:hugo_title|"
        tokens = {key: text.replace(own, by_name) for key, text in tokens.items()}
    return tokens


def _language_prefix(table: Table) -> str:
    languages: Any = value_at(table, "languages")
    if not isinstance(languages, dict) or len(languages) < 2:  # noqa: PLR2004 - a site of one language
        return ""
    if flag_at(table, "defaultContentLanguageInSubdir"):
        return f"{{language|={text_at(table, 'defaultContentLanguage') or 'en'}}}/"
    return "{language}/"


def choose_output(root: Path, static: str, command: str) -> tuple[str, str]:
    """Return the folder that is copied onto the site as it stands, and words about it.

    Where it holds files of our names already, they stay and ours go elsewhere.
    """
    taken = [name for name in OURS if (root / static / name).exists()]
    if taken:
        words = (
            f"{static}/ has its own {', '.join(taken)}: copy what is here onto the"
            f" site after {command}, under other names"
        )
        return OWN_OUTPUT, words
    return static, f"copied onto the site as it stands: run postroom before {command}"

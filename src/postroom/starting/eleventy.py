"""An Eleventy blog: its JavaScript is read by sight, data files as JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.starting.findings import Findings, Kind
from postroom.starting.foreign import (
    first_file,
    first_folder,
    read_script,
    read_table,
    site_url,
    text_at,
    url_of_cname,
    word_in,
)
from postroom.starting.patterns import is_usable, tidy, translate_curly

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.starting.foreign import Table

FILES = (
    ".eleventy.js",
    "eleventy.config.js",
    "eleventy.config.mjs",
    "eleventy.config.cjs",
)
FOLDERS = ("blog", "posts", "post", "articles", "writing", "notes", "content/blog")
DATA = ("metadata", "site", "meta", "config")
TABLES = (".json", ".yaml", ".yml", ".toml")
SCRIPTS = (".js", ".mjs", ".cjs")


def look_at_eleventy(root: Path) -> Findings:
    """Return what can be read without running it; the rest is said to be unknown."""
    settings = first_file(root, FILES)
    script = read_script(settings) if settings else ""
    source = word_in(script, "input").strip("./")
    base = root / source if source else root
    data, seen = _data(base, word_in(script, "data") or "_data")
    package = read_table(root / "package.json")
    below = first_folder(base, FOLDERS)
    posts = "/".join(filter(None, (source, below)))
    pattern, notes = _pattern(base, below)
    output = word_in(script, "output").strip("./") or "_site"
    return Findings(
        kind=Kind.ELEVENTY,
        title=text_at(data, "title", "name"),
        url=site_url(text_at(data, "url", "baseUrl"), word_in(script, "pathPrefix"))
        or url_of_cname(root / "CNAME", base / "CNAME")
        or site_url(text_at(package, "homepage")),
        language=text_at(data, "language", "lang", "locale"),
        description=text_at(data, "description"),
        author=text_at(data, "author.name", "author", "authorName"),
        posts=posts if below else "",
        permalink=pattern,
        media=True,
        output_words=(
            'eleventyConfig.addPassthroughCopy({ "postroom-feeds": "/" }),'
            f" or after the build: cp -R postroom-feeds/. {output}/"
        ),
        seen=tuple(filter(None, (settings.name if settings else "", *seen))),
        notes=tuple(notes),
    )


def _data(base: Path, folder: str) -> tuple[Table, list[str]]:
    """Return the site's own data, from a table or by sight from a script."""
    names = ("title", "url", "language", "lang", "description", "author", "authorName")
    for name in DATA:
        for ending in (*TABLES, *SCRIPTS):
            path = base / folder / f"{name}{ending}"
            if not path.is_file():
                continue
            if ending in TABLES:
                return read_table(path), [f"{folder}/{path.name}"]
            script = read_script(path)
            found: Table = {key: word_in(script, key) for key in names}
            found["author"] = found["author"] or _author(script)
            return found, [f"{folder}/{path.name}"]
    return {}, []


def _author(script: str) -> str:
    """Return the name within `author: { … }`."""
    return word_in(script.partition("author")[2].partition("}")[0], "name")


def _pattern(base: Path, below: str) -> tuple[str, list[str]]:
    """Return the pattern of a folder's data file, else Eleventy's default."""
    default = tidy(f"{below}/{{folder}}/{{stem}}/")  # page.filePathStem
    name = below.rpartition("/")[2]
    for ending in (".json", ".11tydata.json", ".11tydata.js", ".11tydata.cjs"):
        path = base / below / f"{name}{ending}"
        if not below or not path.is_file():
            continue
        written = (
            text_at(read_table(path), "permalink")
            if ending.endswith("json")
            else word_in(read_script(path), "permalink")
        )
        if not written:
            if "permalink" in read_script(path):
                return default, [
                    f"permalink in {path.name} is computed: check posts.permalink"
                ]
            continue
        pattern, unknown = translate_curly(written)
        if unknown or not is_usable(pattern):
            note = f"permalink {written} in {path.name} is not understood"
            return default, [f"{note}: check posts.permalink"]
        return pattern, []
    return default, []

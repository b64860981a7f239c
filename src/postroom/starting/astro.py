"""An Astro blog: astro.config and src/ are read by sight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.starting.findings import Findings, Kind
from postroom.starting.foreign import (
    first_file,
    first_folder,
    fullest_folder,
    read_script,
    read_table,
    site_url,
    text_at,
    url_of_cname,
    word_in,
)
from postroom.starting.hugo import choose_output

if TYPE_CHECKING:
    from pathlib import Path

FILES = tuple(f"astro.config.{ending}" for ending in ("mjs", "ts", "js", "mts", "cjs"))
CONSTANTS = ("src/consts.ts", "src/config.ts", "src/site.config.ts", "src/consts.js")
ROUTE = re.compile(r"\[(?:\.\.\.)?(?:slug|id|post|path)\]\.(?:astro|ts|js|tsx|jsx)")
COLLECTIONS = ("src/content", "src/data", "content")
NAMES = ("blog", "posts", "post", "articles", "writing", "essays", "notes")


def look_at_astro(root: Path) -> Findings:
    """Return what can be read without running it."""
    settings = first_file(root, FILES)
    script = read_script(settings) if settings else ""
    constants = first_file(root, CONSTANTS)
    words = read_script(constants) if constants else ""
    posts = first_folder(root, [f"{c}/{n}" for c in COLLECTIONS for n in NAMES])
    if not posts:
        posts = _collection(root)
    pattern, notes = _pattern(root, posts, script)
    output, output_words = choose_output(
        root, word_in(script, "publicDir").strip("./") or "public", "`astro build`"
    )
    package = read_table(root / "package.json")
    return Findings(
        kind=Kind.ASTRO,
        title=word_in(words, "SITE_TITLE", "TITLE", "title"),
        url=site_url(word_in(script, "site"), word_in(script, "base"))
        or site_url(word_in(words, "SITE_URL", "website", "url", "site"))
        or url_of_cname(root / "public/CNAME")
        or site_url(text_at(package, "homepage")),
        language=word_in(script, "defaultLocale") or word_in(words, "lang", "LANG"),
        timezone=word_in(words, "timezone"),
        description=word_in(words, "SITE_DESCRIPTION", "DESCRIPTION", "desc")
        or word_in(words, "description"),
        author=word_in(words, "AUTHOR", "author"),
        posts=posts,
        permalink=pattern,
        media=True,
        output=output,
        output_words=output_words,
        seen=tuple(
            str(path.relative_to(root)) for path in (settings, constants) if path
        ),
        notes=tuple(notes),
    )


def _collection(root: Path) -> str:
    """Return the collection with most posts, or posts that are pages themselves."""
    for folder in (*COLLECTIONS, "src/pages"):
        name = fullest_folder(root / folder)
        if name:
            return f"{folder}/{name}"
    return ""


def _pattern(root: Path, posts: str, script: str) -> tuple[str, list[str]]:
    """Return the pattern of the page that shows the posts of a collection."""
    name = posts.rpartition("/")[2]
    end = ".html" if re.search(r"format\s*:\s*['\"]file['\"]", script) else "/"
    if word_in(script, "trailingSlash") == "never" and end == "/":
        end = ""
    if posts.startswith("src/pages"):
        return f"{posts.removeprefix('src/pages').strip('/')}/{{path}}{end}", []
    routes = _routes(root, name)
    tail = f"{{own_slug|path:astro}}{end}"
    if len(routes) == 1:
        return f"{routes[0]}/{tail}".lstrip("/"), []
    found = ", ".join(f"/{route}/" for route in routes) or "none"
    notes = [f"which page shows {posts} is not clear ({found}): check posts.permalink"]
    return f"{name}/{tail}", notes


def _routes(root: Path, name: str) -> list[str]:
    """Return the folders below src/pages whose page shows the collection `name`."""
    pages = root / "src/pages"
    found = {
        path.parent.relative_to(pages).as_posix(): read_script(path)
        for path in sorted(pages.rglob("*"))
        if ROUTE.fullmatch(path.name)
    }
    call = re.compile(rf"getCollection\(\s*['\"]{re.escape(name)}['\"]")
    shown = [route for route, text in found.items() if call.search(text)]
    shown = shown or [route for route in found if route.rpartition("/")[2] == name]
    return ["" if route == "." else route for route in shown or found]

"""Plan a first postroom.toml and what belongs to it, then write it: never over a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from postroom.config.reading import FILE_NAME, read_config
from postroom.errors import ConfigError
from postroom.posts.slug import parse_language
from postroom.starting.detect import LOOKS, detect
from postroom.starting.foreign import fullest_folder, posts_below, site_url
from postroom.starting.obsidian import PUBLISH
from postroom.starting.sample import is_korean, render_sample
from postroom.starting.settings_text import Settings, render_settings

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from postroom.starting.findings import Findings, Kind

UNKNOWN_URL = "https://blog.example/"
IGNORED = ("state/", "outbox/")
"""What postroom keeps beside postroom.toml: subscribers' addresses are in it."""
KOREAN_TITLE, ENGLISH_TITLE = "나의 블로그", "My blog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator said; empty is nothing."""

    title: str = ""
    url: str = ""
    language: str = ""
    timezone: str = ""
    posts: str = ""
    """Folder of the posts, below the blog's root."""
    home: Path | None = None
    """Where postroom.toml goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What will be written, and what to say about it."""

    home: Path
    files: tuple[tuple[Path, str], ...]
    """The settings first."""
    said: tuple[str, ...]
    """Lines of a summary."""


def plan_site(root: Path, wishes: Wishes, day: date) -> Start:
    """Plan a new site in `root`: settings, a first post of `day`, .gitignore.

    Raises ConfigError where postroom.toml is there already, or another program's blog.
    """
    home = wishes.home or root
    _refuse_taken(home)
    kind = detect(root) if root.is_dir() else None
    if kind is not None:
        raise ConfigError(
            f"{root} holds what {kind.label} makes pages of",
            cure=f"`postroom init --from {kind} {root}` reads its settings",
        )
    asked = () if wishes.url else ("url",)
    korean = is_korean(wishes.language)
    settings = Settings(
        origin="a new site",
        title=wishes.title or (KOREAN_TITLE if korean else ENGLISH_TITLE),
        url=_url(wishes.url) if wishes.url else UNKNOWN_URL,
        language=_language(wishes.language) or "en",
        timezone=wishes.timezone or "UTC",
        posts=wishes.posts or "posts",
        asked=asked,
    )
    files = [(home / FILE_NAME, render_settings(settings))]
    said = [_unknown_url()] if asked else []
    if next(posts_below(home / settings.posts), None) is None and not wishes.posts:
        path, text = render_sample(settings.language, day)
        files.append((home / path, text))
    if not (home / ".gitignore").exists():
        ignored = (f"{settings.output}/", *IGNORED)
        files.append((home / ".gitignore", "\n".join(ignored) + "\n"))
    return Start(home=home, files=tuple(files), said=tuple(said))


def plan_blog(root: Path, kind: Kind | None, wishes: Wishes) -> Start:
    """Plan the settings for a blog that exists; `kind` None is to be found out.

    Raises ConfigError where nobody's blog is recognised, where no folder of posts is
    seen, and where postroom.toml is there already.
    """
    if not root.is_dir():
        raise ConfigError(f"{root}: no such folder", cure="name the blog's folder")
    kind = kind or detect(root)
    if kind is None:
        raise ConfigError(
            f"{root}: no settings of Hugo, Jekyll, Pelican, Eleventy, Astro or Obsidian",
            cure="name the folder where they lie, or the program: --from hugo",
        )
    found = _with_wishes(LOOKS[kind](root), wishes)
    home = wishes.home or root / found.home
    _refuse_taken(home)
    posts = _posts_folder(root, found)
    if home.resolve().is_relative_to(posts.resolve()):
        raise ConfigError(
            f"{home} lies inside {posts}, the posts folder",
            cure="name a folder outside of it: --to ../postroom",
        )
    settings = _settings(root, home, posts, found)
    files = [(home / FILE_NAME, render_settings(settings))]
    if home.resolve() != root.resolve() and not (home / ".gitignore").exists():
        output = os.path.relpath(root / found.output, home)
        ignored = IGNORED if output.startswith("..") else (f"{output}/", *IGNORED)
        files.append((home / ".gitignore", "\n".join(ignored) + "\n"))
    return Start(
        home=home, files=tuple(files), said=tuple(_summary(found, posts, settings))
    )


def write_start(start: Start) -> None:
    """Write the files of a plan; a file that is there already stays as it is.

    Raises ConfigError when one cannot be written, or postroom.toml came in between.
    """
    for path, text in start.files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            if path.name == FILE_NAME:
                _refuse_taken(path.parent)
        except OSError as error:
            raise ConfigError(
                f"{path}: {error.strerror}", cure="check owner and permissions"
            ) from None
    read_config(start.home, {})  # what was written is what a run will read


def _refuse_taken(home: Path) -> None:
    if (home / FILE_NAME).exists():
        raise ConfigError(
            f"{home / FILE_NAME} is there already, and stays as it is",
            cure="edit it; `--dry-run --to ELSEWHERE` shows what would be written",
        )


def _url(written: str) -> str:
    found = site_url(written)
    if not found:
        raise ConfigError(
            f"--url {written}: no address of a site",
            cure='write one such as "https://blog.example/"',
        )
    return found


def _language(written: str) -> str:
    found = parse_language(written)
    if written and not found:
        raise ConfigError(
            f"--language {written}: no language tag", cure="write ko, en or en-GB"
        )
    return found


def _unknown_url() -> str:
    return (
        f"no address was named: mend site.url ({UNKNOWN_URL}) before the first build,"
        " for permanent ids are made from it"
    )


# -- a blog that exists ------------------------------------------------------------


def _with_wishes(found: Findings, wishes: Wishes) -> Findings:
    """Put what the operator said over what was seen; drop what we could not read."""
    notes = list(found.notes)
    language = _language(wishes.language) or parse_language(found.language)
    timezone = wishes.timezone or found.timezone
    if timezone and not _is_zone(timezone):
        notes.append(f"{timezone!r} is no time zone: dates are in UTC")
        timezone = ""
    found = replace(
        found,
        title=wishes.title or found.title,
        url=_url(wishes.url) if wishes.url else found.url,
        language=language,
        timezone=timezone,
        posts=wishes.posts.strip("/") or found.posts,
    )
    if found.pages and f"//{PUBLISH}/" in found.url:
        found = replace(found, pages=False, permalink="{path:obsidian}")
    if not found.pages and not found.permalink:
        notes.append("where posts are read is a guess: check posts.permalink")
        found = replace(found, permalink="{slug}/")
    return replace(found, notes=tuple(notes))


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _posts_folder(root: Path, found: Findings) -> Path:
    if not found.posts:
        fullest = fullest_folder(root)
        hint = f", such as {fullest}" if fullest else ""
        raise ConfigError(
            f"{root}: no folder that {found.kind.label} keeps posts in",
            cure=f"name it: --posts FOLDER{hint}",
        )
    folder = root / found.posts
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder", cure="name it: --posts FOLDER")
    return folder


def _settings(root: Path, home: Path, posts: Path, found: Findings) -> Settings:
    url = found.url or UNKNOWN_URL
    asked = () if found.url else ("url",)
    below = [
        name for name in found.exclude if (posts / name).is_dir() or name == "pages"
    ]
    return Settings(
        origin=f"what `postroom init --from {found.kind}` saw",
        title=found.title or url.split("/")[2],
        url=url,
        language=found.language or "en",
        timezone=found.timezone or "UTC",
        description=found.description,
        author=found.author,
        pages_by="" if found.pages else found.kind.label,
        media=found.pages or found.media,
        posts=os.path.relpath(posts, home).replace(os.sep, "/"),
        permalink="" if found.pages else url + found.permalink,
        pelican=found.pelican,
        hard_breaks=found.hard_breaks,
        encoding=found.encoding,
        exclude=tuple(below),
        output=os.path.relpath(root / found.output, home).replace(os.sep, "/"),
        output_words=found.output_words,
        asked=asked,
    )


def _summary(found: Findings, posts: Path, settings: Settings) -> list[str]:
    """Say what was read, how many posts there are, and what is not known."""
    count = sum(1 for _ in posts_below(posts))
    seen = ", ".join(found.seen) or "no settings, only the folders"
    lines = [f"{found.kind.label}: read {seen}; {count} posts in {found.posts}"]
    if settings.permalink:
        lines.append(f"posts are read at {settings.permalink}")
    missing = [
        name
        for name in ("title", "language", "timezone", "author")
        if not getattr(found, name)
    ]
    if missing:
        lines.append(f"not found: {', '.join(missing)}")
    if settings.asked:
        lines.append(_unknown_url())
    lines.extend(found.notes)
    lines.append(f"feeds go to {found.output}: {found.output_words}")
    if found.home == "":
        lines.append(f"keep out of git: {', '.join(IGNORED)}")
    return lines

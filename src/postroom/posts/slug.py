"""What the path of a source says (post or not, day, language), and the post's address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from postroom.posts import dates

if TYPE_CHECKING:
    from datetime import date

EXTENSIONS = (".md", ".markdown", ".mdx")
SKIPPED_FOLDERS = frozenset({"_site", "node_modules", "templates"})
"""Output of Jekyll, packages, and the note templates of an Obsidian vault."""
DRAFT_FOLDERS = frozenset({"_drafts", "drafts"})
FOLDER_NAMES = frozenset({"index", "_index", "readme"})
"""Files that stand for the folder they are in."""

SLUG_BYTES = 180
"""File systems allow 255 bytes in a name; feeds and editions add to it."""
DIGEST_LENGTH = 8

RESERVED_WORDS = """
    posts tags page pages archive follow editions media assets static images index
    feed feeds atom rss sitemap robots search subscribe confirm unsubscribe preferences
    signup leave webhook api admin desk health
"""
RESERVED = frozenset(RESERVED_WORDS.split())
"""Words at the top of the output folder, and of the web part, that are the site's own."""

DEVICES = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9¹²³]")
"""Names Windows keeps for devices, in every folder."""

ZERO_WIDTH = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
APOSTROPHES = re.compile("['’\u02bc]")
JEKYLL_STYLES = frozenset({"date", "pretty", "ordinal", "weekdate", "none"})
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
PAGE_ENDING = re.compile(r"\.(?:html?|php|md)$", re.IGNORECASE)

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
ISO_639_1 = re.compile(
    r"""
    a[abefkmnrsvyz]| b[aegimnors]| c[aehorsuvy]| d[aevz]| e[elnostu]|
    f[afijory]| g[adlnuv]| h[aeiortuyz]| i[adegikostu]| j[av]|
    k[agijklmnorsuvwy]| l[abginotuv]| m[ghiklnrsty]| n[abdeglnorvy]|
    o[cjmrs]| p[ailst]| qu| r[mnouw]| s[acdeghiklmnoqrstuvw]|
    t[aeghiklnorstwy]| u[gkrz]| v[eio]| w[ao]| xh| y[io]| z[ahu]
    """,
    re.VERBOSE,
)
"""Languages of two letters; `post.js.md` is no translation."""
LANGUAGE_LENGTH = REGION_LENGTH = 2
SCRIPT_LENGTH = 4
"""Letters of the subtags that have a case of their own: `zh-Hant-TW`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a path says of its post."""

    day: date | None
    stem: str
    """Name without date, language and extension; of the folder for `slug/index.md`."""
    language: str
    """Of a translation such as `post.ko.md`, or empty."""
    draft: bool
    misdated: bool
    """The name begins like a date, but there is no such day."""


def is_post_path(path: str) -> bool:
    """Tell whether the file at `path`, relative to the posts folder, is read as a post.

    `.md`, `.markdown` and `.mdx` in any case; not in hidden, generated or template
    folders. A README at the top explains the folder, and Hugo's `_index` lists one.
    """
    *folders, name = path.split("/")
    stem, dot, _ = name.rpartition(".")
    lowered = stem.casefold()
    return (
        bool(dot and stem)
        and name.casefold().endswith(EXTENSIONS)
        and not any(part.startswith(".") for part in (*folders, name))
        and not any(folder.casefold() in SKIPPED_FOLDERS for folder in folders)
        and lowered != "_index"
        and (bool(folders) or lowered != "readme")
    )


def parse_name(path: str) -> Name:
    """Return what `path` says: `YYYY-MM-DD-slug.ko.md`, `YYYY/MM/DD/`, `slug/index.md`."""
    *folders, file = unicodedata.normalize("NFC", path).split("/")
    stem, language = _split_language(_without_extension(file))
    if stem.casefold() in FOLDER_NAMES and folders:
        stem = folders[-1]
    dated = dates.IN_NAME.fullmatch(stem)
    day = dates.parse_day(dated)
    rest = (dated["rest"] or "") if dated and day else ""
    return Name(
        day=day or dates.day_in_address("/".join(folders) + "/"),
        stem=rest or stem,
        language=language,
        draft=any(folder.casefold() in DRAFT_FOLDERS for folder in folders),
        misdated=dated is not None and day is None,
    )


def title_of(name: Name) -> str:
    """Return a readable title for a post that has none, from its file name."""
    return re.sub(r"[\s_-]+", " ", name.stem).strip() or name.stem


def _without_extension(file: str) -> str:
    for extension in EXTENSIONS:
        if file.casefold().endswith(extension):
            return file[: -len(extension)]
    return file


def _split_language(stem: str) -> tuple[str, str]:
    name, dot, suffix = stem.rpartition(".")
    if name and dot and ISO_639_1.fullmatch(suffix.split("-")[0].lower()):
        return name, parse_language(suffix)
    return stem, ""


def parse_language(text: str) -> str:
    """Return a language tag in its usual spelling (RFC 5646, section 2.1.1), or nothing.

    `ko_KR.UTF-8` is read as `ko-KR`; two letters must be a language of ISO 639-1.
    """
    tag = text.strip().split(".")[0].replace("_", "-")
    if not LANGUAGE_TAG.fullmatch(tag):
        return ""
    primary, *rest = tag.lower().split("-")
    if len(primary) == LANGUAGE_LENGTH and not ISO_639_1.fullmatch(primary):
        return ""
    return "-".join((primary, *map(_cased_subtag, rest)))


def _cased_subtag(part: str) -> str:
    if len(part) == REGION_LENGTH:
        return part.upper()
    return part.title() if len(part) == SCRIPT_LENGTH else part


# -- slugs ---------------------------------------------------------------------


def build_slug(text: str) -> str:
    """Return `text` as one segment of an address, or nothing when no letter is left.

    NFC, lower case; letters, digits and marks of every script, `-` and `_` stay, so
    Hangul does. The same for NFC and NFD input, safe as a file name on any system.
    """
    kept = APOSTROPHES.sub("", ZERO_WIDTH.sub("", unicodedata.normalize("NFC", text)))
    lowered = unicodedata.normalize("NFC", kept.lower())
    signs = (sign if _is_allowed(sign) else "-" for sign in lowered)
    slug = re.sub("-+", "-", "".join(signs)).strip("-_")
    if DEVICES.fullmatch(slug):
        slug += "-post"
    return _limit(slug)


def _is_allowed(sign: str) -> bool:
    return sign in "-_" or unicodedata.category(sign)[0] in "LMN"


def _limit(slug: str) -> str:
    """Shorten a long slug; a digest of the whole keeps two such slugs apart."""
    encoded = slug.encode()
    if len(encoded) <= SLUG_BYTES:
        return slug
    digest = hashlib.sha256(encoded).hexdigest()[:DIGEST_LENGTH]
    cut = encoded[: SLUG_BYTES - DIGEST_LENGTH - 1].decode("utf-8", "ignore")
    return f"{cut.rstrip('-_')}-{digest}"


def slug_of_address(address: str) -> str:
    """Return the slug of a permalink: the last part of `/2026/01/my-post.html`.

    Nothing for Jekyll's styles and patterns, such as `pretty` or `/:year/:title/`.
    """
    path = SCHEME.sub("", address.strip()).split("?")[0].split("#")[0]
    if ":" in path or "{" in path or path in JEKYLL_STYLES:
        return ""
    parts = [part for part in path.split("/") if part.strip(". ")]
    if parts and PAGE_ENDING.sub("", parts[-1]).casefold() == "index":
        parts.pop()
    return build_slug(PAGE_ENDING.sub("", unquote(parts[-1]))) if parts else ""


def slug_of_name(path: str, name: Name) -> str:
    """Return the slug of a file without one of its own: from its name, never empty.

    A translation keeps its language (`post-ko`), so that it does not meet the original.
    """
    stem = f"{name.stem}-{name.language}" if name.language else name.stem
    digest = hashlib.sha256(unicodedata.normalize("NFC", path).encode()).hexdigest()
    return build_slug(stem) or f"post-{digest[:DIGEST_LENGTH]}"

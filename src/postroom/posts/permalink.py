"""`[posts] permalink`: the addresses of posts on a site that another program makes.

A pattern such as `https://blog.example/{year}/{slug}/`. A placeholder names a text of
the post, or several of which the first that is not empty counts, each with the style
in which a program writes it: `{own_slug:hugo|name:hugo_path}`. `{date:%Y/%m}` is any
part of its date. Addresses are ASCII: NFC, percent-encoded once (RFC 3986, section 2.1).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from postroom.posts.links import PLACE_SAFE, URL_SAFE, encode_url
from postroom.posts.slug import EXTENSIONS, FOLDER_NAMES, parse_name
from postroom.posts.url_styles import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

ORIGIN = re.compile(r"(https?://[^\s/?#{}]+)((?:[/?].*)?)", re.IGNORECASE)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
UNFIT = re.compile(r"[\s\x00-\x1f\x7f-\x9f\"<>\\^`]")
WHOLE = re.compile(r"https?://", re.IGNORECASE)
SLASHES = re.compile("/{2,}")
INDEX = re.compile(r"(?<=/)index\.html$")

DATES = {
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
}
DIRECTIVE = re.compile("%(-?)([YymdHMSjbBaA])")
"""Of strftime. Names of months and days are English; `-` makes them lower case, and
takes the leading zeros of numbers away."""
TEXTS = (
    "slug", "own_slug", "title", "name", "stem", "dated_stem", "path", "folder", "parent", "section",
    "category", "categories", "language", "id",
)  # fmt: skip
TELLING = frozenset(("slug", "title", "name", "stem", "path", "id"))
"""One of these must be there, or all posts of a day would share an address."""
LITERAL = "="
"""Stands before an alternative that is a text itself: `{category|=misc}`."""
ONE_SEGMENT = PLACE_SAFE.replace("/", "")


class Addressed(Protocol):
    """A head, card or spine."""

    @property
    def url_path(self) -> str:
        """A place below the output folder, or a whole URL."""

    @property
    def canonical_url(self) -> str:
        """The author's own, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a pattern can ask of a post; all texts as the author wrote them."""

    path: str
    """As in `Source.path`."""
    published: datetime | None
    slug: str
    """Never empty."""
    own_slug: str = ""
    """What stands at `slug:` in the front matter."""
    title: str = ""
    categories: tuple[str, ...] = ()
    language: str = ""
    """Of a translation; empty when it is the site's."""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A text of the pattern, a date, or the alternatives of one placeholder."""

    text: str = ""
    """Encoded."""
    date: str = ""
    """A form of it, as `strftime` reads it."""
    names: tuple[tuple[str, str], ...] = ()
    """(one of TEXTS or a literal, one of STYLES or empty)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permalink:
    """A pattern that has been read."""

    origin: str
    """Scheme and host, without `/`; in ASCII."""
    parts: tuple[Part, ...]

    @property
    def dated(self) -> bool:
        """Whether a post without a date has no address."""
        return any(part.date for part in self.parts)


@lru_cache(maxsize=8)
def parse_permalink(text: str) -> Permalink:
    """Return the pattern; ValueError says what is wrong, as a fault of a key does."""
    whole = ORIGIN.fullmatch(unicodedata.normalize("NFC", text.strip()))
    if whole is None:
        raise ValueError(
            'must be an address such as "https://blog.example/{year}/{slug}/"'
        )
    parts = tuple(_parts(whole[2] or "/"))
    named = {name for part in parts for name, _ in part.names}
    if not named & TELLING:
        raise ValueError(
            "gives every post the same address: it needs {slug}, {name}, {path} or {title}"
        )
    return Permalink(origin=encode_url(whole[1]), parts=parts)


def _parts(pattern: str) -> Iterator[Part]:
    end = 0
    for found in PLACEHOLDER.finditer(pattern):
        yield _literal(pattern[end : found.start()])
        yield _placeholder(found[1])
        end = found.end()
    yield _literal(pattern[end:])


def _literal(text: str) -> Part:
    if "{" in text or "}" in text:
        raise ValueError("has a brace without its other half")
    if UNFIT.search(text) or "#" in text:
        raise ValueError("must not contain blanks, quotes or #")
    return Part(text=quote(text, safe=URL_SAFE))


def _placeholder(text: str) -> Part:
    name, _, form = text.partition(":")
    if name in DATES and not form:
        return Part(date=DATES[name])
    if name == "date":
        return Part(date=_date_form(form))
    return Part(names=tuple(map(_alternative, text.split("|"))))


def _alternative(text: str) -> tuple[str, str]:
    name, colon, style = text.strip().partition(":")
    if name.startswith(LITERAL):
        return name, ""
    if name not in TEXTS:
        raise ValueError(_unknown(name, (*DATES, "date", *TEXTS)))
    if colon and style not in STYLES:
        raise ValueError(_unknown(style, tuple(STYLES), "style"))
    return name, style


def _date_form(form: str) -> str:
    if not form or "%" in DIRECTIVE.sub("", form) or UNFIT.search(form):
        raise ValueError(
            f"{{date:{form}}}: write parts of a date, such as {{date:%Y/%m}}"
        )
    return form


def _unknown(name: str, known: tuple[str, ...], what: str = "placeholder") -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - 10 ms, only for a fault

    near = get_close_matches(name, known, n=1)
    if near:
        return f"has no {what} {name!r}; did you mean {near[0]!r}?"
    return f"has no {what} {name!r}; there are {', '.join(known)}"


# -- addresses -------------------------------------------------------------------


def build_permalink(permalink: Permalink, place: Place, zone: tzinfo) -> str:
    """Return the absolute URL of a post, dates in `zone`, the site's.

    Empty when the pattern asks for a date and the post has none. Empty segments fall
    away: a post without a category has no `//`.
    """
    if permalink.dated and place.published is None:
        return ""
    moment = _local(place.published, zone) if place.published else None
    texts = texts_of(place)
    path = "".join(_render(part, texts, moment) for part in permalink.parts)
    before, mark, query = path.partition("?")
    return permalink.origin + SLASHES.sub("/", before) + mark + query


def _local(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.astimezone(zone)
    except OverflowError:  # at the ends of the calendar
        return moment


def _render(
    part: Part, texts: dict[str, tuple[str, ...]], moment: datetime | None
) -> str:
    if part.date:
        return _date(part.date, moment) if moment else ""
    for name, named in part.names:
        if name.startswith(LITERAL):
            return quote(name.removeprefix(LITERAL), safe=PLACE_SAFE)
        style = STYLES.get(named)
        segments = [style(text) if style else text for text in texts[name]]
        safe = PLACE_SAFE if style else ONE_SEGMENT
        found = "/".join(quote(segment, safe=safe) for segment in segments if segment)
        if found:
            return found
    return part.text


def _date(form: str, moment: datetime) -> str:
    def directive(found: re.Match[str]) -> str:
        text = moment.strftime(f"%{found[2]}")
        return (text.lstrip("0").lower() or "0") if found[1] else text

    return quote(DIRECTIVE.sub(directive, form), safe=PLACE_SAFE)


def texts_of(place: Place) -> dict[str, tuple[str, ...]]:
    """Return what each placeholder of TEXTS is, as segments of an address."""
    folders, name = split_source(place.path)
    parsed = parse_name(place.path)
    return {
        "slug": (place.slug,),
        "own_slug": (place.own_slug,),
        "title": (place.title,),
        "name": (name,),
        "stem": (parsed.stem,),
        "dated_stem": (parsed.stem if parsed.stem != name else "",),
        "path": (*folders, name),
        "folder": folders,
        "parent": folders[-1:],
        "section": folders[:1],
        "category": place.categories[:1],
        "categories": place.categories,
        "language": (place.language,),
        "id": (place.id,),
    }


def split_source(path: str) -> tuple[tuple[str, ...], str]:
    """Return folders and name of a source: without extension, language and `index`.

    The date stays in the name; `slug/index.md` is named by its folder.
    """
    *folders, name = unicodedata.normalize("NFC", path).split("/")
    for extension in EXTENSIONS:
        if name.casefold().endswith(extension):
            name = name[: -len(extension)]
            break
    if parse_name(path).language:
        name = name.rpartition(".")[0]
    if name.casefold() in FOLDER_NAMES and folders:
        name = folders.pop()
    return tuple(folders), name


def build_address(permalink: Permalink, site_url: str, written: str) -> str:
    """Return the URL that `permalink:` or `url:` of a post gives it, whole or as a path.

    A path begins at `site_url` where the pattern does, else at the pattern's host.
    Empty when it is a pattern itself, the name of a style, or leads to another host.
    """
    text = unicodedata.normalize("NFC", written.strip())
    if UNFIT.search(text) or any(sign in text for sign in "{}#"):
        return ""
    if WHOLE.match(text):
        url = encode_url(text)
        return url if f"{url}/".startswith(f"{permalink.origin}/") else ""
    if ":" in text or not text.strip("/."):
        return ""
    site = encode_url(site_url)
    base = site if site.startswith(f"{permalink.origin}/") else f"{permalink.origin}/"
    return base + INDEX.sub("", quote(text.lstrip("/"), safe=URL_SAFE))


def is_whole(url_path: str) -> bool:
    """Tell whether `url_path` is an address on another program's site, not a place."""
    return WHOLE.match(url_path) is not None


def page_url(post: Addressed, site_url: str) -> str:
    """Return the URL of the post's own page; relative links in its text begin there."""
    return post.url_path if is_whole(post.url_path) else site_url + post.url_path


def public_url(post: Addressed, site_url: str) -> str:
    """Return the URL under which readers shall know the post: the author's own counts."""
    return post.canonical_url or page_url(post, site_url)

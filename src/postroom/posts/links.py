"""Where the links of a post lead: inside the site, onto the same page, or outside.

A target inside is written with a mark before it, so that one rendering serves the feed
and the letter (absolute) as well as the page (relative).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from postroom.posts import lookup
from postroom.posts.lookup import ADDRESS, EXTENSIONS, FILE, NAME, PAGE

if TYPE_CHECKING:
    from postroom.posts.post import Head, Rules, SiteMap

INSIDE = "\x01"
"""Stands before a place below the output folder; no text of an author has controls."""
FRAGMENT = "\x02"
"""Stands before a fragment of the page itself, without its `#`."""

WIKI = "wiki:"
"""Scheme of `[[wiki links]]` on their way from the parser to the sanitiser."""
LINK_SCHEMES = frozenset((
    "http", "https", "mailto", "tel", "sms", "xmpp", "irc", "ircs", "matrix",
    "magnet", "webcal", "ftp", "sftp",
))  # fmt: skip
IMAGE_SCHEMES = frozenset(("http", "https"))

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
LINE_ENDS = str.maketrans("", "", "\t\n\r")
"""Browsers drop these anywhere in a URL: `java\\nscript:`."""
BLANKS = "".join(map(chr, range(0x21))) + "\u3000\xa0"

URL_SAFE = "%!#$&'()*+,/:;=?@[]~"
"""What stays as it is in a URL that is whole: escapes, and RFC 3986's reserved set."""
PLACE_SAFE = "!$&'()+,/:;=@~"
"""The same within a path (RFC 3986, section 3.3)."""

PLAIN_HOST = re.compile(r"[A-Za-z0-9.:-]*")

CANDIDATE = re.compile(
    r"(?P<url>[^\s,].*?)(?:\s(?P<size>\d+(?:\.\d+)?[wxh]))?(?:,\s|,?$|(?<=\d[wxh]),)\s*"
)
"""One image of a `srcset`; commas and stray blanks within its URL are kept."""
SRCSET_LENGTH = 20_000
"""A longer list is no list; the pattern above is quadratic on one without sizes."""


def encode_url(url: str) -> str:
    """Return `url` in ASCII: percent-encoded once, a host in Hangul as IDNA."""
    scheme, slashes, rest = url.partition("//")
    if not slashes:
        return quote(url, safe=URL_SAFE)
    end = min((i for i in map(rest.find, "/?#") if i >= 0), default=len(rest))
    return (
        scheme + slashes + _encode_host(rest[:end]) + quote(rest[end:], safe=URL_SAFE)
    )


def _encode_host(host: str) -> str:
    if PLAIN_HOST.fullmatch(host) or "@" in host:
        return quote(host, safe=URL_SAFE)
    try:
        return unicodedata.normalize("NFC", unquote(host)).encode("idna").decode()
    except UnicodeError:
        return quote(host, safe=URL_SAFE)


def encode_place(place: str) -> str:
    """Return a place below the output folder (`media/가 나.png`) as part of a URL."""
    return quote(place, safe=PLACE_SAFE)


def id_prefix(path: str) -> str:
    """Return what stands before every id of the post at `path`.

    Posts meet on one page, in a feed reader and in a letter; their footnotes must not.
    """
    return f"p-{hashlib.sha256(path.encode()).hexdigest()[:8]}-"


class Links:
    """The links of one post: what was asked of the site map, found, and missed."""

    def __init__(self, head: Head, rules: Rules, site_map: SiteMap) -> None:
        self.path = head.path
        self.folder = head.path.rpartition("/")[0]
        self.url_path = head.url_path
        self.site_url = rules.site_url
        self.base_path = urlsplit(rules.site_url).path or "/"
        self.site_map = site_map
        self.asked: dict[str, str] = {}
        self.files: dict[str, None] = {}
        self.missed: dict[str, str] = {}
        """URL as written, and what is wrong with it."""

    def href(self, value: str) -> str | None:
        """Return where a link leads, None when it leads nowhere."""
        return self._resolve(value, image=False)

    def src(self, value: str) -> str | None:
        """Return where an image lies, None when there is none."""
        return self._resolve(value, image=True)

    def file(self, value: str) -> tuple[str, str]:
        """Return where a file lies, and its path when that is in the posts folder.

        Both are empty when there is none.
        """
        place = self._resolve(value, image=True, what="a file")
        if place is None:
            return "", ""
        inside = place.startswith(INSIDE)
        path = self._find_local(_path_of(_tidy(value)), image=True) if inside else ""
        return place, path

    def srcset(self, value: str) -> str | None:
        """Return a list of images by size, without those that cannot be shown."""
        value = " ".join(value.split())
        if len(value) > SRCSET_LENGTH:
            return None
        kept = []
        for candidate in CANDIDATE.finditer(value):
            url = self.src(candidate["url"].strip(" ,"))
            if url:
                size = candidate["size"]
                url = url.replace(",", "%2C")
                kept.append(f"{url} {size}" if size else url)
        return ", ".join(kept) or None

    def _resolve(
        self, value: str, *, image: bool, what: str = "an image"
    ) -> str | None:
        url = _tidy(value)
        if not url:
            self._miss(value, "a link or image without a target")
            return None
        if url.startswith("#"):
            return None if image else FRAGMENT + quote(unquote(url[1:]), safe="")
        scheme = SCHEME.match(url)
        if scheme:
            return self._outside(url, scheme[1].lower(), image=image)
        url = url.replace("\\", "/")
        if url.startswith("//"):
            return encode_url(urlsplit(self.site_url).scheme + ":" + url)
        found = self._inside(url, image=image)
        if found is None:
            missing = what if image else "a link to something"
            self._miss(value, f"{missing} that is not in the posts folder")
        return found

    def _outside(self, url: str, scheme: str, *, image: bool) -> str | None:
        if scheme == "wiki":
            return self._wiki(unquote(url[len(WIKI) :]), image=image)
        if scheme not in (IMAGE_SCHEMES if image else LINK_SCHEMES):
            self._miss(url, f"a {scheme}: address, which readers cannot open")
            return None
        if url.startswith(self.site_url) and not image:
            path, tail, fragment = _split(url[len(self.site_url) :])
            found = self._ask_address(path)
            if found:
                return self._to_page(found, tail, fragment)
        return encode_url(url)

    def _wiki(self, name: str, *, image: bool) -> str | None:
        """Resolve `[[name#heading]]`: beside the post, from the top, then by name."""
        name, _, fragment = name.partition("#")
        if not name and not image:
            return FRAGMENT + quote(fragment, safe="")
        name = unicodedata.normalize("NFC", name.strip())
        found = (
            self._find(_join(self.folder, name), image=image)
            or self._find(_join("", name), image=image)
            or self._ask_name(name.strip("/"))
        )
        if found and not (image and lookup.is_page_path(found)):
            return self._to(found, "", fragment)
        self._miss(f"[[{name}", "a wiki link to something that is not there")
        return None

    def _inside(self, url: str, *, image: bool) -> str | None:
        _, tail, fragment = _split(url)
        path = _path_of(url)
        if path.startswith("@/"):  # Zola's way to begin at the top
            path = path[1:]
        rooted = path.startswith("/")
        found = self._find_local(path, image=image)
        if found:
            return self._to(found, tail, fragment)
        if path in {"", "/", self.base_path} and not image:
            return (
                INSIDE + encode_place("" if path else self.url_path) + tail + fragment
            )
        if rooted and not lookup.is_page_path(path):
            return self._join_site(url)
        return None

    def _find_local(self, path: str, *, image: bool) -> str:
        if not path:
            return ""
        if not path.startswith("/"):
            found = self._find(_join(self.folder, path), image=image)
        else:
            found = self._find(_join("", path), image=image)
            if not found and path.startswith(self.base_path):
                path = path[len(self.base_path) - 1 :]
                found = self._find(_join("", path), image=image)
        if found or image:
            return found
        if lookup.is_page_path(path):
            return self._ask_name(path.rpartition("/")[2])
        if path[0] == "/":
            return self._ask_address(path)
        pretty = _join(lookup.without_extension(self.path), path)  # seen from its page
        return self._find(pretty, image=False) or self._ask_address(
            _join(self.url_path, path)
        )

    def _find(self, path: str | None, *, image: bool) -> str:
        """Return the path of the post or file that `path` means, or nothing."""
        if not path:
            return ""
        if not image and lookup.is_page_path(path):
            return path if self._ask(PAGE + path) else ""
        if self._ask(FILE + path):
            return path
        if image:
            return ""
        path = path.removesuffix(".html")
        endings = (*EXTENSIONS, "/index.md")
        return next((path + e for e in endings if self._ask(PAGE + path + e)), "")

    def _ask_address(self, place: str | None) -> str:
        return self._ask(f"{ADDRESS}{place.strip('/')}/") if place else ""

    def _ask_name(self, name: str) -> str:
        return self._ask(NAME + lookup.fold_name(lookup.without_extension(name)))

    def _ask(self, key: str) -> str:
        answer = self.asked.get(key)
        if answer is None:
            answer = self.asked[key] = lookup.find(self.site_map, key)
        return answer

    def _to(self, path: str, tail: str, fragment: str) -> str:
        if self._ask(PAGE + path):
            return self._to_page(path, tail, fragment)
        self.files[path] = None
        return INSIDE + encode_place(self._ask(FILE + path)) + tail + fragment

    def _to_page(self, path: str, tail: str, fragment: str) -> str:
        target = unquote(fragment.removeprefix("#"))
        if target and path == self.path:
            return FRAGMENT + quote(target, safe="")
        if target:
            tail += "#" + quote(id_prefix(path) + target)
        return INSIDE + encode_place(self._ask(PAGE + path)) + tail

    def _join_site(self, url: str) -> str:
        if url.startswith(self.base_path):
            url = url[len(self.base_path) - 1 :]
        return encode_url(self.site_url + url.lstrip("/"))

    def _miss(self, value: str, what: str) -> None:
        self.missed.setdefault(value, what)


def _tidy(value: str) -> str:
    """Return a URL as browsers take it: no line ends, no blanks around it."""
    return value.translate(LINE_ENDS).strip(BLANKS)


def _path_of(url: str) -> str:
    """Return the path of a relative URL as file systems have it: decoded, NFC."""
    raw = _split(url)[0]
    return unicodedata.normalize("NFC", unquote(raw).replace("\\", "/"))


def _split(url: str) -> tuple[str, str, str]:
    """Return path, `?query` and `#fragment` of a relative URL, both with their sign."""
    rest, sign, fragment = url.partition("#")
    path, mark, query = rest.partition("?")
    return (
        path,
        quote(mark + query, safe=URL_SAFE),
        quote(sign + fragment, safe=URL_SAFE),
    )


def _join(folder: str, path: str) -> str | None:
    """Return `path` seen from `folder`, None when it leads out of the posts folder."""
    parts = [part for part in folder.split("/") if part]
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)

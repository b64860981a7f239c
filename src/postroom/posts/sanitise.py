"""The only guard between what an author wrote and what a reader's machine sees: nh3.

Before it come the limits (nh3 is quadratic in nesting) and what it would lose; in it,
every address and id is rewritten; after it comes what it leaves behind.
"""

from __future__ import annotations

import functools
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

import nh3

from postroom.errors import PostError, Problem
from postroom.posts.embeds import replace_players
from postroom.posts.links import IMAGE_SCHEMES, LINK_SCHEMES, Links, id_prefix
from postroom.posts.markdown import ILLEGAL

if TYPE_CHECKING:
    from collections.abc import Callable

MORE = "\x03"
"""Where the author ended the excerpt; travels through the sanitiser as text."""
MORE_COMMENT = re.compile(
    r"<!--\s*(?:more|excerpt|PELICAN_END_SUMMARY)\s*-->", re.IGNORECASE
)

MAX_DEPTH = 200
"""Elements within each other; 20,000 cost nh3 more than a second."""
MAX_REPEATED = 200_000
"""Formatting left open is repeated in every block that follows (HTML, 13.2.4.3)."""
MAX_MARKS = 100_000
"""Tags, and half as many again of character references: each costs some 10 µs."""
MAX_TAG = 20_000
"""Characters of one tag: attributes are compared with each other."""

TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
LONG_TAG = re.compile(rf"<[a-zA-Z][^<>]{{{MAX_TAG}}}")
UNCOUNTED = frozenset((
    "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup",
    "body", "html", "head", "area", "base", "br", "col", "embed", "frame", "hr",
    "img", "input", "link", "meta", "param", "source", "track", "wbr",
))  # fmt: skip
"""Closed by the next of their kind, or empty."""
FORMATTING = frozenset((
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike",
    "strong", "tt", "u",
))  # fmt: skip

RAW_TEXT = (
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
    "noscript", "plaintext",
)  # fmt: skip
RAW_TAG = re.compile(rf"<(?:{'|'.join(RAW_TEXT)})[\s/>]", re.IGNORECASE)
UNCLOSED = {name: re.compile(rf"<(?={name}[\s/>])", re.IGNORECASE) for name in RAW_TEXT}
"""Elements that swallow the rest of a post when nobody ends them."""
DATA_URL = re.compile(r"""=\s*(?:"\s*data:[^"<>]*"|'\s*data:[^'<>]*')""", re.IGNORECASE)
"""An image in its own address, up to megabytes of it; nh3 drops it, we only shorten."""
TYPE_PARAMETER = re.compile(
    r"(?<=[A-Za-z0-9_])<([A-Z][A-Za-z0-9]{0,40}|[tuvk]|[iu]\d+)>"
)
"""`Vec<String>` outside backticks: meant as text, an unknown tag to HTML."""
REFERENCE = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]{1,6})|0*([0-9]{1,7}));?")
MAX_UNICODE = 0x10FFFF
NAMED_ANCHOR = re.compile(r"(<a\s+)name(?=\s*=)", re.IGNORECASE)

TAGS = (nh3.ALLOWED_TAGS | {"section"}) - {"area", "map", "center", "rtc"}
DROPPED_WHOLE = {
    "script", "style", "noscript", "template", "select", "datalist", "button",
    "textarea", "title",
}  # fmt: skip
ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "*": {"class", "dir", "id", "lang", "title"},
    "details": {"open"},
    "img": {"alt", "height", "sizes", "src", "srcset", "width"},
    "ol": {"reversed", "start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
CLASSES = frozenset(("footnotes", "footnote-ref", "footnote-backref", "alert-title"))
LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
DIRECTIONS = frozenset(("ltr", "rtl", "auto"))

LINK_TO_NOWHERE = re.compile(
    r'<a(?![^<>]* (?:href|id)=")(?: [^<>]*)?>(.*?)</a>', re.DOTALL
)
IMAGE = re.compile(r"<img[^<>]*>")
ALT = re.compile(r' alt="([^"]*)"')


def sanitise(html: str, links: Links) -> str:
    """Return `html` without anything that acts, and with addresses of `links`' kind.

    Addresses inside the site and fragments carry the marks of `links`, `MORE` stands
    where the author ended the excerpt. Raises PostError when a limit is passed.
    """
    html = _prepare(html)
    check_nesting(html, links.path)
    token = _current.set(_Rewriting(links).attribute)
    try:
        clean = _cleaner().clean(html)
    finally:
        _current.reset(token)
    clean = LINK_TO_NOWHERE.sub(r"\1", clean).replace("<p></p>", "")
    return IMAGE.sub(_show_alt, clean) if "<img" in clean else clean


def check_nesting(html: str, path: str) -> None:
    """Raise PostError when a parser of HTML could choke on `html`.

    Never counts fewer open elements than there are: an element that only another's end
    tag closes counts as open.
    """
    if LONG_TAG.search(html):
        raise _limit(path, f"a tag has more than {MAX_TAG:,} characters")
    tags = html.count("<")
    if tags + html.count("&") // 2 > MAX_MARKS:
        raise _limit(path, f"there are more than {MAX_MARKS:,} tags")
    if tags > MAX_DEPTH:
        _check_depth(html, path)


def _check_depth(html: str, path: str) -> None:
    opened: dict[str, int] = {}
    depth = formatting = repeated = 0
    for closing, raw in TAG.findall(html):
        name = raw.lower()
        repeated += formatting
        change = -1 if closing else 1
        if name in UNCOUNTED or opened.get(name, 0) + change < 0:
            continue
        opened[name] = opened.get(name, 0) + change
        depth += change
        formatting += change * (name in FORMATTING)
        if depth > MAX_DEPTH:
            raise _limit(path, f"elements are nested deeper than {MAX_DEPTH}")
    if repeated > MAX_REPEATED:
        raise _limit(path, "formatting such as <b> is opened, but not closed")


def _limit(path: str, message: str) -> PostError:
    cure = "close every tag, or make the post simpler"
    return PostError(Problem(path=path, message=message, cure=cure))


# -- before nh3 ----------------------------------------------------------------------


def _prepare(html: str) -> str:
    if "<!--" in html:
        html = MORE_COMMENT.sub(MORE, html, count=1)
    if "&#" in html:
        html = REFERENCE.sub(_drop_control, html)
    if "data:" in html:
        html = DATA_URL.sub('="data:,"', html)
    html = TYPE_PARAMETER.sub(r"&lt;\1&gt;", html)
    html = NAMED_ANCHOR.sub(r"\1id", html)
    return _escape_unclosed(replace_players(html))


def _drop_control(reference: re.Match[str]) -> str:
    """Drop `&#1;` and its like: XML forbids them, and our marks are made of them."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    illegal = number > MAX_UNICODE or ILLEGAL.match(chr(number))
    return "" if illegal else reference[0]


def _escape_unclosed(html: str) -> str:
    """Show `<script>` that is never closed as the text it was meant to be."""
    if not RAW_TAG.search(html):
        return html
    for name, opening in UNCLOSED.items():
        if opening.search(html):
            ends = [m.end() for m in re.finditer(f"</{name}", html, re.IGNORECASE)]
            done = ends[-1] if ends and name != "plaintext" else 0
            html = html[:done] + opening.sub("&lt;", html[done:])
    return html


# -- in nh3 --------------------------------------------------------------------------

_current: ContextVar[Callable[[str, str, str], str | None]] = ContextVar("rewriting")
"""What rewrites the attributes of the post being cleaned; the cleaner is shared."""


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=DROPPED_WHOLE,
        attributes=ATTRIBUTES,
        attribute_filter=_rewrite,
        url_schemes=set(LINK_SCHEMES | IMAGE_SCHEMES | {"wiki"}),
    )


def _rewrite(tag: str, name: str, value: str) -> str | None:
    return _current.get()(tag, name, value)


class _Rewriting:
    """Rewrites the attributes of one post. Must not raise: nh3 would only print it."""

    def __init__(self, links: Links) -> None:
        self.prefix = id_prefix(links.path)
        self.by_name: dict[str, Callable[[str], str | None]] = {
            "cite": links.href,
            "class": _keep_classes,
            "dir": _keep_direction,
            "href": links.href,
            "id": self._prefix_id,
            "src": links.src,
            "srcset": links.srcset,
        }

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        if tag not in TAGS:  # it goes, and so must not ask for files
            return None
        value = value.replace(MORE, "")
        rewrite = self.by_name.get(name)
        return rewrite(value) if rewrite else value

    def _prefix_id(self, value: str) -> str | None:
        return self.prefix + "-".join(value.split()) if value.strip() else None


def _keep_direction(value: str) -> str | None:
    return value.lower() if value.lower() in DIRECTIONS else None


def _keep_classes(value: str) -> str | None:
    kept = [
        name
        for name in value.split()
        if name in CLASSES or LANGUAGE_CLASS.fullmatch(name)
    ]
    return " ".join(kept) or None


# -- after nh3 -----------------------------------------------------------------------


def _show_alt(image: re.Match[str]) -> str:
    """Show the text of an image that has no address left."""
    tag = image[0]
    if ' src="' in tag or ' srcset="' in tag:
        return tag
    alt = ALT.search(tag)
    return alt[1] if alt else ""

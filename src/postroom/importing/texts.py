"""Bytes of foreign files become text, and their words clean lines."""

from __future__ import annotations

import codecs
import html
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit

from postroom.posts.decode import HANGUL, NON_ASCII
from postroom.posts.values import LINE_LIMIT, clean, fold_line, parse_tags, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})"""
)
CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE
)
SUPERSETS = {
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
}
"""What a file is really written in when it names the smaller set."""

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
PAIR = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>.*?</\1\s*>|<br\s*/?>", re.DOTALL)
MAX_LINE = 4096
"""Characters that are looked at: a title is cut at 500."""
MAX_TAG_ROUNDS = 5
MAX_DIGITS = 15
CLOCK = 3
"""Hours, minutes, seconds."""

IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:[^\s<>\"{}|\\^`]{1,1000}")
"""What front matter takes as an id (posts/head.py)."""
FOREIGN_ID = "urn:x-guid:"
"""Stands before an id that is no IRI, such as Ghost's: Atom needs one (RFC 4287 §4.2.6)."""
WEB = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)


def encoding_of(head: bytes, *, whole: bool) -> str:
    """Return the encoding of a file that begins with `head`; `whole` if that is all.

    A byte order mark counts first, then what valid UTF-8 says for itself, then what the
    file declares, then old Korean, then Windows-1252, which always reads.
    """
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    found = DECLARED.search(head[:1024]) or CHARSET.search(head[:4096])
    declared = found[1].decode("ascii").lower() if found else ""
    declared = SUPERSETS.get(declared, declared)
    if declared.startswith(("utf-16", "utf-32", "ucs")):
        declared = ""  # the declaration itself was read as ASCII
    if _is_utf8(head, whole=whole):
        return "utf-8"
    if declared and declared not in {"utf-8", "utf8"} and _is_known(declared):
        return declared
    return "cp949" if _looks_korean(head, whole=whole) else _damaged(head)


def _is_utf8(head: bytes, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _is_known(encoding: str) -> bool:
    try:
        return bool(codecs.lookup(encoding)._is_text_encoding)  # noqa: SLF001 - else `encoding="zip"` decompresses
    except (LookupError, ValueError):
        return False


def _looks_korean(head: bytes, *, whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder("cp949")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return len(HANGUL.findall(text)) * 2 > len(NON_ASCII.findall(text))


def _damaged(head: bytes) -> str:
    """Tell damaged UTF-8, of which most sequences are whole, from an old Western file."""
    text = head.decode("utf-8", "replace")
    lost = text.count("�")
    return "utf-8" if len(NON_ASCII.findall(text)) > lost * 2 else "cp1252"


def decode(data: bytes) -> str:
    """Return `data` as text; what cannot be read becomes U+FFFD."""
    try:
        return data.decode(encoding_of(data, whole=True), "replace")
    except UnicodeError:
        return data.decode("utf-8", "replace")


def line_of(text: str) -> str:
    """Return a title or name as one clean line without entities and markup."""
    line = text[:MAX_LINE]
    if "<" in line:
        line = strip_tags(line)
    if "&" in line:
        line = html.unescape(line)
        if "<" in line:
            line = strip_tags(line)
    return plain_line(line)


def plain_line(text: str) -> str:
    """Return a title or name that is no markup as one clean line, the same if repeated.

    Two blanks meet where a control between them goes.
    """
    return shorten(fold_line(fold_line(text[:MAX_LINE])), LINE_LIMIT)


def strip_tags(text: str) -> str:
    """Take the tags away where there is a pair of them; `a < b` and `<b> tag` stay."""
    return TAG.sub("", text) if PAIR.search(text) else text


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return tags as front matter gives them back."""
    tags = parse_tags([line_of(text) for text in texts])
    for _ in range(MAX_TAG_ROUNDS):
        again = parse_tags([*tags])
        if again == tags:
            return tags
        tags = again
    return tuple(tag for tag in tags if parse_tags([tag]) == (tag,))


def build_id(id: str) -> str:
    """Return a foreign id as an IRI; what is none is wrapped, and can be unwrapped."""
    text = clean(id).strip()
    if not text or IRI.fullmatch(text):
        return text
    return (FOREIGN_ID + quote(text, safe="!$&'()*+,;=:@/?~"))[:1000]


def original_id(id: str) -> str:
    """Return the id that `build_id` was given."""
    return unquote(id.removeprefix(FOREIGN_ID)) if id.startswith(FOREIGN_ID) else id


def join_url(base: str, url: str) -> str:
    """Return `url` resolved against `base`, as it is where that is not possible.

    No address stays none: it is not the base.
    """
    url = "".join(url.split()) if "\n" in url else url.strip()
    try:
        return urljoin(base, url) if base and url else url
    except ValueError:
        return url


def web_url(url: str) -> str:
    """Return `url` if it is one of the web, else nothing."""
    url = clean(url).strip()
    return url if WEB.fullmatch(url) and _has_host(url) else ""


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def path_of(url: str) -> str:
    """Return the path of an old page's address, nothing when a query decides."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return "" if parts.query else parts.path


def number_of(text: str) -> int:
    """Return a count of a foreign file; 0 when it is none."""
    digits = text.strip()
    return (
        int(digits)
        if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS
        else 0
    )


def seconds_of(text: str) -> int:
    """Return `3723`, `62:03` or `1:02:03` as seconds; 0 when it is none of them."""
    parts = text.strip().split(":")
    if len(parts) > CLOCK or not all(
        part.isascii() and part.strip().split(".")[0].isdigit() for part in parts
    ):
        return 0
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part.strip().split(".")[0][:9])
    return seconds

"""What may stand in a feed: text that XML 1.0 can carry (§2.2), addresses in ASCII."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

# Forbidden by XML 1.0 (C0 controls, surrogates, U+FFFE, U+FFFF) or discouraged (DEL and
# C1, which validators report): one of them anywhere and no reader gets any post.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# U+3000 and the no-break space stay: they are typography.
_BLANKS = re.compile("[ \t\n]+")
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(r"[A-Za-z0-9._~%:@\[\]-]+")
_LANGUAGE = re.compile("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

# RFC 3986 reserved and unreserved; `%` because what is encoded already stays so.
_URL_SAFE = "%/:?#[]@!$&'()*+,;=-._~"


def clean_text(text: str) -> str:
    """Return `text` with line ends as LF and without what XML cannot carry."""
    return _ILLEGAL.sub("", _LINE_END.sub("\n", text))


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line, runs of blanks as one space."""
    return _BLANKS.sub(" ", clean_text(text)).strip()


def clean_language(tag: str) -> str:
    """Return the language tag if it has the form of one (RFC 5646), else nothing."""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def clean_url(url: str) -> str:
    """Return an absolute http(s) URL in ASCII, or nothing when `url` is not one.

    The host becomes punycode, the rest percent-encoded (RFC 3986), never twice.
    """
    try:
        parts = urlsplit(clean_line(url))
        host = parts.netloc
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        parts = parts._replace(netloc=host)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(host):
        return ""
    return quote(_LONE_PERCENT.sub("%25", parts.geturl()), safe=_URL_SAFE)

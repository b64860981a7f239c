"""How the programs that make blogs write a name or a title into an address.

Each style takes one text and returns it as that program would, still in Unicode. The
styles are named after the programs, because none of them agrees with another on what
`C++ & me, v1.2!` becomes. Hugo has three: for slugs, titles and names of files.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from postroom.posts.slug import build_slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HUGO_SIGNS = frozenset("./\\_#+~-@")
"""What Hugo keeps beside letters, digits and marks ."""
JEKYLL_SIGNS = frozenset("._~!$&'()+,;=@")
"""What Jekyll keeps in `:title` (`Utils.slugify`, mode `pretty`)."""
PELICAN_SUBSTITUTIONS = (
    (r"[^\w\s-]", ""),
    (r"\A\s*|\s*\Z", ""),
    (r"[-\s]+", "-"),
)
"""Pelican's default SLUG_REGEX_SUBSTITUTIONS."""


def _kind(sign: str) -> str:
    return unicodedata.category(sign)[0]


def _is_kept_by_hugo(sign: str) -> bool:
    return sign in HUGO_SIGNS or _kind(sign) in "LM" or sign.isdecimal()


def hugo(text: str) -> str:
    """A slug: lower case; blanks are a hyphen, none beside a hyphen; the rest goes."""
    return _hugo_words(text.strip("- "))


def hugo_title(text: str) -> str:
    """A title: as a slug, with blanks for slashes and plus signs."""
    return _hugo_words(re.sub(r"[/\\+]", " ", text))


def hugo_path(text: str) -> str:
    """A name of a file or folder: lower case, each blank is a hyphen, the rest goes."""
    lowered = unicodedata.normalize("NFC", text).lower()
    signs = ("-" if sign.isspace() else sign for sign in lowered)
    return "".join(filter(_is_kept_by_hugo, signs))


def _hugo_words(text: str) -> str:
    kept: list[str] = []
    blank = False
    for sign in unicodedata.normalize("NFC", text).lower():
        if _is_kept_by_hugo(sign):
            if blank and sign != "-":
                kept.append("-")
            blank = False
            kept.append(sign)
        elif sign.isspace() and kept and kept[-1] != "-":
            blank = True
    return "".join(kept)


def jekyll(text: str) -> str:
    """The case stays, as do signs that addresses allow; runs of others are a hyphen."""
    kept = "".join(
        sign if sign in JEKYLL_SIGNS or _kind(sign) in "LM" or sign.isdecimal() else "-"
        for sign in unicodedata.normalize("NFC", text)
    )
    return re.sub("-+", "-", kept).strip("-")


def astro(text: str) -> str:
    """Lower case; letters, digits, marks, `-` and `_` stay, each blank is a hyphen."""
    lowered = unicodedata.normalize("NFC", text).lower().replace(" ", "-")
    return "".join(sign for sign in lowered if sign in "-_" or _kind(sign) in "LMN")


def pelican(text: str) -> str:
    """Lower case, Latin letters without their accents; other scripts stay.

    Pelican itself writes those in Latin letters.
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return pelican_unicode(plain if plain.isascii() else text)


def pelican_unicode(text: str) -> str:
    """Lower case, letters of all scripts: with SLUGIFY_USE_UNICODE."""
    text = unicodedata.normalize("NFKC", text)
    for pattern, replacement in PELICAN_SUBSTITUTIONS:
        text = re.sub(pattern, replacement, text)
    return text.lower()


def obsidian(text: str) -> str:
    """As it stands, with `+` for blanks."""
    return unicodedata.normalize("NFC", text).replace(" ", "+")


def lower(text: str) -> str:
    """As it stands, in lower case."""
    return unicodedata.normalize("NFC", text).lower()


STYLES: Mapping[str, Callable[[str], str]] = {
    "hugo": hugo,
    "hugo_title": hugo_title,
    "hugo_path": hugo_path,
    "jekyll": jekyll,
    "astro": astro,
    "pelican": pelican,
    "pelican_unicode": pelican_unicode,
    "obsidian": obsidian,
    "lower": lower,
    "slug": build_slug,
}

"""Where a post is read on a site that another program makes: from its own front matter.

An address in the front matter (Jekyll's and Eleventy's `permalink`, Hugo's `url`,
Zola's `path`) wins over the site's pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.posts import keys, values
from postroom.posts.permalink import Place, build_address, build_permalink
from postroom.posts.slug import JEKYLL_STYLES, PAGE_ENDING, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from postroom.posts.permalink import Permalink
    from postroom.posts.reading import Reading

FOLDER_KEYS = frozenset(map(keys.fold, ("url", "path")))
"""Hugo's and Zola's: these make folders, so the address ends with `/`."""
SINGULAR = ("category",)
PLURAL = ("categories",)


def read_url(
    reading: Reading, permalink: Permalink, *, slug: str, published: datetime | None
) -> str:
    """Return the absolute URL of a post; empty when it has none without a date.

    `slug` is the one that `Head.slug` holds. Warns about an address of the front
    matter that cannot be read.
    """
    for entry in reading.keys.all(keys.ALIASES["address"]):
        written = values.parse_line(next(values.texts_of(entry.value), ""))
        if not written or written.casefold() in JEKYLL_STYLES:
            continue
        if keys.fold(entry.key) in FOLDER_KEYS and not PAGE_ENDING.search(written):
            written = written.rstrip("/") + "/"
        found = build_address(permalink, reading.rules.site_url, written)
        if found:
            return found
        if values.WEB_ADDRESS.fullmatch(written):
            continue  # what the post is about, not where it is read
        message = f"`{entry.key}` is no address of this site; posts.permalink counts"
        reading.warn(entry.key, message, "write a path such as /2026/my-post/")
    place = Place(
        path=reading.path,
        published=published,
        slug=slug,
        own_slug=reading.line("slug").strip("/- "),
        title=reading.line("title") or title_of(reading.name),
        categories=_categories(reading),
        language=_translation(reading),
        id=reading.whole_line("id"),
    )
    return build_permalink(permalink, place, reading.rules.zone)


def _categories(reading: Reading) -> tuple[str, ...]:
    """Jekyll's order: `category` is one, else `categories`, a text parted by blanks."""
    for entry in reading.keys.all(SINGULAR):
        return _lines(values.texts_of(entry.value))
    for entry in reading.keys.all(PLURAL):
        if isinstance(entry.value, str) and "," not in entry.value:
            return _lines(entry.value.split())
        return values.parse_tags(entry.value)
    return ()


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, (values.parse_line(text) for text in texts)))


def _translation(reading: Reading) -> str:
    """Return the language that the file name gives, unless it is the site's."""
    named = reading.name.language
    own = reading.rules.language
    return "" if named.casefold() == own.casefold() else named

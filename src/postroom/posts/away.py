"""Links of a post whose page another program makes: they lead where they lead there.

A browser resolves what the author wrote against the page's address, so that is done
here (RFC 3986, section 5). Only links to other posts by their source (`other.md`,
`[[other]]`) need the site map. Files are copied, and linked in the output folder, when
the site says so (`[site] media`), because that program gives them names of its own.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

from postroom.posts import lookup
from postroom.posts.links import FRAGMENT, Links, encode_url

if TYPE_CHECKING:
    from postroom.posts.post import Head, Rules, SiteMap


class AwayLinks(Links):
    """`head.url_path` is a whole URL, or empty when the page has no address.

    So are the pages of `site_map`; its files are empty unless `media`.
    """

    def __init__(
        self, head: Head, rules: Rules, site_map: SiteMap, *, media: bool
    ) -> None:
        super().__init__(head, rules, site_map)
        self.page = head.url_path or self.site_url
        self.media = media

    def _inside(self, url: str, *, image: bool) -> str | None:
        path, tail, fragment = _split(url)
        path = unicodedata.normalize("NFC", unquote(path))
        if path.startswith("@/"):  # Zola's way to begin at the top
            path = path[1:]
        source = lookup.is_page_path(path) and not image
        beside = self.media and not path.startswith("/")
        found = self._find_local(path, image=not source) if source or beside else ""
        if found:
            return self._to(found, tail, fragment)
        if source or (beside and image):
            return None
        return encode_url(urljoin(self.page, url))

    def _to_page(self, path: str, tail: str, fragment: str) -> str:
        """Return the URL of a page; its headings have the ids that the author knows."""
        if fragment and path == self.path:
            return FRAGMENT + fragment.removeprefix("#")
        return self._ask(lookup.PAGE + path) + tail + fragment


def _split(url: str) -> tuple[str, str, str]:
    """Return path, `?query` and `#fragment` of a reference, the last two encoded."""
    rest, sign, fragment = url.partition("#")
    path, mark, query = rest.partition("?")
    return path, encode_url(mark + query), encode_url(sign + fragment)

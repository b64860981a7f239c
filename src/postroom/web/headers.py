"""The header fields that a published file is served with, but for what its bytes decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postroom.feeds.characters import clean_url
from postroom.files.compressed import is_compressible
from postroom.site.address import origin_of
from postroom.web.kinds import Kind, content_type, kind_of, media_type

if TYPE_CHECKING:
    from postroom.config.sections import Config

CACHE_CONTROL = {
    Kind.PAGE: "no-cache",
    Kind.FEED: "public, max-age=300",
    Kind.ARCHIVE: "public, max-age=86400",
    Kind.OUTLINE: "public, max-age=300",
    Kind.ASSET: "public, max-age=31536000, immutable",
    Kind.MEDIA: "public, max-age=3600",
    Kind.OTHER: "public, max-age=300",
}
"""RFC 9111 §5.2. A page is asked for each time and mostly answered with 304: with its
style sheet, which has a new name when it changes, it is always as it was written. A reader
that polls a feed more often than each five minutes gets it from its own cache. An archive
changes when an old post is mended."""
NOT_FOUND_CACHE = "no-cache"

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https: data:; "
    "media-src 'self' https:; form-action {forms}; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""What our pages need and no more: no script, nobody else's style. The pages say the same
in a `meta` element for those who host them elsewhere, and there `frame-ancestors` counts
for nothing."""
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""Of an SVG picture that is opened as a page: it could hold a script."""
PERMISSIONS = "camera=(), microphone=(), geolocation=()"
OPEN = frozenset({Kind.FEED, Kind.ARCHIVE, Kind.OUTLINE})
"""What a reader that runs in a browser may fetch from any origin."""

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFields:
    """Fields of a file: with its bytes, and those that a 304 repeats (RFC 9110 §15.4.5)."""

    whole: Fields
    unchanged: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the site decides about header fields."""

    url: str
    """Of the site, ended by `/`."""
    hub: str = ""
    """Of WebSub, or empty."""
    page_policy: str

    def fields_of(self, path: str) -> FileFields:
        """Return the fields of the file at `path` of the output folder."""
        kind = kind_of(path)
        kept = {"Cache-Control": CACHE_CONTROL[kind]}
        if is_compressible(path):
            kept["Vary"] = "Accept-Encoding"
        if kind in OPEN:
            kept["Access-Control-Allow-Origin"] = "*"
        whole = {"Content-Type": content_type(path), **kept, **ALWAYS}
        if kind in {Kind.FEED, Kind.ARCHIVE}:
            whole["Link"] = self._links(path, kind)
        if kind is Kind.PAGE:
            whole["Content-Security-Policy"] = self.page_policy
            whole["Permissions-Policy"] = PERMISSIONS
        elif media_type(path) == "image/svg+xml":
            whole["Content-Security-Policy"] = PICTURE_POLICY
        return FileFields(whole=encode(whole), unchanged=encode(kept))

    def not_found_fields(self, path: str) -> Fields:
        """Return the fields of the page at `path` as the answer to a wrong address."""
        fields = dict(self.fields_of(path).whole)
        return tuple({**fields, b"cache-control": NOT_FOUND_CACHE.encode()}.items())

    def _links(self, path: str, kind: Kind) -> str:
        """RFC 8288; WebSub §4 looks here for the topic and its hub."""
        links = [f'<{clean_url(self.url + path)}>; rel="self"']
        if self.hub and kind is Kind.FEED:
            links.append(f'<{clean_url(self.hub)}>; rel="hub"')
        return ", ".join(links)


def build_policy(config: Config) -> Policy:
    """Return what the configuration says about header fields."""
    forms = "'self'"
    if config.web.url and origin_of(config.web.url) != origin_of(config.site.url):
        forms += f" {origin_of(config.web.url)}"
    return Policy(
        url=config.site.url,
        hub=config.feeds.hub,
        page_policy=config.web.page_policy or PAGE_POLICY.format(forms=forms),
    )


def encode(fields: dict[str, str]) -> Fields:
    """Return fields as ASGI has them: names in lower case, all of them bytes."""
    return tuple(
        (name.lower().encode("ascii"), value.encode("latin-1"))
        for name, value in fields.items()
    )

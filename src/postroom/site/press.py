"""Make one page from its template; what many pages share is rendered once.

Header, footer, sign-up box and the links of the head depend on two things only: how
deep a page lies, and which part of the menu it belongs to. Templates get them as
`parts`; each is a template of its own (`_header.html`, …) that a site may replace.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jinja2 import BaseLoader, TemplateNotFound
from markupsafe import Markup

from postroom.errors import TemplateError
from postroom.site.address import origin_of, quote_url, root_of
from postroom.site.follow import FEED_STYLE
from postroom.site.info import FeedLink, OutputFile, SiteInfo
from postroom.site.listing import plain_line
from postroom.site.theme import render_template
from postroom.site.words import direction_of, words_attributes, words_for

if TYPE_CHECKING:
    import jinja2

HASH_LENGTH = 10
"""Hex digits of the content in an asset's name: it may be cached for ever."""
BOX_AFTER = 3
"""The sign-up box follows this post: late enough to know what one would get."""
DESCRIPTION_LENGTH = 200
"""Search results and link previews show no more."""


class Press:
    """Everything that the pages of a site have in common."""

    def __init__(self, site: SiteInfo, environment: jinja2.Environment) -> None:
        self.site = site
        self.words = words_for(site.language)
        self.name = plain_line(site.title)
        self._environment = environment
        self._parts: dict[tuple[str, str], Parts] = {}
        style, icon = (
            _asset(environment, name) for name in ("style.css", "favicon.svg")
        )
        self.assets = [style, icon]
        if site.feeds:
            looks = _asset(environment, "feed.css")
            self.assets.append(OutputFile(path=FEED_STYLE, data=looks.data))
        self.shared: dict[str, Any] = {
            "site": site,
            "words": self.words,
            "feeds": [FeedLink(*feed) for feed in site.feeds],
            "direction": direction_of(site.language),
            "words_language": words_attributes(self.words, site.language),
            "style": style.path,
            "icon": icon.path,
            "site_url": quote_url(site.url),
            "form_origin": origin_of(site.link_url) if site.link_url else "",
            "here": "",
            "noindex": False,
            "topic": None,
            "item": None,
            "image": None,
            "box_after": BOX_AFTER,
        }

    def render_page(self, template: str, path: str, **values: object) -> bytes:
        """Return the page at `path`; raises TemplateError with file and line."""
        context = {
            **self.shared,
            "root": root_of(path),
            "description": self.site.description,
            **values,
        }
        title = plain_line(str(context["title"]))
        context["page_title"] = f"{title} · {self.name}" if title else self.name
        context["share_title"] = title or self.name
        context["description"] = _shorten(plain_line(str(context["description"])))
        context["home"] = context["root"] or "./"
        context["parts"] = self._parts_of(context["root"], context["here"])
        return self.render(template, context).encode("utf-8", "replace")

    def render(self, template: str, context: dict[str, Any]) -> str:
        """Return what a template makes of a whole context."""
        return render_template(self._environment, template, context)

    def _parts_of(self, root: str, here: str) -> Parts:
        parts = self._parts.get((root, here))
        if parts is None:
            parts = self._parts[root, here] = Parts(self, root, here)
        return parts


class Parts:
    """What is the same on every page so deep, in that part of the menu."""

    def __init__(self, press: Press, root: str, here: str) -> None:
        self._press = press
        place = {"root": root, "home": root or "./", "here": here}
        self._context = {**press.shared, **place}

    @cached_property
    def links(self) -> Markup:
        """Style sheet, icon and feeds, for the head."""
        return self._render("_links.html")

    @cached_property
    def header(self) -> Markup:
        """Name of the site, and the menu."""
        return self._render("_header.html")

    @cached_property
    def footer(self) -> Markup:
        """The feeds once more, and who writes."""
        return self._render("_footer.html")

    @cached_property
    def box(self) -> Markup:
        """How to follow, with a form where one can sign up."""
        return self._render("_box.html")

    def _render(self, name: str) -> Markup:
        text = self._press.render(f"site/{name}", self._context)
        return Markup(text.removesuffix("\n"))  # noqa: S704 - what a template made is escaped


def _shorten(text: str) -> str:
    """Cut at a word where there is one, for a place that shows one line or two."""
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    cut = text[:DESCRIPTION_LENGTH]
    return (cut.rpartition(" ")[0] or cut) + "…"


def _asset(environment: jinja2.Environment, name: str) -> OutputFile:
    """Return a static file of the theme, which a site may have replaced, as `build`."""
    loader = environment.loader or BaseLoader()
    try:
        text = loader.get_source(environment, f"site/{name}")[0]
    except TemplateNotFound:
        raise TemplateError(f"templates/site/{name}: there is no such file") from None
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()[:HASH_LENGTH]
    stem, _, ending = name.rpartition(".")
    return OutputFile(path=f"assets/{stem}-{digest}.{ending}", data=data)

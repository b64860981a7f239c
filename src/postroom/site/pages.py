"""All pages of a site: index, posts, topics, archive, follow, and what goes with them.

Pure: posts and templates in, files out, the same bytes for the same values. Addresses
in pages are relative to the page, so the output may live under any path.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import BaseLoader, TemplateNotFound

from postroom.errors import TemplateError
from postroom.site.address import (
    address_of,
    base_path,
    origin_of,
    quote_path,
    quote_url,
    root_of,
)
from postroom.site.body import build_body
from postroom.site.info import FeedLink, OutputFile, SiteInfo
from postroom.site.listing import (
    Item,
    build_item,
    build_moment,
    cut_into_chunks,
    plain_line,
)
from postroom.site.sitemap import build_robots, build_sitemap
from postroom.site.theme import render_template
from postroom.site.topics import FOLDER as TOPICS_FOLDER
from postroom.site.topics import Topic, gather_topics
from postroom.site.words import (
    Words,
    direction_of,
    words_attributes,
    words_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import jinja2

    from postroom.posts.post import Post

__all__ = ["FeedLink", "OutputFile", "SiteInfo", "build_pages"]

HASH_LENGTH = 10
"""Hex digits of the content in an asset's name: it may be cached for ever."""
BOX_AFTER = 3
"""The sign-up box follows this post: late enough to know what one would get."""
DESCRIPTION_LENGTH = 200
"""Search results and link previews show no more."""


def build_pages(
    site: SiteInfo,
    posts: Sequence[Post],
    pages: Sequence[Post],
    environment: jinja2.Environment,
) -> Iterator[OutputFile]:
    """Yield every page and asset of the site; `posts` newest first, `pages` undated.

    Raises TemplateError with file and line when a template cannot be rendered. Where an
    undated page of the author has the address of one of ours (`archive/`, `follow/`),
    the author's is the one that is made.
    """
    topics, ordered = gather_topics([*posts, *pages])
    pressroom = _Pressroom(site=site, environment=environment)
    items = [build_item(post, site, topics) for post in posts]
    others = [build_item(page, site, topics) for page in pages]
    yield from pressroom.build_assets()
    pressroom.taken.update(f"{item.post.url_path}index.html" for item in items + others)
    yield from pressroom.post_pages(items)
    yield from pressroom.undated_pages(others)
    yield from pressroom.list_pages(items)
    yield from pressroom.topic_pages(ordered, items + others)
    yield from pressroom.archive_pages(items, others)
    yield from pressroom.single_pages()
    yield from build_sitemap(quote_url(site.url), pressroom.addresses)
    yield build_robots(quote_url(site.url))


@dataclass(slots=True, kw_only=True)
class _Pressroom:
    """One making of all pages: what they share, and the addresses made so far."""

    site: SiteInfo
    environment: jinja2.Environment
    taken: set[str] = field(default_factory=set)
    """Paths that belong to the author's own pages."""
    addresses: list[tuple[str, str]] = field(default_factory=list)
    """For the sitemap: absolute address, day of the last change."""
    shared: dict[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        return words_for(self.site.language)

    def build_assets(self) -> Iterator[OutputFile]:
        """Yield style sheet and icon, and settle what every page shares."""
        style = _asset(self.environment, "style.css")
        icon = _asset(self.environment, "favicon.svg")
        site, words = self.site, self.words
        self.shared = {
            "site": site,
            "words": words,
            "feeds": [FeedLink(*feed) for feed in site.feeds],
            "direction": direction_of(site.language),
            "words_language": words_attributes(words, site.language),
            "style": style.path,
            "icon": icon.path,
            "site_url": quote_url(site.url),
            "form_origin": origin_of(site.link_url) if site.link_url else "",
            "noindex": False,
            "topic": None,
            "item": None,
            "image": None,
            "box_after": BOX_AFTER,
        }
        yield style
        yield icon

    def post_pages(self, items: Sequence[Item]) -> Iterator[OutputFile]:
        """Yield the page of each post, with the ones before and after it in time."""
        for number, item in enumerate(items):
            after = items[number - 1] if number else None
            before = items[number + 1] if number + 1 < len(items) else None
            yield self._post_page(item, "site/post.html", before, after)

    def undated_pages(self, items: Sequence[Item]) -> Iterator[OutputFile]:
        """Yield the page of each post without a date."""
        for item in items:
            yield self._post_page(item, "site/page.html", None, None)

    def list_pages(self, items: Sequence[Item]) -> Iterator[OutputFile]:
        """Yield the index and its older pages."""
        words = self.words
        for chunk in cut_into_chunks(items, ""):
            first = chunk.number == 1
            name = words.posts_page.format(page=chunk.number)
            yield from self._own_page(
                "site/index.html",
                chunk.path,
                listed=first,
                heading=words.posts if first else name,
                title="" if first else name,
                description=self.site.description,
                here="posts",
                chunk=chunk,
            )

    def topic_pages(
        self, topics: Sequence[Topic], items: Sequence[Item]
    ) -> Iterator[OutputFile]:
        """Yield the list of topics and the posts of each."""
        words = self.words
        yield from self._own_page(
            "site/tags.html",
            f"{TOPICS_FOLDER}index.html",
            heading=words.topics,
            title=words.topics,
            here="topics",
            topics=[
                {
                    "label": topic.label,
                    "path": quote_path(topic.path),
                    "count": len(topic.posts),
                }
                for topic in topics
            ],
        )
        by_path = {item.post.path: item for item in items}
        for topic in topics:
            own = [by_path[post.path] for post in topic.posts]
            yield from self._topic_pages(topic, own)

    def _topic_pages(self, topic: Topic, items: Sequence[Item]) -> Iterator[OutputFile]:
        words = self.words
        count = words.one_post if len(items) == 1 else words.many_posts
        for chunk in cut_into_chunks(items, topic.path):
            heading = words.topic_of.format(topic=topic.label)
            page = words.page_of.format(page=chunk.number, pages=chunk.last)
            yield from self._own_page(
                "site/tag.html",
                chunk.path,
                listed=chunk.number == 1,
                heading=heading,
                title=heading if chunk.number == 1 else f"{heading}, {page}",
                here="topics",
                topic=topic,
                topic_root=quote_path(topic.path),
                count=count.format(count=len(items)),
                chunk=chunk,
            )

    def archive_pages(
        self, items: Sequence[Item], others: Sequence[Item]
    ) -> Iterator[OutputFile]:
        """Yield the list of all titles, by year."""
        years = groupby(items, key=_year)
        yield from self._own_page(
            "site/archive.html",
            "archive/index.html",
            heading=self.words.archive,
            title=self.words.archive,
            here="archive",
            years=[(year, list(members)) for year, members in years],
            others=others,
        )

    def single_pages(self) -> Iterator[OutputFile]:
        """Yield the page on how to follow, and the one for a wrong address."""
        words = self.words
        yield from self._own_page(
            "site/follow.html",
            "follow/index.html",
            heading=words.how_to_follow,
            title=words.how_to_follow,
            description=words.follow_lead,
            here="follow",
        )
        # A server shows it at any depth: only here addresses begin at the host.
        yield from self._own_page(
            "site/404.html",
            "404.html",
            listed=False,
            root=base_path(self.site.url),
            heading=words.not_found,
            title=words.not_found,
            noindex=True,
        )

    # -- one page ----------------------------------------------------------------

    def _post_page(
        self, item: Item, template: str, before: Item | None, after: Item | None
    ) -> OutputFile:
        post = item.post
        changed = build_moment(post.updated, self.site)
        path = f"{post.url_path}index.html"
        canonical = quote_url(post.canonical_url) or self._absolute(path)
        if not post.canonical_url:
            last = changed or item.published
            self.addresses.append((canonical, last.iso if last else ""))
        names = [person.name for person in post.authors if person.name]
        return self._page(
            template,
            path,
            title=item.title,
            description=post.excerpt,
            canonical=canonical,
            item=item,
            body=build_body(
                post.page_html, words_for(post.language or self.site.language)
            ),
            updated=changed if changed and changed != item.published else None,
            authors=names if names != [self.site.author] else [],
            image=post.image,
            before=before,
            after=after,
        )

    def _own_page(
        self, template: str, path: str, *, listed: bool = True, **values: object
    ) -> Iterator[OutputFile]:
        """Yield a page of ours, unless the author has made one of that address."""
        if path in self.taken:
            return
        canonical = self._absolute(path)
        if listed:
            self.addresses.append((canonical, ""))
        yield self._page(template, path, canonical=canonical, **values)

    def _page(self, template: str, path: str, **values: object) -> OutputFile:
        context = {
            **self.shared,
            "root": root_of(path),
            "here": "",
            "description": self.site.description,
            **values,
        }
        title = plain_line(str(context["title"]))
        name = plain_line(self.site.title)
        context["page_title"] = f"{title} · {name}" if title else name
        context["share_title"] = title or name
        context["description"] = _shorten(plain_line(str(context["description"])))
        context["home"] = str(context["root"]) or "./"
        text = render_template(self.environment, template, context)
        return OutputFile(path=path, data=text.encode("utf-8", "replace"))

    def _absolute(self, path: str) -> str:
        return quote_url(self.site.url) + address_of(path)


def _year(item: Item) -> int:
    return item.published.year if item.published else 0


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

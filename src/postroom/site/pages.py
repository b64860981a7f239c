"""All pages of a site: index, posts, topics, archive, follow, and what goes with them.

Pure: posts and templates in, files out, the same bytes for the same values. Each file is
planned first, with a key of all that it is made from, and made only when it is wanted: a
run in which one post changed makes the few pages that show it. Addresses in pages are
relative to the page, so the output may live under any path.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from postroom.posts.fingerprint import fingerprint
from postroom.site.address import (
    address_of,
    base_path,
    quote_path,
    quote_url,
)
from postroom.site.body import build_body
from postroom.site.follow import build_follow
from postroom.site.info import OutputFile, PlannedFile, SiteInfo
from postroom.site.listing import (
    Chunk,
    Item,
    Title,
    build_item,
    build_moment,
    build_title,
    cut_into_chunks,
)
from postroom.site.press import Press
from postroom.site.sitemap import build_robots, build_sitemap, sitemap_paths
from postroom.site.topics import FOLDER as TOPICS_FOLDER
from postroom.site.topics import Topic, gather_topics
from postroom.site.words import (
    words_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import jinja2

    from postroom.posts.post import Card, Spine


class Holdings(Protocol):
    """The posts of a site: spines at hand, the rest to be asked for."""

    @property
    def posts(self) -> Sequence[Spine]:
        """Public and dated, newest first."""
        ...

    @property
    def pages(self) -> Sequence[Spine]:
        """Without a date."""
        ...

    def card(self, path: str) -> Card:
        """What lists show of a post."""
        ...

    def page_html(self, path: str) -> str:
        """Its text."""
        ...


def plan_pages(
    site: SiteInfo,
    holdings: Holdings,
    environment: jinja2.Environment,
    base: int,
    only: frozenset[str] | None = None,
) -> Iterator[PlannedFile]:
    """Yield every page and asset of the site as a plan; with `only`, those posts' pages.

    `base` is a key of all that pages share: settings, templates, code. Making a page
    raises TemplateError with file and line when its template cannot be rendered. Where
    an undated page of the author has the address of one of ours (`archive/`, `follow/`),
    the author's is the one that is made.
    """
    pressroom = _Pressroom(site, holdings, environment, base)
    if only is None:
        yield from pressroom.plan()
    else:
        yield from pressroom.post_pages(only)


class _Pressroom:
    """One making of all pages: what they share, and the addresses planned so far."""

    def __init__(
        self,
        site: SiteInfo,
        holdings: Holdings,
        environment: jinja2.Environment,
        base: int,
    ) -> None:
        self.site = site
        self.holdings = holdings
        self.press = Press(site, environment)
        self.base = base
        self.words = self.press.words
        spines = [*holdings.posts, *holdings.pages]
        self.topics, self.ordered = gather_topics(spines)
        self.labels = {
            tag: fingerprint((topic.label, topic.slug))
            for tag, topic in self.topics.items()
        }
        self.taken = {f"{spine.url_path}index.html" for spine in spines}
        """Paths that belong to the author's own pages."""
        self.own: list[str] = []
        """Pages of ours that search engines are told of."""
        self.items: dict[str, Item] = {}

    def plan(self) -> Iterator[PlannedFile]:
        for asset in self.press.assets:
            yield PlannedFile(asset.path, hash((self.base,)), partial(_given, asset))
        yield from self.post_pages()
        yield from self.list_pages()
        yield from self.topic_pages()
        yield from self.archive_pages()
        yield from self.single_pages()
        yield from self.map_files()

    # -- posts -------------------------------------------------------------------

    def post_pages(self, only: frozenset[str] | None = None) -> Iterator[PlannedFile]:
        """Plan the page of each post, with the ones before and after it in time."""
        posts = self.holdings.posts
        after: Spine | None = None
        for number, post in enumerate(posts):
            if only is None or post.path in only:
                before = posts[number + 1] if number + 1 < len(posts) else None
                yield self._post_page("site/post.html", post, before, after)
            after = post
        for page in self.holdings.pages:
            if only is None or page.path in only:
                yield self._post_page("site/page.html", page, None, None)

    def _shown(self, post: Spine) -> int:
        """Return a key of what lists show of a post, its topics as they are called now."""
        return hash((post.listed, *(self.labels[tag] for tag in post.tags)))

    def _post_page(
        self, template: str, post: Spine, before: Spine | None, after: Spine | None
    ) -> PlannedFile:
        near = (before.named if before else 0, after.named if after else 0)
        key = hash((self.base, post.seen, *near, self._shown(post)))
        path = f"{post.url_path}index.html"
        make = partial(self._make_post, template, path, post, before, after)
        return PlannedFile(path, key, make)

    def _make_post(
        self,
        template: str,
        path: str,
        post: Spine,
        before: Spine | None,
        after: Spine | None,
    ) -> bytes:
        card = self.holdings.card(post.path)
        item = self._item(post)
        changed = build_moment(card.updated, self.site)
        names = [person.name for person in card.authors if person.name]
        words = words_for(card.language or self.site.language)
        return self.press.render_page(
            template,
            path,
            title=item.title,
            description=card.excerpt,
            canonical=quote_url(card.canonical_url) or self._absolute(path),
            item=item,
            body=build_body(self.holdings.page_html(post.path), words),
            updated=changed if changed and changed != item.published else None,
            authors=names if names != [self.site.author] else [],
            image=card.image,
            before=before and self._title(before),
            after=after and self._title(after),
        )

    def _item(self, post: Spine) -> Item:
        item = self.items.get(post.path)
        if item is None:
            item = build_item(self.holdings.card(post.path), self.site, self.topics)
            self.items[post.path] = item
        return item

    def _title(self, post: Spine) -> Title:
        return build_title(post, self.site)

    # -- lists -------------------------------------------------------------------

    def list_pages(self) -> Iterator[PlannedFile]:
        """Plan the index and its older pages."""
        words = self.words
        for chunk in cut_into_chunks(self.holdings.posts, ""):
            first = not chunk.number
            name = words.posts_page.format(page=chunk.number)
            yield from self._list_page(
                "site/index.html",
                chunk,
                heading=words.posts if first else name,
                title="" if first else name,
                description=self.site.description,
                here="posts",
            )

    def topic_pages(self) -> Iterator[PlannedFile]:
        """Plan the list of topics and the posts of each."""
        counts = (number for topic in self.ordered for number in self._count_of(topic))
        yield from self._own_page(
            "site/tags.html",
            f"{TOPICS_FOLDER}index.html",
            (*counts,),
            heading=self.words.topics,
            title=self.words.topics,
            here="topics",
            topics=[
                {
                    "label": topic.label,
                    "path": quote_path(topic.path),
                    "count": len(topic.posts),
                }
                for topic in self.ordered
            ],
        )
        by_path = {
            post.path: post for post in (*self.holdings.posts, *self.holdings.pages)
        }
        for topic in self.ordered:
            own = [by_path[post.path] for post in topic.posts]
            yield from self._topic_pages(topic, own)

    @staticmethod
    def _count_of(topic: Topic) -> tuple[int, int]:
        return (fingerprint((topic.label, topic.slug)), len(topic.posts))

    def _topic_pages(
        self, topic: Topic, posts: Sequence[Spine]
    ) -> Iterator[PlannedFile]:
        words = self.words
        count = words.one_post if len(posts) == 1 else words.many_posts
        heading = words.topic_of.format(topic=topic.label)
        for chunk in cut_into_chunks(posts, topic.path):
            page = words.page.format(page=chunk.number)
            first = not chunk.number  # the only page that a new post may change
            yield from self._list_page(
                "site/tag.html",
                chunk,
                self._count_of(topic)[: 1 + first],
                heading=heading,
                title=heading if first else f"{heading}, {page}",
                here="topics",
                topic=topic,
                topic_root=quote_path(topic.path),
                count=count.format(count=len(posts)) if first else "",
            )

    def _list_page(
        self, template: str, chunk: Chunk, parts: tuple[int, ...] = (), **values: object
    ) -> Iterator[PlannedFile]:
        """Plan one page of a list; its posts are looked at when it is made."""
        yield from self._own_page(
            template,
            chunk.path,
            (
                _mark(chunk.newer),
                _mark(chunk.older),
                *parts,
                *(self._shown(post) for post in chunk.posts),
            ),
            listed=not chunk.number,
            chunk=chunk,
            **values,
        )

    def archive_pages(self) -> Iterator[PlannedFile]:
        """Plan the list of all titles, by year."""
        posts, pages = self.holdings.posts, self.holdings.pages
        yield from self._own_page(
            "site/archive.html",
            "archive/index.html",
            (*(post.named for post in posts), 0, *(page.named for page in pages)),
            heading=self.words.archive,
            title=self.words.archive,
            here="archive",
        )

    def _years(self) -> list[tuple[int, list[Title]]]:
        titles = [self._title(post) for post in self.holdings.posts]
        return [(year, list(members)) for year, members in groupby(titles, key=_year)]

    # -- pages of their own --------------------------------------------------------

    def single_pages(self) -> Iterator[PlannedFile]:
        """Plan the page on how to follow, and the one for a wrong address."""
        words = self.words
        yield from self._own_page(
            "site/follow.html",
            "follow/index.html",
            (fingerprint(text for group in self.site.feed_groups for text in group),),
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

    def map_files(self) -> Iterator[PlannedFile]:
        """Plan what search engines read, from the addresses of all that was planned."""
        posts = (*self.holdings.posts, *self.holdings.pages)
        key = hash((self.base, *(post.named for post in posts), fingerprint(self.own)))
        count = len(self.own) + sum(not post.canonical_url for post in posts)
        made: dict[str, OutputFile] = {}

        def make(path: str) -> bytes:
            if not made:
                files = build_sitemap(quote_url(self.site.url), self._addresses())
                made.update((file.path, file) for file in files)
            return made[path].data

        for path in sitemap_paths(count):
            yield PlannedFile(path, key, partial(make, path))
        robots = build_robots(quote_url(self.site.url))
        yield PlannedFile(robots.path, hash((self.base,)), partial(_given, robots))

    def _addresses(self) -> list[tuple[str, str]]:
        """Return what search engines are told of: address, day of the last change."""
        told = []
        for post in (*self.holdings.posts, *self.holdings.pages):
            if not post.canonical_url:  # else it is another site's to tell
                last = build_moment(post.updated or post.published, self.site)
                address = self._absolute(f"{post.url_path}index.html")
                told.append((address, last.iso if last else ""))
        return told + [(self._absolute(path), "") for path in self.own]

    # -- one page ----------------------------------------------------------------

    def _own_page(
        self,
        template: str,
        path: str,
        parts: tuple[int, ...] = (),
        *,
        listed: bool = True,
        **values: object,
    ) -> Iterator[PlannedFile]:
        """Plan a page of ours, unless the author has made one of that address."""
        if path in self.taken:
            return
        if listed:
            self.own.append(path)
        make = partial(self._make_own, template, path, values)
        yield PlannedFile(path, hash((self.base, *parts)), make)

    def _make_own(self, template: str, path: str, values: Mapping[str, Any]) -> bytes:
        looked_at: dict[str, object] = {}
        if chunk := values.get("chunk"):
            looked_at["entries"] = [self._item(post) for post in chunk.posts]
        elif template == "site/archive.html":
            looked_at["years"] = self._years()
            looked_at["others"] = [self._title(page) for page in self.holdings.pages]
        elif template == "site/follow.html":
            looked_at.update(build_follow(self.site, self.words))
        canonical = self._absolute(path)
        return self.press.render_page(
            template, path, canonical=canonical, **values, **looked_at
        )

    def _absolute(self, path: str) -> str:
        return quote_url(self.site.url) + address_of(path)


def _mark(path: str | None) -> int:
    return 0 if path is None else fingerprint((path,))


def _given(file: OutputFile) -> bytes:
    return file.data


def _year(title: Title) -> int:
    return title.published.year if title.published else 0

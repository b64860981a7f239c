"""The posts of a site in memory, and every page that it makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.posts.cached import build_spine, dump_card
from postroom.site.info import OutputFile, SiteInfo
from postroom.site.pages import plan_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import jinja2

    from postroom.posts.post import Card, Post, Spine


@dataclass
class MemoryHoldings:
    """The posts of a site as `site.pages.Holdings` wants them."""

    posts: Sequence[Spine]
    pages: Sequence[Spine]
    by_path: dict[str, Post] = field(default_factory=dict)

    def card(self, path: str) -> Card:
        """A post is its card."""
        return self.by_path[path]

    def page_html(self, path: str) -> str:
        """Its text."""
        return self.by_path[path].page_html


def holdings_of(posts: Sequence[Post], pages: Sequence[Post] = ()) -> MemoryHoldings:
    """Hold posts (newest first) and pages."""
    return MemoryHoldings(
        posts=[build_spine(post, dump_card(post)) for post in posts],
        pages=[build_spine(page, dump_card(page)) for page in pages],
        by_path={post.path: post for post in (*posts, *pages)},
    )


def make_pages(
    site: SiteInfo,
    posts: Sequence[Post],
    pages: Sequence[Post],
    environment: jinja2.Environment,
) -> Iterator[OutputFile]:
    """Make every page that is planned."""
    for planned in plan_pages(site, holdings_of(posts, pages), environment, 1):
        yield OutputFile(path=planned.path, data=planned.make())

"""Atom (RFC 4287) as text: for archives and for feeds of topics, authors, languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.parts import (
    GENERATOR,
    NAMESPACES,
    atom_entry_parts,
    atom_feed_parts,
    feed_links,
)
from postroom.feeds.stream import (
    attribute,
    declarations,
    html,
    octets,
    prologue,
    text,
    write_parts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postroom.feeds.feed import Entry, Feed
    from postroom.posts.post import Person


def atom_text(feed: Feed) -> bytes:
    """Return `feed` as an Atom document in UTF-8: the same as `atom.atom_xml` says."""
    return b"".join(atom_pieces(feed))


def atom_pieces(feed: Feed) -> Iterator[bytes]:
    """Yield the document in UTF-8, some pieces for each entry."""
    yield "".join(_head(feed)).encode()
    for entry in feed.entries:
        yield "".join(_beginning(entry, feed)).encode()
        if entry.content is not None:
            yield b'    <content type="html">' + octets(entry.content) + b"</content>\n"
        yield "".join(_end(entry, feed)).encode()
    yield b"</feed>\n"


def _head(feed: Feed) -> Iterator[str]:
    language = f' xml:lang="{attribute(feed.language)}"' if feed.language else ""
    yield from prologue(feed.stylesheet)
    yield (
        f'<feed{declarations(feed)} xmlns="{NAMESPACES["atom"]}"{language}>\n'
        f"  <id>{text(feed.id)}</id>\n"
        f"  <title>{text(feed.title)}</title>\n"
        f"  <updated>{feed.updated.isoformat()}</updated>\n"
    )
    yield from _authors(feed.authors, "  ")
    for rel, href, kind in (
        *feed_links(feed, "atom"),
        ("alternate", feed.home_url, "text/html"),
    ):
        typed = f' type="{kind}"' if kind else ""
        yield f'  <link href="{attribute(href)}" rel="{rel}"{typed}/>\n'
    yield f"  <generator>{GENERATOR}</generator>\n"
    if feed.subtitle:
        yield f"  <subtitle>{text(feed.subtitle)}</subtitle>\n"
    yield from write_parts(atom_feed_parts(feed), "  ")


def _beginning(entry: Entry, feed: Feed) -> Iterator[str]:
    """Yield what stands before the content."""
    foreign = entry.language and entry.language != feed.language
    language = f' xml:lang="{attribute(entry.language)}"' if foreign else ""
    yield (
        f"  <entry{language}>\n"
        f"    <id>{text(entry.id)}</id>\n"
        f"    <title>{text(entry.title)}</title>\n"
        f"    <updated>{entry.updated.isoformat()}</updated>\n"
    )
    yield from _authors(entry.authors, "    ")


def _end(entry: Entry, feed: Feed) -> Iterator[str]:
    """Yield what stands behind the content."""
    url = attribute(entry.url)
    yield f'    <link href="{url}" rel="alternate" type="text/html"/>\n'
    if entry.summary:
        yield f'    <summary type="html">{html(entry.summary)}</summary>\n'
    for tag in entry.tags:
        yield f'    <category term="{attribute(tag)}"/>\n'
    yield f"    <published>{entry.published.isoformat()}</published>\n"
    yield from write_parts(atom_entry_parts(entry, feed), "    ")
    yield "  </entry>\n"


def _authors(people: Iterable[Person], indent: str) -> Iterator[str]:
    for person in people:
        uri = f"{indent}  <uri>{text(person.url)}</uri>\n" if person.url else ""
        yield (
            f"{indent}<author>\n"
            f"{indent}  <name>{text(person.name)}</name>\n{uri}"
            f"{indent}</author>\n"
        )

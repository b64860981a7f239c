"""XML as text, piece by piece: for the feeds that a site has by the hundred.

No tree is made of them: what is written is the same as by feedgen's trees, in a
fraction of the time. The parts of a document are joined as they come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.feeds.parts import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postroom.feeds.feed import Feed
    from postroom.feeds.xml_part import Part


def text(value: str) -> str:
    """Return `value` as the text of an element."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def octets(value: str) -> bytes:
    """Return a long `value` as `text` does, in UTF-8: a third faster than the other way."""
    encoded = value.encode().replace(b"&", b"&amp;")
    return encoded.replace(b"<", b"&lt;").replace(b">", b"&gt;")


def html(value: str) -> str:
    """Return plain `value` as the text of an element that holds HTML: escaped twice."""
    return text(text(value))


def attribute(value: str) -> str:
    """Return `value`, one line, as it stands between double quotes."""
    return text(value).replace('"', "&quot;")


def prologue(stylesheet: str) -> Iterator[str]:
    """Yield what comes before the root element."""
    yield "<?xml version='1.0' encoding='UTF-8'?>\n"
    if stylesheet:
        href = attribute(stylesheet)
        yield f'<?xml-stylesheet type="text/css" href="{href}"?>\n'


def declarations(feed: Feed, *prefixes: str) -> str:
    """Return the namespaces of `feed` as attributes: `prefixes`, and those it has need of."""
    wanted = set(prefixes)
    if feed.archive:
        wanted.add("fh")
    if feed.podcast is not None:
        wanted |= {"itunes", "podcast"}
    if any(entry.image for entry in feed.entries):
        wanted.add("media")
    return "".join(
        f' xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in sorted(wanted)
    )


def write_parts(parts: Iterable[Part], indent: str) -> Iterator[str]:
    """Yield each element on a line of its own (its children on theirs)."""
    for name, inner, attributes, children in parts:
        opening = f"{indent}<{name}"
        for key, value in attributes:
            opening += f' {key}="{attribute(value)}"'
        if children:
            yield f"{opening}>\n"
            yield from write_parts(children, f"{indent}  ")
            yield f"{indent}</{name}>\n"
        elif inner:
            yield f"{opening}>{text(inner)}</{name}>\n"
        else:
            yield f"{opening}/>\n"

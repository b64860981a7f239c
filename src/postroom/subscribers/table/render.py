"""Subscribers become the CSV that `read_table` reads back without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.subscribers.table.cell import render_cell
from postroom.subscribers.topics import render_topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from postroom.subscribers.subscriber import Subscriber

HEADER = ("email", "name", "consent", "cadence", "topics", "language")


def render_table(subscribers: Iterable[Subscriber]) -> Iterator[str]:
    """Yield the lines of a table, each with its line end, the names of columns first."""
    yield ",".join(HEADER) + "\n"
    for subscriber in subscribers:
        yield render_row(subscriber)


def render_row(subscriber: Subscriber) -> str:
    """Return one subscriber as a line of CSV (RFC 4180, but ended by LF)."""
    cells = (
        subscriber.email,
        subscriber.name,
        subscriber.consent,
        subscriber.cadence,
        render_topics(subscriber.topics),
        subscriber.language,
    )
    return ",".join(render_cell(cell) for cell in cells) + "\n"

"""Every reader takes every feed it can read, before and after an edit, and loses nothing.

`postroom serve` answers, on 127.0.0.1. What a reader cannot do is in `facts`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.readers.blog import ADDED, AFTERWARDS, EDITED, ESSAYS
from tests.readers.clients import ReaderLibrary, RefusedError
from tests.readers.facts import (
    CELLS,
    FACTS,
    FILES,
    REFUSED,
    Edit,
    fields,
    kept,
    kept_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.readers.blog import Essay
    from tests.readers.clients import Client, Seen
    from tests.readers.conftest import Blog
    from tests.readers.serving import Served

ADDRESS = re.compile(r'\b(?:href|src|srcset|poster)="([^"]*)"')
ABSOLUTE = re.compile(r"(?:https?:|mailto:)")

cells = pytest.mark.parametrize(("name", "form"), CELLS)


def by_id(found: Iterable[Seen]) -> dict[str, tuple[object, ...]]:
    """What matters of each entry; fails when one is there twice."""
    entries = list(found)
    assert len({entry.id for entry in entries}) == len(entries)
    return {entry.id: fields(entry) for entry in entries}


def wanted(
    essays: Iterable[Essay], ids: dict[str, str], name: str, form: str
) -> dict[str, tuple[object, ...]]:
    """What the reader should have."""
    return {ids[essay.name]: kept(essay, name, form) for essay in essays}


@cells
def test_a_reader_has_every_post_with_all_it_can_keep(
    blog: Blog,
    server: Served,
    subscribe: Callable[..., Client],
    name: str,
    form: str,
) -> None:
    """Our ids, Korean titles, addresses of pages, tags and authors."""
    found = subscribe(name, server.url, form).visit()
    assert by_id(found) == wanted(ESSAYS, blog.ids, name, form)


@cells
def test_a_reader_can_play_what_comes_with_a_post(
    blog: Blog,
    server: Served,
    subscribe: Callable[..., Client],
    name: str,
    form: str,
) -> None:
    """A file elsewhere and one of the posts folder, with type and octets."""
    found = subscribe(name, server.url, form).visit()
    assert {entry.id: entry.attached for entry in found} == {
        blog.ids[essay.name]: kept_files(essay, name, form) for essay in ESSAYS
    }


@cells
def test_a_reader_has_the_whole_text_and_every_address_in_it_is_absolute(
    blog: Blog,
    server: Served,
    subscribe: Callable[..., Client],
    name: str,
    form: str,
) -> None:
    """To the last words, pictures and links of other posts as well."""
    essays = {blog.ids[essay.name]: essay for essay in ESSAYS}
    for entry in subscribe(name, server.url, form).visit():
        essay = essays[entry.id]
        assert essay.end in entry.content
        addresses = ADDRESS.findall(entry.content)
        assert [url for url in addresses if not ABSOLUTE.match(url)] == []
        assert set(essay.shows) <= set(addresses)


@cells
def test_an_edit_is_no_second_entry(
    blog: Blog,
    server: Served,
    subscribe: Callable[..., Client],
    name: str,
    form: str,
) -> None:
    """A new title and a new post: nine entries, whatever the reader makes of an edit."""
    client = subscribe(name, server.url, form)
    client.visit()
    server.show(blog.second)
    found = client.visit()
    edit = FACTS[name].edit
    essays = list(AFTERWARDS)
    if edit is Edit.TWICE:
        old = next(entry for entry in found if entry.title == ESSAYS[0].title)
        assert old.id == blog.ids[EDITED.name]
        found.remove(old)
    elif edit is Edit.IGNORED:
        essays[0] = ESSAYS[0]
    assert by_id(found) == wanted(essays, blog.ids, name, form)
    assert blog.ids[ADDED.name] in {entry.id for entry in found}


@cells
def test_an_unchanged_feed_is_not_sent_again_to_a_reader_that_asks(
    server: Served, subscribe: Callable[..., Client], name: str, form: str
) -> None:
    """304 from the visit on at which the reader asks conditionally, and nothing is lost."""
    client = subscribe(name, server.url, form)
    visits = []
    for number in range(1, 4):
        visits.append(by_id(client.visit()))
        asks = 0 < FACTS[name].asks <= number
        assert server.statuses(FILES[form]) == [304 if asks else 200]
    assert visits == [visits[0]] * 3
    assert len(visits[0]) == len(ESSAYS)


@pytest.mark.parametrize(("name", "form"), REFUSED)
def test_a_reader_without_json_feed_shows_nothing_of_it(
    server: Served, subscribe: Callable[..., Client], name: str, form: str
) -> None:
    """Nothing, rather than half of it: such a reader needs Atom or RSS."""
    client = subscribe(name, server.url, form)
    try:
        found = client.visit()
    except RefusedError:
        found = []
    assert found == []


def test_the_reader_library_counts_an_edit_as_an_edit(
    blog: Blog, server: Served, subscribe: Callable[..., Client]
) -> None:
    """One new, one modified, in each format; then nothing."""
    for form in FACTS["reader"].formats:
        server.show(blog.first)
        client = subscribe("reader", server.url, form)
        assert isinstance(client, ReaderLibrary)
        counts = []
        for folder in (blog.first, blog.second, blog.second):
            server.show(folder)
            client.visit()
            counts.append((client.new, client.modified))
        assert counts == [(len(ESSAYS), 0), (1, 1), (0, 0)]


def test_newsboat_has_one_row_for_a_post_in_two_feeds(
    blog: Blog, server: Served, subscribe: Callable[..., Client]
) -> None:
    """It keeps entries by guid: who follows Atom and RSS of a blog has each post once."""
    client = subscribe("newsboat", server.url, "atom")
    client.visit()
    client.url = client.url.replace("atom.xml", "rss.xml")
    found = client.visit()
    assert {entry.id for entry in found} == {blog.ids[essay.name] for essay in ESSAYS}
    assert len(found) == len(ESSAYS)

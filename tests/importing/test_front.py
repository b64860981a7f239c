"""Front matter that is written is read back as the very values, whatever they are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.importing.fields import Choices, front_of
from postroom.importing.found import Found
from postroom.importing.front import render_front
from postroom.importing.naming import Place, State
from postroom.importing.texts import build_id, line_of, original_id, plain_line, tags_of
from postroom.posts.head import parse_head
from postroom.posts.post import Head, Person, Rules, Source

RULES = Rules(site_url="https://b.example/", language="ko", zone=ZoneInfo("Asia/Seoul"))
ODD = [
    "a: b",
    "# x",
    "- y",
    "null",
    "~",
    "No",
    "0123",
    "'q'",
    '"d"',
    "{{ t }}",
    "&amp;",
    "AT&T",
    "a&copy=2",
    "[x]",
    "한글: 글",
    "@me",
    "%TAG",
    "---",
    "...",
    "\\n",
    "\u2028",
    "é🙂",
    "!!python/x",
    "*a",
    "a #b",
    "|",
    ">",
]
texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from(ODD),
    st.builds(" ".join, st.lists(st.sampled_from(ODD), max_size=4)),
)
offsets = st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


def read_back(found: Found, id: str = "") -> Head:
    """Write and read one post's front matter."""
    place = Place(state=State.NEW, path="a.md", slug="a", id=id)
    text = render_front(front_of(found, place, found.image, Choices(language="ko")))
    return parse_head(Source(path="a.md", data=f"{text}\nBody.\n".encode()), RULES)


@given(texts, st.lists(texts, max_size=6), texts)
def test_titles_tags_and_authors_come_back(
    title: str, tags: list[str], name: str
) -> None:
    """As they were cleaned, with every sign that YAML, HTML or a template knows."""
    found = Found(
        title=plain_line(title),
        tags=tags_of(tags),
        authors=(Person(name=line_of(name)),),
    )
    head = read_back(found)
    assert head.title == plain_line(title)
    assert head.tags == found.tags
    assert [person.name for person in head.authors] in (
        [line_of(name)],
        [line_of(name).strip("[]").strip()],
        [],
        [line_of(name).partition("@")[0]],
        [line_of(name).partition("<")[0].strip().strip('"')],
    )
    assert not head.mailed


@given(st.text(max_size=80))
def test_any_id_comes_back(id: str) -> None:
    """An IRI as it is; anything else within a URN, from which it can be taken again."""
    built = build_id(id)
    head = read_back(Found(title="x"), built)
    assert head.id == built
    assert not [warning for warning in head.warnings if "id" in warning.message]
    if built and len(built) < 1000 and id == original_id(built):
        assert original_id(head.id) == id


@given(
    st.datetimes(
        min_value=datetime(1000, 1, 3),  # noqa: DTZ001 - naive, as hypothesis wants it
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the same
        timezones=st.one_of(st.none(), offsets),
    )
)
def test_dates_come_back(moment: datetime) -> None:
    """To the second; a naive one is the site's own time."""
    head = read_back(Found(title="x", published=moment))
    expected = moment.replace(microsecond=0)
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=RULES.zone)
    assert head.published == expected


@pytest.mark.parametrize(
    "guid",
    [
        "65f0c0ffee0000000000a001",
        "radio 1",
        "한글",
        "0b1c2d3e-0000-4000-8000-000000000001",
    ],
)
def test_an_id_that_is_no_iri_is_wrapped(guid: str) -> None:
    """Atom needs an IRI; the old one is not lost."""
    assert build_id(guid).startswith("urn:x-guid:")
    assert original_id(build_id(guid)) == guid

"""The table of ids survives a lost database, and damage costs one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.posts.id_table import MAX_LINE, parse_id_table, render_id_table
from postroom.posts.publication import MailState, Publication

AUTHORITY = "blog.example,2026-11-01"
WHEN = datetime(2026, 11, 23, 8, tzinfo=timezone(timedelta(hours=9)))

PUBLICATIONS = st.builds(
    Publication,
    path=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    id=st.integers(0, 99).map(lambda number: f"tag:{AUTHORITY}:{number}"),
    digest=st.sampled_from(["", "00ff"]),
    first_seen=st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.just(UTC),
    ),
    number=st.none(),
    mail=st.sampled_from(MailState),
    reason=st.sampled_from(["", "by hand", "max_age"]),
)


def line(**values: object) -> bytes:
    """One line of a table."""
    return json.dumps(values).encode() + b"\n"


HEAD = line(format="postroom ids", version=1, authority=AUTHORITY)


@given(st.lists(PUBLICATIONS, unique_by=lambda item: item.id, max_size=5))
def test_what_is_written_is_read(items: list[Publication]) -> None:
    """Every id with its path, digest and date; what waited is held, the rest archived."""
    text = "".join(render_id_table(items, AUTHORITY))

    table = parse_id_table(text.encode(), "ids.jsonl")

    assert table.problems == ()
    assert table.authority == AUTHORITY
    for row, item in zip(table.rows, items, strict=True):
        assert (row.id, row.digest) == (item.id, item.digest)
        assert row.first_seen == item.first_seen
        waited = item.mail in {MailState.NEW, MailState.HELD}
        assert row.mail is (MailState.HELD if waited else MailState.ARCHIVED)


def test_korean_stays_readable() -> None:
    """The file may be read, searched and mended by hand."""
    item = Publication(path="여행/제주.md", id="a:b", digest="", first_seen=WHEN)

    assert "여행/제주.md" in "".join(render_id_table([item], AUTHORITY))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not an object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 60_000, "recursion"),
        (line(path="a.md"), "without an id"),
        (line(id="just words"), "no IRI"),
        (line(id="a:" + "b" * 3000), "longer than"),
        (line(id="a:b", path=7), "path is no text"),
        (line(id="a:b", path="\ud800"), "half a character"),
        (line(id="a:b", mail="sent"), "mail 'sent'"),
        (line(id="a:b", first_seen="yesterday"), "first_seen 'yesterday'"),
        (line(id="a:b", first_seen="0001-01-01T00:00:00+14:00"), "first_seen"),
        (line(id="x:1"), "there twice"),
        (line(format="other"), "format 'other'"),
        (line(format="postroom ids", version=2), "version 2"),
        (line(format="postroom ids", version=1, authority="x,2026-02-30"), "authority"),
        (b"{" + b" " * MAX_LINE + b"}", "longer than"),
    ],
)
def test_a_damaged_line_is_named_and_costs_nothing_else(bad: bytes, words: str) -> None:
    """File and line in the problem; the lines around it count."""
    data = HEAD + line(id="x:1") + bad.rstrip(b"\n") + b"\n\n" + line(id="x:2")

    table = parse_id_table(data, "ids.jsonl")

    assert [row.id for row in table.rows] == ["x:1", "x:2"]
    assert table.authority == AUTHORITY
    (problem,) = table.problems
    assert str(problem).startswith("ids.jsonl:3:")
    assert words in problem.message


@given(st.binary(max_size=200))
def test_any_octets_are_rows_or_problems(data: bytes) -> None:
    """Nothing else is raised, whatever the file."""
    parse_id_table(data, "f")


def test_dates_are_read_in_any_offset() -> None:
    """And a path in any normal form is the one of the folder."""
    table = parse_id_table(
        line(id="a:b", path="각.md", first_seen=WHEN.isoformat()), "f"
    )

    (row,) = table.rows
    assert (row.path, row.first_seen) == ("각.md", WHEN)

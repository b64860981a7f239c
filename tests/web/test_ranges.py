"""Ranges (RFC 9110 §14): players of podcasts fetch parts, and go on where they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.web.ranges import Span, parse_range
from tests.web.served import EPISODE, FILES, JINGLE

if TYPE_CHECKING:
    from tests.web.served import Server

BODIES = {
    "/media/episode.mp3": EPISODE,
    "/media/jingle.mp3": JINGLE,
    "/atom.xml": FILES["atom.xml"].encode(),
}
"""Sent from disk, from memory, and text that is compressed for who asks for no range."""


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=0-499", slice(0, 500)),
        ("bytes=500-", slice(500, None)),
        ("bytes=-7", slice(-7, None)),
        ("Bytes=1-99999999999", slice(1, None)),
        ("bytes=-99999999999", slice(0, None)),
    ],
)
def test_a_part_is_sent(server: Server, path: str, field: str, part: slice) -> None:
    """206 with its place in the whole, of the bytes as they are."""
    whole = BODIES[path]
    reply = server.ask(path, {"Range": field, "Accept-Encoding": "gzip"})
    assert reply.status == 206
    assert reply.body == whole[part]
    start, stop, _ = part.indices(len(whole))
    assert reply.fields["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    assert int(reply.fields["content-length"]) == stop - start
    assert "content-encoding" not in reply.fields


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("field", ["bytes=99999999-", "bytes=-0"])
def test_a_part_that_is_not_there(server: Server, path: str, field: str) -> None:
    """416 tells the size."""
    reply = server.ask(path, {"Range": field})
    assert reply.status == 416
    assert reply.fields["content-range"] == f"bytes */{len(BODIES[path])}"


@pytest.mark.parametrize(
    "field",
    ["bytes=5-2", "bytes=a-b", "bytes=-", "bytes=0-1,5-6", "items=0-5", "bytes=1", ""],
)
def test_what_is_no_range_gets_the_whole(server: Server, field: str) -> None:
    """And so does a list of ranges, which §14.2 allows."""
    reply = server.ask("/media/episode.mp3", {"Range": field})
    assert reply.status == 200
    assert reply.body == EPISODE
    assert reply.fields["accept-ranges"] == "bytes"


def test_a_player_goes_on_with_the_same_file_only(server: Server) -> None:
    """If-Range with the tag or the date that it has; else the whole, from the beginning."""
    path = "/media/episode.mp3"
    first = server.ask(path).fields
    part = {"Range": "bytes=1000-"}
    for validator in (first["etag"], first["last-modified"]):
        assert server.ask(path, {**part, "If-Range": validator}).status == 206
    for validator in ('"old"', f"W/{first['etag']}", "Sat, 01 Jan 2000 00:00:00 GMT"):
        reply = server.ask(path, {**part, "If-Range": validator})
        assert reply.status == 200
        assert reply.body == EPISODE


def test_head_has_no_ranges(server: Server) -> None:
    """A range means something to GET alone (§14.2); HEAD tells the size and that there are."""
    reply = server.ask("/media/episode.mp3", {"Range": "bytes=0-9"}, "HEAD")
    assert reply.status == 200
    assert reply.fields["accept-ranges"] == "bytes"
    assert int(reply.fields["content-length"]) == len(EPISODE)


def test_a_client_that_has_it_needs_no_part(server: Server) -> None:
    """304 comes before 206 (§13.2.2)."""
    tag = server.ask("/media/episode.mp3").fields["etag"]
    fields = {"Range": "bytes=0-9", "If-None-Match": tag}
    assert server.ask("/media/episode.mp3", fields).status == 304


@given(st.text("bytes=-,0123456789 x", max_size=40), st.integers(0, 10**6))
def test_a_span_lies_in_the_file(field: str, size: int) -> None:
    """Whatever is asked."""
    span = parse_range(field, size)
    assert span is None or 0 <= span.start <= span.stop <= size


def test_numbers_without_end_are_no_range() -> None:
    """A thousand digits are passed over, not computed with."""
    assert parse_range("bytes=0-" + "9" * 5000, 10) is None
    assert parse_range("bytes=2-3", 10) == Span(2, 4)

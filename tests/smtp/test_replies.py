"""Bytes become replies: whole, in order, within bounds, or the conversation is over."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.smtp.replies import (
    KNOWN_LIMIT,
    LINE_LIMIT,
    REPLY_LIMIT,
    MalformedReplyError,
    ReplyReader,
)

REPLIES = b"250 2.1.0 ok\r\n250-first\r\n250 second\r\n354\r\n550-5.1.1 no\r\n550 5.1.1 one\r\n"


@given(st.lists(st.integers(0, len(REPLIES)), max_size=12))
def test_where_the_bytes_are_cut_does_not_matter(cuts: list[int]) -> None:
    """TCP keeps the order of bytes, not their grouping."""
    reader = ReplyReader()
    edges = [0, *sorted(cuts), len(REPLIES)]
    replies = [
        str(reply)
        for start, end in pairwise(edges)
        for reply in reader.feed(REPLIES[start:end])
    ]
    assert replies == ["250 2.1.0 ok", "250 first second", "354", "550 5.1.1 no one"]


@pytest.mark.parametrize(
    "line",
    [
        b"25\r\n",
        b"250ok\r\n",
        b"2500 ok\r\n",
        b"+25 ok\r\n",
        b" 250 ok\r\n",
        b"250 ok\n",
        b"150 wait\r\n",
        b"650 ok\r\n",
        b"270 ok\r\n",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"250-ok\r\n251 ok\r\n",
        "٢٥٠ ok\r\n".encode(),
    ],
)
def test_a_line_that_is_no_reply_ends_the_conversation(line: bytes) -> None:
    """Nothing is guessed: a lenient reader would take `25` for a code, too."""
    with pytest.raises(MalformedReplyError):
        list(ReplyReader().feed(line))


def test_whole_replies_before_the_nonsense_still_count() -> None:
    """A verdict is a verdict, whatever the server says next."""
    replies = iter(ReplyReader().feed(b"250 kept\r\nnonsense\r\n"))
    assert next(replies).code == 250
    with pytest.raises(MalformedReplyError):
        next(replies)


@pytest.mark.parametrize("flood", [b"x", b"250-x\r\n", b"250-"])
def test_a_server_cannot_fill_the_memory(flood: bytes) -> None:
    """Lines without an end and replies without an end are cut off."""
    reader = ReplyReader()

    def read() -> None:
        for _ in range(1 + 2 * (LINE_LIMIT + REPLY_LIMIT) // len(flood)):
            list(reader.feed(flood))

    with pytest.raises(MalformedReplyError):
        read()


def read(reader: ReplyReader, chunks: list[bytes]) -> list[str]:
    """Every reply, and the error that ends them."""
    replies = []
    try:
        for chunk in chunks:
            for reply in reader.feed(chunk):
                replies.append(repr(reply))  # noqa: PERF401 - those before an error count
    except MalformedReplyError:
        replies.append("malformed")
    return replies


PIECES = [
    *(b"250 2.1.0 fine\r\n", b"250 2.1.5 fine\r\n", b"354 go on\r\n", b"250\r\n"),
    *(b"250-more\r\n", b"550-5.1.1 no\r\n", b"550 5.1.1 no\r\n", b"250 \r x\r\n"),
    *(b"250 lf\n", b"25", b"\r\n", b"\n", b"\r", b"250 2.0.0 queued as 1A\r\n"),
    *(b"150 no\r\n", "250 받음\r\n".encode(), b"250 \xff\r\n", b"250  a\tb \r\n"),
]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6), max_size=6))
def test_lines_that_are_known_are_read_like_any_other(
    messages: list[list[bytes]],
) -> None:
    """What is looked up is what reading octet by octet gives, errors included."""
    chunks = [b"".join(pieces) for pieces in messages]
    octets = [bytes([octet]) for chunk in chunks for octet in chunk]
    assert read(ReplyReader(), chunks) == read(ReplyReader(), octets)


def test_what_is_remembered_is_bounded() -> None:
    """A server with a new queue id for each message fills no memory."""
    reader = ReplyReader()
    for number in range(10 * KNOWN_LIMIT):
        (reply,) = reader.feed(b"250 2.0.0 queued as %d\r\n" % number)
        assert reply.text == f"queued as {number}"
    assert len(reader._known) == KNOWN_LIMIT


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_an_error(data: bytes) -> None:
    """No input raises anything else, and every reply is one line of text."""
    reader = ReplyReader()
    try:
        for reply in reader.feed(data):
            assert 200 <= reply.code < 600
            assert str(reply).isprintable() or not str(reply).isascii()
            assert "\n" not in str(reply)
    except MalformedReplyError:
        pass

"""Conditional requests (RFC 9110 §13): 304 when, and only when, the client has the file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from postroom.web.conditions import judge, parse_date, range_holds

if TYPE_CHECKING:
    from tests.web.served import Server

REPEATED = ("etag", "last-modified", "cache-control", "vary")
OLD = "Sat, 01 Jan 2000 00:00:00 GMT"
NEW = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {} , W/"y"', "*"])
def test_a_client_that_has_it_is_told_so(
    server: Server, coding: str, form: str
) -> None:
    """By its tag, weak or strong, alone or in a list; without a body, with what it must repeat."""
    accept = {"Accept-Encoding": coding}
    first = server.ask("/atom.xml", accept)
    tag = first.fields["etag"].removeprefix("W/")
    again = server.ask("/atom.xml", {**accept, "If-None-Match": form.format(tag)})
    assert again.status == 304
    assert again.body == b""
    for name in REPEATED:
        assert again.fields[name] == first.fields[name]
    assert "content-type" not in again.fields
    assert "content-length" not in again.fields


@pytest.mark.parametrize(
    "tags", ['"x"', 'W/"x", "y"', "", "atom", '"x', "*, *", 'w/"{tag}"x']
)
def test_another_tag_gets_the_file(server: Server, tags: str) -> None:
    """Also one that is malformed, and also when the date alone would say 304."""
    tag = server.ask("/atom.xml").fields["etag"].strip('"')
    fields = {"If-None-Match": tags.format(tag=tag[:-1]), "If-Modified-Since": NEW}
    assert server.ask("/atom.xml", fields).status == 200


def test_a_tag_is_of_one_coding(server: Server) -> None:
    """A cache that holds Brotli must not give it to a client that takes gzip alone."""
    tags = {
        coding: server.ask("/atom.xml", {"Accept-Encoding": coding}).fields["etag"]
        for coding in ("identity", "gzip", "br")
    }
    assert len(set(tags.values())) == 3
    assert not tags["identity"].startswith("W/")
    assert tags["br"].startswith("W/")
    fields = {"Accept-Encoding": "gzip", "If-None-Match": tags["br"]}
    assert server.ask("/atom.xml", fields).status == 200


def test_dates_count_by_seconds(server: Server) -> None:
    """The date that was sent and any later one is 304, in all three forms of §5.6.7."""
    sent = server.ask("/atom.xml").fields["last-modified"]
    when = parsedate_to_datetime(sent)
    earlier = format_datetime(when - timedelta(seconds=1), usegmt=True)
    forms = [
        sent,
        NEW,
        f"{when:%A, %d-%b-%y %H:%M:%S GMT}",
        f"{when:%a %b %e %H:%M:%S %Y}",
    ]
    for date in forms:
        reply = server.ask("/atom.xml", {"If-Modified-Since": date})
        assert reply.status == 304, date
    for date in (earlier, OLD, "yesterday", "", sent + ", " + sent):
        reply = server.ask("/atom.xml", {"If-Modified-Since": date})
        assert reply.status == 200, date


def test_the_tag_wins_over_the_date(server: Server) -> None:
    """The right tag with an old date is 304 (§13.1.3)."""
    tag = server.ask("/atom.xml").fields["etag"]
    fields = {"If-None-Match": tag, "If-Modified-Since": OLD}
    assert server.ask("/atom.xml", fields).status == 304


def test_who_wants_the_rest_of_another_version_gets_none(server: Server) -> None:
    """If-Match and If-Unmodified-Since fail with 412; a weak tag matches nothing strongly."""
    tag = server.ask("/media/episode.mp3").fields["etag"]
    path = "/media/episode.mp3"
    assert server.ask(path, {"If-Match": tag}).status == 200
    assert server.ask(path, {"If-Match": "*"}).status == 200
    assert server.ask(path, {"If-Match": '"x"'}).status == 412
    assert server.ask(path, {"If-Match": f"W/{tag}"}).status == 412
    assert server.ask(path, {"If-Unmodified-Since": OLD}).status == 412
    assert server.ask(path, {"If-Unmodified-Since": NEW}).status == 200


def test_equal_bytes_keep_the_tag(own: Server) -> None:
    """A file that was built again or copied has a new date and its old tag."""
    file = own.public / "atom.xml"
    first = own.ask("/atom.xml")
    data = file.read_bytes()
    file.unlink()
    file.write_bytes(data)
    os.utime(file, (10**9, 10**9))
    again = own.ask("/atom.xml")
    assert again.fields["etag"] == first.fields["etag"]
    assert again.fields["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    file.write_bytes(data + b" ")
    assert own.ask("/atom.xml").fields["etag"] != first.fields["etag"]


def test_a_file_of_this_second_has_no_date(own: Server) -> None:
    """Another version may follow within the second, and one to come contradicts Date."""
    file = own.public / "atom.xml"
    for ahead in (0, 3600):
        then = (datetime.now(UTC) + timedelta(seconds=ahead)).timestamp()  # noqa: TID251 - the file system has this clock
        os.utime(file, (then, then))
        reply = own.ask("/atom.xml", {"If-Modified-Since": NEW})
        assert reply.status == 200
        assert "last-modified" not in reply.fields


def test_a_weak_tag_is_no_base_for_a_range() -> None:
    """If-Range compares strongly, a date exactly (§13.1.5)."""
    assert range_holds(None, 'W/"a"', None)
    assert range_holds('"a"', '"a"', None)
    assert not range_holds('W/"a"', 'W/"a"', None)
    assert not range_holds('W/"a"', '"a"', None)
    assert range_holds("Sun, 09 Sep 2001 01:46:40 GMT", '"a"', 10**9)
    assert not range_holds("Sun, 09 Sep 2001 01:46:41 GMT", '"a"', 10**9)
    assert not range_holds("soon", '"a"', None)


def test_without_a_date_of_ours_dates_decide_nothing() -> None:
    """Neither 304 nor 412."""
    assert judge({"if-modified-since": NEW}, '"a"', None) is None
    assert judge({"if-unmodified-since": OLD}, '"a"', None) is None
    assert parse_date("Fri, 31 Dec 9999 23:59:60 GMT") is None

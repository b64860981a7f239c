"""Content codings: what a client gets for its Accept-Encoding (RFC 9110 §12.5.3)."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.files.compressed import Coding, compress
from postroom.web.codings import choose_coding
from tests.web.served import FILES, put

if TYPE_CHECKING:
    from tests.web.served import Server

UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
CHOSEN = {
    None: None,
    "": None,
    "identity": None,
    "gzip": "gzip",
    "x-gzip": "gzip",
    "GZIP": "gzip",
    "gzip, deflate": "gzip",
    "gzip, deflate, br, zstd": "br",
    "br;q=0.5, gzip": "gzip",
    "br ; Q = 0.5 , gzip;q=0.5": "br",
    "gzip;q=0": None,
    "gzip;q=0, br;q=0.001": "br",
    "*": "br",
    "*;q=0.1": "br",
    "br;q=0, *": "gzip",
    "*;q=0": None,
    "identity;q=0": None,
    "identity;q=0, gzip": "gzip",
    "identity;q=0, *;q=0": None,
    "gzip;q=0.5, identity": None,
    "gzip;q=0.5, identity;q=0.5": "gzip",
    "gzip;q=0.5, *;q=0": "gzip",
    "gzip;q=2, br;q=x": None,
    "gzip;;q=1": None,
    "deflate": None,
    ",,gzip,": "gzip",
    "gzip" + ", a" * 1000: None,
}


@pytest.mark.parametrize("field", CHOSEN)
def test_the_client_decides(field: str | None) -> None:
    """The best of what it weighs; Brotli before gzip; plain bytes where nothing fits."""
    assert choose_coding(field) == CHOSEN[field]


@given(st.text(max_size=600))
def test_no_field_is_an_error(field: str) -> None:
    """Whatever it holds."""
    assert choose_coding(field) in {None, *Coding}


@pytest.mark.parametrize("field", ["br", "gzip", "gzip, br", "identity", "*;q=0"])
def test_every_text_comes_back_whole(server: Server, field: str) -> None:
    """In the coding that is named, with its true length."""
    for path, text in FILES.items():
        address = "/" + path.removesuffix("index.html")
        reply = server.ask(address, {"Accept-Encoding": field})
        coding = reply.fields.get("content-encoding")
        assert UNPACK[coding](reply.body) == text.encode()
        assert int(reply.fields["content-length"]) == len(reply.body)
        is_small = len(text.encode()) < 256
        wanted = None if is_small else choose_coding(field)
        assert coding == wanted, path


def test_what_is_compressed_already_is_sent_as_it_is(server: Server) -> None:
    """Sound and pictures gain nothing."""
    reply = server.ask("/media/episode.mp3", {"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in reply.fields


def test_a_file_beside_it_is_sent_when_it_holds_the_same(own: Server) -> None:
    """Whatever its date: a copied folder has new dates, a killed build an old file."""
    file = own.public / "atom.xml"
    data = file.read_bytes()
    packed = dict(zip(("gzip", "br"), compress(data), strict=True))
    put(own.public / "atom.xml.gz", packed["gzip"])
    put(own.public / "atom.xml.br", packed["br"])
    for coding, best in packed.items():
        assert own.ask("/atom.xml", {"Accept-Encoding": coding}).body == best


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"no gzip",
        gzip.compress(b"another feed " * 20),
        gzip.compress(bytes(50_000_000)),
        gzip.compress(FILES["rss.xml"].encode())[:-3],
        gzip.compress(FILES["rss.xml"].encode()) + b"more",
    ],
    ids=["empty", "noise", "other", "bomb", "cut", "more"],
)
def test_a_file_beside_it_that_holds_something_else_is_passed_over(
    own: Server, wrong: bytes
) -> None:
    """Old, broken, cut off or a bomb: what is sent is the file."""
    put(own.public / "rss.xml.gz", wrong)
    reply = own.ask("/rss.xml", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(reply.body) == FILES["rss.xml"].encode()


def test_a_compressed_file_may_be_fetched_itself(own: Server) -> None:
    """By its own name it is a file like others, and not compressed once more."""
    put(own.public / "atom.xml.gz", gzip.compress(b"x" * 1000))
    reply = own.ask("/atom.xml.gz", {"Accept-Encoding": "br, gzip"})
    assert reply.fields["content-type"] == "application/gzip"
    assert "content-encoding" not in reply.fields

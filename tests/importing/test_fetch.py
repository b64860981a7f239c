"""Addresses are fetched within bounds, and those of strangers never lead inwards."""

from __future__ import annotations

import base64
import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from postroom.errors import SourceAwayError, SourceError
from postroom.importing import fetch
from postroom.importing.fetch import Fetcher, NotFetchedError, is_public
from postroom.importing.fields import Choices
from postroom.importing.pictures import decode_data, ending_of, stem_of
from postroom.importing.run import Importer, Options, Outcome
from tests.importing.conftest import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ITEM = "<item><title>{0}</title><guid>https://f.example/{0}</guid><pubDate>Mon, 0{0} Jan 2024 00:00:00 GMT</pubDate><description>{1}</description></item>"


class Server(BaseHTTPRequestHandler):
    """Answers from a table; counts what was asked."""

    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        status, headers, data = self.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback; its address without the last slash."""
    Server.answers.clear()
    Server.asked.clear()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


def answer(path: str, data: bytes | str, status: int = 200, **headers: str) -> None:
    """Let the server answer."""
    octets = data.encode() if isinstance(data, str) else data
    Server.answers[path] = (
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        octets,
    )


def rss(*items: str, extra: str = "") -> str:
    """A feed."""
    return f'<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title>{extra}{"".join(items)}</channel></rss>'


def run(folder: Path, url: str, **options: Any) -> tuple[list[Outcome], list[str]]:
    """Import an address."""
    importer = Importer(
        rules=RULES,
        options=Options(folder=folder, choices=Choices(language="ko"), **options),
    )
    steps = list(importer.run(url, None))  # type: ignore[arg-type]
    outcomes = [step for step in steps if isinstance(step, Outcome)]
    return outcomes, [step.message for step in steps if not isinstance(step, Outcome)]


def test_an_address_is_imported(server: str, tmp_path: Path) -> None:
    """The operator's own address may be anywhere, also on this machine."""
    answer("/feed", "", 301, Location="/moved")
    answer(
        "/moved",
        gzip.compress(rss(ITEM.format(1, "one")).encode()),
        Content_Encoding="gzip",
    )
    outcomes, _ = run(tmp_path, f"{server}/feed")
    assert [outcome.path for outcome in outcomes] == ["2024-01-01-1.md"]


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (404, {}, SourceError), (503, {}, SourceAwayError), (301, {"Location": "/feed"}, SourceError),
        (301, {"Location": "file:///etc/passwd"}, SourceError), (301, {"Location": "http://[::"}, SourceError),
        (200, {"Content-Encoding": "gzip"}, SourceError),
    ],
    ids=["missing", "later", "circle", "file", "no-address", "damaged"],
)  # fmt: skip
def test_what_cannot_be_fetched_is_said(
    server: str,
    tmp_path: Path,
    status: int,
    headers: dict[str, str],
    error: type[Exception],
) -> None:
    """What may pass ends with 75, what will not with 1."""
    Server.answers["/feed"] = (status, headers, b"\x1f\x8bx")
    with pytest.raises(error):
        run(tmp_path, f"{server}/feed")


def test_nobody_there(tmp_path: Path) -> None:
    """Try again later."""
    with pytest.raises(SourceAwayError):
        run(tmp_path, "http://127.0.0.1:9/feed")


def test_a_redirect_leads_no_stranger_inwards(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that was not named must be public, on every step."""
    fetcher = Fetcher()
    with pytest.raises(NotFetchedError, match="private address"):
        fetcher.get(f"{server}/x", 100)
    answer("/x", "", 302, Location=server.replace("127.0.0.1", "localhost") + "/inner")
    fetcher.trusted.add("127.0.0.1")
    with pytest.raises(NotFetchedError, match="private address"):
        fetcher.get(f"{server}/x", 100)
    assert Server.asked == ["/x"]


def test_limits_hold(server: str) -> None:
    """Of size, also of what is packed."""
    fetcher = Fetcher(allow_private=True)
    answer("/big", b"x" * 2_000_000)
    answer("/packed", gzip.compress(b"x" * 2_000_000), Content_Encoding="gzip")
    for path in ("/big", "/packed"):
        with pytest.raises(NotFetchedError, match="more than 1 MiB"):
            fetcher.get(server + path, 1 << 20)


def test_a_server_that_drips_ends(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a deadline for the whole answer."""
    monkeypatch.setattr(fetch, "DEADLINE", -1.0)
    answer("/slow", b"x" * 100)
    with pytest.raises(NotFetchedError, match="no end in time"):
        Fetcher(allow_private=True).get(f"{server}/slow", 1000)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "100.64.0.1",
        "255.255.255.255",
    ],
)
def test_private_addresses(address: str) -> None:
    """However they are written."""
    assert not is_public(address)
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


def test_pictures_come_along(server: str, tmp_path: Path) -> None:
    """Each is fetched once, named by its address, and shown from beside the post."""
    answer("/a/dot.png", PNG)
    answer("/fake.jpg", b"<html>")
    text = f"&lt;img src='{server}/a/dot.png'&gt;&lt;img src='{server}/fake.jpg'&gt;&lt;img src='{server}/gone.png'&gt;"
    answer("/feed", rss(ITEM.format(1, text), ITEM.format(2, text)))
    outcomes, _ = run(tmp_path, f"{server}/feed", pictures=True, allow_private=True)
    (picture,) = (tmp_path / "media").iterdir()
    assert picture.read_bytes() == PNG
    body = (tmp_path / "2024-01-01-1.md").read_text(encoding="utf-8")
    assert f"![](media/{picture.name})" in body
    assert f"![]({server}/gone.png)" in body
    assert [outcome.pictures for outcome in outcomes] == [1, 1]
    notes = [note.message for note in outcomes[0].notes]
    assert any("fake.jpg" in note and "no PNG" in note for note in notes)
    assert any("gone.png" in note and "404" in note for note in notes)
    assert sorted(Server.asked) == ["/a/dot.png", "/fake.jpg", "/feed", "/gone.png"]


def test_pictures_are_not_fetched_from_inside(server: str, tmp_path: Path) -> None:
    """The feed's own host is no exception: its items name what they like."""
    answer("/feed", rss(ITEM.format(1, f"&lt;img src='{server}/dot.png'&gt;")))
    outcomes, _ = run(tmp_path, f"{server}/feed", pictures=True)
    assert Server.asked == ["/feed"]
    assert "--allow-private" in outcomes[0].notes[0].message


def test_without_the_word_nothing_is_fetched(server: str, tmp_path: Path) -> None:
    """Pictures stay where they are."""
    answer("/feed", rss(ITEM.format(1, f"&lt;img src='{server}/dot.png'&gt;")))
    outcomes, _ = run(tmp_path, f"{server}/feed", allow_private=True)
    assert Server.asked == ["/feed"]
    assert not outcomes[0].notes


def test_older_pages_are_followed(server: str, tmp_path: Path) -> None:
    """RFC 5005, JSON Feed's next_url, and WordPress's numbers, each to its end."""
    answer(
        "/a",
        rss(
            ITEM.format(1, "x"),
            extra=f'<atom:link rel="prev-archive" href="{server}/b"/>',
        ),
    )
    answer(
        "/b",
        rss(
            ITEM.format(2, "x"),
            extra=f'<atom:link rel="prev-archive" href="{server}/a"/>',
        ),
    )
    outcomes, _ = run(tmp_path / "1", f"{server}/a", follow=True)
    assert [outcome.state for outcome in outcomes if outcome.state == "written"] == [
        "written"
    ] * 2
    answer(
        "/j",
        '{"items": [{"id": "https://j.example/1", "content_text": "x"}], "next_url": "j2"}',
    )
    answer("/j2", '{"items": [{"id": "https://j.example/2", "content_text": "x"}]}')
    outcomes, _ = run(tmp_path / "2", f"{server}/j", follow=True)
    assert len(outcomes) == 2
    word = "<generator>https://wordpress.org/?v=6.4</generator>"
    answer("/w/?cat=3", rss(ITEM.format(1, "x"), extra=word))
    answer("/w/?cat=3&paged=2", rss(ITEM.format(2, "x"), extra=word))
    outcomes, notes = run(tmp_path / "3", f"{server}/w/?cat=3", follow=True)
    assert len(outcomes) == 2
    assert "paged=3" in notes[0]
    assert len(run(tmp_path / "4", f"{server}/a")[0]) == 1


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (PNG, ".png"), (b"\xff\xd8\xff\xe0", ".jpg"), (b"GIF89a", ".gif"), (b"RIFF0000WEBPVP8", ".webp"),
        (b"\0\0\0\x1cftypavif", ".avif"), (b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0"/></svg>', ".svg"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg></svg>", ".svg"),
        (b"<svg><script>1</script></svg>", ""), (b"<svg onload='x'>", ""), (b"<svg><a href='javascript:1'/></svg>", ""),
        (b"<svg><foreignObject/></svg>", ""), (b"<svg><image xlink:href='http://x/'/></svg>", ""),
        (b"<html><svg></svg>", ""), (b"", ""), (b"BM", ""),
    ],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
def test_pictures_are_known_by_their_octets(data: bytes, ending: str) -> None:
    """A drawing that runs or fetches anything is none."""
    assert ending_of(data) == ending


def test_names_of_pictures() -> None:
    """Readable, safe, and apart for two addresses."""
    assert stem_of("https://x.example/a/../강 가.JPG?w=3").startswith("강-가-")
    assert stem_of("https://x.example/1.png") != stem_of("https://y.example/1.png")
    assert "/" not in stem_of("https://x.example/%2e%2e%2fetc%2fpasswd")
    assert decode_data("data:image/png;base64,iVBORw0KGgo=") == b"\x89PNG\r\n\x1a\n"

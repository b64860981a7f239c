"""An output folder is a table of ids: every feed in it is read, the sound ones once."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from postroom.cli.id_sources import read_sources
from postroom.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY = "blog.example,2026-11-01"


def atom(*numbers: int) -> str:
    """An Atom feed of entries with these numbers."""
    entries = "".join(
        f"<entry><id>tag:{AUTHORITY}:{number:016x}</id></entry>" for number in numbers
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


def json_feed(*numbers: int) -> str:
    """A JSON Feed of the same."""
    items = [{"id": f"tag:{AUTHORITY}:{number:016x}"} for number in numbers]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})


def put(root: Path, **files: str) -> None:
    """Write files; `__` is a slash and `_` a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def numbers_in(*names: Path | str) -> list[int]:
    """The numbers of all entries, in the order they were read."""
    sources = read_sources(map(str, names))
    return [int(entry.id.rpartition(":")[2], 16) for entry in sources.entries]


def test_a_folder_is_read_from_the_top_down(tmp_path: Path) -> None:
    """Main feeds, then archives and tags; of the formats of one feed the first."""
    put(
        tmp_path,
        atom_xml=atom(1, 2),
        rss_xml=atom(9),
        feed_json=json_feed(9),
        archive__2026m01_atom=atom(3),
        archive__2026m01_json=json_feed(9),
        archive__2026m02_json=json_feed(4),
        tags__여행__feed_json=json_feed(5),
        search_json='{"posts": []}',
        posts__a__index_html="<p>",
    )

    assert numbers_in(tmp_path) == [1, 2, 3, 4, 5]
    assert read_sources([str(tmp_path)]).authority == AUTHORITY


def test_a_damaged_feed_is_made_up_for_by_the_others(tmp_path: Path) -> None:
    """It is named, and the same feed in the next format is read."""
    put(
        tmp_path, atom_xml=atom(1, 2)[:-40], feed_json=json_feed(1, 2), rss_xml="<rss/>"
    )

    sources = read_sources([str(tmp_path)])

    assert {entry.id[-1] for entry in sources.entries} == {"1", "2"}
    (problem,) = sources.problems
    assert problem.path == str(tmp_path / "atom.xml")


def test_tables_and_feeds_may_be_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what they hold, not by name; `-` is standard input; a table's authority wins."""
    put(tmp_path, some_xml=atom(1))
    head = {"format": "postroom ids", "version": 1, "authority": "a.example,2020-01-01"}
    lines = f"{json.dumps(head)}\n{json.dumps({'id': 'x:1', 'path': 'a.md'})}\n"
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode()), encoding="utf-8")
    )

    sources = read_sources([str(tmp_path / "some.xml"), "-"])

    assert len(sources.entries) == 1
    assert [row.path for row in sources.table.rows] == ["a.md"]
    assert sources.authority == "a.example,2020-01-01"
    assert not sources.is_empty()


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be read stops all; a folder without feeds, and a huge file, not."""
    with pytest.raises(ConfigError, match=r"none\.xml: No such file"):
        read_sources([str(tmp_path / "none.xml")])
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    (tmp_path / "empty").mkdir()

    sources = read_sources([str(huge), str(tmp_path / "empty")])

    assert sources.is_empty()
    assert [problem.message for problem in sources.problems] == [
        "larger than 64 MiB",
        "no feeds in this folder",
    ]

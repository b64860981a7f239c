"""The output folder: whole files, only what changed, nothing outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.files.output import TEMPORARY, Output, OutputError, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    """Modification times stay, so web servers answer 304 rightly."""
    output = Output(root=tmp_path / "public")
    output.write("a/b.html", b"one")
    before = (tmp_path / "public/a/b.html").stat()
    again = Output(root=tmp_path / "public")
    again.write("a/b.html", b"one")
    assert (output.written, again.written, again.unchanged) == (1, 0, 1)
    after = (tmp_path / "public/a/b.html").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


@pytest.mark.parametrize("there", [b"", b"on", b"one and more", b"two"])
def test_other_bytes_are_replaced_whole(tmp_path: Path, there: bytes) -> None:
    """Shorter, longer, or a half-written one: no unfinished file stays behind."""
    (tmp_path / "a").write_bytes(there)
    Output(root=tmp_path).write("a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    """It tells what would be written, copied and removed."""
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "picture").write_bytes(b"png")
    output = Output(root=tmp_path / "public", dry=True)
    output.write("a", b"one")
    output.copy("media/p", tmp_path / "picture")
    assert output.written == 2
    assert not (tmp_path / "public").exists()
    removing = Output(root=tmp_path, dry=True)
    removing.remove("old")
    assert removing.written == 1
    assert (tmp_path / "old").exists()


def test_files_are_copied_when_they_differ(tmp_path: Path) -> None:
    """By bytes, not by time."""
    source = tmp_path / "x.png"
    source.write_bytes(b"a" * 3_000_000)
    for data, written in [(source.read_bytes(), 1), (b"b" * 3_000_000, 1)]:
        source.write_bytes(data)
        output = Output(root=tmp_path / "public")
        output.copy("media/x.png", source)
        output.copy("media/x.png", source)
        assert (output.written, output.unchanged) == (written, 1)
    assert (tmp_path / "public/media/x.png").read_bytes() == data


def test_what_vanished_is_removed_with_its_empty_folders(tmp_path: Path) -> None:
    """A draft that was public must not stay readable; other people's files stay."""
    output = Output(root=tmp_path)
    output.write("posts/a/index.html", b"x")
    output.write("posts/index.html", b"x")
    output.remove("posts/a/index.html")
    output.remove("posts/never/there.html")
    assert not (tmp_path / "posts/a").exists()
    assert (tmp_path / "posts/index.html").exists()


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "a//x", ""])
def test_nothing_is_written_outside(tmp_path: Path, path: str) -> None:
    """Whatever a slug or a template asks for."""
    with pytest.raises(OutputError):
        Output(root=tmp_path / "public").write(path, b"x")


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder should be, a folder where a file should be."""
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").mkdir()
    for path in ("a/x", "b"):
        with pytest.raises(OutputError, match="permissions"):
            Output(root=tmp_path).write(path, b"x")


def test_a_state_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    """0600, and an unfinished one of a killed run is no obstacle."""
    (tmp_path / ("state" + TEMPORARY)).write_bytes(b"torn")
    write_whole(tmp_path / "state", b"new")
    assert (tmp_path / "state").read_bytes() == b"new"
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600

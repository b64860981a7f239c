"""The walk of the posts folder: everything an author meant, nothing from elsewhere."""

from __future__ import annotations

import errno
import os
import unicodedata
from pathlib import Path

import pytest

from postroom.errors import ConfigError, PostError, PostroomError
from postroom.files.folder import Folder, read_source, walk_folder


def walk(root: Path) -> Folder:
    """Walk with every `.md` as a post."""
    return walk_folder(root, lambda path: path.endswith(".md"))


def make(root: Path, *paths: str) -> None:
    """Write small files."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path, encoding="utf-8")


def test_posts_and_files_are_told_apart(tmp_path: Path) -> None:
    """Hidden names and build folders are passed over."""
    make(
        tmp_path, "a.md", "b/index.md", "b/x.png", ".git/x.md", ".a.md.swp",
        "node_modules/r/README.md", "_site/a.md",
    )  # fmt: skip
    folder = walk(tmp_path)
    assert list(folder.posts) == ["a.md", "b/index.md"]
    assert list(folder.files) == ["b/x.png"]
    assert read_source(folder, "b/index.md").data == b"b/index.md"


def test_names_are_compared_as_nfc(tmp_path: Path) -> None:
    """A folder from macOS gives the same keys, and its files are still found."""
    composed, decomposed = (unicodedata.normalize(f, "한글.md") for f in ("NFC", "NFD"))
    make(tmp_path, decomposed)
    folder = walk(tmp_path)
    assert list(folder.posts) == [composed]
    assert read_source(folder, composed).data == decomposed.encode()
    make(tmp_path, composed)
    assert "how Unicode writes" in walk(tmp_path).problems[0].message


def test_links_stay_inside(tmp_path: Path) -> None:
    """A link out of the folder, a loop and a dangling one are passed over."""
    root = tmp_path / "posts"
    make(tmp_path, "secret.md", "posts/a.md", "posts/sub/b.md")
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "up").symlink_to(tmp_path)
    (root / "sub" / "loop").symlink_to(root)
    (root / "same.md").symlink_to(root / "a.md")
    (root / "gone.md").symlink_to(root / "nothing.md")
    assert list(walk(root).posts) == ["a.md", "same.md", "sub/b.md"]


def test_special_files_are_no_posts(tmp_path: Path) -> None:
    """A pipe would block the run; a folder may be called x.md."""
    make(tmp_path, "a.md", "x.md/b.md")
    os.mkfifo(tmp_path / "pipe.md")
    assert list(walk(tmp_path).posts) == ["a.md", "x.md/b.md"]


def test_a_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """An old archive may hold CP949 names; the others are published."""
    make(tmp_path, "a.md")
    (Path(os.fsdecode(os.fsencode(str(tmp_path)) + b"/\xc7\xd1.md"))).write_text("x")
    folder = walk(tmp_path)
    assert list(folder.posts) == ["a.md"]
    assert folder.problems[0].cure == "rename it"


def test_what_cannot_be_read_is_a_post_error(tmp_path: Path) -> None:
    """The file vanished after the walk."""
    make(tmp_path, "a.md")
    folder = walk(tmp_path)
    (tmp_path / "a.md").unlink()
    with pytest.raises(PostError, match=r"a\.md: cannot be read"):
        read_source(folder, "a.md")


def test_no_folder_is_a_configuration_fault(tmp_path: Path) -> None:
    """The setting is named."""
    with pytest.raises(ConfigError, match=r"posts\.folder"):
        walk(tmp_path / "nowhere")


def test_a_changed_file_has_another_stamp(tmp_path: Path) -> None:
    """Size, time of content or time of the inode."""
    make(tmp_path, "a.md")
    before = walk(tmp_path).posts["a.md"]
    os.utime(tmp_path / "a.md", ns=(0, before.modified_ns))
    assert walk(tmp_path).posts["a.md"] != before


def test_a_folder_that_cannot_be_listed_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its posts must not look as if the author had deleted them."""
    make(tmp_path, "a.md", "b/c.md")
    scan = os.scandir

    def broken(path: Path) -> object:
        if path.name == "b":
            raise OSError(errno.EIO, "Input/output error")
        return scan(path)

    monkeypatch.setattr(os, "scandir", broken)
    with pytest.raises(PostroomError, match=r"b: cannot be listed \(Input/output"):
        walk(tmp_path)

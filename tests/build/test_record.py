"""The record of a build: believed only when it proves that nothing changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from postroom.build.record import (
    RACY_NS,
    Counts,
    Record,
    base_of,
    dump_record,
    inputs_of,
    is_racy,
    read_record,
    still_true,
)
from postroom.config.reading import read_config
from postroom.errors import Problem
from postroom.files.folder import Folder, Stamp
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RECORD = Record(
    inputs="abc",
    base=-7,
    until=datetime(2026, 12, 1, tzinfo=UTC),
    counts=Counts(published=3, drafts=1),
    problems=(Problem(path="글.md", line=2, message="x", cure="y"),),
    sizes={"index.html": 5},
)


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    """Problems too, so that an idle run names them again."""
    (tmp_path / "build.json").write_bytes(dump_record(RECORD))
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"inputs": 1}', b"\xff"])
def test_a_damaged_one_is_none(tmp_path: Path, data: bytes) -> None:
    """It costs a build and nothing else."""
    (tmp_path / "build.json").write_bytes(data)
    assert read_record(tmp_path) is None


def test_it_holds_while_inputs_time_and_files_do(tmp_path: Path) -> None:
    """Other inputs, a post whose hour came, a missing or shortened file: build."""
    (tmp_path / "index.html").write_bytes(b"12345")
    assert still_true(RECORD, "abc", NOW, tmp_path)
    assert not still_true(RECORD, "abd", NOW, tmp_path)
    assert not still_true(RECORD, "abc", datetime(2026, 12, 1, tzinfo=UTC), tmp_path)
    (tmp_path / "index.html").write_bytes(b"1234")
    assert not still_true(RECORD, "abc", NOW, tmp_path)
    (tmp_path / "index.html").unlink()
    assert not still_true(RECORD, "abc", NOW, tmp_path)


def test_a_file_changed_just_before_the_run_proves_nothing(tmp_path: Path) -> None:
    """It may change again without a trace in size and time."""
    started = 10 * RACY_NS
    for age, racy in [(0, True), (RACY_NS - 1, True), (RACY_NS + 1, False)]:
        stamp = Stamp(1, started - age, started - age)
        assert is_racy(Folder(root=tmp_path, posts={"a.md": stamp}), started) is racy
        assert is_racy(Folder(root=tmp_path, files={"a.png": stamp}), started) is racy


def test_every_file_that_decides_the_output_is_an_input(tmp_path: Path) -> None:
    """Posts and the files beside them, by size and times."""
    folder = Folder(root=tmp_path, posts={"a.md": Stamp(1, 2, 3)})
    first = inputs_of(folder, 5)
    assert inputs_of(folder, 5) == first
    changed = Folder(root=tmp_path, posts={"a.md": Stamp(1, 2, 4)})
    assert inputs_of(changed, 5) != first
    picture = Folder(root=tmp_path, posts=folder.posts, files={"x": Stamp(1, 2, 3)})
    assert inputs_of(picture, 5) != first
    assert inputs_of(folder, 6) != first


def test_everything_else_that_decides_it_is_its_base(tmp_path: Path) -> None:
    """Settings, templates, our own code; not the mail settings."""
    (tmp_path / "postroom.toml").write_text('[site]\nurl = "https://b.example"\n')
    config = read_config(tmp_path, {})
    first = base_of(config, "code")
    assert base_of(config, "code") == first
    assert base_of(config, "other") != first
    other = replace(config, feeds=replace(config.feeds, limit=7))
    assert base_of(other, "code") != first
    monthly = replace(config.digest, default=Cadence.MONTHLY)
    assert base_of(replace(config, digest=monthly), "code") != first
    mail = replace(config, mail=replace(config.mail, reply_to="x@b.example"))
    assert base_of(mail, "code") == first
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/x.html").write_text("x")
    assert base_of(config, "code") != first

"""`init`: a site that works at once, or the settings of a blog; nothing is written over."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from postroom.config.reading import read_config
from tests.stage import Ran, Site
from tests.starting.scene import BLOGS, HUGO, JEKYLL, make_blog

if TYPE_CHECKING:
    from pathlib import Path


def init(folder: Path, *words: str, code: int = 0, **environ: str) -> Ran:
    """Run `postroom init WORDS` in a folder, without a terminal."""
    ran = subprocess.run(
        [sys.executable, "-m", "postroom", "init", *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environ},
    )
    result = Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert "Traceback" not in result.err, result.err
    assert result.code == code, (result.out, result.err)
    return result


@pytest.mark.parametrize(
    ("locale", "title"), [("ko_KR.UTF-8", "나의 블로그"), ("en_GB.UTF-8", "My blog")]
)
def test_a_new_site_works_at_once(tmp_path: Path, locale: str, title: str) -> None:
    """Settings, a first post in the language of the machine, and no questions."""
    ran = init(tmp_path, "blog", "--url", "https://blog.example", LC_ALL=locale)
    assert "wrote blog/postroom.toml" in ran.out
    assert "next: postroom -C blog check, then postroom -C blog build" in ran.out
    site = Site(tmp_path / "blog")
    assert read_config(site.root, {}).site.title == title
    assert site.run("build", "--json").json["posts"]["published"] == 1
    assert title in (site.root / "public/index.html").read_text(encoding="utf-8")


def test_an_address_that_nobody_named_is_asked_for_in_the_end(tmp_path: Path) -> None:
    """Ids are made from it, so it is said aloud and marked in the file."""
    ran = init(tmp_path)
    assert "mend site.url (https://blog.example/) before the first build" in ran.out
    assert "MEND THIS" in (tmp_path / "postroom.toml").read_text(encoding="utf-8")
    assert "next: postroom check, then postroom build" in ran.out


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """postroom.toml is the operator's own from then on."""
    init(tmp_path, "--title", "Mine")
    before = (tmp_path / "postroom.toml").read_bytes()
    ran = init(tmp_path, "--title", "Other", code=2)
    assert "is there already, and stays as it is (edit it;" in ran.err
    assert (tmp_path / "postroom.toml").read_bytes() == before


def test_a_dry_run_prints_the_file_and_writes_none(tmp_path: Path) -> None:
    """Standard output is the file itself; what there is to say goes beside it."""
    make_blog(tmp_path, HUGO)
    ran = init(tmp_path, "--from", "hugo", "--dry-run")
    assert ran.out.startswith("# postroom.toml: what `postroom init --from hugo` saw.")
    assert "Hugo: read hugo.toml; 3 posts in content/posts" not in ran.out
    assert "2 posts in content/posts" in ran.err
    assert not (tmp_path / "postroom.toml").exists()


@pytest.mark.parametrize("kind", list(BLOGS))
def test_from_alone_finds_out_whose_blog_it_is(tmp_path: Path, kind: str) -> None:
    """In every order of words; the summary says what was read."""
    make_blog(tmp_path / "blog", BLOGS[kind])
    asked = [
        ("blog", "--from"),
        ("--from", "blog"),
        ("--from", "auto", "blog"),
        ("--from", kind, "blog"),
    ]
    outs = {init(tmp_path, *words, "--dry-run").out for words in asked}
    assert len(outs) == 1
    ran = init(tmp_path, "--from", "blog")
    assert f"{kind.capitalize()}: read " in ran.out


def test_a_folder_before_the_command_counts_too(tmp_path: Path) -> None:
    """As for every other command."""
    make_blog(tmp_path / "blog", JEKYLL)
    ran = Site(tmp_path / "blog").run("init", "--from")
    assert "Jekyll: read _config.yml; 2 posts in _posts" in ran.out
    assert (tmp_path / "blog/_postroom/postroom.toml").exists()
    assert (tmp_path / "blog/_postroom/.gitignore").read_text() == (
        "feeds/\nstate/\noutbox/\n"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "wordpress"), "no such program (there are hugo, jekyll"),
        (("--from",), "no settings of Hugo, Jekyll"),
        (("--from", "hugo", "nowhere"), "no such folder"),
        (("--from", "hugo"), "no folder that Hugo keeps posts in"),
        (("--url", "not an address"), "no address of a site"),
        (("--language", "x"), "no language tag"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    """With its cure, exit code 2, and no file."""
    ran = init(tmp_path, *words, code=2)
    assert says in ran.err
    assert list(tmp_path.iterdir()) == []


def test_plain_init_in_a_blog_names_the_command_that_is_meant(tmp_path: Path) -> None:
    """A sample post among one's own would be no help."""
    make_blog(tmp_path, HUGO)
    assert "postroom init --from hugo ." in init(tmp_path, code=2).err


def test_on_a_terminal_it_asks_three_things(tmp_path: Path) -> None:
    """Title, address, language; with defaults to agree to."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "postroom", "init", "blog"],
        cwd=tmp_path,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "en_GB.UTF-8"},
    )
    os.close(slave)
    os.write(master, "느린 강\nhttps://river.example\nko\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 0, err.decode()
    asked = re.findall(r"(Title|Address|Language) \[", out.decode())
    assert asked == ["Title", "Address", "Language"]
    config = read_config(tmp_path / "blog", {})
    assert (config.site.title, config.site.url) == ("느린 강", "https://river.example/")
    assert config.site.language == "ko"

"""What is written is valid, never over a file, and private things stay private."""

from __future__ import annotations

import os
from datetime import date
from typing import TYPE_CHECKING

import pytest

from postroom.config.reading import read_config
from postroom.errors import ConfigError
from postroom.starting.findings import Kind
from postroom.starting.run import Start, Wishes, plan_blog, plan_site, write_start
from tests.starting.scene import BLOGS, HUGO, OBSIDIAN, make_blog

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 11, 24)


def written(start: Start) -> str:
    """The text of postroom.toml."""
    return start.files[0][1]


@pytest.mark.parametrize("kind", Kind)
def test_the_settings_of_every_blog_are_read_back(tmp_path: Path, kind: Kind) -> None:
    """Folders are found from where postroom.toml lies, and no output is a source."""
    root = make_blog(tmp_path / "blog", BLOGS[kind])
    start = plan_blog(root, None, Wishes())
    write_start(start)
    config = read_config(start.home, {})
    assert config.posts_folder.resolve().is_relative_to(root)
    assert config.posts_folder.is_dir()
    assert config.output_folder.resolve().is_relative_to(root)
    assert config.site.pages is (kind is Kind.OBSIDIAN)
    if not config.site.pages:
        assert config.posts.permalink.startswith(config.site.url)
    state = os.path.relpath(config.state_folder.resolve(), root)
    if kind is Kind.JEKYLL:
        assert state.startswith("_")
    if kind is Kind.OBSIDIAN:
        assert state.startswith(".")


def test_what_the_operator_says_wins(tmp_path: Path) -> None:
    """Title, address, language, zone, folder; where postroom.toml goes."""
    root = make_blog(tmp_path / "blog", HUGO)
    make_blog(root, {"content/essays/a.md": "# x\n"})
    wishes = Wishes(
        title="다른 이름",
        url="https://other.example",
        language="en",
        timezone="Europe/Vienna",
        posts="content/essays/",
        home=tmp_path / "elsewhere",
    )
    write_start(plan_blog(root, Kind.HUGO, wishes))
    config = read_config(tmp_path / "elsewhere", {})
    assert (config.site.title, config.site.url) == (
        "다른 이름",
        "https://other.example/",
    )
    assert (config.site.language, config.site.timezone.key) == ("en", "Europe/Vienna")
    assert config.posts.folder == "../blog/content/essays"
    assert config.output.folder == "../blog/static"
    ignored = (tmp_path / "elsewhere/.gitignore").read_text()
    assert ignored == "state/\noutbox/\n"


def test_a_vault_published_by_obsidian_is_linked_there(tmp_path: Path) -> None:
    """Its address says so; spaces are plus signs."""
    root = make_blog(tmp_path, OBSIDIAN)
    wishes = Wishes(url="https://publish.obsidian.md/yard/")
    config = written(plan_blog(root, Kind.OBSIDIAN, wishes))
    assert "pages = false" in config
    assert 'permalink = "https://publish.obsidian.md/yard/{path:obsidian}"' in config


def test_a_whole_vault_needs_a_place_outside(tmp_path: Path) -> None:
    """Or the pages would be read as notes."""
    root = make_blog(tmp_path / "vault", OBSIDIAN)
    with pytest.raises(ConfigError, match="the posts folder"):
        plan_blog(root, Kind.OBSIDIAN, Wishes(posts="."))
    outside = tmp_path / "postroom"
    start = plan_blog(root, Kind.OBSIDIAN, Wishes(posts=".", home=outside))
    assert 'exclude = ["Blog/Templates", "Daily"]' in written(start)


def test_a_vault_without_a_folder_of_posts_asks_for_one(tmp_path: Path) -> None:
    """Nothing of it is published by a guess."""
    root = make_blog(tmp_path, {".obsidian/app.json": "{}", "Daily/a.md": "x"})
    with pytest.raises(ConfigError, match="--posts FOLDER, such as Daily"):
        plan_blog(root, None, Wishes())


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    """postroom.toml is an error, any other is left alone."""
    root = make_blog(tmp_path, {**HUGO, "postroom.toml": "# mine\n"})
    with pytest.raises(ConfigError, match="is there already"):
        plan_blog(root, None, Wishes())
    with pytest.raises(ConfigError, match="is there already"):
        plan_site(root, Wishes(), DAY)
    assert (root / "postroom.toml").read_text() == "# mine\n"
    fresh = make_blog(tmp_path / "new", {".gitignore": "mine\n", "posts/a.md": "# a\n"})
    write_start(plan_site(fresh, Wishes(url="https://a.example/"), DAY))
    assert (fresh / ".gitignore").read_text() == "mine\n"
    assert [path.name for path in (fresh / "posts").iterdir()] == ["a.md"]


def test_one_that_came_in_between_stays_too(tmp_path: Path) -> None:
    """The plan is no promise that the place is free."""
    start = plan_site(tmp_path, Wishes(), DAY)
    make_blog(tmp_path, {"postroom.toml": "# theirs\n"})
    with pytest.raises(ConfigError, match="is there already"):
        write_start(start)
    assert (tmp_path / "postroom.toml").read_text() == "# theirs\n"


def test_a_blog_of_another_program_is_no_place_for_a_new_site(tmp_path: Path) -> None:
    """The command that is meant is named."""
    root = make_blog(tmp_path, HUGO)
    with pytest.raises(ConfigError, match="postroom init --from hugo"):
        plan_site(root, Wishes(), DAY)


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (Wishes(url="blog.example"), "no address of a site"),
        (Wishes(url="http://localhost:1313/"), "no address of a site"),
        (Wishes(language="한국어"), "no language tag"),
        (Wishes(posts="nowhere"), "no such folder"),
    ],
)
def test_what_the_operator_says_is_checked(
    tmp_path: Path, wishes: Wishes, says: str
) -> None:
    """Before anything is written."""
    root = make_blog(tmp_path, HUGO)
    with pytest.raises(ConfigError, match=says):
        plan_blog(root, None, wishes)
    assert not (root / "postroom.toml").exists()


def test_a_blog_that_says_little_is_told_what_is_missing(tmp_path: Path) -> None:
    """Title, language, zone, author, address; an odd zone is no zone."""
    files = {**HUGO, "hugo.toml": 'timeZone = "Mars/Base"\n'}
    start = plan_blog(make_blog(tmp_path, files), Kind.HUGO, Wishes())
    said = "\n".join(start.said)
    assert "not found: title, language, timezone, author" in said
    assert "'Mars/Base' is no time zone" in said
    assert "mend site.url" in said
    assert "MEND THIS" in written(start)


@pytest.mark.parametrize(
    ("language", "name"), [("ko", "첫-편지"), ("en", "a-first-letter")]
)
def test_a_new_site_has_a_first_post(tmp_path: Path, language: str, name: str) -> None:
    """In the language of its author, dated, so that a build publishes it."""
    wishes = Wishes(language=language, url="https://a.example/", timezone="Asia/Seoul")
    write_start(plan_site(tmp_path, wishes, DAY))
    post = tmp_path / f"posts/2026-11-24-{name}.md"
    assert "date: 2026-11-24" in post.read_text(encoding="utf-8")
    assert (tmp_path / ".gitignore").read_text() == "public/\nstate/\noutbox/\n"
    assert read_config(tmp_path, {}).site.language == language


def test_strange_texts_are_quoted(tmp_path: Path) -> None:
    """Quotes, backslashes, line breaks and signs of TOML stay texts."""
    title = 'He said: "a\\\\b" # ]'
    files = {
        **HUGO,
        "hugo.toml": f"title = '''{title}\nmore'''\nbaseURL='https://a.example'\n",
    }
    start = plan_blog(make_blog(tmp_path, files), Kind.HUGO, Wishes())
    write_start(start)
    assert read_config(start.home, {}).site.title == f"{title} more"

"""Each program's settings are read for what they say, and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.posts.permalink import parse_permalink
from postroom.starting.detect import LOOKS, detect
from postroom.starting.findings import OWN_OUTPUT, Findings, Kind
from tests.starting.scene import (
    ASTRO,
    BLOGS,
    ELEVENTY,
    HUGO,
    JEKYLL,
    PELICAN,
    make_blog,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def look(root: Path, kind: Kind, files: Mapping[str, str]) -> Findings:
    """What is seen in a blog of these files."""
    return LOOKS[kind](make_blog(root, files))


@pytest.mark.parametrize("kind", Kind)
def test_each_blog_is_known_by_its_own_files(tmp_path: Path, kind: Kind) -> None:
    """And what is seen in it can be a setting."""
    root = make_blog(tmp_path, BLOGS[kind])
    assert detect(root) is kind
    found = LOOKS[kind](root)
    assert found.seen
    assert (root / found.posts).is_dir()
    if not found.pages:
        parse_permalink("https://blog.example/" + found.permalink)


def test_an_empty_folder_is_nobodys(tmp_path: Path) -> None:
    """Nor is one with posts alone, or with a config.toml of something else."""
    assert detect(tmp_path) is None
    make_blog(tmp_path, {"posts/a.md": "x", "config.toml": "[tool]\nx = 1\n"})
    assert detect(tmp_path) is None


# -- Hugo --------------------------------------------------------------------------


def test_hugo_says_all_of_it(tmp_path: Path) -> None:
    """Feeds go where Hugo copies files as they stand; pictures stay where they are."""
    found = look(tmp_path, Kind.HUGO, HUGO)
    assert (found.title, found.url) == ("뜰의 공책", "https://garden.example/notes/")
    assert (found.language, found.timezone) == ("ko", "Asia/Seoul")
    assert (found.description, found.author) == ("흙과 비와 씨앗", "한미나")
    assert found.posts == "content/posts"
    assert found.permalink == "{year}/{month}/{own_slug:hugo_title|title:hugo_title}/"
    assert found.output == "static"
    assert not found.media
    assert found.notes == ()


def test_hugos_addresses_follow_the_folders_by_default(tmp_path: Path) -> None:
    """Section, folders, and the slug or the name of the file."""
    files = {**HUGO, "hugo.toml": 'baseURL = "https://garden.example/"\n'}
    found = look(tmp_path, Kind.HUGO, files)
    assert found.permalink == "posts/{folder:hugo_path}/{own_slug:hugo|name:hugo_path}/"


@pytest.mark.parametrize(
    ("settings", "pattern"),
    [
        (
            "uglyURLs = true\n",
            "posts/{folder:hugo_path}/{own_slug:hugo|name:hugo_path}.html",
        ),
        (
            '[frontmatter]\ndate = [":filename", ":default"]\n',
            "posts/{folder:hugo_path}/{own_slug:hugo|dated_stem:hugo|name:hugo_path}/",
        ),
        (
            '[permalinks.page]\nposts = "/:section/:contentbasename"\n',
            "posts/{name:hugo_title}/",
        ),
        (
            '[permalinks]\nposts = "/:monthname/:title/"\n',
            "{date:%-B}/{title:hugo_title}/",
        ),
        (
            '[languages.ko]\n[languages.en]\n[permalinks]\nposts = "/:slug/"\n',
            "{language}/{own_slug:hugo_title|title:hugo_title}/",
        ),
    ],
)
def test_hugos_settings_shape_addresses(
    tmp_path: Path, settings: str, pattern: str
) -> None:
    """Names of files, dates in them, languages."""
    files = {**HUGO, "hugo.toml": 'baseURL = "https://garden.example/"\n' + settings}
    assert look(tmp_path, Kind.HUGO, files).permalink == pattern


def test_hugos_settings_may_lie_in_a_folder(tmp_path: Path) -> None:
    """One file a table, in YAML too; the language's own values win."""
    files = {
        "config/_default/hugo.yaml": "baseURL: https://a.example/\ndefaultContentLanguage: en\n",
        "config/_default/params.toml": 'description = "all"\nmainSections = ["log"]\n',
        "config/_default/permalinks.toml": 'log = "/:year/:slugorcontentbasename/"\n',
        "config/_default/languages.toml": (
            '[en]\ntitle = "English"\nlanguageCode = "en-GB"\n[ko]\ntitle = "한국어"\n'
        ),
        "content/log/a.md": post(),
        "content/posts/b.md": post(),
    }
    found = look(tmp_path, Kind.HUGO, files)
    assert (found.title, found.language, found.description) == (
        "English",
        "en-GB",
        "all",
    )
    assert found.posts == "content/log"
    assert found.permalink == "{language}/{year}/{own_slug:hugo_title|name:hugo_title}/"
    assert len(found.seen) == 4


def test_feeds_of_the_blog_itself_are_not_written_over(tmp_path: Path) -> None:
    """A file of our name in the static folder sends ours elsewhere."""
    found = look(tmp_path, Kind.HUGO, {**HUGO, "static/atom.xml": "<feed/>"})
    assert found.output == OWN_OUTPUT
    assert "atom.xml" in found.output_words


def test_what_hugo_can_say_and_we_cannot_is_named(tmp_path: Path) -> None:
    """The rest of the pattern is kept."""
    settings = 'baseURL = "/"\n[permalinks]\nposts = "/:sections[1:]/:slug/"\n'
    found = look(tmp_path, Kind.HUGO, {**HUGO, "hugo.toml": settings})
    assert ":sections[1:]" in found.notes[0]
    assert found.permalink == "{own_slug:hugo_title|title:hugo_title}/"
    assert found.url == ""


def test_posts_at_the_top_of_the_content_are_read_from_there(tmp_path: Path) -> None:
    """No one section has most of them."""
    names = [f"content/{name}.md" for name in "abc"] + ["content/x/d.md"]
    files = {
        "hugo.toml": 'baseURL = "https://a.example/"\n',
        **dict.fromkeys(names, post()),
    }
    found = look(tmp_path, Kind.HUGO, files)
    assert found.posts == "content"
    assert found.permalink == "{folder:hugo_path}/{own_slug:hugo|name:hugo_path}/"


# -- Jekyll ------------------------------------------------------------------------


def test_jekyll_says_all_of_it(tmp_path: Path) -> None:
    """What postroom keeps lies where Jekyll does not publish it."""
    found = look(tmp_path, Kind.JEKYLL, JEKYLL)
    assert (found.title, found.url) == ("부엌 일기", "https://kitchen.example/diary/")
    assert (found.language, found.timezone) == ("ko", "Asia/Seoul")
    assert (found.description, found.author) == ("된장과 간장, 그리고 기다림", "오수진")
    assert found.posts == "_posts"
    assert found.permalink == (
        "{categories:lower}/{year}/{month}/{day}/{own_slug:jekyll|stem:jekyll}/"
    )
    assert found.hard_breaks
    assert (found.home, found.output) == ("_postroom", "_postroom/feeds")
    assert found.notes == ()


@pytest.mark.parametrize(
    ("settings", "pattern"),
    [
        (
            "title: x\n",
            "{categories:lower}/{year}/{month}/{day}/{own_slug:jekyll|stem:jekyll}.html",
        ),
        ("permalink: none\n", "{categories:lower}/{own_slug:jekyll|stem:jekyll}.html"),
        (
            "permalink: /:short_year/:i_month/:slug\n",
            "{date:%y}/{date:%-m}/{own_slug:slug|stem:slug}",
        ),
        (
            "collections:\n  posts:\n    permalink: /b/:title/\n",
            "b/{own_slug:jekyll|stem:jekyll}/",
        ),
        (
            "defaults:\n  - scope: {path: '', type: posts}\n    values: {permalink: '/n/:title.html'}\n",
            "n/{own_slug:jekyll|stem:jekyll}.html",
        ),
    ],
)
def test_jekylls_styles_are_patterns(
    tmp_path: Path, settings: str, pattern: str
) -> None:
    """Of the site, of the collection, of the defaults."""
    found = look(tmp_path, Kind.JEKYLL, {**JEKYLL, "_config.yml": settings})
    assert found.permalink == pattern


def test_yaml_that_we_refuse_costs_only_itself(tmp_path: Path) -> None:
    """Aliases and tags: the plain lines are read; CNAME says the address."""
    text = "title: Plain\nbase: &x {a: 1}\nmore: *x\ntimezone: Asia/Seoul # here\n"
    found = look(
        tmp_path, Kind.JEKYLL, {**JEKYLL, "_config.yml": text, "CNAME": "a.example\n"}
    )
    assert (found.title, found.timezone) == ("Plain", "Asia/Seoul")
    assert found.url == "https://a.example/"


def test_posts_in_other_folders_are_named(tmp_path: Path) -> None:
    """In Jekyll the folders above `_posts` are categories."""
    found = look(tmp_path, Kind.JEKYLL, {**JEKYLL, "food/_posts/2024-01-01-a.md": "x"})
    assert "posts in food/_posts are not read" in found.notes


# -- Pelican -----------------------------------------------------------------------


def test_pelicans_settings_are_read_and_not_run(tmp_path: Path) -> None:
    """Plain values count, those of publishconf.py last; what is computed is passed over."""
    found = look(tmp_path, Kind.PELICAN, PELICAN)
    assert (found.title, found.url) == ("Slow River", "https://river.example/")
    assert (found.language, found.timezone) == ("en", "Europe/Vienna")
    assert found.author == "Dana Reed"
    assert found.posts == "content"
    assert found.permalink == "essays/{date:%Y}/{own_slug|title:pelican}/"
    assert found.pelican
    assert found.exclude == ("pages",)
    assert found.seen == ("pelicanconf.py", "publishconf.py")


def test_what_pelican_computes_is_named(tmp_path: Path) -> None:
    """Its name, so that the operator can write it."""
    text = "import os\nSITENAME = os.getcwd()\nSLUGIFY_USE_UNICODE = True\n"
    found = look(tmp_path, Kind.PELICAN, {**PELICAN, "pelicanconf.py": text})
    assert found.notes == ("SITENAME is computed in pelicanconf.py, and was not read",)
    assert found.permalink == "{own_slug|title:pelican_unicode}.html"


@pytest.mark.parametrize(
    ("settings", "pattern"),
    [
        (
            "ARTICLE_URL = '{category}/{slug}.html'",
            "{category:pelican|parent:pelican|=misc}/",
        ),
        (
            "ARTICLE_URL = '{category}/{slug}.html'\nUSE_FOLDER_AS_CATEGORY = False\n",
            "{category:pelican|=misc}/",
        ),
        ("SLUGIFY_SOURCE = 'basename'", "{own_slug|stem:pelican}.html"),
        ("ARTICLE_URL = '{lang}/{slug}'", "{language|=en}/"),
    ],
)
def test_pelicans_addresses(tmp_path: Path, settings: str, pattern: str) -> None:
    """Category by front matter, folder or default; slug by title or name."""
    found = look(tmp_path, Kind.PELICAN, {**PELICAN, "pelicanconf.py": settings})
    assert found.permalink.startswith(pattern)


def test_a_broken_pelicanconf_is_no_end(tmp_path: Path) -> None:
    """What it says is unknown, no more."""
    found = look(tmp_path, Kind.PELICAN, {**PELICAN, "pelicanconf.py": "def ("})
    assert (found.title, found.url) == ("", "https://river.example/")


# -- Eleventy, Astro, Obsidian -----------------------------------------------------


def test_eleventys_scripts_are_read_by_sight(tmp_path: Path) -> None:
    """Comments are no settings; a permalink that is not understood is said to be so."""
    found = look(tmp_path, Kind.ELEVENTY, ELEVENTY)
    assert (found.title, found.url) == ("Paper Boats", "https://boats.example/")
    assert (found.language, found.author) == ("en", "Ida Falk")
    assert found.posts == "src/blog"
    assert found.permalink == "blog/{folder}/{stem}/"
    assert "is not understood" in found.notes[0]
    assert found.media
    assert "cp -R postroom-feeds/. dist/" in found.output_words


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("/posts/{{ page.fileSlug }}/", "posts/{stem}/"),
        ("/{{ title | slugify }}/index.html", "{title:astro}/"),
        ("{{ page.filePathStem }}.html", "{folder}/{stem}.html"),
    ],
)
def test_eleventys_data_files_give_addresses(
    tmp_path: Path, written: str, pattern: str
) -> None:
    """Of the folder, in JSON or JavaScript."""
    files = {k: v for k, v in ELEVENTY.items() if "11tydata" not in k}
    files["src/blog/blog.json"] = f'{{"permalink": "{written}"}}'
    assert look(tmp_path, Kind.ELEVENTY, files).permalink == pattern


def test_astros_pages_give_addresses(tmp_path: Path) -> None:
    """The page that shows the collection says where; pictures are copied."""
    found = look(tmp_path, Kind.ASTRO, ASTRO)
    assert (found.title, found.url) == ("The Reading Lamp", "https://lamp.example/en/")
    assert found.description == "Notes in the margin."
    assert found.posts == "src/content/blog"
    assert found.permalink == "blog/{own_slug|path:astro}/"
    assert (found.media, found.output) == (True, "public")
    assert found.notes == ()


@pytest.mark.parametrize(
    ("files", "pattern", "noted"),
    [
        (
            {"src/pages/writing/[slug].astro": "getCollection('blog')"},
            "writing/{own_slug|path:astro}/",
            False,
        ),
        ({"src/pages/[...id].astro": "x"}, "{own_slug|path:astro}/", False),
        ({}, "blog/{own_slug|path:astro}/", True),
        (
            {
                "src/pages/blog/[id].astro": "x",
                "astro.config.mjs": "export default { trailingSlash: 'never' }",
            },
            "blog/{own_slug|path:astro}",
            False,
        ),
    ],
)
def test_astros_routes(
    tmp_path: Path, files: dict[str, str], pattern: str, *, noted: bool
) -> None:
    """By what a page asks for, by its folder's name; none is a guess, and said."""
    base = {k: v for k, v in ASTRO.items() if "[" not in k}
    found = look(tmp_path, Kind.ASTRO, {**base, **files})
    assert found.permalink == pattern
    assert bool(found.notes) is noted


def test_only_a_named_folder_of_a_vault_becomes_a_blog(tmp_path: Path) -> None:
    """Notes are private; line breaks are those that the author sees."""
    found = look(tmp_path / "마당", Kind.OBSIDIAN, BLOGS["obsidian"])
    assert (found.title, found.posts) == ("마당", "Blog")
    assert found.pages
    assert found.hard_breaks
    assert found.home == ".postroom"
    assert "Templates" in found.exclude
    assert any("attachments lie in Files" in note for note in found.notes)
    strict = {**BLOGS["obsidian"], ".obsidian/app.json": '{"strictLineBreaks": true}'}
    assert not look(tmp_path / "strict", Kind.OBSIDIAN, strict).hard_breaks


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00{[", b"{" * 5000, b"title: [\n", b"\x00" * 99]
)
def test_damaged_settings_are_no_end(tmp_path: Path, kind: Kind, data: bytes) -> None:
    """Whatever stands in them, something is found or nothing, and no file is needed."""
    for name in BLOGS[kind]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    found = LOOKS[kind](tmp_path)
    assert found.url == ""

"""Our addresses are those that the programs give: Hugo and Pelican make the same posts.

They are skipped where the programs are not installed (requirements/bench.txt).
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from postroom.starting.detect import LOOKS
from postroom.starting.findings import Kind
from tests.posts.place_scene import RULES, SITE, read_address
from tests.starting.scene import make_blog

BENCH = Path(__file__).parents[2] / ".venv-bench"
TEXTS = (
    "C++ & me, v1.2!", "한글 제목 — 그리고", "a - b  c", "Under_score", "x@y tag",
    "Émile's café", "50% off", "日本語ー。テスト", "No.1: 'q'", "🎉 party", "it’s «q»", "---a---",
)  # fmt: skip
LISTING = """{{ range site.RegularPages }}{{ dict "path" .File.Path "url" .Permalink | jsonify | safeHTML }}
{{ end }}"""


def hugo_binary() -> Path:
    """The program itself, without its Python wrapper."""
    found = sorted(BENCH.glob("lib/python3*/site-packages/hugo/binaries/hugo*"))
    if not found:
        pytest.skip("no Hugo")
    return found[0]


def hugo_posts() -> dict[str, str]:
    """Every text as a title, a slug, and a name of a file, below folders."""
    files = {}
    for number, text in enumerate(TEXTS):
        title = json.dumps(text, ensure_ascii=False)
        head = f"---\ndate: 2024-03-05\ntitle: {title}\n"
        files[f"content/posts/t{number}.md"] = f"{head}---\nx\n"
        files[f"content/posts/s{number}.md"] = f"{head}slug: {title}\n---\nx\n"
        files[f"content/posts/Sub Dir (x)/{text}.md"] = f"{head}---\nx\n"
    files["content/posts/own.md"] = (
        "---\ndate: 2024-03-05\ntitle: a\nurl: /my/own\n---\nx\n"
    )
    files["content/posts/2024-01-02-Dated Name.md"] = (
        "---\ntitle: b\ndate: 2024-03-05\n---\nx\n"
    )
    files["content/posts/bundle/index.md"] = "---\ntitle: c\ndate: 2024-03-05\n---\nx\n"
    return files


BY_NAME = '[frontmatter]\ndate = [":filename", ":default"]\n'


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "uglyURLs = true\n",
        BY_NAME,
        BY_NAME + '[permalinks]\nposts = "/:year/:slug/"\n',
        '[permalinks]\nposts = "/:year/:monthname/:weekdayname/:yearday/:slug/"\n',
        '[permalinks.page]\nposts = "/:section/:slugorcontentbasename/"\n',
        'uglyURLs = true\n[permalinks]\nposts = "/:contentbasename/"\n',
        '[permalinks]\nposts = "/:sections/:title"\n',
    ],
)
def test_hugo_gives_the_same_addresses(tmp_path: Path, settings: str) -> None:
    """By default and by patterns, for titles, slugs and names of any script."""
    settings = f'baseURL = "{SITE}"\n{settings}'
    texts = hugo_posts()
    extra = {"layouts/index.html": LISTING, "layouts/_default/single.html": "x"}
    root = make_blog(tmp_path, {"hugo.toml": settings, **texts, **extra})
    subprocess.run(
        [hugo_binary(), "--quiet", "--source", root],
        check=True,
        timeout=60,
        capture_output=True,
        env={**os.environ, "HUGO_CACHEDIR": str(tmp_path / "cache")},
    )
    lines = (root / "public/index.html").read_text(encoding="utf-8").splitlines()
    theirs = {row["path"]: row["url"] for row in map(json.loads, filter(None, lines))}
    pattern = LOOKS[Kind.HUGO](root).permalink
    ours = {
        name.removeprefix("content/"): read_address(
            pattern, name.removeprefix("content/posts/"), text
        )[0]
        for name, text in texts.items()
    }
    assert len(theirs) == len(ours) == 3 * len(TEXTS) + 3
    assert {k: unquote(v) for k, v in theirs.items()} == {
        k: unquote(v) for k, v in ours.items()
    }


@pytest.mark.parametrize(
    ("settings", "unicode_slugs"),
    [
        ("", False),
        ("ARTICLE_URL = ARTICLE_SAVE_AS = '{date:%Y}/{category}/{slug}.html'", True),
    ],
)
def test_pelican_gives_the_same_addresses(
    tmp_path: Path, settings: str, *, unicode_slugs: bool
) -> None:
    """Slugs of titles; without SLUGIFY_USE_UNICODE only in Latin letters."""
    program = BENCH / "bin/pelican"
    if not program.exists():
        pytest.skip("no Pelican")
    titles = [text for text in TEXTS if unicode_slugs or text.isascii() or "É" in text]
    titles = [
        title for title in titles if "party" not in title
    ]  # an emoji is no letter
    texts = {
        f"content/Deep Thoughts/p{number}.md": f"Title: {title}\nDate: 2024-03-05\n\nx\n"
        for number, title in enumerate(titles)
    }
    conf = f"SITEURL = {SITE!r}\nTIMEZONE = 'Asia/Seoul'\nSLUGIFY_USE_UNICODE = {unicode_slugs}\n"
    root = make_blog(tmp_path, {"pelicanconf.py": conf + settings, **texts})
    subprocess.run(
        [program, "content", "-o", "out", "-s", "pelicanconf.py"],
        check=True,
        timeout=120,
        cwd=root,
        capture_output=True,
    )
    made = {
        str(path.relative_to(root / "out")) for path in (root / "out").rglob("*.html")
    }
    pattern = LOOKS[Kind.PELICAN](root).permalink
    rules = replace(RULES, pelican_header=True)
    ours = {
        unquote(
            read_address(pattern, name.removeprefix("content/"), text, rules)[0]
        ).removeprefix(SITE)
        for name, text in texts.items()
    }
    assert len(ours) == len(titles)
    assert not ours - made

"""The same posts give the same bytes of the whole output folder, whatever surrounds them.

Not the clock, `PYTHONHASHSEED`, the zone, the locale, the order in which a folder lists
its files or their times, not where the site lies nor what was built before. The ledger
is the same, as ids are made once and stored.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.stage import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
"""A file system that lists files in the order in which they came, newest first."""
DAYS = ("2026-11-24T12:00:00+09:00", "2026-12-31T23:59:59+09:00")
SEEDS = ("0", "1", "2")
ZONES = ("UTC", "Asia/Seoul", "America/Los_Angeles")
KOREAN = "ko_KR.UTF-8"
LOCALES = ("C", "C.UTF-8", KOREAN)
ORDERS = ("forwards", "backwards", "shuffled")
# An orthogonal array: nine runs in which every pair of levels of any two of the four
# meets once, in place of eighty-one.
RUNS = [(a, b, (a + b) % 3, (a + 2 * b) % 3) for a, b in product(range(3), repeat=2)]

LANGUAGES = ("ko", "en", "ja", "ar")
AUTHORS = ("한미나", "박준", "Ada Park", "{name: 이소라, url: https://sora.example/}")


def posts() -> dict[str, bytes]:
    """Files of a posts folder in which much is equal: days, titles, tags in two cases."""
    found = {"media/점.png": b"\x89PNG\r\n", "media/소리.mp3": b"ID3" * 99}
    for number in range(24):
        day = f"2026-{number % 3 + 1:02}-0{number % 2 + 1}"
        other = f"{number + 1:02}" if number < 23 else "00"
        found[f"{number:02}.md"] = (
            f"---\ntitle: 글 {number // 2}\ndate: {day}\n"
            f"tags: [편지, T{number % 5}, t{number % 7}, R & D]\n"
            f"authors: [{AUTHORS[number % 4]}, {AUTHORS[number % 3]}]\n"
            f"lang: {LANGUAGES[number % 4]}\nimage: media/점.png\n"
            f"{'enclosure: media/소리.mp3' if number % 5 == 0 else 'x: 1'}\n---\n\n"
            f"[다음]({other}.md) ![점](media/점.png) 글이다[^1].\n\n[^1]: 주석.\n\n"
            f"```python\nprint({number})\n```\n\n| 가 | 나 |\n|---|--:|\n| 1 | 2 |\n"
        ).encode()
    found["about.md"] = "---\ntitle: 소개\n---\n쪽이다.\n".encode()
    return found


def write_posts(root: Path, order: str) -> None:
    """Put the files there in an order, each with a time of its own."""
    files = list(posts().items())
    if order == "backwards":
        files.reverse()
    elif order == "shuffled":
        random.Random(7).shuffle(files)  # noqa: S311 - any order will do
    for number, (name, data) in enumerate(files):
        path = root / "posts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_700_000_000 + number * 1000,) * 2)


def output(site: Site) -> dict[str, bytes]:
    """Every file of the output folder."""
    public = site.root / "public"
    files = (path for path in public.rglob("*") if path.is_file())
    return {str(path.relative_to(public)): path.read_bytes() for path in files}


def stamps(site: Site) -> dict[str, tuple[int, int, int]]:
    """What changes about a file when it is written, or put in place of another."""
    paths = (site.root / "public").rglob("*")
    found = {str(path): path.stat() for path in paths}
    return {
        path: (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        for path, status in found.items()
    }


def fresh_copy(site: Site, root: Path, order: str, environ: dict[str, str]) -> Site:
    """A site with the same ledger, nothing built and nothing cached."""
    (root / "state").mkdir(parents=True)
    shutil.copy(site.root / "postroom.toml", root)
    for part in (site.root / "state").glob("postroom.db*"):
        shutil.copy(part, root / "state")
    write_posts(root, order)
    return Site(root, environ)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site that all are compared with, built on the first day."""
    site = make_site(tmp_path_factory.mktemp("bytes") / "site")
    write_posts(site.root, "forwards")
    site.run("build", "--now", DAYS[0])
    return site


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the Korean locale can be had; empty where it cannot."""
    if shutil.which("locale"):
        known = subprocess.run(["locale", "-a"], capture_output=True, check=True)  # noqa: S607 - a peer
        if b"ko_KR.utf8" in known.stdout.split():
            return {"LC_ALL": KOREAN}
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef"):
        # It exits 1 for a warning about the definition and makes the locale all the same.
        subprocess.run(
            ["localedef", "-i", "ko_KR", "-f", "UTF-8", str(folder / KOREAN)],  # noqa: S607 - a peer
            capture_output=True,
            check=False,
        )
    there = (folder / KOREAN / "LC_CTYPE").exists()
    return {"LC_ALL": KOREAN, "LOCPATH": str(folder)} if there else {}


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder whose listing follows the order of writing, where there is one."""
    place = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=place, prefix="postroom-bytes-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("levels", RUNS)
def test_nothing_around_the_posts_decides_a_byte(
    site: Site,
    locales: dict[str, str],
    elsewhere: Path,
    levels: tuple[int, int, int, int],
) -> None:
    """Hash seed, zone, locale, order of the folder; the day and the place as well."""
    seed, zone, locale, order = levels
    environ = {"PYTHONHASHSEED": SEEDS[seed], "TZ": ZONES[zone]}
    if LOCALES[locale] != KOREAN:
        environ["LC_ALL"] = LOCALES[locale]
    elif locales:
        environ |= locales
    else:
        pytest.skip("neither the Korean locale nor localedef is installed")
    again = fresh_copy(site, elsewhere / "다른 곳", ORDERS[order], environ)
    again.run("build", "--now", DAYS[(seed + zone) % 2])
    assert_same(output(again), output(site))


def assert_same(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    """Say which files differ, not how: a page is long."""
    assert sorted(found) == sorted(expected)
    assert [path for path in found if found[path] != expected[path]] == []


def test_a_change_that_is_undone_leaves_no_trace(site: Site, tmp_path: Path) -> None:
    """Edited, added, removed and renamed posts, a new title: built, undone, built."""
    again = fresh_copy(site, tmp_path / "site", "forwards", {})
    again.run("build", "--now", DAYS[0])
    posts_folder, config = again.root / "posts", again.root / "postroom.toml"
    edited, settings = posts_folder / "03.md", config.read_text(encoding="utf-8")
    text = edited.read_text(encoding="utf-8")
    edited.write_text(
        text.replace("title: 글", "title: 새").replace("T3", "새-꼬리표") + "\n더.\n",
        encoding="utf-8",
    )
    (posts_folder / "new.md").write_text("---\ndate: 2026-04-01\n---\n# 새 글\n\n봄.\n")
    (posts_folder / "05.md").unlink()
    (posts_folder / "07.md").rename(posts_folder / "07-moved.md")
    config.write_text(settings.replace("느린", "빠른"), encoding="utf-8")
    again.run("build", "--now", DAYS[0])
    assert output(again).keys() != output(site).keys()
    (posts_folder / "new.md").unlink()
    (posts_folder / "07-moved.md").unlink()
    for name in ("03.md", "05.md", "07.md"):
        (posts_folder / name).write_bytes(posts()[name])
    config.write_text(settings, encoding="utf-8")
    again.run("build", "--now", DAYS[1])
    assert_same(output(again), output(site))


def test_a_build_with_nothing_to_say_writes_no_file(site: Site, tmp_path: Path) -> None:
    """Not in a second run, not on another day, not with its caches gone."""
    again = fresh_copy(site, tmp_path / "site", "forwards", {})
    again.run("build", "--now", DAYS[0])
    before = stamps(again)
    again.run("build", "--now", DAYS[0])
    assert stamps(again) == before
    again.run("build", "--now", DAYS[1])
    assert stamps(again) == before
    for part in (again.root / "state").iterdir():
        if part.is_file() and not part.name.startswith("postroom.db"):
            part.unlink()
    ran = again.run("build", "--json", "--now", DAYS[1])
    assert ran.json["files"]["written"] == 0
    assert stamps(again) == before

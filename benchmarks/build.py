"""Building a site against Hugo and Pelican: the same posts, pages with equal content.

`python benchmarks/build.py [cold|again|feeds …]`: all without a name. `POSTROOM_POSTS`
(10,000), `POSTROOM_PAIRS` (3) and `POSTROOM_PELICAN` (1, it takes minutes; 0 leaves it
out) set how much. CPU seconds of whole process trees, in alternating runs; the peers
come from requirements/bench.txt (`make bench` installs them).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from peers import make_hugo, make_pelican
from run import NOW, SENTENCES, environ, make_site, postroom

if TYPE_CHECKING:
    from collections.abc import Callable

POSTS = int(os.environ.get("POSTROOM_POSTS", "10000"))
PAIRS = int(os.environ.get("POSTROOM_PAIRS", "3"))
PELICAN_RUNS = int(os.environ.get("POSTROOM_PELICAN", "1"))
CHANGES = 5
"""Runs of each kind after the first build."""
PEERS = Path(__file__).parents[1] / ".venv-bench"

DIFFERENCES = """\
  equal: header, menu, footer, post pages with topics and the posts before and after, the
    index and {topics} topics in pages of ten with excerpts, the list of topics, an archive
  postroom  colours code; sanitises HTML; excerpts end at a sentence; Atom, RSS and JSON
    with full content: {postroom} feeds; sitemap; beside the output the ledger of ids and the
    cache for the next run, {state} MB
  Hugo      colours code (chroma); no sanitiser; summaries are whole paragraphs; RSS with
    summaries alone: {hugo} feeds; sitemap; redirects from page/1/; no ids, no cache
  Pelican   colours code (Pygments); no sanitiser; summaries of 50 words; Atom and RSS with
    full content: {pelican} feeds; no sitemap; its caches are off"""

RENDER = """
import sys, time
from datetime import UTC, datetime, timedelta
from postroom.feeds.feed import Entry, Feed
from postroom.feeds.formats import FORMATS
from postroom.posts.post import Person
text = sys.argv[1]
first = datetime(2026, 1, 1, tzinfo=UTC)
entries = tuple(
    Entry(id=f"tag:bench.example,2026:{n}", url=f"https://bench.example/posts/{n}/",
          title=f"Post {n}", published=first - timedelta(days=n),
          updated=first - timedelta(days=n), summary=text[:200],
          content="<p>" + "</p><p>".join([text] * 5) + "</p>",
          authors=(Person(name="Bench"),), tags=("t1",), language="ko")
    for n in range(50)
)
urls = {f.file_name: "https://bench.example/" + f.file_name for f in FORMATS.values()}
feed = Feed(id="tag:bench.example,2026:feed", title="Bench", subtitle="",
            home_url="https://bench.example/", urls=urls, language="ko", updated=first,
            authors=(Person(name="Bench"),), entries=entries)
empty = Feed(id=feed.id, title="Bench", subtitle="", home_url=feed.home_url, urls=urls,
             language="ko", updated=first, authors=feed.authors, entries=())
for each in FORMATS.values():  # what the writers import, they import now
    each.render(empty)
before = time.process_time()
size = sum(len(each.render(feed)) for each in FORMATS.values())
print(time.process_time() - before, size)
"""


class Cost(NamedTuple):
    """What one process and its children used."""

    cpu: float
    """Seconds, user and system."""
    peak: float
    """MB of the largest of them."""


class Wrote(NamedTuple):
    """What lies in a folder, or what changed there."""

    files: int
    octets: int


class Builder(NamedTuple):
    """A program, and how to have it build its site from nothing."""

    name: str
    command: list[str]
    root: Path
    leftovers: tuple[str, ...]
    """Folders that a first run does not find; the first of them is its output."""


def measure(command: list[str], root: Path) -> Cost:
    """Run once in `root`; the kernel counts what the process and its children used."""
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            command, cwd=root, env=environ(), stdout=said, stderr=said
        )
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            said.seek(0)
            sys.exit(f"{command[0]}: {said.read().decode(errors='replace')[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file with its size and when it was written."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            stat = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 - tens of thousands
            found[f"{place}/{name}"] = (stat.st_size, stat.st_mtime_ns)
    return found


def wrote(
    after: dict[str, tuple[int, int]], before: dict[str, tuple[int, int]]
) -> Wrote:
    """What is new or was written anew since `before`."""
    sizes = [
        size for path, (size, time) in after.items() if before.get(path) != (size, time)
    ]
    return Wrote(len(sizes), sum(sizes))


def from_nothing(builder: Builder) -> Cost:
    """Remove what an earlier run left, and build."""
    for name in builder.leftovers:
        shutil.rmtree(builder.root / name, ignore_errors=True)
    return measure(builder.command, builder.root)


def cold(folder: Path) -> None:
    """A first build of the same posts by each, in alternating runs."""
    ours = postroom_site(folder)
    peers = [peer for peer in (hugo_site(folder), pelican_site(folder)) if peer]
    small = folder / "warm"
    make_site(small, 3)
    measure(postroom(small, "build", "--now", NOW), small)  # bytecode is written
    costs: dict[str, list[Cost]] = {each.name: [] for each in (ours, *peers)}
    for turn in range(PAIRS):
        for each in (ours, *peers):
            if each.name != "Pelican" or turn < PELICAN_RUNS:
                costs[each.name].append(from_nothing(each))
    print(
        f"cold build of {POSTS:,} posts      CPU s                  peak      files  written"
    )
    for each in (ours, *peers):
        print(line(each, costs[each.name]))
    for peer in peers:
        pairs = zip(costs[peer.name], costs[ours.name], strict=False)
        ratios = [theirs.cpu / mine.cpu for theirs, mine in pairs]
        print(
            f"  {peer.name} / postroom  {spread(ratios, '.2f')} of {len(ratios)} pairs"
        )
    feeds = {each.name: count_feeds(each) for each in (ours, *peers)}
    counts = {name: feeds.get(name, 0) for name in ("Hugo", "Pelican")}
    print(
        DIFFERENCES.format(
            topics=min(POSTS, 40),
            postroom=feeds["postroom"],
            hugo=counts["Hugo"],
            pelican=counts["Pelican"],
            state=wrote(files_of(ours.root / "state"), {}).octets // 1_000_000,
        )
    )


def postroom_site(folder: Path) -> Builder:
    """Ours, with everything on that is on by default."""
    root = folder / "postroom"
    make_site(root, POSTS)
    command = postroom(root, "build", "--now", NOW)
    return Builder("postroom", command, root, ("public", "state"))


def hugo_site(folder: Path) -> Builder | None:
    """Hugo's, from the same files."""
    found = sorted(PEERS.glob("lib/python*/site-packages/hugo/binaries/hugo"))
    if not found:
        print("Hugo: skipped, it is not installed (make bench)")
        return None
    root = folder / "hugo"
    make_hugo(root, folder / "postroom" / "posts")
    command = [str(found[0]), "--quiet"]
    return Builder("Hugo", command, root, ("public", "resources"))


def pelican_site(folder: Path) -> Builder | None:
    """Pelican's, from the same bodies under headers that it reads."""
    program = PEERS / "bin" / "pelican"
    if not program.exists() or not PELICAN_RUNS:
        print("Pelican: skipped, it is not installed or not wanted")
        return None
    root = folder / "pelican"
    make_pelican(root, folder / "postroom" / "posts")
    command = [str(program), "-q", "content", "-s", "conf.py", "-o", "public"]
    return Builder("Pelican", command, root, ("public",))


def line(builder: Builder, costs: list[Cost]) -> str:
    """One row of the table."""
    seconds = [cost.cpu for cost in costs]
    peak = statistics.median(cost.peak for cost in costs)
    made = wrote(files_of(builder.root / builder.leftovers[0]), {})
    return (
        f"{builder.name:<26}     {spread(seconds, '.2f'):<22} {peak:>4.0f} MB"
        f"   {made.files:>6,}  {made.octets / 1e6:.0f} MB"
    )


def count_feeds(builder: Builder) -> int:
    """Files that a feed reader could be given."""
    names = {"atom.xml", "rss.xml", "feed.json", "index.xml"}
    output = builder.root / builder.leftovers[0]
    return sum(path.name in names for path in output.rglob("*"))


def again(folder: Path) -> None:
    """What a run costs when nothing, an old post, the newest or a new post changed.

    A changed post with code pays for the import of what colours it.
    """
    root = folder / "again"
    make_site(root, POSTS)
    command = postroom(root, "build", "--now", NOW)
    for _ in range(2):
        measure(command, root)
    posts = sorted((root / "posts").iterdir())
    plain, code = (
        [post for post in posts if ("```" in post.read_text(encoding="utf-8")) is has]
        for has in (False, True)
    )
    kinds: dict[str, Callable[[int], None]] = {
        "nothing changed": lambda _: None,
        "one old post changed": lambda turn: append(plain[len(plain) // 3], turn),
        "one old post with code": lambda turn: append(code[len(code) // 3], turn),
        "the newest post changed": lambda turn: append(posts[-1], turn),
        "one post more": lambda turn: add(root / "posts", turn),
    }
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    made = {}
    for turn in range(CHANGES):
        for kind, change in kinds.items():
            change(turn)
            before = files_of(root / "public")
            costs[kind].append(measure(command, root))
            made[kind] = wrote(files_of(root / "public"), before)
    bare = [measure([sys.executable, "-c", "pass"], root).cpu for _ in range(CHANGES)]
    print(f"build again, {POSTS:,} posts      CPU ms            ratio   peak    wrote")
    idle = statistics.median(cost.cpu for cost in costs["nothing changed"])
    for kind, each in costs.items():
        print(
            f"{kind:<28} {spread([cost.cpu * 1000 for cost in each], '.0f'):<18}"
            f" {statistics.median(cost.cpu for cost in each) / idle:>4.2f}"
            f"  {max(cost.peak for cost in each):>4.0f} MB"
            f"  {made[kind].files:,} files, {made[kind].octets / 1e3:,.0f} KB"
        )
    print(f"{'(bare Python)':<28} {spread([cpu * 1000 for cpu in bare], '.0f')}")


def append(post: Path, turn: int) -> None:
    """Change a post as an author does, near its end."""
    text = post.read_text(encoding="utf-8")
    post.write_text(f"{text}\n더하기 {turn}.\n", encoding="utf-8")


def add(posts: Path, turn: int) -> None:
    """Write a post that is newer than all others."""
    (posts / f"2026-01-0{turn + 1}-new.md").write_text(
        f"---\ntitle: 새 글 {turn}\ndate: 2026-01-0{turn + 1}\ntags: [t1]\n---\n\n"
        f"{' '.join(SENTENCES * 5)}\n",
        encoding="utf-8",
    )


def feeds(folder: Path) -> None:
    """Three feeds of fifty entries, beyond what importing their writers costs."""
    times = []
    size = 0
    text = " ".join(SENTENCES * 5)
    for _ in range(CHANGES):
        ran = subprocess.run(
            [sys.executable, "-c", RENDER, text],
            check=True,
            capture_output=True,
            text=True,
            env=environ(),
            cwd=folder,
        )
        seconds, octets = ran.stdout.split()
        times.append(float(seconds) * 1000)
        size = int(octets)
    print(
        f"Atom, RSS and JSON of 50 entries, {size / 1e3:,.0f} KB"
        f"   {spread(times, '.1f')} ms CPU beyond imports"
    )


def spread(values: list[float], form: str) -> str:
    """The median, with the range where there is one."""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} [{min(values):{form}}–{max(values):{form}}]"


def main() -> None:
    """Run the benchmarks named, or all."""
    known = {"cold": cold, "again": again, "feeds": feeds}
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as folder:
        for name in sys.argv[1:] or known:
            known[name](Path(folder))


if __name__ == "__main__":
    main()

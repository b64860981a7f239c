"""Prints the figures we hold ourselves to; CPU seconds of whole processes, medians.

`python benchmarks/run.py [idle|outbox|blogs …]`: all of them without a name.
`build.py` measures builds, `send.py` delivery.
Machines are noisy and shared: quote CPU time, never wall time.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 7
NOW = "2026-11-24T12:00:00+09:00"
CONFIG = '[site]\ntitle = "Bench"\nurl = "https://bench.example/"\nlanguage = "ko"\n'
SENTENCES = (
    "느린 우편함은 하루에 한 번 열린다.",
    "그 전까지 넣은 편지는 모두 같은 시각을 기다린다.",
    "A letter that waits is read sitting down.",
    "장부에는 **아는 것**과 모르는 것이 함께 적힌다.",
)


def cpu(command: list[str]) -> tuple[float, str]:
    """Run once; return user and system seconds, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ()
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if "Traceback" in ran.stderr:
        sys.exit(ran.stderr)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, ran.stdout


def environ() -> dict[str, str]:
    """Bytecode is cached, as it is wherever pip installed us."""
    kept = dict(os.environ)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def postroom(root: Path, *words: str) -> list[str]:
    """The command line of a site."""
    return [sys.executable, "-m", "postroom", "-C", str(root), *words]


def make_site(root: Path, posts: int, config: str = CONFIG) -> None:
    """Write `posts` posts of about 3 KB, a quarter of them with code."""
    (root / "posts").mkdir(parents=True)
    (root / "postroom.toml").write_text(config, encoding="utf-8")
    for number in range(posts):
        day = f"20{10 + number // 336 % 16:02}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
        body = "\n\n".join(
            " ".join(SENTENCES[(number + line + word) % 4] for word in range(6))
            for line in range(5)
        )
        if number % 4 == 0:
            body += f"\n\n```python\nprint({number})\n```\n"
        (root / "posts" / f"{day}-{number}.md").write_text(
            f"---\ntitle: 글 {number}\ndate: {day}\ntags: [t{number % 40}]\n---\n\n{body}\n",
            encoding="utf-8",
        )


def idle(folder: Path) -> None:
    """A publish with nothing to do: at most 100 ms CPU on 1,000 posts."""
    root = folder / "idle"
    make_site(root, 1000)
    for _ in range(2):
        cpu(postroom(root, "publish", "--now", NOW))
    times = [cpu(postroom(root, "publish", "--now", NOW))[0] for _ in range(RUNS)]
    bare = [cpu([sys.executable, "-c", "pass"])[0] for _ in range(RUNS)]
    print(
        f"publish, nothing to do, 1,000 posts   {median_ms(times)} (bare Python {median_ms(bare)})"
    )


def outbox(folder: Path) -> None:
    """A digest of ten posts to 2,000 subscribers into the outbox."""
    root = folder / "outbox"
    make_site(root, 0)
    cpu(postroom(root, "publish", "--now", "2026-11-22T12:00:00+09:00"))
    for number in range(10):
        (root / "posts" / f"2026-11-23-{number}.md").write_text(
            f"# 글 {number}\n\n{SENTENCES[number % 4] * 5}\n", encoding="utf-8"
        )
    table = root / "readers.csv"
    rows = "".join(
        f"r{number}@reader.example,confirmed,daily\n" for number in range(2000)
    )
    table.write_text("email,consent,cadence\n" + rows, encoding="utf-8")
    took, _ = cpu(postroom(root, "subscribers", "import", str(table)))
    print(f"import of 2,000 subscribers           {took * 1000:.0f} ms")
    took, out = cpu(postroom(root, "publish", "--json", "--now", NOW))
    accepted = json.loads(out)["deliveries"]["accepted"]
    print(
        f"publish, {accepted} letters to the outbox   {took:.2f} s, {took / accepted * 1000:.2f} ms each"
    )


def blogs(folder: Path) -> None:
    """Real blogs, where POSTROOM_CORPORA names a folder of them."""
    named = os.environ.get("POSTROOM_CORPORA")
    if not named:
        print("blogs: skipped, POSTROOM_CORPORA is not set")
        return
    for blog in sorted(path for path in Path(named).iterdir() if path.is_dir()):
        if blog.name.startswith("bounces"):
            continue
        root = folder / blog.name
        (root / "posts").mkdir(parents=True)
        settings = f"{CONFIG}[posts]\nfolder = {json.dumps(str(blog.resolve()))}\n"
        (root / "postroom.toml").write_text(settings, encoding="utf-8")
        took, out = cpu(postroom(root, "build", "--json", "--now", NOW))
        posts = json.loads(out)["posts"]
        print(
            f"{blog.name:<24} {posts['published']:>4} posts {posts['pages']:>4} pages "
            f"{posts['drafts']:>3} drafts {len(posts['problems']):>3} problems  {took:.2f} s"
        )


def median_ms(times: list[float]) -> str:
    """The median in milliseconds, with the range."""
    return (
        f"{statistics.median(times) * 1000:.0f} ms "
        f"[{min(times) * 1000:.0f}–{max(times) * 1000:.0f}]"
    )


def main() -> None:
    """Run the benchmarks named, or all."""
    known = {"idle": idle, "outbox": outbox, "blogs": blogs}
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as folder:
        for name in sys.argv[1:] or known:
            known[name](Path(folder))


if __name__ == "__main__":
    main()

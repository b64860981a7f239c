"""Delivery against Postfix's own load generator, in alternating runs into one sink.

`python benchmarks/send.py [compose|unsigned|signed|ahead|ledger|memory …]`: all without a
name. Ratios and CPU times are what to quote; a machine that is busy elsewhere slows both
sides. Needs smtp-source and smtp-sink (Debian: postfix).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SENDER = Path(__file__).with_name("sender.py")
PAIRS = int(os.environ.get("POSTROOM_PAIRS", "5"))
CONNECTIONS = 8
SIZES = {"40 KB": (40_384, 8000), "8 KB": (8000, 20_000)}
"""Octets of a message, and how many are sent."""


def child(command: str, folder: Path, **settings: Any) -> dict[str, Any]:
    """Run the sender; return what it printed."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, SENDER, command, folder, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    if ran.returncode:
        sys.exit(ran.stderr)
    printed: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return printed


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = subprocess.Popen(
        ["/usr/sbin/smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1000"],
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        running.kill()
        running.wait(10)


def smtp_source(port: int, octets: int, messages: int) -> dict[str, float]:
    """So many messages of one length by the C program; connections are kept."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [
            "/usr/sbin/smtp-source",
            *("-d", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(octets)),
            *("-f", "letters@bench.example", "-t", "reader@mail.example"),
            f"127.0.0.1:{port}",
        ],
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"messages": messages, "seconds": seconds, "cpu": used}


def site(folder: Path, octets: int, messages: int, **more: Any) -> Path:
    """A ledger with one edition to send; a copy of it is what a run uses up."""
    folder.mkdir()
    settings = {"octets": octets, "subscribers": messages, "signed": False, **more}
    child("prepare", folder, **settings)
    return folder


def one_run(port: int, original: Path, messages: int, **more: Any) -> dict[str, Any]:
    """Send on a copy of the ledger, so that every run is the first."""
    with tempfile.TemporaryDirectory(prefix="postroom-send-") as name:
        copy = Path(name) / "site"
        shutil.copytree(original, copy)
        settings = {
            "port": port,
            "messages": messages,
            "connections": CONNECTIONS,
            "signed": False,
            "ledger": True,
            **more,
        }
        ran = child("send", copy, **settings)
    if ran["counts"] != {"accepted": messages}:
        sys.exit(f"not every message was accepted: {ran['counts']}")
    return ran


def compare(folder: Path, name: str, size: str, **more: Any) -> None:
    """Alternating runs of ours and smtp-source; ratios of rates, CPU per message."""
    octets, messages = SIZES[size]
    wanted = {key: more[key] for key in ("signed", "ahead") if key in more}
    original = site(folder / f"{name}-{octets}", octets, messages, **wanted)
    length = int(child("compose", original, octets=octets)["octets"])
    ratios, ours, theirs = [], [], []
    with sink() as port:
        for _ in range(PAIRS):
            mine = one_run(port, original, messages, **more)
            source = smtp_source(port, length, messages)
            ratios.append(source["seconds"] / mine["seconds"])
            ours.append(mine)
            theirs.append(source)
    print(
        f"{name:<22} {size:>5} ({length} octets)  {statistics.median(ratios):.2f} x smtp-source"
        f" [{min(ratios):.2f}-{max(ratios):.2f}]"
        f"  {rate(ours)} against {rate(theirs)} msg/s"
        f"  CPU {per_message(ours)} against {per_message(theirs)} ms"
        f"  (whole process {per_message(ours, 'whole_cpu')} ms)"
    )
    shutil.rmtree(original)


def rate(runs: list[dict[str, Any]]) -> str:
    """The best rate."""
    return f"{max(run['messages'] / run['seconds'] for run in runs):,.0f}"


def per_message(runs: list[dict[str, Any]], what: str = "cpu") -> str:
    """CPU milliseconds a message: median, and the best."""
    each = [run[what] / run["messages"] * 1000 for run in runs]
    return f"{statistics.median(each):.3f} (best {min(each):.3f})"


def compose(folder: Path) -> None:
    """Compose at most 10 µs, compose and sign at most 350 µs, at 40 KB."""
    for size, (octets, _) in SIZES.items():
        home = folder / f"compose-{octets}"
        home.mkdir()
        cost = child("compose", home, octets=octets)
        print(
            f"compose {size:>5} ({cost['octets']} octets)  {cost['fill']:.1f} µs;"
            f" with a signature {cost['sign']:.0f} µs; with a prepared one"
            f" {cost['complete']:.1f} µs"
        )


def unsigned(folder: Path) -> None:
    """Personalised, ledger on: at least the rate of smtp-source, at most 0.10 ms at 40 KB."""
    for size in SIZES:
        compare(folder, "unsigned", size)


def signed(folder: Path) -> None:
    """RSA-2048 in line at 40 KB: at least 0.6 of its rate, at most 0.40 ms."""
    compare(folder, "signed in line", "40 KB", signed=True)


def ahead(folder: Path) -> None:
    """Signatures made before the slot: at least its rate."""
    compare(folder, "signed ahead", "40 KB", signed=True, ahead=True)


def ledger(folder: Path) -> None:
    """With the ledger at least 0.9 of the rate without, in alternating runs."""
    for size, (octets, messages) in SIZES.items():
        original = site(folder / f"ledger-{octets}", octets, messages)
        with sink() as port:
            pairs = [
                (
                    one_run(port, original, messages, ledger=True),
                    one_run(port, original, messages, ledger=False),
                )
                for _ in range(PAIRS)
            ]
        ratios = [off["seconds"] / on["seconds"] for on, off in pairs]
        cpu = [per_message([pair[side] for pair in pairs]) for side in (0, 1)]
        print(
            f"ledger on {size:>5}  {statistics.median(ratios):.2f} x ledger off"
            f" [{min(ratios):.2f}-{max(ratios):.2f}]  CPU {cpu[0]} against {cpu[1]} ms"
        )


def memory(folder: Path) -> None:
    """100,000 sent out of 1,000,000 subscribers: at most 64 MB RSS."""
    original = site(folder / "memory", 8000, 1_000_000)
    with sink() as port:
        ran = child(
            "send",
            original,
            port=port,
            messages=100_000,
            connections=CONNECTIONS,
            signed=False,
            ledger=True,
        )
    print(
        f"memory  {ran['rss_mb']:.0f} MB RSS; {ran['messages']:,} of 1,000,000 sent at"
        f" {ran['messages'] / ran['seconds']:,.0f} msg/s, {per_message([ran])} CPU-ms each"
    )


def main() -> None:
    """Run the parts named, or all."""
    known = {
        "compose": compose,
        "unsigned": unsigned,
        "signed": signed,
        "ahead": ahead,
        "ledger": ledger,
        "memory": memory,
    }
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as folder:
        for name in sys.argv[1:] or known:
            known[name](Path(folder))


if __name__ == "__main__":
    main()

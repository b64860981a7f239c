"""A site in a temporary folder, the real command line, and a real SMTP server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

CONFIG = """
[site]
title = "느린 우편함"
url = "https://blog.example/"
language = "ko"
timezone = "Asia/Seoul"
author = "한미나"

[mail]
from = "느린 우편함 <letters@blog.example>"
postal_address = "서울시 어느 길 4"
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object a command printed."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Site:
    """A site's folder, and the command line in it."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def post(self, name: str, text: str) -> Path:
        """Write a post; `text` is front matter and body, or a body alone."""
        path = self.root / "posts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def essay(self, day: str, title: str, *tags: str) -> Path:
        """Write a dated post of two paragraphs."""
        return self.post(
            f"{day}-{title.replace(' ', '-')}.md",
            f"---\ntitle: {title}\ndate: {day} 07:00\ntags: [{', '.join(tags)}]\n---\n\n"
            f"{title}에 대하여 쓴다. 한 문장이 더 있다.\n\n그리고 둘째 문단이다.\n",
        )

    def run(self, *words: str, code: int | None = 0) -> Ran:
        """Run `postroom WORDS`; `code` is how it must end."""
        ran = subprocess.run(
            [sys.executable, "-m", "postroom", "-C", str(self.root), *words],
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, **self.environ},
        )
        result = Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
        assert "Traceback" not in result.err, result.err
        assert code is None or result.code == code, (result.code, result.err)
        return result

    def subscribe(self, address: str, *words: str) -> None:
        """Add a confirmed subscriber."""
        self.run("subscribers", "add", address, "--confirmed", *words)

    def import_readers(self, addresses: Iterable[str], cadence: str = "daily") -> None:
        """Import confirmed subscribers by a table."""
        table = self.root / "readers.csv"
        rows = "".join(f"{address},confirmed,{cadence}\n" for address in addresses)
        table.write_text("email,consent,cadence\n" + rows, encoding="utf-8")
        self.run("subscribers", "import", str(table))

    def publish(self, now: str, *words: str, code: int | None = 0) -> dict[str, Any]:
        """Publish as of `now` and return what `--json` says."""
        return self.run("publish", "--json", "--now", now, *words, code=code).json

    def outbox(self) -> list[EmailMessage]:
        """Every message in the outbox, parsed."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted((self.root / "outbox").glob("*.eml"))
        ]

    def ledger(self) -> dict[str, str]:
        """Address → state, of all editions; fails when an address has two rows."""
        rows = self.run("deliveries", "list", "--json").rows
        assert len({(row["edition"], row["email"]) for row in rows}) == len(rows)
        return {row["email"]: row["state"] for row in rows}


def make_site(root: Path, extra: str = "") -> Site:
    """Write a configuration and an empty posts folder."""
    (root / "posts").mkdir(parents=True)
    (root / "postroom.toml").write_text(CONFIG + extra, encoding="utf-8")
    return Site(root)


@dataclass(slots=True)
class Relay:
    """A real SMTP server on loopback that keeps what it accepts."""

    port: int = 0
    received: list[tuple[str, str, bytes]] = field(default_factory=list)
    """(reverse path, recipient, bytes)"""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a message."""
        for recipient in envelope.rcpt_tos:
            self.received.append((envelope.mail_from, recipient, envelope.content))
        return "250 2.0.0 kept"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and shape
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Refuse by what the local part says."""
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "450 4.2.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"


def smtp_settings(port: int) -> str:
    """Configuration of a relay on this machine."""
    return (
        f'transport = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'
    )


def unmeasured() -> dict[str, str]:
    """The environment for a child whose imports are counted: coverage adds its own."""
    return {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    """Serve on a free port of 127.0.0.1 while the body runs."""
    relay.port = free_port()
    controller = Controller(relay, hostname="127.0.0.1", port=relay.port)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()

"""The site whose runs are killed: made once, copied for each trial; and its variants."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.stage import Site, make_site, smtp_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

BEFORE = "2026-11-22T12:00:00+09:00"
NOW = "2026-11-23T08:05:00+09:00"
"""A Monday morning: daily, weekly and immediate editions are due."""
CADENCES = ("daily", "weekly", "immediate")
ODD = ("later.a", "later.b", "dot.a", "dot.b", "gone.a")
"""Recipients that a deferring relay does not take at once; see `relay`."""
OUTBOX_WRITERS = 8
DKIM = '[dkim]\nselector = "s"\nkey_file = "dkim.pem"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to set up site and relay."""

    transport: str = "smtp"
    pipelining: bool = True
    connections: int = 4
    policy: str = "hold"
    durability: str = "process"
    dkim: bool = False
    deferring: bool = False
    journal_limit: int = 0
    """Octets after which the journal begins again, with small commits in between, so
    that it does in the middle of everything; 0: as it is."""
    milliseconds: float = 0.0
    """How long the relay looks at a message."""
    uvloop: bool = True
    """Whether its event loop is uvloop's, where that is installed."""

    @property
    def open_connections(self) -> int:
        """How many messages can be on the wire at once."""
        return self.connections if self.transport == "smtp" else OUTBOX_WRITERS

    def __str__(self) -> str:
        words = [self.transport, self.policy, self.durability]
        if self.transport == "smtp":
            words.append(f"{self.connections}{'p' if self.pipelining else 's'}")
        words += ["dkim"] * self.dkim + ["deferring"] * self.deferring
        words += ["restarts"] * bool(self.journal_limit)
        words += ["asyncio"] * (not self.uvloop)
        return "/".join(words)

    def settings(self, port: int) -> str:
        """What it adds to the site's configuration, behind `[mail]`."""
        text = f'on_unknown = "{self.policy}"\n'
        if self.transport == "smtp":
            text += smtp_settings(port) + f"connections = {self.connections}\n"
        text += f'[store]\ndurability = "{self.durability}"\n'
        return text + (DKIM if self.dkim else "")


VARIANTS = (
    Variant(),
    Variant(policy="resend"),
    Variant(transport="outbox", policy="resend"),
    Variant(connections=1, pipelining=False, uvloop=False),
    Variant(connections=8, policy="resend", durability="power"),
    Variant(deferring=True, journal_limit=2000),
    Variant(dkim=True, connections=8, uvloop=False),
    Variant(transport="outbox", durability="power"),
    Variant(connections=8, journal_limit=1000, milliseconds=0.5),
    Variant(policy="resend", deferring=True, uvloop=False),
    Variant(durability="power", connections=1, milliseconds=0.2),
    Variant(policy="resend", dkim=True, deferring=True, journal_limit=1500),
    Variant(transport="outbox", policy="resend", dkim=True, journal_limit=1000),
    Variant(connections=8, pipelining=False, policy="resend", milliseconds=1.0),
    Variant(
        durability="power",
        deferring=True,
        connections=8,
        journal_limit=1000,
        uvloop=False,
    ),
    Variant(connections=1, policy="resend", milliseconds=0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A prepared site; what is sent next is known."""

    template: Path
    readers: tuple[str, ...]

    def copy(self, root: Path, variant: Variant, port: int) -> Site:
        """A site of its own, set up as `variant` says."""
        shutil.copytree(self.template, root)
        path = root / "postroom.toml"
        path.write_text(
            path.read_text(encoding="utf-8") + variant.settings(port), encoding="utf-8"
        )
        return Site(root)


def readers_named(count: int) -> tuple[str, ...]:
    """So many addresses, the odd ones first."""
    names = [*ODD, *(f"reader{number:03}" for number in range(count))][:count]
    return tuple(f"{name}@reader.example" for name in names)


def make_scene(
    root: Path, count: int, run: Callable[[Site, Sequence[str]], object]
) -> Scene:
    """Prepare a site with three editions for `count` readers; `run` is its command line."""
    site = make_site(root)
    readers = readers_named(count)
    site.essay("2026-11-01", "첫 글")
    run(site, ["publish", "--now", BEFORE])
    table = root / "readers.csv"
    rows = [
        f"{address},confirmed,{CADENCES[number % len(CADENCES)]}\n"
        for number, address in enumerate(readers)
    ]
    table.write_text("email,consent,cadence\n" + "".join(rows), encoding="utf-8")
    run(site, ["subscribers", "import", str(table)])
    run(site, ["dkim", "new", "--selector", "s", "--file", str(root / "dkim.pem")])
    site.essay("2026-11-22", "둘째 글")
    site.essay("2026-11-22", "셋째 글")
    return Scene(template=root, readers=readers)

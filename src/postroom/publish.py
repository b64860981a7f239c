"""The cron run: posts become feeds and pages, due editions are frozen and sent.

Safe to repeat and to kill at any point: each step finds in the ledger what an earlier
run has done. Only one run works at a time; what a killed one left is settled first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from postroom.build.run import Built, build
from postroom.compose.editions import Composed, compose_editions
from postroom.errors import LedgerUnbalancedError
from postroom.files.lock import hold_lock
from postroom.store.base import Owner, UnknownPolicy
from postroom.store.sqlite import copy_ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from postroom.config import Config
    from postroom.delivery import Delivered
    from postroom.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Clock, dice and machine: everything a run does not find in the site's folder."""

    clock: Callable[[], datetime]
    """The run's clock; `--now` stops it."""
    environ: Mapping[str, str]
    token: Callable[[int], bytes]
    random: Callable[[], float]
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator asked for."""

    yes: bool = False
    """Send also what the guards hold."""
    mail: bool = True
    dry: bool = False
    accept_rollback: bool = False
    progress: Callable[[int, int], None] | None = None
    """Called with (decided, in all) while letters go out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    built: Built
    composed: Composed
    delivered: Delivered | None


def publish(config: Config, world: World, options: Options) -> Report:
    """Bring everything up to date at `world.clock()`."""
    now = world.clock()
    with (
        hold_lock(config.state_folder / "lock", world.owner.pid, now) as started_ns,
        open_ledger(config.database_path, ...) as store,
    ):
        run = store.begin_run(world.owner, now)
        built = build(config, store, now, started_ns=started_ns, dry=options.dry)
        if not options.mail:
            return Report(built=built, composed=Composed(), delivered=None)
        store.recover(run, now, UnknownPolicy(config.mail.on_unknown))
        composed = compose_editions(config, store, built.library, now, yes=options.yes)
        delivered = send(config, store, world, run)
        store.end_run(run, now)
        return Report(built=built, composed=composed, delivered=delivered)

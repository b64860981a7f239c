"""The cron run: posts become feeds and pages, due editions are frozen and sent.

Safe to repeat and to kill at any point: each step finds in the ledger what an earlier
run has done. Only one run works at a time; what a killed one left is settled first.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from postroom.build.record import FILE_NAME, read_record
from postroom.build.run import Built, build, read_posts
from postroom.compose.editions import Composed, Shelf, compose_editions
from postroom.errors import LedgerMissingError, LedgerUnbalancedError
from postroom.files.lock import hold_lock
from postroom.files.output import has_feeds
from postroom.files.secret import read_secret
from postroom.store.opening import copy_ledger, open_ledger
from postroom.store.seal import LedgerState, ledger_state
from postroom.store.values import Creation, Durability, Owner, UnknownPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from postroom.compose.letters import MessageBuilder
    from postroom.config.sections import Config
    from postroom.delivery.settings import Delivered
    from postroom.mail.outcome import DeliveryState
    from postroom.store.base import Store
    from postroom.websub.run import Told


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
    """Send also what the guards hold back."""
    mail: bool = True
    ping: bool = True
    """Tell the hub which feeds changed."""
    dry: bool = False
    """Do it all on a copy of the ledger, write no file, send nothing."""
    accept_rollback: bool = False
    progress: Callable[[int, int], None] | None = None
    """Called with (decided, in all) while letters go out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did. `deliveries` counts what it decided, and what is open still."""

    built: Built
    told: Told | None = None
    """What the hub was told; None when there was nothing to tell."""
    composed: Composed | None = None
    delivered: Delivered | None = None
    deliveries: Mapping[DeliveryState, int] = field(default_factory=dict)


def publish(config: Config, world: World, options: Options) -> Report:
    """Bring everything up to date as of `world.clock()`."""
    if options.dry:
        with copied_site(config) as copy:
            return _run(copy, world, options)
    return _run(config, world, options)


def _run(config: Config, world: World, options: Options) -> Report:
    now = world.clock()
    with (
        hold_lock(config.state_folder / "lock", world.owner.pid, now) as started_ns,
        open_site(config, world, accept_rollback=options.accept_rollback) as store,
        ExitStack() as run,
    ):
        built = build(config, store, now, started_ns=started_ns, dry=options.dry)
        told = _tell_hub(config, world, options, store)
        if not options.mail:
            return Report(built=built, told=told)

        def shelf() -> Shelf:
            library = run.enter_context(read_posts(config, now))
            broken = frozenset(problem.path for problem in library.problems)
            return Shelf(library.posts, broken, library.post)

        composed = compose_editions(config, store, shelf, now, yes=options.yes)
        delivered = _deliver(config, world, options, store)
        if not options.dry and (delivered or config.digest.prepare):
            _prepare(config, world, store)
        if unbalanced := store.unbalanced():
            raise LedgerUnbalancedError(
                f"the ledger does not balance: {', '.join(unbalanced)}",
                cure="keep a copy of the database and restore the last backup",
            )
        return Report(
            built=built,
            told=told,
            composed=composed,
            delivered=delivered,
            deliveries=_tally(delivered, store),
        )


def _tell_hub(
    config: Config, world: World, options: Options, store: Store
) -> Told | None:
    """Ping for the feeds that changed; where none did, nothing of it is imported.

    Before the letters, which it holds up for seconds at most: feeds are live already.
    """
    if options.dry:
        return None
    now = world.clock()
    hub, mark = store.hub_state(now), _mark(config)
    if hub.mark == mark and not hub.due:
        return None
    from postroom.websub.run import note_feeds, tell_hub  # noqa: PLC0415 - http.client

    if hub.mark != mark and (record := read_record(config.state_folder)):
        note_feeds(config, store, mark, record.sizes, now)
    if not (options.ping and config.feeds.hub):
        return None
    return tell_hub(config, store, now, world.random())


def _mark(config: Config) -> str:
    """What tells this build from any other one, if there is a hub to tell of it."""
    if not config.feeds.hub:
        return ""
    status = (config.state_folder / FILE_NAME).stat()
    return f"{config.feeds.hub} {status.st_mtime_ns} {status.st_size}"


def _deliver(
    config: Config, world: World, options: Options, store: Store
) -> Delivered | None:
    """Hand over what is queued or due; when nothing is, nothing of it is imported."""
    now = world.clock()
    if options.dry or not store.pending(now).deliveries:
        if not options.dry and not store.facts().published_before:
            store.end_run(store.begin_run(world.owner, now), now)
        return None
    from postroom.delivery.run import deliver  # noqa: PLC0415 - asyncio
    from postroom.delivery.settings import DeliverySettings  # noqa: PLC0415 - with the delivery
    from postroom.smtp.transport import build_transports  # noqa: PLC0415 - aiosmtplib

    store.check()  # before anything is sent
    transports = build_transports(config, world.environ)
    run = store.begin_run(world.owner, now)
    store.recover(run, now, UnknownPolicy(config.mail.on_unknown))
    with _building(config, world, store) as builder:
        delivered = deliver(
            store,
            transports,
            builder,
            DeliverySettings(
                run=run,
                clock=world.clock,
                random=world.random,
                max_retry=config.mail.max_retry,
                durability=Durability(config.store.durability),
                domain_rate=config.smtp.domain_rate,
                domain_rates=dict(config.smtp.domain_rates),
            ),
            options.progress,
        )
    store.end_run(run, now)
    return delivered


def _prepare(config: Config, world: World, store: Store) -> None:
    """Sign editions that are frozen ahead of their slot, until the first slot comes."""
    from postroom.compose.ahead import coming_editions, remove_spent, sign_ahead  # noqa: PLC0415 - jinja2, threads

    remove_spent(store, config.state_folder)
    coming = coming_editions(store, world.clock())
    if not coming or not config.dkim.key_file:
        return
    first = min(edition.slot for edition in coming)
    with _building(config, world, store) as builder:
        for edition in coming:
            sign_ahead(
                store,
                edition.key,
                builder,
                config.state_folder,
                time_is_up=lambda: world.clock() >= first,
            )


@contextmanager
def _building(config: Config, world: World, store: Store) -> Iterator[MessageBuilder]:
    """What makes the site's messages."""
    from postroom.compose.keys import read_signing_keys  # noqa: PLC0415 - only to send
    from postroom.compose.letters import MessageBuilder, build_sender  # noqa: PLC0415 - jinja2, email

    builder = MessageBuilder(
        store,
        build_sender(config, read_secret(config.secret_path, world.token)),
        config.site.timezone,
        read_signing_keys(config),
        config.state_folder,
    )
    try:
        yield builder
    finally:
        builder.close()


def _tally(delivered: Delivered | None, store: Store) -> dict[DeliveryState, int]:
    """What this run decided, and what is still open."""
    counts = dict(delivered.counts) if delivered else {}
    return {**counts, **store.open_deliveries()}


@contextmanager
def open_site(
    config: Config,
    world: World,
    *,
    accept_rollback: bool = False,
    anew: bool = False,
) -> Iterator[Store]:
    """Open the site's ledger; a new site gets a new one, a lost one is an error.

    So is a missing one where our feeds are, unless it is begun `anew`: every reader
    would get everything again.
    """

    def creation() -> Creation:
        if not anew and has_feeds(config.output_folder):
            raise LedgerMissingError(
                f"{config.database_path}: there is no ledger, but {config.output_folder} "
                "has feeds of one",
                cure="restore it, or begin anew with the ids of those feeds: "
                f"postroom posts import {config.output.folder}",
            )
        now = world.clock()
        return Creation(
            authority=f"{config.site.host},{now.astimezone(UTC):%Y-%m-%d}",
            ledger_id=world.token(16).hex(),
            salt=world.token(32),
            now=now,
        )

    path = config.database_path
    with open_ledger(path, creation, accept_rollback=accept_rollback) as store:
        yield store


@contextmanager
def copied_site(config: Config) -> Iterator[Config]:
    """Give a configuration whose state is a copy: what is tried there leaves no trace."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - 7 ms, only here

    with TemporaryDirectory(prefix="postroom-") as folder:
        copy = Path(folder) / "postroom.db"
        if ledger_state(config.database_path) is not LedgerState.ABSENT:
            copy_ledger(config.database_path, copy)
        yield replace(config, store=replace(config.store, database=str(copy)))

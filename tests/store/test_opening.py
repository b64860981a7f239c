"""Opening: a ledger is made once, and never again in place of one that was lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from postroom.errors import (
    LedgerDamagedError,
    LedgerMissingError,
    LedgerRolledBackError,
    StoreBusyError,
    StoreFullError,
    StoreUnusableError,
)
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path, journals
from postroom.store.opening import copy_ledger, open_ledger
from postroom.store.seal import (
    LedgerState,
    Seal,
    ledger_state,
    read_seal,
    seal_path,
    write_seal,
)
from postroom.store.sqlite import schema
from postroom.store.sqlite.database import connect
from postroom.store.sqlite.store import open_store
from postroom.store.values import Durability, UnknownPolicy
from postroom.subscribers.subscriber import Cadence
from tests.stage import unmeasured
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    creation,
    freeze,
    frozen,
    number_posts,
    open_new,
    reader,
    result,
    states,
    subscribe,
)

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Creation


def never() -> Creation:
    """Where a ledger exists, nothing must be made."""
    raise AssertionError("a ledger was about to be made")


def reopen(path: Path, *, accept_rollback: bool = False) -> SqliteStore:
    """Open a ledger that must exist."""
    return open_ledger(path, never, accept_rollback=accept_rollback)


@pytest.fixture
def used(ledger_path: Path) -> Path:
    """A ledger after a run that froze an edition; closed."""
    with open_new(ledger_path) as store:
        store.end_run(frozen(store, "bo", "kim"), NOW)
    return ledger_path


def rewrite(path: Path, *statements: str) -> None:
    """Change a database behind the store's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# -- making ----------------------------------------------------------------------


def test_a_new_ledger_is_private(ledger_path: Path) -> None:
    """0600 in a folder of 0700, its companions too, whatever the umask allows."""
    before = os.umask(0)
    try:
        with open_new(ledger_path) as store:
            subscribe(store, "bo")
            store.open_journal(store.begin_run(OWNER, NOW), Durability.PROCESS).close()
            modes = {
                file.name: oct(file.stat().st_mode & 0o777)
                for file in ledger_path.parent.iterdir()
            }
            folder = ledger_path.parent.stat().st_mode & 0o777
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(
        [
            "postroom.db",
            "postroom.db-wal",
            "postroom.db-shm",
            "postroom.db.seal",
            "postroom.db.run-1.journal",
        ],
        "0o600",
    )
    assert folder == 0o700


def test_a_ledger_opens_again_as_it_was(used: Path) -> None:
    """With everything that was durable."""
    with reopen(used) as store:
        assert set(states(store)) == {"bo", "kim"}
        assert store.facts().published_before


def test_every_commit_is_synced_and_written_ahead(used: Path) -> None:
    """A freeze survives a power loss: WAL with synchronous=FULL."""
    with reopen(used) as store:
        pragma = store._connection.execute
        assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
        assert pragma("PRAGMA synchronous").fetchone() == (2,)
        assert pragma("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_ledger_half_made_by_a_killed_process_is_no_ledger(ledger_path: Path) -> None:
    """It has another name, and the next run makes one from the start."""
    ledger_path.parent.mkdir()
    ledger_path.with_name(".postroom.db.1.new").write_bytes(b"")

    assert ledger_state(ledger_path) is LedgerState.ABSENT
    with open_new(ledger_path) as store:
        store.check()


def test_two_processes_that_make_a_ledger_at_once_share_one(ledger_path: Path) -> None:
    """The slower one opens what the faster one made."""
    program = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from postroom.store.opening import open_ledger\n"
        "from tests.store.scenes import NOW, OWNER, creation\n"
        "make = lambda: replace(creation(), ledger_id=sys.argv[2])\n"
        "sys.stdin.readline()\n"
        "with open_ledger(Path(sys.argv[1]), make) as store:\n"
        "    store.begin_run(OWNER, NOW); print(store.facts().ledger_id)\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(ledger_path), f"id-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("\n")
        child.stdin.flush()
    seen = [child.communicate(timeout=60)[0] for child in children]

    assert len(set(seen)) == 1
    with reopen(ledger_path) as store:
        assert store.facts().serial == 4
    assert [file.name for file in ledger_path.parent.glob(".*")] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """With what to look at."""
    (tmp_path / "state").write_text("a file", encoding="utf-8")

    with pytest.raises(StoreUnusableError, match="cannot be made"):
        open_new(tmp_path / "state" / "postroom.db")


def test_opening_without_making_says_that_there_is_none(ledger_path: Path) -> None:
    """And makes none."""
    with pytest.raises(LedgerMissingError, match="no such ledger"):
        open_store(ledger_path)

    assert not ledger_path.exists()


def test_opening_a_ledger_imports_nothing_heavy() -> None:
    """An idle run opens one: no mail, no templates, no event loop."""
    program = (
        "import sys, postroom.store.opening\n"
        "print(*(m for m in ('email', 'jinja2', 'asyncio', 'lxml', 'ssl', 'socket',"
        " 'tempfile', 'random', 'importlib.resources') if m in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured(),
    )

    assert ran.stdout.split() == []


# -- lost and damaged ------------------------------------------------------------


@pytest.mark.parametrize(
    "trace",
    [
        "postroom.db.seal",
        "postroom.db-wal",
        "postroom.db.run-7.journal",
        "postroom.db.run-7.journal.new",
        "secret",
    ],
)
def test_a_lost_ledger_is_not_made_again(ledger_path: Path, trace: str) -> None:
    """Any trace of one stops the run, and names itself."""
    ledger_path.parent.mkdir()
    ledger_path.with_name(trace).write_text("{}", encoding="utf-8")

    with pytest.raises(LedgerMissingError, match=trace) as caught:
        open_ledger(ledger_path, never)

    assert "restore" in caught.value.cure
    assert not ledger_path.exists()


def test_a_ledger_removed_after_a_run_is_missed(used: Path) -> None:
    """The seal remembers it."""
    used.unlink()

    with pytest.raises(LedgerMissingError):
        reopen(used)


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"not a database at all"])
def test_a_file_that_is_no_database_is_damaged(used: Path, content: bytes) -> None:
    """Also an empty one, which SQLite would take for a fresh database."""
    used.write_bytes(content)

    with pytest.raises(LedgerDamagedError, match="not an SQLite database"):
        reopen(used)

    assert used.read_bytes() == content


def test_a_folder_or_a_dangling_link_is_no_ledger(ledger_path: Path) -> None:
    """Neither is taken for a new site."""
    ledger_path.parent.mkdir()
    ledger_path.symlink_to("nowhere")
    with pytest.raises(LedgerDamagedError):
        open_ledger(ledger_path, never)

    ledger_path.unlink()
    ledger_path.mkdir()
    with pytest.raises(LedgerDamagedError):
        open_ledger(ledger_path, never)


def test_another_programs_database_is_refused(ledger_path: Path) -> None:
    """And left as it is."""
    ledger_path.parent.mkdir()
    rewrite(ledger_path, "CREATE TABLE bookmarks (url)")

    with pytest.raises(LedgerDamagedError, match="not a ledger"):
        open_ledger(ledger_path, never)


def test_a_ledger_without_its_facts_is_damaged(used: Path) -> None:
    """Nothing can be decided without them."""
    rewrite(used, "DELETE FROM ledger")

    with pytest.raises(LedgerDamagedError, match="no row in table ledger"):
        reopen(used)


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE subscriber SET cadence = 'yearly'", "subscribers"),
        ("UPDATE delivery SET state = 'sent'", "deliveries"),
        ("UPDATE edition SET posts = '[1,'", "editions"),
        ("UPDATE publication SET mail = 'x'", "publications"),
        ("UPDATE publication SET first_seen = 9e17", "publications"),
    ],
)
def test_a_value_that_nobody_wrote_is_damage(
    used: Path, statement: str, read: str
) -> None:
    """It surfaces as such wherever it is met, naming the file and the way out."""
    rewrite(used, "PRAGMA ignore_check_constraints = ON", statement)

    with reopen(used) as store, pytest.raises(LedgerDamagedError) as caught:
        list(getattr(store, read)())

    assert str(used) in str(caught.value)
    assert "restore" in caught.value.cure


def test_a_row_that_refers_to_nothing_fails_the_check(used: Path) -> None:
    """An edition deleted by hand."""
    rewrite(used, "DELETE FROM edition")

    with reopen(used) as store, pytest.raises(LedgerDamagedError, match="refers to"):
        store.check()


# -- versions --------------------------------------------------------------------


def test_a_newer_schema_is_refused(used: Path) -> None:
    """Its version and ours are named, and nothing is written."""
    rewrite(used, "PRAGMA user_version = 99")

    with pytest.raises(LedgerDamagedError, match="schema 99") as caught:
        reopen(used)

    assert "install" in caught.value.cure


def test_migrations_are_numbered_without_gaps() -> None:
    """The last one is the schema of this version."""
    numbers = sorted(int(file.name[:4]) for file in schema.MIGRATIONS.glob("*.sql"))

    assert numbers == list(range(1, schema.SCHEMA + 1))


@pytest.fixture
def next_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: Path
) -> tuple[Path, Path]:
    """A ledger of today, and the second migration of a later version."""
    migrations = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations)
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
    return used, migrations / f"{schema.SCHEMA:04}_next.sql"


def test_an_older_ledger_is_brought_up_to_date(next_version: tuple[Path, Path]) -> None:
    """Its rows survive, and the version is raised once."""
    ledger, migration = next_version
    migration.write_text(
        "ALTER TABLE edition ADD COLUMN note TEXT; -- one; and\n"
        "CREATE INDEX edition_note ON edition (note);\n",
        encoding="utf-8",
    )
    for _ in range(2):
        with reopen(ledger) as store:
            assert set(states(store)) == {"bo", "kim"}
            version = store._connection.execute("PRAGMA user_version").fetchone()
            assert version == (schema.SCHEMA,)


def first_version(path: Path) -> None:
    """Take a ledger back to the schema it had before there were journals."""
    rewrite(
        path,
        "DROP TABLE hub",
        "DROP TABLE ping",
        "ALTER TABLE run DROP COLUMN durability",
        "ALTER TABLE edition DROP COLUMN paused",
        "DROP INDEX delivery_open",
        *(
            statement
            for statement in schema.statements(schema.migration(1))
            if "delivery_open" in statement
        ),
        "PRAGMA user_version = 1",
    )


def test_a_ledger_without_journals_is_brought_up_to_date(ledger_path: Path) -> None:
    """What its last run left is recovered as then: claimed again queued, handing unknown."""
    with open_new(ledger_path) as store:
        run = frozen(store, "a", "b", "c", "d")
        taken = claim(store, run, 3)
        store.record_results([result(taken[2], DeliveryState.ACCEPTED)])
    first_version(ledger_path)
    rewrite(
        ledger_path,
        "UPDATE delivery SET state = 'handing', message_id = '<b@x>'"
        " WHERE email LIKE 'b@%'",
    )

    with reopen(ledger_path) as store:
        store.check()
        (edition,) = store.editions()
        assert not edition.paused
        run = store.begin_run(OWNER, NOW)
        assert store.recover(run, NOW, UnknownPolicy.HOLD) == 1
        found = states(store)
        assert found == {"a": "queued", "b": "unknown", "c": "accepted", "d": "queued"}
        (row,) = store.deliveries(state=DeliveryState.UNKNOWN)
        assert (row.message_id, row.attempts) == ("<b@x>", 1)
        assert len(claim(store, run)) == 2


def test_a_migration_that_fails_changes_nothing(
    next_version: tuple[Path, Path],
) -> None:
    """The version it came from still opens it."""
    ledger, migration = next_version
    migration.write_text(
        "ALTER TABLE edition ADD COLUMN note TEXT;\nINSERT INTO nowhere VALUES (1);\n",
        encoding="utf-8",
    )

    with pytest.raises(LedgerDamagedError):
        reopen(ledger)

    with closing(sqlite3.connect(ledger)) as connection:
        columns = connection.execute("SELECT * FROM edition").description
        version = connection.execute("PRAGMA user_version").fetchone()
    assert "note" not in [column[0] for column in columns]
    assert version == (schema.SCHEMA - 1,)


# -- rolled back -----------------------------------------------------------------


def test_the_seal_follows_the_serial(ledger_path: Path) -> None:
    """After every change that raises it."""
    with open_new(ledger_path) as store:
        assert read_seal(ledger_path) is None
        subscribe(store, "bo")
        number_posts(store, 1)
        freeze(store)
        store.pass_slot(Cadence.DAILY, NOW, 1)
        store.erase("bo@mail.example", NOW)
        store.end_run(store.begin_run(OWNER, NOW), NOW)

        assert store.facts().serial == 6
        assert read_seal(ledger_path) == Seal(ledger_id="5f2c", serial=6)


def test_an_older_copy_is_refused(used: Path) -> None:
    """It knows nothing of what was sent since."""
    copy = used.with_name("copy.db")
    copy_ledger(used, copy)
    with reopen(used) as store:
        store.end_run(store.begin_run(OWNER, NOW), NOW)
    copy.replace(used)

    with pytest.raises(LedgerRolledBackError, match="older than the last run"):
        reopen(used)


def test_an_older_copy_that_the_operator_accepts_is_the_ledger(used: Path) -> None:
    """From then on without asking, and the one it replaced would be refused."""
    copy = used.with_name("copy.db")
    copy_ledger(used, copy)
    with reopen(used) as store:
        store.end_run(store.begin_run(OWNER, NOW), NOW)
        lost = store.facts().serial
    newer = used.rename(used.with_name("newer.db"))
    copy.replace(used)

    with reopen(used, accept_rollback=True) as store:
        assert store.facts().serial > lost
    reopen(used).close()

    newer.replace(used)
    with pytest.raises(LedgerRolledBackError):
        reopen(used)


def test_accepting_what_needs_no_acceptance_changes_nothing(used: Path) -> None:
    """The option may stay in a crontab by mistake."""
    with reopen(used) as store:
        facts = store.facts()

    with reopen(used, accept_rollback=True) as store:
        assert store.facts() == facts


def test_another_ledger_is_refused(used: Path, tmp_path: Path) -> None:
    """However far it has come."""
    elsewhere = tmp_path / "elsewhere" / "postroom.db"
    with open_ledger(elsewhere, lambda: replace(creation(), ledger_id="77")) as store:
        for _ in range(20):
            store.begin_run(OWNER, NOW)
    elsewhere.replace(used)

    with pytest.raises(LedgerRolledBackError, match="another ledger"):
        reopen(used)
    with reopen(used, accept_rollback=True) as store:
        assert store.facts().ledger_id == "77"
    reopen(used).close()


def test_a_seal_behind_its_ledger_is_fine(used: Path) -> None:
    """A crash came between the commit and the seal; so is a site copied without it."""
    seal = read_seal(used)
    assert seal
    write_seal(used, replace(seal, serial=seal.serial - 1))
    reopen(used).close()

    seal_path(used).unlink()
    reopen(used).close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ledger_id": "5f2c"}', "\x00" * 64])
def test_a_damaged_seal_is_named(used: Path, text: str) -> None:
    """Nobody can tell any more, so a person has to."""
    seal_path(used).write_text(text, encoding="utf-8")

    with pytest.raises(LedgerDamagedError, match=r"postroom\.db\.seal"):
        reopen(used)


def test_a_seal_is_written_whole(used: Path) -> None:
    """No half-written file stays beside it."""
    assert json.loads(seal_path(used).read_text(encoding="utf-8"))
    assert [file.name for file in used.parent.glob("*.new")] == []


# -- copies and trouble ----------------------------------------------------------


def test_a_ledger_in_use_is_copied_whole(used: Path) -> None:
    """Private, sound, and with what was just written."""
    copy = used.with_name("copy.db")
    with reopen(used) as store:
        subscribe(store, "lee")
        copy_ledger(used, copy)
        subscribe(store, "park")

    assert copy.stat().st_mode & 0o777 == 0o600
    with open_store(copy) as store:
        store.check()
        names = [found.key[:3] for found in store.subscribers()]
    assert names == ["bo@", "kim", "lee"]


def test_a_copy_never_replaces_a_file(used: Path) -> None:
    """And of nothing there is no copy."""
    with pytest.raises(StoreUnusableError, match="cannot be made"):
        copy_ledger(used, seal_path(used))
    with pytest.raises(LedgerMissingError):
        copy_ledger(used.with_name("none.db"), used.with_name("copy.db"))


def test_a_writer_that_does_not_end_is_waited_for_and_then_named(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing changes; cron tries again (75)."""
    monkeypatch.setattr("postroom.store.sqlite.database.BUSY_SECONDS", 0.05)
    with reopen(used) as store, closing(connect(used, mode="rw")) as other:
        facts = store.facts()
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreBusyError) as caught:
            store.begin_run(OWNER, NOW)

        assert caught.value.exit_code == 75
        assert store.facts() == facts
        other.execute("ROLLBACK")
        store.begin_run(OWNER, NOW)


def test_a_full_disk_is_named_and_loses_nothing(used: Path) -> None:
    """The step that did not fit was not taken; with space it is."""
    many = [reader(f"r{number:05}") for number in range(5_000)]
    with reopen(used) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreFullError) as caught:
            store.save_subscribers(many, NOW, cadence=Cadence.WEEKLY)
        assert caught.value.exit_code == 75
        assert len(list(store.subscribers())) == 2
        store.check()

        store._connection.execute("PRAGMA max_page_count = 1000000")
        assert store.save_subscribers(many, NOW, cadence=Cadence.WEEKLY).added == 5_000


def test_a_ledger_removed_while_in_use_stops_the_run(used: Path) -> None:
    """What would be written now nobody would ever find."""
    with reopen(used) as store:
        used.unlink()
        with pytest.raises(LedgerMissingError, match="while in use"):
            store.begin_run(OWNER, NOW)
        with pytest.raises(LedgerMissingError, match="while in use"):
            next(store.subscribers())


def test_a_ledger_replaced_while_in_use_stops_the_run(used: Path) -> None:
    """Even by its own copy."""
    copy = used.with_name("copy.db")
    copy_ledger(used, copy)
    with reopen(used) as store:
        copy.replace(used)
        with pytest.raises(LedgerMissingError, match="replaced"):
            store.begin_run(OWNER, NOW)


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    """Question marks, per cents and Hangul are no URI syntax."""
    path = tmp_path / "우편 100%?#" / "post [room].db"

    with open_new(path) as store:
        subscribe(store, "bo")
        run = store.begin_run(OWNER, NOW)
        store.open_journal(run, Durability.PROCESS).close()
        assert list(journals(path)) == [(run, journal_path(path, run))]
        assert [found.key for found in store.subscribers()] == ["bo@mail.example"]
    assert path.exists()

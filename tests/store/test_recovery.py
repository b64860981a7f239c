"""Recovery: what a dead run's journal names is decided, and its silence proves little."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from postroom.errors import StoreUnusableError
from postroom.mail.outcome import DeliveryState
from postroom.store.beside import journal_path, journals
from postroom.store.entries import Ending
from postroom.store.sqlite.recovery import CUT_OFF, NOT_KNOWN, Holder, proves
from postroom.store.values import Durability, UnknownPolicy
from postroom.subscribers.subscriber import Consent
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    frozen,
    hand_over,
    journal_of,
    message_id,
    result,
    states,
)

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Claim, Delivery, Owner, Result

ACCEPTED, DEFERRED, FAILED, QUEUED, CLAIMED, UNKNOWN = (
    DeliveryState.ACCEPTED,
    DeliveryState.DEFERRED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.UNKNOWN,
)
PROCESS, POWER = Durability.PROCESS, Durability.POWER
HOLD, RESEND = UnknownPolicy.HOLD, UnknownPolicy.RESEND
REBOOTED = replace(OWNER, boot_id="b2")
ELSEWHERE = replace(OWNER, host="other.example")


def crashed(
    store: SqliteStore, durability: Durability = PROCESS, *, lease: int = 3600
) -> Path:
    """A run died with `a` claimed and `b` on its way; returns its journal."""
    run = frozen(store, "a", "b")
    journal = journal_of(store, run, durability)
    taken = claim(store, run, lease=lease)
    hand_over(store, run, taken[1:])
    journal.sync()
    return journal_path(store.path, run)


def recover(
    store: SqliteStore, owner: Owner = OWNER, policy: UnknownPolicy = HOLD
) -> int:
    """The next run settles what is left."""
    return store.recover(store.begin_run(owner, NOW), NOW, policy)


def row_of(store: SqliteStore, name: str) -> Delivery:
    """The delivery to one reader."""
    (row,) = [row for row in store.deliveries() if row.email[0] == name]
    return row


# -- what a journal names ----------------------------------------------------------


def test_without_an_intent_queued_with_one_unknown(store: SqliteStore) -> None:
    """The Message-ID is in the ledger then, and why; the attempt counts."""
    crashed(store)

    assert recover(store) == 1

    assert states(store) == {"a": QUEUED, "b": UNKNOWN}
    row = row_of(store, "b")
    assert row.message_id.endswith(".weekly-1@blog.example>")
    assert (row.reply, row.attempts) == (CUT_OFF, 1)
    assert row_of(store, "a").attempts == 0
    assert recover(store) == 0


@pytest.mark.parametrize("state", [ACCEPTED, DEFERRED, FAILED, UNKNOWN, QUEUED])
def test_an_outcome_is_written_as_the_run_would_have(
    store: SqliteStore, state: DeliveryState
) -> None:
    """To the last field, beside one that the run has written itself."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)
    hand_over(store, run, [first, second])

    def outcome(claim: Claim) -> Result:
        return result(
            claim,
            state,
            "said",
            suppress=state is FAILED,
            message_id=message_id(claim),
        )

    journal_of(store, run).write([outcome(first)], [])
    store.record_results([outcome(second)])

    assert recover(store) == (1 if state is UNKNOWN else 0)

    mine, runs = row_of(store, "a"), row_of(store, "b")
    mine = replace(mine, email=runs.email, updated_at=runs.updated_at)
    assert replace(mine, message_id=runs.message_id) == runs
    if state is not QUEUED:
        assert mine.message_id == message_id(first)
    suppressed = [s for s in store.subscribers() if s.consent is Consent.SUPPRESSED]
    assert len(suppressed) == (2 if state is FAILED else 0)


def test_the_last_word_about_a_claim_counts(store: SqliteStore) -> None:
    """Given back before the dot and then handed over: nobody knows."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)
    journal = journal_of(store, run)
    journal.write([result(first, QUEUED)], [(first, "<a@x>")])
    journal.write([], [(second, "<b@x>")])
    journal.write([result(second, ACCEPTED, "ok", message_id="<b@x>")], [])

    assert recover(store) == 1

    assert states(store) == {"a": UNKNOWN, "b": ACCEPTED}
    assert row_of(store, "a").message_id == "<a@x>"


def test_words_about_an_older_claim_do_not_count(store: SqliteStore) -> None:
    """Its epoch tells it apart; so do outcomes that are in the ledger already."""
    run = frozen(store, "a", "b")
    first, second = claim(store, run)
    hand_over(store, run, [first, second])
    store.record_results([result(first, QUEUED), result(second, FAILED, "no")])
    journal_of(store, run).write([result(second, ACCEPTED)], [])
    (again,) = claim(store, run)
    assert again.epoch == 2

    assert recover(store) == 0

    assert states(store) == {"a": QUEUED, "b": FAILED}


def test_what_an_erased_reader_s_server_said_is_not_kept(store: SqliteStore) -> None:
    """Nor in the journal, which goes."""
    run = frozen(store, "secretive")
    (taken,) = claim(store, run)
    said = result(taken, FAILED, "<secretive@mail.example> unknown", suppress=True)
    journal_of(store, run).write([said], [])
    store.erase("secretive@mail.example", NOW)

    recover(store)

    (row,) = store.deliveries()
    assert (row.state, row.reply, row.email) == (FAILED, "", "")
    assert list(journals(store.path)) == []


def test_resend_queues_an_unknown_delivery_once(store: SqliteStore) -> None:
    """The second time its fate is not known it stays so; the Message-ID is kept."""
    crashed(store)
    assert recover(store, policy=RESEND) == 1
    assert states(store) == {"a": QUEUED, "b": QUEUED}
    row = row_of(store, "b")
    assert row.message_id
    assert row.attempts == 1

    run = store.begin_run(OWNER, NOW)
    hand_over(store, run, claim(store, run))
    assert recover(store, policy=RESEND) == 2

    assert states(store) == {"a": QUEUED, "b": UNKNOWN}


def test_resend_takes_up_what_a_live_run_left_unknown(store: SqliteStore) -> None:
    """A lost connection after the dot, recorded by the run itself."""
    run = frozen(store, "a")
    store.record_results([result(one, UNKNOWN) for one in claim(store, run)])

    assert recover(store, policy=RESEND) == 0

    assert states(store) == {"a": QUEUED}


# -- who is dead -------------------------------------------------------------------


def test_a_dead_owner_that_comes_back_is_fenced(store: SqliteStore) -> None:
    """Before and after somebody else claimed its rows."""
    run = frozen(store, "a", "b")
    old = claim(store, run)
    hand_over(store, run, old[1:])
    following = store.begin_run(OWNER, NOW)
    store.recover(following, NOW, RESEND)

    store.record_results([result(one, ACCEPTED, "ok") for one in old])
    assert states(store) == {"a": QUEUED, "b": QUEUED}
    claim(store, following)
    store.record_results([result(one, ACCEPTED, "ok") for one in old])
    store.record_results([result(one, QUEUED) for one in old])

    assert states(store) == {"a": CLAIMED, "b": CLAIMED}


def test_a_run_never_recovers_its_own_claims(store: SqliteStore) -> None:
    """It holds them, whatever their lease says, and keeps its journal."""
    run = frozen(store, "a")
    hand_over(store, run, claim(store, run, lease=-1))

    store.recover(run, NOW, RESEND)

    assert states(store) == {"a": CLAIMED}
    assert journal_path(store.path, run).exists()


def test_another_hosts_run_is_dead_only_when_its_lease_is_over(
    store: SqliteStore,
) -> None:
    """By the database's clock; we cannot see that process. Its journal stays with it."""
    run = frozen(store, "a", "b", "c")
    hand_over(store, run, claim(store, run, 1, lease=3600))
    second, third = claim(store, run, 2, lease=-1)
    journal_of(store, run).write([result(third, ACCEPTED, "ok")], [])
    assert second.email[0] == "b"

    assert recover(store, ELSEWHERE) == 1

    assert states(store) == {"a": CLAIMED, "b": UNKNOWN, "c": ACCEPTED}
    assert row_of(store, "b").reply == NOT_KNOWN
    assert journal_path(store.path, run).exists()


def test_another_hosts_journal_goes_with_the_last_of_its_claims(
    store: SqliteStore,
) -> None:
    """Nothing is left for anyone to ask it."""
    path = crashed(store, POWER, lease=-1)

    assert recover(store, ELSEWHERE) == 2

    assert states(store) == {"a": UNKNOWN, "b": UNKNOWN}
    assert not path.exists()


def test_a_run_without_a_journal_handed_nothing_over(store: SqliteStore) -> None:
    """On this host or another one, ended or not."""
    run = frozen(store, "a")
    claim(store, run)
    store.end_run(run, NOW)

    assert recover(store, ELSEWHERE) == 0

    assert states(store) == {"a": QUEUED}


# -- what its silence proves -------------------------------------------------------


@pytest.mark.parametrize("durability", Durability)
@pytest.mark.parametrize(
    ("same_host", "same_boot"), [(True, True), (True, False), (False, False)]
)
def test_silence_proves_as_much_as_it_can(
    durability: Durability, *, same_host: bool, same_boot: bool
) -> None:
    """The whole table: which endings, seen from where, say that nothing left."""
    holder = Holder(
        run=1, durability=durability, same_host=same_host, same_boot=same_boot
    )
    expected = {Ending.WHOLE, Ending.TORN} if same_boot else set()
    if same_host and not same_boot and durability is POWER:
        expected = {Ending.WHOLE, Ending.TORN, Ending.BLANK}

    assert {ending for ending in Ending if proves(holder, ending)} == expected


@pytest.mark.parametrize(
    ("owner", "durability"), list(product([OWNER, REBOOTED], Durability))
)
@pytest.mark.parametrize("damage", ["torn", "zeros", "garbage", "missing", "other"])
def test_a_journal_that_is_not_whole(
    store: SqliteStore, owner: Owner, durability: Durability, damage: str
) -> None:
    """Cut off is fine, zeros after a power cut too; all else leaves doubt, by name."""
    path = crashed(store, durability)
    data = path.read_bytes()
    path.write_bytes(
        {
            "torn": data + data[-20:-3].ljust(17, b"x"),
            "zeros": data + bytes(5000),
            "garbage": data + b"\x01" * 99,
            "other": data.replace(b"5f2c", b"5f2d"),
            "missing": b"",
        }[damage]
    )
    if damage == "missing":
        path.unlink()
    same_boot = owner is OWNER
    proven = {
        "torn": same_boot or durability is POWER,
        "zeros": not same_boot and durability is POWER,
    }.get(damage, False)

    assert recover(store, owner) == (1 if proven else 2)

    assert states(store) == {"a": QUEUED if proven else UNKNOWN, "b": UNKNOWN}
    known = damage not in {"missing", "other"}
    assert bool(row_of(store, "b").message_id) == known
    assert list(journals(store.path)) == []


@pytest.mark.parametrize("durability", Durability)
def test_a_whole_journal_of_before_a_reboot(
    store: SqliteStore, durability: Durability
) -> None:
    """Proves with `power` what was not handed over, and with `process` nothing."""
    crashed(store, durability)

    recover(store, REBOOTED)

    assert states(store)["a"] is (QUEUED if durability is POWER else UNKNOWN)


def test_a_machine_that_cannot_tell_its_boots_apart_trusts_none(
    store: SqliteStore,
) -> None:
    """Two unknown boots are not the same one."""
    nameless = replace(OWNER, boot_id="")
    frozen(store, "a")
    run = store.begin_run(nameless, NOW)
    journal_of(store, run)
    claim(store, run)

    assert recover(store, nameless) == 1

    assert states(store) == {"a": UNKNOWN}


def test_a_flipped_length_does_not_pass_for_the_end(store: SqliteStore) -> None:
    """The entries behind it may be intents."""
    run = frozen(store, "a", "b", "c")
    first, second, _ = claim(store, run)
    hand_over(store, run, [first])
    cut = journal_of(store, run).octets
    hand_over(store, run, [second])
    path = journal_path(store.path, run)
    data = bytearray(path.read_bytes())
    data[cut + 2 : cut + 6] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))

    assert recover(store) == 3

    assert set(states(store).values()) == {UNKNOWN}


# -- the file itself ---------------------------------------------------------------


def test_a_journal_that_cannot_be_read_stops_the_run(store: SqliteStore) -> None:
    """It is not taken for a missing one; mended, it tells all it knew."""
    path = crashed(store)
    kept = path.with_name("kept")
    path.rename(kept)
    path.mkdir()

    with pytest.raises(StoreUnusableError, match="cannot be read"):
        recover(store)
    assert states(store) == {"a": CLAIMED, "b": CLAIMED}

    path.rmdir()
    kept.rename(path)
    assert recover(store) == 1


def test_recovered_twice_is_recovered_once(store: SqliteStore) -> None:
    """A kill between the commit and the end of the journal changes nothing."""
    path = crashed(store)
    data = path.read_bytes()
    recover(store, policy=RESEND)
    before = [replace(row, updated_at=NOW) for row in store.deliveries()]
    path.write_bytes(data)

    assert recover(store, policy=RESEND) == 0

    assert [replace(row, updated_at=NOW) for row in store.deliveries()] == before
    assert not path.exists()


def test_only_journals_of_dead_runs_we_know_go(store: SqliteStore) -> None:
    """Of a run that never claimed anything too; of an unknown one none, nor other files."""
    ended = store.begin_run(OWNER, NOW)
    journal_of(store, ended)
    journal_path(store.path, ended).with_name(
        f"{store.path.name}.run-{ended}.journal.new"
    ).write_bytes(b"half")
    unknown = journal_path(store.path, 999)
    other = store.path.with_name("other.db.run-1.journal")
    for path in (unknown, other):
        path.write_bytes(b"")

    recover(store)

    left = {file.name for file in store.path.parent.glob("*.run-*")}
    assert left == {unknown.name, other.name}


def test_a_run_has_one_journal(store: SqliteStore) -> None:
    """A second one would forget what is in the first."""
    path = crashed(store)
    run = int(path.name.split("-")[1].split(".")[0])
    data = path.read_bytes()

    for number in (run, 999):
        with pytest.raises(ValueError, match=f"run {number} has its journal already"):
            store.open_journal(number, PROCESS)

    assert path.read_bytes() == data


def test_a_journal_that_cannot_be_made_leaves_the_run_without_one(
    store: SqliteStore,
) -> None:
    """Its claims go back to the queue: nothing can have been handed over."""
    run = frozen(store, "a")
    journal_path(store.path, run).with_name(
        f"{journal_path(store.path, run).name}.new"
    ).mkdir()

    with pytest.raises(StoreUnusableError):
        store.open_journal(run, POWER)
    claim(store, run)
    journal_path(store.path, run).with_name(
        f"{journal_path(store.path, run).name}.new"
    ).rmdir()

    assert recover(store, REBOOTED) == 0
    assert states(store) == {"a": QUEUED}

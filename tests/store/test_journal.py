"""The journal: what was written is read again, and nothing that was not."""

from __future__ import annotations

import errno
import os
import resource
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import StoreFullError, StoreUnusableError
from postroom.mail.outcome import DeliveryState, Outcome, Phase, Reply
from postroom.store import journal as journal_module
from postroom.store.entries import (
    CODES,
    MESSAGE_ID_LIMIT,
    REPLY_LIMIT,
    Ending,
    Entry,
    opening,
    pack_entries,
    parse_journal,
    read_journal,
    reply_text,
)
from postroom.store.instants import EPOCH, from_instant
from postroom.store.journal import FileJournal
from postroom.store.values import Claim, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BEGINS = opening("5f2c", 7)

ids = st.integers(min_value=0, max_value=2**62)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
claims = st.builds(
    Claim,
    edition=st.just("weekly-1"),
    edition_id=ids,
    subscriber_id=ids,
    variant=st.just(1),
    email=st.just("a@mail.example"),
    name=st.just(""),
    attempts=st.just(0),
    epoch=ids,
    dated=st.just(NOW),
)
replies = st.one_of(
    st.none(),
    st.builds(Reply, code=st.sampled_from([0, 250, 451]), status=texts, text=texts),
)


@st.composite
def results(draw: st.DrawFn) -> Result:
    """Any outcome, as a run may have it."""
    state = draw(st.sampled_from([s for s in CODES if s is not DeliveryState.HANDING]))
    moment = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001 - made aware below
    retry_at = draw(moment).replace(tzinfo=UTC)
    return Result(
        draw(claims),
        Outcome(
            state=state,
            phase=Phase.DOT,
            reply=draw(replies),
            suppress=draw(st.booleans()),
        ),
        retry_at if state is DeliveryState.DEFERRED else None,
        draw(texts),
    )


intents = st.tuples(claims, texts)
writes = st.lists(
    st.tuples(st.lists(results(), max_size=3), st.lists(intents, max_size=3)),
    max_size=5,
)
Writes = list[tuple[list[Result], list[tuple[Claim, str]]]]


def entry_of(result: Result) -> Entry:
    """What is to be read again of an outcome."""
    claim, outcome, retry_at, message_id = result
    return Entry(
        claim.edition_id,
        claim.subscriber_id,
        claim.epoch,
        outcome.state,
        None if retry_at is None else from_instant(retry_at),
        outcome.suppress,
        reply_text(outcome),
        message_id,
    )


def intent_of(claim: Claim, message_id: str) -> Entry:
    """What is to be read again of an intent."""
    return Entry(
        claim.edition_id,
        claim.subscriber_id,
        claim.epoch,
        DeliveryState.HANDING,
        message_id=message_id,
    )


def entries_of(written: Writes) -> list[Entry]:
    """All of it, in order: of each write the outcomes first."""
    return [
        entry
        for outcomes, handed in written
        for entry in (
            *map(entry_of, outcomes),
            *(intent_of(*intent) for intent in handed),
        )
    ]


def octets_of(written: Writes) -> bytes:
    """The file after these writes."""
    return BEGINS + b"".join(pack_entries(*write) for write in written)


def some_claim(subscriber: int = 1, epoch: int = 1) -> Claim:
    """A claim of the first edition."""
    return Claim("weekly-1", 1, subscriber, 1, "a@x", "", 0, epoch, NOW)


def accepted(subscriber: int = 1, text: str = "ok") -> Result:
    """An outcome to write."""
    reply = Reply(code=250, status="2.0.0", text=text)
    outcome = Outcome(state=DeliveryState.ACCEPTED, phase=Phase.DOT, reply=reply)
    return Result(some_claim(subscriber), outcome, None, f"<{subscriber}@x>")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of run 7 goes."""
    return tmp_path / "postroom.db.run-7.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[FileJournal]:
    """A journal just begun."""
    made = FileJournal(path, BEGINS)
    yield made
    made.close()


# -- the format --------------------------------------------------------------------


@given(written=writes)
def test_what_was_written_is_read(written: Writes) -> None:
    """Every field of every entry, in order."""
    found = parse_journal(octets_of(written), BEGINS)

    assert found == (entries_of(written), Ending.WHOLE)


@given(written=writes, keep=st.data())
def test_only_what_is_wanted_is_returned(written: Writes, keep: st.DataObject) -> None:
    """The others are looked at, and not kept."""
    entries = entries_of(written)
    keys = [entry.key for entry in entries]
    wanted = set(keep.draw(st.lists(st.sampled_from(keys)))) if keys else set()

    found = parse_journal(octets_of(written), BEGINS, wanted)

    assert found.entries == [entry for entry in entries if entry.key in wanted]
    assert found.ending is Ending.WHOLE


@given(written=writes)
def test_cut_off_anywhere_the_whole_entries_are_left(written: Writes) -> None:
    """At every octet: those before the cut, none that is made up, and told as torn."""
    data = octets_of(written)
    entries = entries_of(written)
    ends = [len(BEGINS)]
    for outcomes, handed in written:
        for size in (
            *(len(pack_entries([one], [])) for one in outcomes),
            *(len(pack_entries([], [one])) for one in handed),
        ):
            ends.append(ends[-1] + size)
    for length in range(len(data) + 1):
        found = parse_journal(data[:length], BEGINS)
        whole = sum(end <= length for end in ends) - 1
        assert found.entries == entries[: max(whole, 0)]
        if whole < 0:
            assert found.ending is Ending.DAMAGED
        else:
            assert (found.ending is Ending.WHOLE) == (length in ends)
            assert found.ending in {Ending.WHOLE, Ending.TORN, Ending.BLANK}


@given(written=writes, data=st.data())
def test_a_flipped_bit_ends_it_and_is_told(
    written: Writes, data: st.DataObject
) -> None:
    """What came before is left, and it cannot pass for a cut: it is not the end."""
    octets = bytearray(octets_of(written))
    position = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[position // 8] ^= 1 << position % 8

    found = parse_journal(bytes(octets), BEGINS)

    entries = entries_of(written)
    assert found.entries == entries[: len(found.entries)]
    assert len(found.entries) < len(entries) or not entries
    assert found.ending is Ending.DAMAGED


@given(written=writes, garbage=st.binary(max_size=200))
def test_garbage_is_never_an_entry(written: Writes, garbage: bytes) -> None:
    """Alone, behind the opening, or behind entries; and nothing is raised."""
    assert parse_journal(garbage, BEGINS).entries == []
    found = parse_journal(octets_of(written) + garbage, BEGINS)

    assert found.entries == entries_of(written)
    assert (found.ending is Ending.WHOLE) == (garbage == b"")


@given(written=writes, count=st.integers(1, 9000))
def test_zeros_at_the_end_are_told(written: Writes, count: int) -> None:
    """A power cut leaves them where data had not arrived."""
    found = parse_journal(octets_of(written) + bytes(count), BEGINS)

    assert found == (entries_of(written), Ending.BLANK)


def test_another_runs_journal_is_none_of_ours() -> None:
    """Nor another ledger's, nor an empty file."""
    data = BEGINS + pack_entries([accepted()], [])
    for begins in (opening("5f2c", 8), opening("77", 7), opening("5f2", 7)):
        assert parse_journal(data, begins) == ([], Ending.DAMAGED)
    assert parse_journal(b"", BEGINS) == ([], Ending.DAMAGED)


def test_texts_are_bounded_and_always_text() -> None:
    """Endless ones are cut, in the middle of a letter if need be; lone surrogates go."""
    long = accepted(text="가" * 10_000)._replace(message_id="한" * 1000)
    odd = accepted(text="\udc80 reply")._replace(message_id="\udfff")

    found = parse_journal(BEGINS + pack_entries([long, odd], []), BEGINS)

    first, second = found.entries
    assert len(first.reply) == REPLY_LIMIT
    assert len(first.message_id.encode()) <= MESSAGE_ID_LIMIT + 3
    assert first.message_id.startswith("한" * 300)
    assert (second.reply, second.message_id) == ("250 2.0.0 ? reply", "?")


def test_the_epoch_is_the_beginning_of_time() -> None:
    """A retry at that very moment is one all the same."""
    outcome = Outcome(state=DeliveryState.DEFERRED, phase=Phase.RCPT, reply=None)

    found = parse_journal(
        BEGINS + pack_entries([Result(some_claim(), outcome, EPOCH)], []), BEGINS
    )

    assert found.entries[0].retry_at == 0


# -- the file ----------------------------------------------------------------------


def test_each_write_is_one_system_call(
    path: Path, journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many entries; and they can be read at once."""
    sizes = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", counted)

    journal.write([accepted(1), accepted(2)], [(some_claim(3), "<3@x>")])

    assert len(sizes) == 1
    found = read_journal(path, BEGINS)
    assert [entry.subscriber_id for entry in found.entries] == [1, 2, 3]
    assert journal.octets == path.stat().st_size == len(BEGINS) + sizes[0]


def test_it_is_private_and_makes_way_for_a_new_one(path: Path) -> None:
    """0600 whatever the umask; a file that was there is replaced, a link not followed."""
    target = path.with_name("elsewhere")
    target.write_bytes(b"kept")
    path.symlink_to(target)
    before = os.umask(0)
    try:
        FileJournal(path, BEGINS).close()
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    assert not path.is_symlink()
    assert path.read_bytes() == BEGINS
    assert target.read_bytes() == b"kept"


def test_it_begins_again_with_what_is_needed(path: Path, journal: FileJournal) -> None:
    """Shorter, whole, and written on after that."""
    for number in range(100):
        journal.write([accepted(number)], [(some_claim(number + 1), "<m@x>")])
    before = journal.octets

    journal.restart([accepted(99)], [(some_claim(100), "<100@x>")])
    journal.write([accepted(100)], [])

    found = read_journal(path, BEGINS)
    assert found.ending is Ending.WHOLE
    assert [(e.subscriber_id, e.state) for e in found.entries] == [
        (99, DeliveryState.ACCEPTED),
        (100, DeliveryState.HANDING),
        (100, DeliveryState.ACCEPTED),
    ]
    assert journal.octets == path.stat().st_size < before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_interrupted_anywhere_the_old_or_the_new_one_is_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart that dies at any of its steps leaves a journal that can be read."""
    steps = ["open", "write", "fsync"]
    for step in [*steps, "replace"]:
        journal = FileJournal(path, BEGINS)
        journal.write([accepted(1)], [(some_claim(2), "<2@x>")])
        old = path.read_bytes()
        owner, name = (os, step) if step in steps else (Path, "replace")

        def die(*arguments: object, **options: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, die)
            with pytest.raises(KeyboardInterrupt):
                journal.restart([], [(some_claim(2), "<2@x>")])
        assert path.read_bytes() == old, step
        journal.close()


def test_it_may_be_flushed_while_it_is_written_and_begun_again(
    path: Path, journal: FileJournal
) -> None:
    """By another thread: no flush ever meets a descriptor that was given back."""
    stop = threading.Event()
    faults: list[Exception] = []

    def flush() -> None:
        while not stop.is_set():
            try:
                journal.sync()
            except Exception as error:  # noqa: BLE001 - told to the test
                faults.append(error)
                return

    thread = threading.Thread(target=flush)
    thread.start()
    for number in range(300):
        journal.write([accepted(number)], [])
        if number % 10 == 0:
            journal.restart([accepted(number)], [])
    stop.set()
    thread.join()

    assert faults == []
    assert read_journal(path, BEGINS).ending is Ending.WHOLE


def test_closed_twice_it_is_closed(journal: FileJournal) -> None:
    """And takes nothing more."""
    journal.close()
    journal.close()

    with pytest.raises(StoreUnusableError):
        journal.write([accepted()], [])


def require_finished(journal: FileJournal) -> None:
    """After a fault every call raises it again."""
    calls: list[Callable[[], None]] = [
        lambda: journal.write([accepted()], []),
        journal.sync,
        lambda: journal.restart([], []),
    ]
    for call in calls:
        with pytest.raises((StoreFullError, StoreUnusableError)):
            call()


def test_a_full_disk_ends_it(path: Path) -> None:
    """A write cut short by the limit on its size: nothing more is taken, what was stays."""
    journal = FileJournal(path, BEGINS)
    journal.write([accepted(1)], [])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.octets + 30, hard))
    try:
        with pytest.raises(StoreFullError) as caught:
            journal.write([accepted(2)], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.exit_code == 75
    require_finished(journal)
    journal.close()

    found = read_journal(path, BEGINS)
    assert [entry.subscriber_id for entry in found.entries] == [1]
    assert found.ending is Ending.TORN


def test_no_room_at_all_ends_it(journal: FileJournal) -> None:
    """ENOSPC of a real device."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._descriptor)
    os.close(full)

    with pytest.raises(StoreFullError, match="the disk is full"):
        journal.write([accepted()], [])
    require_finished(journal)


def test_no_room_for_a_new_one_leaves_the_old_one(path: Path) -> None:
    """And ends it; nothing half-made stays."""
    journal = FileJournal(path, BEGINS)
    journal.write([accepted(1)], [])
    old = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BEGINS) + 10, hard))
    try:
        with pytest.raises(StoreFullError):
            journal.restart([accepted(1)], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    require_finished(journal)
    journal.close()

    assert path.read_bytes() == old
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_failed_flush_is_final(
    journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one would succeed without what was lost, and is not asked."""

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(StoreUnusableError, match="Input/output"):
            journal.sync()

    require_finished(journal)


def test_a_folder_that_takes_no_file_is_named(tmp_path: Path) -> None:
    """Before anything was claimed for it."""
    with pytest.raises(StoreUnusableError, match="cannot be written"):
        FileJournal(tmp_path / "none" / "j", BEGINS)


def test_what_is_left_of_it_is_removed(path: Path) -> None:
    """A file that is not there is no fault, a folder in its place is."""
    journal_module.remove_journal(path)
    path.mkdir()
    with pytest.raises(StoreUnusableError, match="cannot be removed"):
        journal_module.remove_journal(path)

"""Signatures made ahead: found again after any kill, and never a wrong one."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import StoreFullError, StoreUnusableError
from postroom.files.signatures import (
    SignatureReader,
    SignatureWriter,
    remove_signatures,
    signatures_path,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable
    from pathlib import Path

STAMP = b"letters and keys"
OCTETS = 11
HEADER = 8 + 4 + 16 + 4
RECORD = 8 + 16 + OCTETS + 4


def fingerprint(subscriber_id: int) -> bytes:
    """What a subscriber's values hash to."""
    return blake2b(b"%d" % subscriber_id, digest_size=16).digest()


def signature(subscriber_id: int) -> bytes:
    """What was signed for them."""
    return blake2b(b"s%d" % subscriber_id, digest_size=OCTETS).digest()


def writer(
    path: Path, *, octets: int = OCTETS, stamp: bytes = STAMP
) -> SignatureWriter:
    """A writer with the usual layout."""
    return SignatureWriter(path, octets=octets, stamp=stamp)


def reader(
    path: Path, *, octets: int = OCTETS, stamp: bytes = STAMP
) -> SignatureReader:
    """A reader with the usual layout."""
    return SignatureReader(path, octets=octets, stamp=stamp)


def fill(path: Path, subscribers: Iterable[int]) -> None:
    """Append signatures for `subscribers`."""
    with writer(path) as out:
        for subscriber_id in subscribers:
            out.append(
                subscriber_id, fingerprint(subscriber_id), signature(subscriber_id)
            )


def found(path: Path, subscribers: Iterable[int]) -> dict[int, bytes | None]:
    """What a reader finds, asked in the order given."""
    with reader(path) as there:
        return {one: there.find(one, fingerprint(one)) for one in subscribers}


def fresh(path: Path) -> Path:
    """A path with nothing at it: hypothesis runs one test function many times."""
    path.unlink(missing_ok=True)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for one example after the other."""
    return signatures_path(tmp_path_factory.mktemp("state"), "weekly-7")


subscriber_ids = st.integers(1, 2**63 - 1)
id_sets = st.sets(subscriber_ids | st.integers(1, 2000), max_size=400)
orders = st.sampled_from(["up", "down", "shuffled"])


@given(id_sets, id_sets, orders, st.randoms(use_true_random=False))
def test_whoever_was_signed_for_is_found_in_any_order(
    place: Path, signed: set[int], asked: set[int], order: str, dice: random.Random
) -> None:
    """And nobody else."""
    fill(fresh(place), sorted(signed))
    questions = sorted(asked | signed, reverse=order == "down")
    if order == "shuffled":
        dice.shuffle(questions)
    expected = {one: signature(one) if one in signed else None for one in questions}
    assert found(place, questions) == expected


@given(
    st.lists(st.integers(1, 3000), max_size=60),
    st.integers(1, 40),
)
def test_ascending_gaps_of_any_size_are_passed(
    place: Path, asked: list[int], step: int
) -> None:
    """Claims come in ascending order with holes; repeats are answered, too."""
    signed = range(1, 3000, step)
    fill(fresh(place), signed)
    expected = {one: signature(one) if one in signed else None for one in asked}
    assert found(place, sorted(asked)) == expected
    assert found(place, asked) == expected


def test_a_signature_of_other_values_is_not_given(tmp_path: Path) -> None:
    """An address changed after signing: its fingerprint is another."""
    path = tmp_path / "p"
    fill(path, [1, 2, 3])
    with reader(path) as there:
        assert there.find(2, fingerprint(1)) is None
        assert there.find(2, fingerprint(2)) == signature(2)
        assert there.find(3, fingerprint(3)) == signature(3)
        assert there.find(1, fingerprint(1)) == signature(1)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_a_writer_goes_on_where_the_last_one_stopped(
    place: Path, pieces: list[int]
) -> None:
    """Several runs make one file."""
    fresh(place)
    done = 0
    for piece in pieces:
        with writer(place) as out:
            assert out.last_subscriber() == done
            for one in range(done + 1, done + piece + 1):
                out.append(one, fingerprint(one), signature(one))
            assert out.last_subscriber() == done + piece
        done += piece
    assert place.stat().st_size == HEADER + done * RECORD
    everybody = range(1, done + 1)
    assert found(place, everybody) == {one: signature(one) for one in everybody}


def test_a_file_cut_at_any_octet_is_continued(tmp_path: Path) -> None:
    """A kill tears the last record; all before it stay."""
    path = tmp_path / "p"
    fill(path, range(1, 6))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        kept = max(length - HEADER, 0) // RECORD
        there = {one: signature(one) if one <= kept else None for one in range(1, 6)}
        assert found(path, range(1, 6)) == there
        with writer(path) as out:
            assert out.last_subscriber() == kept
            for one in range(kept + 1, 6):
                out.append(one, fingerprint(one), signature(one))
        assert path.read_bytes() == whole


def test_a_file_with_any_bit_flipped_gives_no_wrong_signature(tmp_path: Path) -> None:
    """It gives fewer; and the others, or, when the header is hit, none."""
    path = tmp_path / "p"
    everybody = range(1, 6)
    fill(path, everybody)
    whole = path.read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        hit = (bit // 8 - HEADER) // RECORD + 1 if bit // 8 >= HEADER else 0
        expected = {one: signature(one) for one in everybody if hit and one != hit}
        for order in (everybody, reversed(everybody)):
            answers = found(path, order)
            right = {one: answer for one, answer in answers.items() if answer}
            assert right.items() <= expected.items()
            if order is everybody:
                assert right == expected


def test_damage_at_the_end_is_cut_off_before_going_on(tmp_path: Path) -> None:
    """After a power loss the tail may be zeros or anything."""
    path = tmp_path / "p"
    fill(path, range(1, 6))
    whole = path.read_bytes()
    for tail in (b"\0" * (3 * RECORD + 5), os.urandom(2 * RECORD), b"\xff" * 4096):
        path.write_bytes(whole + tail)
        with writer(path) as out:
            assert out.last_subscriber() == 5
        assert path.read_bytes() == whole
    path.write_bytes(whole[: HEADER + 3 * RECORD] + b"\0" * (2 * RECORD))
    with writer(path) as out:
        assert out.last_subscriber() == 3


@given(st.binary(max_size=300) | st.binary(min_size=3000, max_size=9000))
def test_a_foreign_file_is_empty_and_started_anew(place: Path, octets: bytes) -> None:
    """Whatever it holds."""
    fresh(place).parent.mkdir(exist_ok=True)
    place.write_bytes(octets)
    assert found(place, [1, 2]) == {1: None, 2: None}
    with writer(place) as out:
        assert out.last_subscriber() == 0
    assert place.stat().st_size == HEADER


@pytest.mark.parametrize(
    ("octets", "stamp"), [(OCTETS + 1, STAMP), (OCTETS, b"another letter's")]
)
def test_signatures_of_another_size_or_stamp_are_not_ours(
    tmp_path: Path, octets: int, stamp: bytes
) -> None:
    """A key or a letter changed: all are made again."""
    path = tmp_path / "p"
    fill(path, [1, 2, 3])
    with reader(path, octets=octets, stamp=stamp) as there:
        assert there.find(1, fingerprint(1)) is None
    with writer(path, octets=octets, stamp=stamp) as out:
        assert out.last_subscriber() == 0
        out.append(1, fingerprint(1), b"x" * octets)
    assert found(path, [1]) == {1: None}
    with reader(path, octets=octets, stamp=stamp) as there:
        assert there.find(1, fingerprint(1)) == b"x" * octets


def test_records_of_another_file_do_not_count(tmp_path: Path) -> None:
    """Their checksum begins with the header they were written under."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    fill(ours, [1])
    with writer(theirs, stamp=b"another letter's") as out:
        out.append(2, fingerprint(2), signature(2))
    ours.write_bytes(ours.read_bytes() + theirs.read_bytes()[HEADER:])
    assert found(ours, [1, 2]) == {1: signature(1), 2: None}


def test_only_ascending_subscribers_and_right_lengths_are_taken(tmp_path: Path) -> None:
    """Otherwise bisecting would miss some; `struct` would pad silently."""
    with writer(tmp_path / "p") as out:
        out.append(5, fingerprint(5), signature(5))
        for one, print_, signed in (
            (5, fingerprint(5), signature(5)),
            (4, fingerprint(4), signature(4)),
            (6, fingerprint(6)[:15], signature(6)),
            (6, fingerprint(6), signature(6)[:10]),
            (6, fingerprint(6), signature(6) + b"x"),
        ):
            with pytest.raises(ValueError, match=r"subscriber|octets"):
                out.append(one, print_, signed)
        with pytest.raises(ValueError, match="subscriber"):
            writer(tmp_path / "q").append(0, fingerprint(0), signature(0))
        assert out.last_subscriber() == 5
    assert found(tmp_path / "p", [4, 5, 6]) == {4: None, 5: signature(5), 6: None}
    with pytest.raises(ValueError, match="stamp"):
        reader(tmp_path / "p", stamp=b"short")


def test_the_file_is_private_whatever_was_there(tmp_path: Path) -> None:
    """Signatures are letters in our name."""
    path = signatures_path(tmp_path / "state", "weekly-12")
    mask = os.umask(0)
    try:
        fill(path, [1])
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o666)
    fill(path, [2])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_reader_of_nothing_finds_nothing(tmp_path: Path) -> None:
    """No file, a folder in its place, a file closed or shortened meanwhile."""
    assert found(tmp_path / "absent", [1]) == {1: None}
    assert found(tmp_path, [1]) == {1: None}
    path = tmp_path / "p"
    fill(path, range(1, 1000))
    there = reader(path)
    assert there.find(1, fingerprint(1)) == signature(1)
    os.truncate(path, HEADER + 400 * RECORD + 3)
    answers = [there.find(one, fingerprint(one)) for one in range(1, 1000)]
    assert answers[:256] == [signature(one) for one in range(1, 257)]
    assert answers[400:] == [None] * 599
    there.close()
    there.close()
    assert there.find(1, fingerprint(1)) is None


def test_one_damaged_record_costs_readers_in_order_nothing_else(tmp_path: Path) -> None:
    """Also when it is the one where every bisection begins."""
    path = tmp_path / "p"
    fill(path, range(1, 2001))
    octets = bytearray(path.read_bytes())
    octets[HEADER + 1000 * RECORD + 3] ^= 0xFF
    path.write_bytes(octets)
    answers = found(path, range(1, 2001))
    assert [one for one, answer in answers.items() if answer is None] == [1001]
    assert all(answer in (None, signature(one)) for one, answer in answers.items())


def test_it_is_removed_when_it_is_no_longer_needed(tmp_path: Path) -> None:
    """Also twice; what cannot be removed is named."""
    path = tmp_path / "p"
    fill(path, [1])
    remove_signatures(path)
    assert not path.exists()
    remove_signatures(path)
    path.mkdir()
    with pytest.raises(StoreUnusableError, match=str(path)):
        remove_signatures(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Here a folder, and a file instead of the folder."""
    with pytest.raises(StoreUnusableError, match=str(tmp_path)):
        writer(tmp_path)
    (tmp_path / "prepared").write_bytes(b"")
    with pytest.raises(StoreUnusableError, match="prepared"):
        writer(signatures_path(tmp_path, "weekly-1"))


def test_a_full_disk_is_told_and_costs_only_the_rest(tmp_path: Path) -> None:
    """What is in the file by then is found, and continued later."""
    path = tmp_path / "p"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HEADER + 1000 * RECORD + 7, hard))
    try:
        with pytest.raises(StoreFullError, match=str(path)):
            fill(path, range(1, 5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    with writer(path) as out:
        assert out.last_subscriber() == 1000
    fill(path, range(1001, 5000))
    everybody = range(1, 5000)
    assert found(path, everybody) == {one: signature(one) for one in everybody}


CHILD = """
import sys
from pathlib import Path
from hashlib import blake2b
from postroom.files.signatures import SignatureWriter
out = SignatureWriter(Path(sys.argv[1]), octets=11, stamp=b"letters and keys")
one = out.last_subscriber()
print(one, flush=True)
while True:
    one += 1
    out.append(
        one,
        blake2b(b"%d" % one, digest_size=16).digest(),
        blake2b(b"s%d" % one, digest_size=11).digest(),
    )
"""


def test_writers_killed_at_random_lose_only_what_they_had_not_written(
    tmp_path: Path,
) -> None:
    """Each one starts where the file of the one before ends, and all of it is right."""
    path = tmp_path / "p"
    starts = []
    for delay in (0.0, 0.003, 0.011, 0.017, 0.023):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            starts.append(int(child.stdout.readline()))
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(timeout=delay)
            child.kill()
    with writer(path) as out:
        starts.append(out.last_subscriber())
    assert all(before <= after for before, after in pairwise(starts))
    assert starts[-1] > 0
    assert starts[-1] == (path.stat().st_size - HEADER) // RECORD
    everybody = range(1, starts[-1] + 1)
    assert found(path, everybody) == {one: signature(one) for one in everybody}


MEASURE = """
import resource, sys
from pathlib import Path
from postroom.files.signatures import SignatureReader, SignatureWriter
path, count = Path(sys.argv[1]), int(sys.argv[2])
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = used()
signature = bytes(288)
with SignatureWriter(path, octets=288, stamp=bytes(16)) as out:
    for one in range(1, count + 1):
        out.append(one, one.to_bytes(16, "big"), signature)
with SignatureReader(path, octets=288, stamp=bytes(16)) as there:
    for one in range(1, count + 1):
        assert there.find(one, one.to_bytes(16, "big")) == signature
    for one in range(count, 0, -997):
        assert there.find(one, one.to_bytes(16, "big")) == signature
print(used() - before)
"""


def test_memory_does_not_grow_with_the_audience(tmp_path: Path) -> None:
    """60 MB of signatures go through less than 4 MB."""
    path = tmp_path / "p"
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), "200000"],
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert path.stat().st_size > 60_000_000
    assert int(ran.stdout) < 4096

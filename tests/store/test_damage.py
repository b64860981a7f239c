"""Damage: a ledger with broken bytes is refused, or gives everything, never less."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from postroom.errors import LedgerDamagedError
from postroom.store.opening import open_ledger
from postroom.store.values import UnknownPolicy
from tests.store.scenes import (
    NOW,
    OWNER,
    claim,
    freeze,
    hand_over,
    number_posts,
    open_new,
    subscribe,
)

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.store.sqlite.store import SqliteStore
    from postroom.store.values import Creation

COPIES = 60
READERS = 600


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of two editions, some of it under way."""
    path = tmp_path_factory.mktemp("sound") / "postroom.db"
    with open_new(path) as store:
        subscribe(store, *(f"r{number:04}" for number in range(READERS)))
        for number in (1, 2):
            number_posts(store, number)
            freeze(store, f"weekly-{number}", posts=(number,))
        run = store.begin_run(OWNER, NOW)
        hand_over(store, run, claim(store, run, 20))
    return path


def damage(path: Path, seed: int) -> None:
    """Flip bits, blank a page, exchange two pages, or cut the file off."""
    dice = random.Random(seed)  # noqa: S311 - the same damage every time
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    kind = seed % 4
    if kind == 0:
        for _ in range(dice.choice((1, 5, 50))):
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    elif kind == 1:
        page = dice.randrange(pages)
        content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    elif kind == 2:
        one, two = (dice.randrange(pages) * 4096 for _ in range(2))
        content[one : one + 4096], content[two : two + 4096] = (
            content[two : two + 4096],
            content[one : one + 4096],
        )
    else:
        del content[dice.randrange(len(content)) :]
    path.write_bytes(content)


def never() -> Creation:
    """A damaged ledger must not be made anew."""
    raise AssertionError("a ledger was about to be made")


def contents(store: SqliteStore) -> tuple[int, int, int, int]:
    """How much of everything there is."""
    return (
        len(list(store.subscribers())),
        len(list(store.deliveries())),
        len(list(store.editions())),
        len(store.publications()),
    )


@pytest.mark.parametrize("seed", range(COPIES))
def test_a_damaged_copy_is_refused_or_whole(
    sound: Path, tmp_path: Path, seed: int
) -> None:
    """At opening, at the check before anything is sent, or not at all."""
    path = tmp_path / "postroom.db"
    shutil.copy(sound, path)
    shutil.copy(f"{sound}.seal", f"{path}.seal")
    damage(path, seed)

    try:
        with open_ledger(path, never) as store:
            store.check()
            assert contents(store) == (READERS, 2 * READERS, 2, 2)
            assert store.unbalanced(everything=True) == []
    except LedgerDamagedError as error:
        assert str(path) in str(error)  # noqa: PT017 - both ends are right
        assert error.cure  # noqa: PT017 - both ends are right


@pytest.mark.parametrize("seed", range(0, COPIES, 3))
def test_working_on_a_damaged_ledger_raises_nothing_else(
    sound: Path, tmp_path: Path, seed: int
) -> None:
    """Without the check first, every method ends in a result or in that error."""
    path = tmp_path / "postroom.db"
    shutil.copy(sound, path)
    damage(path, seed)

    try:
        with open_ledger(path, never) as store:
            run = store.begin_run(OWNER, NOW)
            store.recover(run, NOW, UnknownPolicy.RESEND)
            hand_over(store, run, claim(store, run, READERS))
            number_posts(store, 3)
            freeze(store, "weekly-3", posts=(3,))
            store.erase("r0001@mail.example", NOW)
            contents(store)
    except LedgerDamagedError as error:
        assert str(path) in str(error)  # noqa: PT017 - both ends are right

"""The secret of signed links: made once, kept private."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import ConfigError
from postroom.files.secret import read_secret

if TYPE_CHECKING:
    from pathlib import Path


def never(size: int) -> bytes:
    """Fail: the secret must not be made again."""
    raise AssertionError(size)


def test_it_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    """A new secret would break the links of every letter sent so far."""
    path = tmp_path / "state" / "secret"
    made = read_secret(path, lambda size: b"\x01" * size)
    assert made == b"01" * 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_secret(path, never) == made


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    path = tmp_path / "secret"
    read_secret(path, lambda size: b"\x01" * size)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(path, never)


def test_one_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Here a folder in its place."""
    with pytest.raises(ConfigError, match=str(tmp_path)):
        read_secret(tmp_path, never)

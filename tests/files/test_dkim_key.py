"""The key of signatures: made once, whole, private; refused when others can read it."""

from __future__ import annotations

import os
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from postroom.errors import DkimKeyError
from postroom.files.dkim_key import make_dkim_key, read_dkim_key
from postroom.mail.dkim import ED25519, RSA

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {"domain": "blog.example", "selector": "postroom"}


@pytest.mark.parametrize(("algorithm", "octets"), [(RSA, 256), (ED25519, 64)])
def test_a_new_key_is_private_and_can_be_read(
    tmp_path: Path, algorithm: str, octets: int
) -> None:
    """In a folder made for it; nothing unfinished stays behind."""
    path = tmp_path / "state" / "dkim.pem"
    mask = os.umask(0)
    try:
        make_dkim_key(path, algorithm)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]
    key = read_dkim_key(path, **NAMES)
    assert (key.algorithm, key.signature_octets) == (algorithm, octets)
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.parametrize("there", ["a key", "nothing", "a folder", "a dangling link"])
def test_nothing_is_written_over(tmp_path: Path, there: str) -> None:
    """Another key would leave letters on their way without a record that fits."""
    path = tmp_path / "dkim.pem"
    if there == "a folder":
        path.mkdir()
    elif there == "a dangling link":
        path.symlink_to(tmp_path / "away")
    else:
        path.write_bytes(b"precious" if there == "a key" else b"")
    with pytest.raises(DkimKeyError, match="there already") as caught:
        make_dkim_key(path, ED25519)
    assert caught.value.cure
    assert list(tmp_path.iterdir()) == [path]
    if there == "a key":
        assert path.read_bytes() == b"precious"


def test_a_key_that_appears_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once: the second one finds the first one's key."""
    path = tmp_path / "dkim.pem"
    path.write_bytes(b"the other's")
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(DkimKeyError, match="there already"):
        make_dkim_key(path, ED25519)
    assert path.read_bytes() == b"the other's"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    """An unfinished key has another name."""
    path = tmp_path / "dkim.pem"
    (tmp_path / "dkim.pem.new").write_bytes(b"-----BEGIN")
    make_dkim_key(path, ED25519)
    assert list(tmp_path.iterdir()) == [path]
    assert read_dkim_key(path, **NAMES).algorithm == ED25519


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Here a file in its place."""
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(DkimKeyError, match=r"state/dkim\.pem"):
        make_dkim_key(tmp_path / "state" / "dkim.pem", ED25519)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    """With the command that mends it."""
    path = tmp_path / "dkim.pem"
    make_dkim_key(path, ED25519)
    path.chmod(mode)
    with pytest.raises(DkimKeyError, match=f"chmod 600 {path}"):
        read_dkim_key(path, **NAMES)
    path.chmod(0o600)
    read_dkim_key(path, **NAMES)
    path.chmod(0o400)
    read_dkim_key(path, **NAMES)


def test_what_cannot_be_used_is_named_with_its_file(tmp_path: Path) -> None:
    """No file, a folder, no key, a name that is none."""
    path = tmp_path / "dkim.pem"
    with pytest.raises(DkimKeyError, match=r"no such key .*postroom dkim new"):
        read_dkim_key(path, **NAMES)
    with pytest.raises(DkimKeyError, match="Is a directory"):
        read_dkim_key(tmp_path, **NAMES)
    path.touch(0o600)
    with pytest.raises(DkimKeyError, match=f"{path}: no private key"):
        read_dkim_key(path, **NAMES)
    path.unlink()
    make_dkim_key(path, ED25519)
    with pytest.raises(DkimKeyError, match="no selector"):
        read_dkim_key(path, domain="blog.example", selector="a b")


def test_keys_of_other_programs_are_read(tmp_path: Path) -> None:
    """opendkim-genkey and openssl write PKCS#1 or PKCS#8."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    for number, words in enumerate((["-traditional"], [])):
        made = subprocess.run(
            [openssl, "genrsa", *words, "2048"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        path = tmp_path / f"{number}.pem"
        path.touch(0o600)
        path.write_bytes(made.stdout)
        assert read_dkim_key(path, **NAMES).signature_octets == 256

"""The key that signs letters: read from its file, or made once (RFC 6376, RFC 8463)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from postroom.errors import DkimKeyError
from postroom.files.output import sync_folder, write_whole
from postroom.mail.dkim import ED25519, GOOD_RSA_BITS, DkimKey, parse_key

if TYPE_CHECKING:
    from pathlib import Path

MAX_OCTETS = 65_536
"""Of a key file; one of RSA-4096 has 3,300."""
UNFINISHED = ".new"
"""Ending of a key that has not got its name yet."""


def read_dkim_key(path: Path, *, domain: str, selector: str) -> DkimKey:
    """Return the key at `path`; raise DkimKeyError naming the file and what is wrong.

    A key that others can read is refused: whoever has it writes in the domain's name.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(MAX_OCTETS)
    except FileNotFoundError:
        raise DkimKeyError(
            f"{path}: no such key", cure="make one with `postroom dkim new`"
        ) from None
    except OSError as error:
        raise DkimKeyError(
            f"{path}: {error.strerror}", cure="check its owner"
        ) from None
    if mode & 0o077:
        raise DkimKeyError(f"{path}: others can read it", cure=f"chmod 600 {path}")
    try:
        return parse_key(pem, domain=domain, selector=selector)
    except DkimKeyError as error:
        raise DkimKeyError(f"{path}: {error.what}", cure=error.cure) from None


def make_dkim_key(path: Path, algorithm: str) -> None:
    """Write a new private key of `algorithm` to `path`, whole or not at all, mode 0600.

    RSA has 2048 bits; the form is PKCS#8 in PEM. Raises DkimKeyError when something is
    there already: a key that is replaced leaves letters on their way unverifiable.
    """
    if os.path.lexists(path):
        raise _taken(path)
    pem = _new_key(algorithm)
    new = path.with_name(path.name + UNFINISHED)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(new, pem)
        try:
            os.link(new, path)  # unlike a rename, never over another's
        finally:
            new.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise DkimKeyError(
            f"{path}: {error.strerror}", cure="check owner, permissions and free space"
        ) from None


def _new_key(algorithm: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415 - 40 ms, only to sign
        ed25519,
        rsa,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
    if algorithm == ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=GOOD_RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _taken(path: Path) -> DkimKeyError:
    return DkimKeyError(
        f"{path}: a file is there already, and no key is written over another",
        cure="name another file with --file, or `postroom dkim show` this one",
    )

"""The key of signed links: read from its file, or made on first use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from postroom.errors import ConfigError
from postroom.files.output import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET_BYTES = 32


def read_secret(path: Path, token: Callable[[int], bytes]) -> bytes:
    """Return the lines of the secret at `path`, made by `token` where there is none.

    Raises ConfigError when the file is unreadable, or others can read it: whoever has
    the secret can unsubscribe anyone.
    """
    try:
        text = path.read_bytes().strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = token(SECRET_BYTES).hex().encode("ascii")
        write_whole(path, text + b"\n")
        return text
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", cure="check its owner") from None
    if mode & 0o077 and path.stat().st_uid == os.geteuid():
        raise ConfigError(f"{path}: others can read it", cure=f"chmod 600 {path}")
    return text

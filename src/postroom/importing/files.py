"""New files in the posts folder: whole or not at all, never through a link."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from postroom.errors import PostroomError

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY = ".postroom-import"
"""Ending of a file that is not finished; a killed run may leave one, the next replaces it."""
MODE = 0o644


class NotWrittenError(PostroomError):
    """A file of the posts folder cannot be written."""


def write_new(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file that is not there; with `replace` also one that is.

    Raises NotWrittenError; then the folder is as it was before.
    """
    new = path.with_name("." + path.name[:100] + TEMPORARY)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(new, flags, MODE), "wb") as file:
            file.write(data)
        if replace:
            new.replace(path)
        else:
            path.hardlink_to(new)
            new.unlink()
    except FileExistsError:
        new.unlink(missing_ok=True)
        raise NotWrittenError(f"{path}: is there already") from None
    except OSError as error:
        new.unlink(missing_ok=True)
        raise NotWrittenError(
            f"{path}: {error.strerror}", cure="check owner, permissions and free space"
        ) from None

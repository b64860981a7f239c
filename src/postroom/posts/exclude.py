"""`[posts] exclude`: folders and files of the posts folder that hold no posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.posts.slug import is_post_path

if TYPE_CHECKING:
    from collections.abc import Callable


def build_post_test(exclude: tuple[str, ...]) -> Callable[[str], bool]:
    """Return `is_post_path` without the folders or files that `exclude` names.

    Names are relative to the posts folder and compared without regard to case, as the
    file systems of notebooks do: `Templates`, `Work/Clients`, `Inbox.md`.
    """
    if not exclude:
        return is_post_path
    names = tuple(name.casefold() for name in exclude)
    folders = tuple(f"{name}/" for name in names)

    def is_post(path: str) -> bool:
        folded = path.casefold()
        return (
            folded not in names
            and not folded.startswith(folders)
            and is_post_path(path)
        )

    return is_post

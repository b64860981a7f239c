"""An Obsidian vault: one folder of it becomes a blog, never the whole of it by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.starting.findings import Findings, Kind
from postroom.starting.foreign import first_folder, flag_at, read_table, text_at

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ".obsidian"
HOME = ".postroom"
"""Obsidian shows no hidden folder."""
FOLDERS = (
    "Blog", "blog", "Posts", "posts", "Essays", "essays", "Writing", "writing",
    "Published", "블로그", "글", "에세이",
)  # fmt: skip
PUBLISH = "publish.obsidian.md"


def look_at_obsidian(root: Path) -> Findings:
    """Return what the vault's settings say; a vault has no title but its folder's name."""
    folder = root / SETTINGS
    files = ("app.json", "templates.json", "daily-notes.json", "publish.json")
    tables = {name: read_table(folder / name) for name in files}
    posts = first_folder(root, FOLDERS)
    notes = []
    if not flag_at(tables["app.json"], "strictLineBreaks"):
        notes.append(
            "a line break in a note is one in the post, as Obsidian shows it:"
            " posts.hard_breaks"
        )
    attachments = text_at(tables["app.json"], "attachmentFolderPath").strip("/")
    if attachments and not attachments.startswith("."):
        notes.append(
            f"attachments lie in {attachments}: only those below the posts folder can"
            " be shown"
        )
    if any(tables["publish.json"].values()):
        notes.append(
            "the vault uses Obsidian Publish: with --url https://publish.obsidian.md/NAME/"
            " posts are linked there, without it postroom makes their pages"
        )
    named = (
        text_at(tables["templates.json"], "folder"),
        text_at(tables["daily-notes.json"], "folder"),
        "Templates",
    )
    return Findings(
        kind=Kind.OBSIDIAN,
        title=root.resolve().name,
        posts=posts,
        pages=True,
        media=True,
        hard_breaks=not flag_at(tables["app.json"], "strictLineBreaks"),
        exclude=tuple(dict.fromkeys(name.strip("/") for name in named if name)),
        home=HOME,
        output=f"{HOME}/public",
        output_words="give this folder to a web server",
        seen=tuple(f"{SETTINGS}/{name}" for name in files if tables[name]),
        notes=tuple(notes),
    )

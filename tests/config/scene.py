"""Configurations in a temporary folder, read in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.config.reading import read_config

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.config.sections import Config

MINIMAL = '[site]\nurl = "https://blog.example"\n'
SMTP = MINIMAL + '[mail]\ntransport = "smtp"\nfrom = "a@blog.example"\n[smtp]\n'


def write(folder: Path, text: str) -> Path:
    """Put a postroom.toml into `folder` and return the folder."""
    (folder / "postroom.toml").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, text: str, **environ: str) -> Config:
    """Read `text` as the configuration of `folder`."""
    return read_config(write(folder, text), environ)

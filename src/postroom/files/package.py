"""What the package itself brings: its templates, under those of the site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import postroom

if TYPE_CHECKING:
    import jinja2

TEMPLATES_NAME = "templates"
PACKAGE = Path(postroom.__file__).parent
"""Modules and templates: they decide the output as much as the posts do."""


def template_loader(site: Path) -> jinja2.BaseLoader:
    """The site's own templates first, file by file, then the package's."""
    import jinja2  # noqa: PLC0415 - 56 ms, and an idle run renders nothing

    return jinja2.FileSystemLoader([site, PACKAGE / "_templates"])


def compiled_templates(state: Path) -> jinja2.BytecodeCache | None:
    """Where templates are kept compiled; None where the folder cannot be made."""
    import jinja2  # noqa: PLC0415 - as above

    folder = state / TEMPLATES_NAME
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(str(folder))

"""What the package itself brings: its templates, under those of the site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import postroom

if TYPE_CHECKING:
    import jinja2

PACKAGE = Path(postroom.__file__).parent
"""Modules and templates: they decide the output as much as the posts do."""


def template_loader(site: Path) -> jinja2.BaseLoader:
    """The site's own templates first, file by file, then the package's."""
    import jinja2  # noqa: PLC0415 - 56 ms, and an idle run renders nothing

    return jinja2.FileSystemLoader([site, PACKAGE / "_templates"])

"""Files of every format, and importing one into an empty folder."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from postroom.errors import Problem
from postroom.importing.fields import Choices
from postroom.importing.run import Importer, Options, Outcome
from postroom.posts.post import Rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from postroom.importing.found import Note

FILES = Path(__file__).parent / "files"
RULES = Rules(
    site_url="https://blog.example/", language="ko", zone=ZoneInfo("Asia/Seoul")
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    folder: Path
    outcomes: list[Outcome]
    problems: list[Problem]
    notes: list[Note]

    def text(self, name: str) -> str:
        """A post's file."""
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def names(self) -> list[str]:
        """Posts of the folder."""
        return sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*.md")
        )


@pytest.fixture
def files() -> Path:
    """The folder of the files."""
    return FILES


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Imported]:
    """Import a file of the set by name, a path, or bytes as standard input."""

    def run(source: str | Path | bytes, **options: Any) -> Imported:
        folder = tmp_path / "posts"
        data = source if isinstance(source, bytes) else b""
        name = "-" if isinstance(source, bytes) else str(FILES / source)
        choices = options.pop("choices", Choices(language="ko"))
        importer = Importer(
            rules=RULES, options=Options(folder=folder, choices=choices, **options)
        )
        steps = list(importer.run(name, io.BytesIO(data)))
        return Imported(
            folder,
            [step for step in steps if isinstance(step, Outcome)],
            [step for step in steps if isinstance(step, Problem)],
            [step for step in steps if not isinstance(step, (Outcome, Problem))],
        )

    return run

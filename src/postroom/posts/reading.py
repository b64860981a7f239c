"""One source while it is read: its pairs by canonical name, its warnings so far."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.errors import PostError, Problem
from postroom.posts import dates, values

if TYPE_CHECKING:
    from datetime import datetime

    from postroom.posts.front_matter import FrontMatter
    from postroom.posts.keys import Entry, Keys
    from postroom.posts.post import Rules
    from postroom.posts.slug import Name

PLACEHOLDERS = ("{{", "{%")
"""Of Liquid, Hugo, Obsidian and others."""
MAX_URL = 2000
"""Characters; data: pictures are longer."""
FOREIGN_SCHEME = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:", re.IGNORECASE)
SHOWN = 40
"""Characters of a bad value that a message repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One source while it is read; `problems` collects the warnings."""

    path: str
    rules: Rules
    front: FrontMatter
    keys: Keys
    name: Name
    problems: list[Problem] = field(default_factory=list)

    def problem(self, key: str, message: str, cure: str) -> Problem:
        """Return a problem at `key` of the front matter, or of the whole file."""
        if not key:
            return Problem(path=self.path, message=message, cure=cure)
        block = self.front.block
        return block.problem(block.find_key(key), message, cure)

    def warn(self, key: str, message: str, cure: str = "") -> None:
        """Add a warning."""
        self.problems.append(self.problem(key, message, cure))

    def whole_line(self, canonical: str) -> str:
        """Return a value as one clean line of any length, or nothing."""
        entry = self.keys.first(canonical)
        if entry is None:
            return ""
        if isinstance(entry.value, dict):
            self.warn(entry.key, f"`{entry.key}` must be text", "write one line")
        return values.parse_line(", ".join(values.texts_of(entry.value)))

    def line(self, canonical: str) -> str:
        """Return a value as one clean line, or nothing; warns when it is cut."""
        line = self.whole_line(canonical)
        entry = self.keys.first(canonical)
        if entry is not None and len(line) > values.LINE_LIMIT:
            message = f"`{entry.key}` has more than {values.LINE_LIMIT} characters"
            self.warn(entry.key, message, "shorten it")
        return values.shorten(line)

    def text(self, canonical: str) -> str:
        """Return a value as clean text that may have several lines."""
        entry = self.keys.first(canonical)
        joined = "\n\n".join(values.texts_of(entry.value)) if entry else ""
        return values.clean(joined).strip()

    def date(self, entry: Entry, *, lenient: bool) -> datetime | None:
        """Return the date of a pair; where there is none, an error or a warning."""
        written = values.parse_line(", ".join(values.texts_of(entry.value)))
        try:
            return dates.parse_date(written, self.rules.zone)
        except ValueError as error:
            reason = str(error)
        message = (
            f"`{entry.key}: {values.shorten(written, SHOWN)}` is no date: {reason}"
        )
        cure = dates.HOW
        if is_placeholder(written):
            message = f"unexpanded template placeholder in `{entry.key}`"
            cure = "write a date"
        problem = self.problem(entry.key, message, cure)
        if not lenient:
            raise PostError(problem)
        self.problems.append(problem)
        return None


def is_address(text: str) -> bool:
    """Tell whether a line may be a path or an address of the web."""
    usable = 0 < len(text) <= MAX_URL and "\n" not in text
    return usable and not FOREIGN_SCHEME.match(text) and not is_placeholder(text)


def is_placeholder(text: str) -> bool:
    """Tell whether `text` holds a template's placeholder that nothing replaced."""
    return any(sign in text for sign in PLACEHOLDERS)

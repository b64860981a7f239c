"""Where a key was written, for the message of a fault."""

from __future__ import annotations

import re

# Text, compiled when a fault is met: no other run has need of them.
HEADER = r"\s*\[{1,2}\s*([\w.-]+)\s*\]"
KEY = r"\s*\"?([\w-]+)\"?\s*[.=]"


class Origin:
    """The text of a file, to look up where its keys stand."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def place(self, section: str, key: str = "", position: int = 0) -> str:
        """`path:line: section.key`; the line is that of the key, else of its table.

        `position` counts the tables `[[section]]` of an array from 1.
        """
        line = self._line(section, key, position)
        if position and not line:  # an array in one line: relays = [{…}, {…}]
            outer, _, inner = section.rpartition(".")
            line = self._line(outer, inner, 0)
        where = f"{self.path}:{line}" if line else self.path
        table = f"{section}[{position}]" if position else section
        return f"{where}: {table}.{key}" if key else f"{where}: [{table}]"

    def _line(self, section: str, key: str, position: int) -> int:
        """Of the key, of the table that it is, or of the table it is in; 0 is nowhere."""
        inside, best, seen = "", 0, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if table := re.match(HEADER, line):
                inside = table[1]
                seen += inside == section
                if key and inside == f"{section}.{key}":
                    return number
                if inside == section and not best and seen == max(position, 1):
                    best = number
                continue
            wanted = inside == section and position in {0, seen}
            if wanted and (name := re.match(KEY, line)) and name[1] == key:
                return number
        return best

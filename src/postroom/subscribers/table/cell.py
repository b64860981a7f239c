"""A cell on its way into and out of a spreadsheet: no cell of ours becomes a formula.

Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, TAB or CR. Such a cell gets
an apostrophe in front; a cell that already looks guarded gets one more, so that taking
one away always gives back what was there.
"""

from __future__ import annotations

import re

GUARD = "'"
GUARDED = re.compile(r"'+[=+\-@\t\r]")
DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
SPECIAL = re.compile(r'[,;"\t\r\n]|^\s|\s$')
"""What makes a cell need quotes (RFC 4180 §2.6; `;` and TAB for other readers)."""


def guard_cell(text: str) -> str:
    """Return `text` as a cell that no spreadsheet runs."""
    return GUARD + text if DANGEROUS.match(text) else text


def unguard_cell(text: str) -> str:
    """Return what `guard_cell` was given."""
    if text[:1] == GUARD and GUARDED.match(text):
        return text[1:]
    return text


def render_cell(text: str) -> str:
    """Return a guarded cell, in quotes where RFC 4180 wants them."""
    text = guard_cell(text)
    if SPECIAL.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text

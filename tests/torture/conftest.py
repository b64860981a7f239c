"""Torture takes long and is collected only when someone asks for it; its figures are told."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest import TerminalReporter  # noqa: PT013 - a type

collect_ignore_glob = [] if os.environ.get("POSTROOM_TORTURE") else ["test_*.py"]


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the figures of each group, and of all."""
    whole: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        if report.when != "call":
            continue
        name = report.nodeid.partition("::")[2]
        figures = dict(report.user_properties)
        numbers = {key: value for key, value in figures.items() if key != "exits"}
        whole.update(numbers)
        told = ", ".join(f"{value} {key}" for key, value in figures.items())
        terminalreporter.write_line(f"{name}: {told}")
    told = ", ".join(f"{value:g} {key}" for key, value in whole.items())
    terminalreporter.write_line(f"in all: {told}")

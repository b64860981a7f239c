"""What is documented is there, and what is there is documented."""

from __future__ import annotations

import inspect
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from postroom import errors
from postroom.cli.group import COMMANDS, group

ROOT = Path(__file__).parents[1]


def commands() -> list[tuple[str, click.Command]]:
    """Every command and subcommand by its words."""
    found = []
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {word}", sub) for word, sub in command.commands.items()]
    return found


@pytest.mark.parametrize(("words", "command"), commands())
def test_every_command_is_explained(words: str, command: click.Command) -> None:
    """In its own help, and in docs/commands.md with each of its options."""
    ran = CliRunner().invoke(group, [*words.split(), "--help"])
    assert ran.exit_code == 0
    assert command.help
    reference = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    section = reference.partition(f"## postroom {words}\n")[2].partition("\n## ")[0]
    assert section, words
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in section, option


def test_every_error_says_what_it_is() -> None:
    """A docstring and an exit code that the README explains."""
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.PostroomError):
            assert error.__doc__
            assert error.exit_code in {1, 2, 75}

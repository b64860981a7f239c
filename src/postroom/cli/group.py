"""The command itself: a table of commands, each imported only when it is called.

One-line helps stand in the table, because click would otherwise import every command
to print `--help`.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from postroom.errors import LockHeldError, PostroomError
from postroom.version import VERSION

COMMANDS = {
    "build": "Write feeds and pages; send nothing.",
    "check": "Name every post that has a fault or is not what it seems.",
    "deliveries": "The ledger: what became of each message.",
    "dkim": "A key for signatures, and its DNS record.",
    "import": "Turn a feed or another publisher's export into posts.",
    "init": "A new site, or settings for a blog that exists.",
    "pause": "Send nothing more of an edition.",
    "plan": "What goes out next: slots, posts, recipients.",
    "posts": "Ids, numbers and mail state of posts.",
    "publish": "The cron command: feeds, pages, due editions, delivery.",
    "resume": "Let an edition go on that was paused.",
    "send-test": "One letter to one address, outside the ledger.",
    "serve": "The published files over HTTP.",
    "subscribers": "Who receives letters.",
}
MODULES = {"import": "import_posts"}
"""Of commands that are no name of a module: Python keeps the word for itself."""
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports `postroom.cli.NAME` (`-` as `_`) when NAME is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names for `--help` and completion."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None when there is no such one."""
        if cmd_name not in COMMANDS:
            return None
        module = MODULES.get(cmd_name, cmd_name.replace("-", "_"))
        command = import_module(f"postroom.cli.{module}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a slip of ours, not of the user
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 something needs a person, 2 usage or configuration, 75 try again later.",
)
@click.option(
    "-C", "folder", metavar="DIR", help="The site's folder (default: search upwards)."
)
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks of errors.")
@click.version_option(VERSION, prog_name="postroom")
@click.pass_context
def group(context: click.Context, folder: str | None, *, verbose: bool) -> None:
    """Publish a folder of posts: feeds, pages and e-mail digests."""
    context.obj = {"folder": folder, "verbose": verbose}


def main() -> None:
    """Run the command line; errors go to stderr and become exit codes."""
    verbose = "-v" in sys.argv or "--verbose" in sys.argv
    try:
        code = group(standalone_mode=False)
    except click.Abort:
        code = INTERRUPTED
    except KeyboardInterrupt:
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except PostroomError as error:
        if verbose:
            raise
        code = report(error)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def report(error: PostroomError) -> int:
    """Say what is wrong, unless it only matters to a person who watches."""
    if not isinstance(error, LockHeldError) or sys.stderr.isatty():
        click.echo(f"postroom: {error}", err=True)
    return error.exit_code

"""`postroom serve`: the published files over HTTP."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import click

from postroom.cli.shell import read_site, site_option
from postroom.config import values
from postroom.errors import ConfigError


@click.command("serve")
@site_option
@click.option(
    "--bind",
    metavar="HOST:PORT",
    help="Where to listen (default: web.bind); port 0 is any free one.",
)
@click.option("-v", "--verbose", is_flag=True, help="Write a line for each request.")
def command(folder: str | None, *, bind: str | None, verbose: bool) -> None:
    """Serve the output folder over HTTP until SIGTERM or Ctrl-C.

    The address that it listens on is printed once requests are taken.
    """
    config = read_site(folder)
    try:
        address = values.bind(bind) if bind is not None else config.web.bind
    except ValueError as error:
        raise ConfigError(f"--bind: {bind!r} {error}") from None
    from postroom.web.application import build_application  # noqa: PLC0415 - a server; `--help` needs none
    from postroom.web.server import log_to_stderr, serve  # noqa: PLC0415 - as above

    log_to_stderr(requests=verbose)
    application = build_application(config, time.time_ns)
    if not config.output_folder.is_dir():
        click.echo(
            f"postroom: {config.output_folder}: nothing is published yet (run postroom build)",
            err=True,
        )
    path = urlsplit(config.site.url).path

    def announce(where: str) -> None:
        at = where + path if where.startswith("http") else where
        click.echo(f"listening on {at}")

    serve(application, address, announce)

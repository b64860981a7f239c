"""`postroom send-test`: one letter to one address, outside the ledger."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from postroom.build.run import read_posts
from postroom.cli.edition import find_edition
from postroom.cli.shell import read_site, read_world, site_option
from postroom.errors import RelayAwayError
from postroom.files.secret import read_secret
from postroom.mail.outcome import DeliveryState
from postroom.publish import open_site
from postroom.subscribers.address import parse_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from postroom.config.sections import Config
    from postroom.mail.letter import Letter
    from postroom.mail.message import Message
    from postroom.mail.outcome import Outcome
    from postroom.smtp.base import Transport
    from postroom.store.base import Store

NOT_ACCEPTED = 1


@click.command("send-test")
@site_option
@click.option("--edition", default="", metavar="KEY", help="A variant of this edition.")
@click.option("--language", default="", metavar="TAG", help="Of the letter: ko, en.")
@click.argument("address")
def command(folder: str | None, *, edition: str, language: str, address: str) -> None:
    """Send one letter to ADDRESS, as a run would: the newest posts, or an edition again.

    Its subject begins with `[test]`, its links are nobody's, and no ledger knows of it.
    With several relays it goes out by the first that is there. Prints what the relay
    says; exits 0 when that is an acceptance, else 1, and 75 when no relay is there.
    """
    from postroom.compose.keys import read_signing_keys  # noqa: PLC0415 - only to send
    from postroom.compose.trial import build_trial  # noqa: PLC0415 - jinja2, email
    from postroom.smtp.transport import build_transports  # noqa: PLC0415 - aiosmtplib

    config, world = read_site(folder), read_world()
    email = parse_address(address).email
    now = world.clock()
    # The ledger comes first: where other files of a site lie without it, it was lost.
    with open_site(config, world) as store:
        letter = _choose_letter(config, store, now, edition, language)
    secret = read_secret(config.secret_path, world.token)
    keys = read_signing_keys(config)
    message = build_trial(config, letter, email, now, secret=secret, keys=keys)
    name, outcome = _hand_over(build_transports(config, world.environ), message)
    words = f": {outcome.reply}" if outcome.reply else ""
    click.echo(f"{email}: {outcome.state} by {name}{words}")
    accepted = outcome.state is DeliveryState.ACCEPTED
    sys.exit(0 if accepted else NOT_ACCEPTED)


def _choose_letter(
    config: Config, store: Store, now: datetime, edition: str, language: str
) -> Letter:
    from postroom.compose.editions import Shelf  # noqa: PLC0415 - only for this one
    from postroom.compose.trial import choose_variant, sample_letter  # noqa: PLC0415 - jinja2, email

    if not edition:
        with read_posts(config, now) as library:
            shelf = Shelf(library.posts, frozenset(), library.post)
            return sample_letter(config, shelf, now, language)
    letters = store.letters(find_edition(store, edition).key)
    return choose_variant(letters, language, preferred=config.site.language)


def _hand_over(
    transports: Sequence[Transport], message: Message
) -> tuple[str, Outcome]:
    """Try one way out after the other, standbys last; raise when none is there."""
    from postroom.delivery.run import deliver_one  # noqa: PLC0415 - asyncio

    away = RelayAwayError("there is no relay")
    for transport in sorted(transports, key=lambda item: not item.weight):
        try:
            return transport.name, deliver_one(transport, message)
        except RelayAwayError as error:
            away = error
            if len(transports) > 1:
                click.echo(f"postroom: {error}", err=True)
    raise away

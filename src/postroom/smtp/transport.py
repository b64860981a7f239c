"""The transports that `mail.transport` and `[smtp]` name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.config.passwords import relay_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.config.sections import Config
    from postroom.smtp.base import Transport


def build_transports(
    config: Config, environ: Mapping[str, str]
) -> tuple[Transport, ...]:
    """Return the transports of a site, one for each relay; imported only where used.

    Raises ConfigError for a password that cannot be read.
    """
    if config.mail.transport == "smtp":
        from postroom.smtp.client import SmtpTransport  # noqa: PLC0415 - aiosmtplib, ssl

        return tuple(
            SmtpTransport(
                relay,
                root=config.root,
                password=relay_password(config, relay, environ),
            )
            for relay in config.smtp.all_relays()
        )
    from postroom.smtp.outbox import OutboxTransport  # noqa: PLC0415 - asyncio

    return (OutboxTransport(config.outbox_folder),)

"""The transport that `mail.transport` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.config import smtp_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.config import Config
    from postroom.smtp.base import Transport


def build_transport(config: Config, environ: Mapping[str, str]) -> Transport:
    """Return the transport of a site; each is imported only where it is used."""
    if config.mail.transport == "smtp":
        from postroom.smtp.client import SmtpTransport  # noqa: PLC0415 - aiosmtplib, ssl

        return SmtpTransport(
            config.smtp, root=config.root, password=smtp_password(config, environ)
        )
    from postroom.smtp.outbox import OutboxTransport  # noqa: PLC0415 - asyncio

    return OutboxTransport(config.outbox_folder)

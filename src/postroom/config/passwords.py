"""The password of a relay: from its key, a file, or a systemd credential."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from postroom.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.config.sections import Config, RelayConfig

CREDENTIAL = "smtp_password"


def relay_password(
    config: Config, relay: RelayConfig, environ: Mapping[str, str]
) -> str:
    """Return the password of `relay`, one of `config.smtp.all_relays()`; empty for none.

    The credential of `[smtp]` is `smtp_password` in $CREDENTIALS_DIRECTORY, those of
    `[[smtp.relays]]` are `smtp_password_2`, `smtp_password_3` … in their order, whether
    `[smtp]` has a host or not. Raises ConfigError for a file that cannot be read.
    """
    position = 1 if relay is config.smtp else config.smtp.relays.index(relay) + 2
    if relay.password:
        return relay.password
    named = relay.password_file
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    path = config.root / named if named else None
    if path is None and credentials:
        name = CREDENTIAL if position == 1 else f"{CREDENTIAL}_{position}"
        path = Path(credentials) / name
    if path is None or (not named and not path.exists()):
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        table = "smtp" if position == 1 else f"smtp.relays[{position - 1}]"
        raise ConfigError(
            f"{table}.password_file: {path} cannot be read: {error}",
            cure="name a readable file",
        ) from None

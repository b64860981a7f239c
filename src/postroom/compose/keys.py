"""The keys that sign the letters of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroom.config.sections import Config
    from postroom.mail.dkim import DkimKey


def read_signing_keys(config: Config) -> tuple[DkimKey, ...]:
    """Return the keys that `[dkim]` names, RSA first; none where it names none.

    Raises DkimKeyError for one that cannot be read or used.
    """
    dkim = config.dkim
    if not dkim.key_file:
        return ()
    named = [(dkim.key_file, dkim.selector)]
    if dkim.ed25519_key_file:
        named.append((dkim.ed25519_key_file, dkim.ed25519_selector))
    from postroom.files.dkim_key import read_dkim_key  # noqa: PLC0415 - cryptography, only to sign

    return tuple(
        read_dkim_key(
            config.root / file, domain=config.signing_domain, selector=selector
        )
        for file, selector in named
    )

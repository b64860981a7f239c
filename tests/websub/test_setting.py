"""`[feeds] hub` is an address as it stands: feeds, readers and pings must agree on it."""

from __future__ import annotations

import pytest

from postroom.config import values


@pytest.mark.parametrize(
    "address",
    [
        "https://hub.example/",
        "https://hub.example",
        "https://hub.example/hub",
        "https://hub.example:8443/hub?key=1",
        "http://[::1]:8080/",
        "https://허브.example/",
    ],
)
def test_an_address_is_kept_to_the_letter(address: str) -> None:
    """No slash is added: `…/hub` and `…/hub/` may be two places."""
    assert values.hub(f" {address} ") == address
    assert values.hub("") == ""


@pytest.mark.parametrize(
    "raw",
    [
        "hub.example",
        "ftp://hub.example/",
        "https://",
        "https:///hub",
        "https://hub.example/#x",
        "https://hub.example/a b",
        "https://hub.example:0/",
        "https://hub.example:99999/",
        "https://[::/",
        "https://hub!.example/",
        f"https://{'x' * 64}.example/",
        "https://me:secret@hub.example/",
        7,
    ],
)
def test_what_is_no_address_is_refused(raw: object) -> None:
    """Nor a password: every feed would publish it."""
    with pytest.raises(ValueError, match="must"):
        values.hub(raw)

"""The configuration names the ways out: a folder, or one relay or more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.config.reading import read_config
from postroom.errors import ConfigError
from postroom.smtp.client import SmtpTransport
from postroom.smtp.outbox import OutboxTransport
from postroom.smtp.transport import build_transports
from tests.stage import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.config.sections import Config

RELAYS = """
transport = "smtp"

[smtp]
host = "one.example"
tls = "implicit"
username = "me"
connections = 7
rate = 14
[[smtp.relays]]
host = "two.example"
port = 2525
weight = 0
"""


def configured(root: Path, extra: str = "") -> Config:
    """A site's configuration."""
    (root / "postroom.toml").write_text(CONFIG + extra, encoding="utf-8")
    return read_config(root, {})


def test_a_new_site_writes_into_its_outbox(tmp_path: Path) -> None:
    """One way out, as fast as the disk is."""
    (outbox,) = build_transports(configured(tmp_path), {})
    assert isinstance(outbox, OutboxTransport)
    assert (outbox.name, outbox.rate, outbox.weight) == ("outbox", 0.0, 1)
    assert outbox.connections > 1


def test_each_relay_is_a_way_out_with_its_own_password(tmp_path: Path) -> None:
    """Named by host and port, with the connections, rate and weight it was given."""
    (tmp_path / "smtp_password").write_text("erste")
    (tmp_path / "smtp_password_2").write_text("zweite")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    transports = build_transports(configured(tmp_path, RELAYS), environ)
    one, two = transports
    assert (one.name, one.connections, one.rate, one.weight) == (
        *("one.example:465", 7, 14.0),
        1,
    )
    assert (two.name, two.weight) == ("two.example:2525", 0)
    assert isinstance(one, SmtpTransport)
    assert isinstance(two, SmtpTransport)
    assert (one._password, two._password) == ("erste", "zweite")


def test_a_password_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Before any connection."""
    extra = RELAYS.replace('"me"', '"me"\npassword_file = "nowhere"')
    with pytest.raises(ConfigError, match="nowhere"):
        build_transports(configured(tmp_path, extra), {})

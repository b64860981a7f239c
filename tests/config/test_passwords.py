"""A relay's password: key, then file, then the systemd credential of its position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.config.passwords import relay_password
from postroom.errors import ConfigError
from tests.config.scene import MINIMAL, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postroom.config.sections import Config

THREE = (
    MINIMAL
    + """[smtp]
[[smtp.relays]]
host = "two.example"
password_file = "pass"
[[smtp.relays]]
host = "three.example"
"""
)


def password(config: Config, environ: Mapping[str, str]) -> str:
    """Of `[smtp]` itself."""
    return relay_password(config, config.smtp, environ)


def test_the_password_comes_from_key_file_or_credential(tmp_path: Path) -> None:
    """In that order; a named file that cannot be read is a fault."""
    (tmp_path / "pass").write_text("from-file\n", encoding="utf-8")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert password(read(tmp_path, MINIMAL), credentials) == ""
    (tmp_path / "smtp_password").write_text("from-systemd", encoding="utf-8")
    assert password(read(tmp_path, MINIMAL), credentials) == "from-systemd"
    named = read(tmp_path, MINIMAL + '[smtp]\npassword_file = "pass"\n')
    assert password(named, {}) == "from-file"
    keyed = read(tmp_path, MINIMAL, POSTROOM_SMTP__PASSWORD="from-variable")
    assert password(keyed, credentials) == "from-variable"
    gone = read(tmp_path, MINIMAL + '[smtp]\npassword_file = "gone"\n')
    with pytest.raises(ConfigError, match=r"^smtp\.password_file"):
        password(gone, {})


def test_each_relay_has_its_own(tmp_path: Path) -> None:
    """Credentials are numbered as the relays are written, `[smtp]` being the first.

    It counts without a host too: to give it one later renames no credential.
    """
    (tmp_path / "pass").write_text("from-file\n", encoding="utf-8")
    for number, name in [(1, "smtp_password"), (3, "smtp_password_3")]:
        (tmp_path / name).write_text(f"credential {number}", encoding="utf-8")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    config = read(tmp_path, THREE)
    found = [
        relay_password(config, relay, credentials) for relay in config.smtp.all_relays()
    ]
    assert found == ["from-file", "credential 3"]
    (tmp_path / "pass").unlink()
    with pytest.raises(ConfigError, match=r"^smtp\.relays\[1\]\.password_file"):
        relay_password(config, config.smtp.relays[0], credentials)

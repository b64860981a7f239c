"""The keys that `[dkim]` names are read; a site that names none signs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.compose.keys import read_signing_keys
from postroom.config.reading import read_config
from postroom.errors import DkimKeyError
from postroom.files.dkim_key import make_dkim_key
from postroom.mail.dkim import ED25519, RSA

if TYPE_CHECKING:
    from pathlib import Path

    from postroom.config.sections import Config

SITE = '[site]\nurl = "https://blog.example"\n[mail]\nfrom = "a@news.blog.example"\n'


def configured(folder: Path, text: str = "") -> Config:
    """A site with this below `[dkim]`."""
    (folder / "postroom.toml").write_text(SITE + text, encoding="utf-8")
    return read_config(folder, {})


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    """A domain or selector alone switches nothing on."""
    assert read_signing_keys(configured(tmp_path)) == ()
    named = configured(tmp_path, '[dkim]\ndomain = "blog.example"\nselector = "x"\n')
    assert read_signing_keys(named) == ()


def test_rsa_comes_first_and_ed25519_beside_it(tmp_path: Path) -> None:
    """Each with its selector; files are found from the site's folder."""
    make_dkim_key(tmp_path / "rsa.pem", RSA)
    make_dkim_key(tmp_path / "ed.pem", ED25519)
    one = '[dkim]\nkey_file = "rsa.pem"\n'
    (key,) = read_signing_keys(configured(tmp_path, one))
    assert (key.algorithm, key.domain, key.selector) == (
        RSA, "news.blog.example", "postroom",
    )  # fmt: skip
    two = one + 'domain = "blog.example"\ned25519_key_file = "ed.pem"\n'
    found = read_signing_keys(configured(tmp_path, two))
    assert [(key.algorithm, key.domain, key.selector) for key in found] == [
        (RSA, "blog.example", "postroom"),
        (ED25519, "blog.example", "postroom-ed25519"),
    ]


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before any letter is made."""
    config = configured(tmp_path, '[dkim]\nkey_file = "gone.pem"\n')
    with pytest.raises(DkimKeyError, match=r"gone\.pem: no such key"):
        read_signing_keys(config)

"""`dkim`: a key, its record, the lines of configuration; nothing secret on the screen."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from tests.stage import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage import Site


def configure(site: Site, lines: str) -> None:
    """Put the lines that `dkim new` printed into postroom.toml."""
    (site.root / "postroom.toml").write_text(CONFIG + lines, encoding="utf-8")


def secrets(path: Path) -> list[str]:
    """The lines of a private key."""
    return path.read_text(encoding="ascii").splitlines()[1:-1]


def test_a_new_key_comes_with_all_that_is_to_be_done(site: Site) -> None:
    """Where it lies, the record in two forms, and lines that postroom.toml takes."""
    said = site.run("dkim", "new").out
    path = site.root / "state" / "dkim.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"{path};" in said
    assert "name   postroom._domainkey.blog.example\n" in said
    (value,) = re.findall(r"^value  (v=DKIM1; k=rsa; p=\S+)$", said, re.MULTILINE)
    (zone,) = re.findall(r"^postroom\S+ IN TXT .*$", said, re.MULTILINE)
    assert zone.startswith("postroom._domainkey.blog.example. ")
    strings = re.findall('"([^"]*)"', zone)
    assert "".join(strings) == value
    assert max(map(len, strings)) == 255
    lines = said[said.index("[dkim]") :]
    assert tomllib.loads(lines)["dkim"] == {
        "domain": "blog.example",
        "selector": "postroom",
        "key_file": "state/dkim.pem",
    }
    assert not [line for line in secrets(path) if line in said]
    configure(site, lines)
    shown = site.run("dkim", "show").out
    assert f"value  {value}\n" in shown
    assert "RSA with 2048 bits" in shown


def test_a_second_key_has_a_name_of_its_own(site: Site) -> None:
    """Ed25519 beside RSA; both are shown, one object a line for programs."""
    first = site.run("dkim", "new", "--json").json
    second = site.run("dkim", "new", "--ed25519", "--json").json
    assert second["name"] == "postroom-ed25519._domainkey.blog.example"
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", second["value"])
    settings = {**first.pop("settings"), **second.pop("settings")}
    assert settings == {
        "domain": "blog.example",
        "selector": "postroom",
        "key_file": "state/dkim.pem",
        "ed25519_selector": "postroom-ed25519",
        "ed25519_key_file": "state/dkim-ed25519.pem",
    }
    lines = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    configure(site, f"[dkim]\n{lines}")
    assert site.run("dkim", "show", "--json").rows == [first, second]
    told = site.run("dkim", "show").out
    assert told.count("name   ") == 2
    assert "Ed25519:" in told


def test_no_key_is_written_over(site: Site) -> None:
    """Exit 2, and the file as it was."""
    site.run("dkim", "new")
    path = site.root / "state" / "dkim.pem"
    before = path.read_bytes()
    ran = site.run("dkim", "new", code=2)
    assert f"{path}: a file is there already" in ran.err
    assert path.read_bytes() == before


def test_names_and_place_can_be_chosen(site: Site, tmp_path: Path) -> None:
    """A file outside the site is written with its whole path."""
    path = tmp_path / "keys" / "2026-11.pem"
    words = ("--selector", "2026-11", "--domain", "Example.NET", "--file", str(path))
    made = site.run("dkim", "new", "--json", *words).json
    assert made["name"] == "2026-11._domainkey.example.net"
    assert made["settings"] == {
        "domain": "example.net",
        "selector": "2026-11",
        "key_file": str(path),
    }
    assert path.exists()


def test_a_name_that_is_none_makes_no_key(site: Site) -> None:
    """The fault is found before anything is written."""
    for words in (("--selector", "a b"), ("--domain", "우편")):
        ran = site.run("dkim", "new", *words, code=2)
        assert words[1] in ran.err
    assert not (site.root / "state").exists()


def test_what_is_configured_is_what_is_made_and_shown(site: Site) -> None:
    """Selector and file of postroom.toml are the defaults; its faults are named."""
    configure(site, '[dkim]\nselector = "next"\nkey_file = "keys/next.pem"\n')
    ran = site.run("dkim", "show", code=2)
    assert "keys/next.pem: no such key (make one with `postroom dkim new`)" in ran.err
    made = site.run("dkim", "new", "--json").json
    path = site.root / "keys" / "next.pem"
    assert made["file"] == str(path)
    assert made["name"] == "next._domainkey.blog.example"
    path.chmod(0o644)
    ran = site.run("dkim", "show", code=2)
    assert f"chmod 600 {path}" in ran.err


def test_without_a_key_in_the_configuration_nothing_is_shown(site: Site) -> None:
    """And the command that helps is named."""
    ran = site.run("dkim", "show", code=2)
    assert "dkim.key_file is not set" in ran.err
    assert "postroom dkim new" in ran.err

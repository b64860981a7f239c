"""`postroom dkim`: a key that signs letters, and its record in the DNS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postroom.cli.shell import json_option, print_json, read_site, site_option
from postroom.errors import ConfigError
from postroom.files.dkim_key import make_dkim_key, read_dkim_key
from postroom.mail.dkim import (
    ED25519,
    RSA,
    DkimKey,
    check_place,
    dns_record,
    render_zone_line,
)

if TYPE_CHECKING:
    from postroom.config.sections import Config

# Algorithm → (prefix of the keys in [dkim], usual file, usual selector).
KINDS = {
    RSA: ("", "dkim.pem", "postroom"),
    ED25519: ("ed25519_", "dkim-ed25519.pem", "postroom-ed25519"),
}


@click.group("dkim")
def command() -> None:
    """A key that signs letters, and its record in the DNS."""


@command.command("new")
@site_option
@json_option
@click.option("--ed25519", is_flag=True, help="A second key, beside the RSA one.")
@click.option("--selector", metavar="NAME", help="The key's name in the DNS.")
@click.option("--domain", metavar="NAME", help="The domain that answers for letters.")
@click.option("--file", "named", metavar="PATH", help="Where to put the private key.")
def new(
    folder: str | None,
    *,
    as_json: bool,
    ed25519: bool,
    selector: str | None,
    domain: str | None,
    named: str | None,
) -> None:
    """Make a key and say what to put into the DNS and into postroom.toml."""
    config = read_site(folder)
    algorithm = ED25519 if ed25519 else RSA
    prefix, file_name, usual = KINDS[algorithm]
    configured, known = _configured(config, algorithm)
    if named:
        path = Path(named).absolute()
    elif configured:
        path = config.root / configured
    else:
        path = config.state_folder / file_name
    domain = (domain or _domain(config)).lower()
    selector = (selector or known or usual).lower()
    check_place(domain, selector)
    make_dkim_key(path, algorithm)
    # Read again: what is printed belongs to what lies there.
    key = read_dkim_key(path, domain=domain, selector=selector)
    settings = {
        "domain": key.domain,
        f"{prefix}selector": key.selector,
        f"{prefix}key_file": _short(path, config.root),
    }
    if as_json:
        print_json({**_face(key, path), "settings": settings})
        return
    click.echo(f"The private key lies in {path}; back it up, and show it to nobody.\n")
    click.echo(f"1. In the DNS of {key.domain}, a TXT record:\n")
    _print_record(key)
    click.echo("\n2. When the DNS answers with it, in postroom.toml:\n\n[dkim]")
    for name, value in settings.items():
        click.echo(f'{name} = "{value}"')


@command.command("show")
@site_option
@json_option
def show(folder: str | None, *, as_json: bool) -> None:
    """Print the DNS record of each key that the configuration names."""
    config = read_site(folder)
    found = 0
    for algorithm in KINDS:
        named, selector = _configured(config, algorithm)
        if not named:
            continue
        path = config.root / named
        key = read_dkim_key(path, domain=_domain(config), selector=selector)
        if as_json:
            print_json(_face(key, path))
        else:
            click.echo("\n" * bool(found) + f"{path}, {_told(key)}:\n")
            _print_record(key)
        found += 1
    if not found:
        raise ConfigError(
            "postroom.toml names no key: dkim.key_file is not set",
            cure="`postroom dkim new` makes one and says what to write",
        )


def _configured(config: Config, algorithm: str) -> tuple[str, str]:
    """Return file and selector of one kind of key, as configured."""
    if algorithm == ED25519:
        return config.dkim.ed25519_key_file, config.dkim.ed25519_selector
    return config.dkim.key_file, config.dkim.selector


def _domain(config: Config) -> str:
    """Return the domain that signs: `dkim.domain`, else that of `mail.from`."""
    try:
        return config.signing_domain
    except ValueError:
        return config.site.host


def _short(path: Path, root: Path) -> str:
    """Return `path` as postroom.toml takes it: from the site's folder, if it is there."""
    relative = os.path.relpath(path, root)
    return str(path) if relative.startswith("..") else relative


def _told(key: DkimKey) -> str:
    kind = "Ed25519"
    if key.algorithm == RSA:
        kind = f"RSA with {key.signature_octets * 8} bits"
    return f"{kind}, too short by now: make a new one" if key.is_weak else kind


def _print_record(key: DkimKey) -> None:
    name, value = dns_record(key)
    click.echo(f"name   {name}")
    click.echo(f"value  {value}\n")
    click.echo("   or, as a line of a zone file:\n")
    click.echo(render_zone_line(key))


def _face(key: DkimKey, path: Path) -> dict[str, object]:
    """Return the stable machine-readable face of a key; nothing of it is secret."""
    name, value = dns_record(key)
    return {
        "file": str(path),
        "algorithm": key.algorithm,
        "domain": key.domain,
        "selector": key.selector,
        "name": name,
        "value": value,
        "zone": render_zone_line(key),
    }

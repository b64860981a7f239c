"""postroom.toml and the environment become one frozen Config; every fault is named.

Order, last wins: defaults, `postroom.toml`, `POSTROOM_SECTION__KEY` variables. A fault
names file, line and key and says what would be right.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import Field, fields, replace
from typing import TYPE_CHECKING, Any

from postroom.config.origin import Origin
from postroom.config.sections import SECTIONS, Config, RelayConfig, SmtpConfig
from postroom.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Overrides = Mapping[str, tuple[str, str]]
    """Key → (name of the variable, its text)."""

FILE_NAME = "postroom.toml"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds postroom.toml."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise ConfigError(
        f"no {FILE_NAME} in {start} or above it",
        cure="start in a site, or name one with -C DIR",
    )


def read_config(root: Path, environ: Mapping[str, str]) -> Config:
    """Read `root/postroom.toml` and `environ`; raise ConfigError at the first fault."""
    path = root / FILE_NAME
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", cure="name the site with -C DIR"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8", cure="save it as UTF-8") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}", cure="mend the TOML there") from None
    origin = Origin(str(path), text)
    _refuse_unknown(tables, SECTIONS, origin.place)
    overrides = _environment(environ)
    sections = {
        name: _read_section(
            name, kind, tables.get(name, {}), overrides.get(name, {}), origin
        )
        for name, kind in SECTIONS.items()
    }
    config = Config(root=root, **sections)
    _check_together(config, origin)
    if not config.site.title:
        named = replace(config.site, title=config.site.host)
        config = replace(config, site=named)
    return config


# -- section by section -------------------------------------------------------


def _read_section(
    name: str, kind: type[Any], table: object, overrides: Overrides, origin: Origin
) -> Any:
    if not isinstance(table, dict):
        raise ConfigError(
            f"{origin.place(name)}: must be a table", cure=f"write [{name}]"
        )
    if kind is SmtpConfig and "relays" in table:
        table = table | {"relays": _read_relays(table["relays"], origin)}
    return _read_table(kind, table, overrides, lambda key: origin.place(name, key))


def _read_relays(raw: object, origin: Origin) -> tuple[RelayConfig, ...]:
    """`[[smtp.relays]]`: each has a host, and the keys of one relay."""
    if not isinstance(raw, list) or not all(isinstance(table, dict) for table in raw):
        raise ConfigError(
            f"{origin.place('smtp', 'relays')}: must be tables",
            cure="write [[smtp.relays]] above each",
        )
    found = []
    for position, table in enumerate(raw, 1):

        def place(key: str, position: int = position) -> str:
            return origin.place("smtp.relays", key, position)

        relay = _read_table(RelayConfig, table, {}, place)
        if not relay.host:
            raise ConfigError(
                f"{place('host')}: is missing",
                cure='name the relay: host = "smtp.example.org"',
            )
        found.append(relay)
    return tuple(found)


def _read_table(
    kind: type[Any],
    table: Mapping[str, object],
    overrides: Overrides,
    place: Callable[[str], str],
) -> Any:
    """Read each key by its field; `place` says where a key stands in the file."""
    known = {item.metadata["name"] or item.name: item for item in fields(kind)}
    _refuse_unknown(table, known, place)
    _refuse_variables(overrides, known)
    values: dict[str, Any] = {}
    given = {**table, **{key: raw for key, (_, raw) in overrides.items()}}
    for key, raw in given.items():
        item = known[key]
        try:
            values[item.name] = item.metadata["read"](raw)
        except ValueError as error:
            where = overrides[key][0] if key in overrides else place(key)
            shown = "…" if item.metadata["secret"] else repr(raw)
            raise ConfigError(f"{where}: {shown} {error}") from None
    return kind(**values)


def _refuse_unknown(
    given: Mapping[str, object],
    known: Mapping[str, object],
    place: Callable[[str], str],
) -> None:
    for key in given:
        if key not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - 10 ms, only for a fault

            near = get_close_matches(key, known, n=1)
            cure = (
                f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            )
            raise ConfigError(f"{place(key)}: unknown", cure=cure)


def _refuse_variables(overrides: Overrides, known: Mapping[str, Field[Any]]) -> None:
    for key, (variable, _) in overrides.items():
        if key not in known:
            raise ConfigError(f"{variable}: no such setting", cure="unset it")
        if not known[key].metadata["scalar"]:
            raise ConfigError(
                f"{variable}: is a table, which no variable can say",
                cure=f"write it into {FILE_NAME}",
            )


def _environment(environ: Mapping[str, str]) -> Mapping[str, Overrides]:
    """`POSTROOM_SMTP__HOST=x` becomes {"smtp": {"host": (variable's name, "x")}}."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for variable, value in environ.items():
        match = re.fullmatch(r"POSTROOM_([A-Z]+)__([A-Z0-9_]+)", variable)
        if match is None:
            continue
        section, key = match[1].lower(), match[2].lower()
        if section not in SECTIONS:
            raise ConfigError(f"{variable}: no such setting", cure="unset it")
        found.setdefault(section, {})[key] = (variable, value)
    return found


# -- what is right key by key and wrong together ------------------------------


def _check_together(config: Config, origin: Origin) -> None:
    if not config.site.url:
        raise ConfigError(
            f"{origin.place('site')}: url is missing",
            cure='say where the site will be read: url = "https://blog.example/"',
        )
    if config.output_folder.resolve().is_relative_to(config.posts_folder.resolve()):
        raise ConfigError(
            f"{origin.place('output', 'folder')}: lies inside the posts folder",
            cure="choose another folder, or the next run would read its own pages",
        )
    _check_pages(config, origin)
    if config.mail.transport == "smtp":
        _check_smtp(config, origin)
    dkim = config.dkim
    if dkim.domain or dkim.key_file or dkim.ed25519_key_file:
        _check_dkim(config, origin)


def _check_pages(config: Config, origin: Origin) -> None:
    """Another program's pages have a permalink, ours have none."""
    site, pattern = config.site, config.posts.permalink
    if not site.pages and not pattern:
        raise ConfigError(
            f"{origin.place('site', 'pages')}: is false, and nothing says where posts are read",
            cure='set posts.permalink = "https://blog.example/{year}/{slug}/"',
        )
    if site.pages and pattern:
        raise ConfigError(
            f"{origin.place('posts', 'permalink')}: is for pages that another program makes",
            cure="set site.pages = false, or leave it out: ours are at posts/SLUG/",
        )
    if site.pages and not site.media:
        raise ConfigError(
            f"{origin.place('site', 'media')}: is false, and our pages would show no picture",
            cure="set site.pages = false too, or leave it out",
        )


def _check_smtp(config: Config, origin: Origin) -> None:
    smtp = config.smtp
    relays = smtp.all_relays()
    if not relays:
        raise ConfigError(
            f"{origin.place('smtp', 'host')}: is missing",
            cure='mail.transport = "smtp" needs it',
        )
    if not config.mail.from_:
        raise ConfigError(
            f"{origin.place('mail', 'from')}: is missing",
            cure='say who writes: from = "Name <letters@blog.example>"',
        )
    if not any(relay.weight for relay in relays):
        raise ConfigError(
            f"{origin.place('smtp', 'weight')}: is 0 for every relay",
            cure="give one of them a share; 0 stands by for the others",
        )
    if smtp.host:
        _check_relay(smtp, "smtp", 0, origin)
    for position, relay in enumerate(smtp.relays, 1):
        _check_relay(relay, "smtp.relays", position, origin)


def _check_relay(
    relay: RelayConfig, section: str, position: int, origin: Origin
) -> None:
    if relay.tls == "none" and relay.host not in LOOPBACK_HOSTS:
        raise ConfigError(
            f'{origin.place(section, "tls", position)}: "none" is for this machine only',
            cure='use "starttls" (port 587) or "implicit" (port 465)',
        )
    if relay.tls == "none" and relay.username:
        raise ConfigError(
            f"{origin.place(section, 'username', position)}: no login without TLS",
            cure='set tls to "starttls" or "implicit"',
        )


def _check_dkim(config: Config, origin: Origin) -> None:
    dkim = config.dkim
    if dkim.ed25519_key_file and not dkim.key_file:
        raise ConfigError(
            f"{origin.place('dkim', 'ed25519_key_file')}: needs an RSA key beside it,"
            " for many receivers do not verify Ed25519",
            cure="set dkim.key_file too; `postroom dkim new` makes a key",
        )
    if dkim.ed25519_key_file and dkim.ed25519_selector == dkim.selector:
        raise ConfigError(
            f"{origin.place('dkim', 'ed25519_selector')}: is the RSA key's, too",
            cure="give each key its own name in the DNS",
        )
    try:
        sender = config.from_domain
    except ValueError:
        raise ConfigError(
            f"{origin.place('mail', 'from')}: has no domain to sign for",
            cure='write from = "Name <letters@blog.example>"',
        ) from None
    if dkim.domain and not f".{sender}".endswith(f".{dkim.domain}"):
        raise ConfigError(
            f"{origin.place('dkim', 'domain')}: {dkim.domain} is not {sender}, the domain"
            " of mail.from, nor above it: such signatures count for nothing with DMARC,"
            " which wants the two aligned (RFC 7489 §3.1.1)",
            cure=f"leave it empty, or name {sender}",
        )

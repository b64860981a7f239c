"""postroom.toml and the environment become one frozen Config; every fault is named.

Order, last wins: defaults, `postroom.toml`, `POSTROOM_SECTION__KEY` variables.
A password also comes from `smtp.password_file` or `$CREDENTIALS_DIRECTORY` (systemd).
A fault names file, line and key and says what would be right.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from postroom.digests import schedule
from postroom.errors import ConfigError
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE_NAME = "postroom.toml"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
PORTS = {"implicit": 465, "starttls": 587, "none": 25}

DURATION = re.compile(r"(\d+)\s*(m|h|d|w|minutes?|hours?|days?|weeks?)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

T = TypeVar("T")


# -- readers: a raw value becomes a typed one, or ValueError says what is right ----


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    if CONTROLS.search(raw):
        raise ValueError("must not contain line breaks or control characters")
    return raw.strip()


def _lines(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("must be text in quotes")
    return "\n".join(_text(line) for line in raw.strip().splitlines())


def _number(low: int, high: int) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if isinstance(raw, str) and raw.strip().isdigit():
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool) or not low <= raw <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return raw

    return read


def _rate(raw: object) -> float:
    if isinstance(raw, str):
        raw = float(raw) if re.fullmatch(r"\d+(\.\d+)?", raw.strip()) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or raw < 0:
        raise ValueError("must be messages a second, such as 10 or 0.5; 0 is no limit")
    return float(raw)


def _flag(raw: object) -> bool:
    if isinstance(raw, str) and raw.lower() in {"true", "false", ""}:
        return raw.lower() == "true"
    if not isinstance(raw, bool):
        raise ValueError("must be true or false")
    return raw


def _choice(*words: str) -> Callable[[object], str]:
    def read(raw: object) -> str:
        if raw not in words:
            listed = ", ".join(f'"{word}"' for word in words)
            raise ValueError(f"must be one of {listed}")
        return str(raw)

    return read


def _choices(*words: str) -> Callable[[object], tuple[str, ...]]:
    def read(raw: object) -> tuple[str, ...]:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list):
            raise ValueError("must be a list")
        one = _choice(*words)
        return tuple(one(item.strip()) for item in items if isinstance(item, str))

    return read


def _duration(raw: object) -> timedelta:
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return timedelta(days=raw)
    found = DURATION.fullmatch(raw.strip().lower()) if isinstance(raw, str) else None
    if found is None:
        raise ValueError('must be a time such as "30d", "12h" or "2 weeks"')
    return timedelta(**{UNITS[found[2][0]]: int(found[1])})


def _url(raw: object) -> str:
    url = _text(raw)
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError('must be an address such as "https://blog.example/"')
    return url if url.endswith("/") else url + "/"


def _optional_url(raw: object) -> str:
    return _url(raw) if raw else ""


def _language(raw: object) -> str:
    text = _text(raw)
    if not LANGUAGE.fullmatch(text):
        raise ValueError('must be a language tag such as "ko" or "en"')
    return text


def _zone(raw: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(raw))
    except (KeyError, OSError, ValueError):
        raise ValueError('must be a time zone such as "Asia/Seoul"') from None


def _cron(raw: object) -> str:
    expression = _text(raw)
    if expression:
        schedule.check_cron(expression)
    return expression


def _cadence(raw: object) -> Cadence:
    return Cadence(_choice(*Cadence)(raw))


def _database(raw: object) -> str:
    text = _text(raw)
    if "://" in text:
        raise ValueError("must be a path: this version keeps its state in SQLite")
    return text


def _setting(
    default: T, read: Callable[[object], T], *, name: str = "", secret: bool = False
) -> T:
    metadata = {"read": read, "name": name, "secret": secret}
    return field(default=default, metadata=metadata)


# -- the sections -------------------------------------------------------------

# Sections are only read and printed: without comparison and slots they are made in half
# the time, and every run makes them.


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteConfig:
    """`[site]`: what it is called and where it will be read."""

    title: str = _setting("", _text)
    """Empty: the host."""
    url: str = _setting("", _url)
    language: str = _setting("en", _language)
    timezone: ZoneInfo = _setting(ZoneInfo("UTC"), _zone)
    description: str = _setting("", _text)
    author: str = _setting("", _text)

    @property
    def host(self) -> str:
        """Host of the site's address, without user and port."""
        return self.url.split("/")[2].rpartition("@")[2].partition(":")[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class PostsConfig:
    """`[posts]`: where they lie and how they are read."""

    folder: str = _setting("posts", _text)
    encoding: str = _setting("utf-8", _choice("utf-8", "cp949", "euc-kr"))
    pelican: bool = _setting(default=False, read=_flag)
    hard_breaks: bool = _setting(default=False, read=_flag)


@dataclass(frozen=True, kw_only=True, eq=False)
class OutputConfig:
    """`[output]`: where feeds and pages go."""

    folder: str = _setting("public", _text)


@dataclass(frozen=True, kw_only=True, eq=False)
class FeedsConfig:
    """`[feeds]`: which, with what, how long."""

    formats: tuple[str, ...] = _setting(
        ("atom", "rss", "json"), _choices("atom", "rss", "json")
    )
    content: str = _setting("full", _choice("full", "excerpt"))
    limit: int = _setting(50, _number(1, 100))


@dataclass(frozen=True, kw_only=True, eq=False)
class ExcerptConfig:
    """`[excerpt]`: length in grapheme clusters."""

    length: int = _setting(200, _number(40, 2000))


@dataclass(frozen=True, kw_only=True, eq=False)
class DigestConfig:
    """`[digest]`: rhythms as cron expressions in the site's zone, and the guards."""

    immediate: bool = _setting(default=True, read=_flag)
    daily: str = _setting("0 8 * * *", _cron)
    weekly: str = _setting("0 8 * * 1", _cron)
    monthly: str = _setting("0 8 1 * *", _cron)
    default: Cadence = _setting(Cadence.WEEKLY, _cadence)
    max_age: timedelta = _setting(timedelta(days=30), _duration)
    max_new: int = _setting(10, _number(1, 100_000))
    max_posts: int = _setting(12, _number(1, 100))

    def cadences(self) -> tuple[Cadence, ...]:
        """Return every cadence that is on."""
        immediate = (Cadence.IMMEDIATE,) if self.immediate else ()
        return (*immediate, *self.crons())

    def crons(self) -> dict[Cadence, str]:
        """Return the expression of each cadence that is on, but for `immediate`."""
        named = {
            Cadence.DAILY: self.daily,
            Cadence.WEEKLY: self.weekly,
            Cadence.MONTHLY: self.monthly,
        }
        return {cadence: cron for cadence, cron in named.items() if cron}


@dataclass(frozen=True, kw_only=True, eq=False)
class MailConfig:
    """`[mail]`: who the letters come from and how they leave."""

    from_: str = _setting("", _text, name="from")
    reply_to: str = _setting("", _text)
    postal_address: str = _setting("", _lines)
    transport: str = _setting("outbox", _choice("outbox", "smtp"))
    on_unknown: str = _setting("resend", _choice("resend", "hold"))
    max_retry: timedelta = _setting(timedelta(days=3), _duration)


@dataclass(frozen=True, kw_only=True, eq=False)
class SmtpConfig:
    """`[smtp]`: the relay. TLS is always explicit and verified."""

    host: str = _setting("", _text)
    port: int = _setting(0, _number(0, 65535))
    """0: what `tls` implies."""
    tls: str = _setting("starttls", _choice("implicit", "starttls", "none"))
    ca_file: str = _setting("", _text)
    username: str = _setting("", _text)
    password: str = _setting("", _text, secret=True)
    password_file: str = _setting("", _text)
    connections: int = _setting(4, _number(1, 100))
    rate: float = _setting(0.0, _rate)


@dataclass(frozen=True, kw_only=True, eq=False)
class StoreConfig:
    """`[store]`: where the ledger is."""

    database: str = _setting("state/postroom.db", _database)


@dataclass(frozen=True, kw_only=True, eq=False)
class WebConfig:
    """`[web]`: where links of confirmation, preferences and leaving point."""

    url: str = _setting("", _optional_url)
    secret_file: str = _setting("", _text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration; `root` is the folder of postroom.toml."""

    root: Path
    site: SiteConfig
    posts: PostsConfig
    output: OutputConfig
    feeds: FeedsConfig
    excerpt: ExcerptConfig
    digest: DigestConfig
    mail: MailConfig
    smtp: SmtpConfig
    store: StoreConfig
    web: WebConfig

    @property
    def posts_folder(self) -> Path:
        """Where the author writes."""
        return self.root / self.posts.folder

    @property
    def output_folder(self) -> Path:
        """Where feeds and pages go."""
        return self.root / self.output.folder

    @property
    def templates_folder(self) -> Path:
        """Where the site overrides templates, file by file."""
        return self.root / "templates"

    @property
    def outbox_folder(self) -> Path:
        """Where the `outbox` transport puts messages."""
        return self.root / "outbox"

    @property
    def database_path(self) -> Path:
        """The ledger."""
        return self.root / self.store.database

    @property
    def state_folder(self) -> Path:
        """Beside the ledger: secret, lock, caches."""
        return self.database_path.parent

    @property
    def secret_path(self) -> Path:
        """The key of signed links; made on first use unless named."""
        named = self.web.secret_file
        return self.root / named if named else self.state_folder / "secret"

    @property
    def link_url(self) -> str:
        """Base of personal links: the web part's address, else the site's."""
        return self.web.url or self.site.url


SECTIONS: dict[str, type[Any]] = {
    "site": SiteConfig,
    "posts": PostsConfig,
    "output": OutputConfig,
    "feeds": FeedsConfig,
    "excerpt": ExcerptConfig,
    "digest": DigestConfig,
    "mail": MailConfig,
    "smtp": SmtpConfig,
    "store": StoreConfig,
    "web": WebConfig,
}


# -- reading ------------------------------------------------------------------


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
    origin = _Origin(str(path), text)
    _refuse_unknown(tables, SECTIONS, "", origin)
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


def smtp_password(config: Config, environ: Mapping[str, str]) -> str:
    """Return the relay's password from key, file or systemd credential."""
    if config.smtp.password:
        return config.smtp.password
    named = config.smtp.password_file
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    path = config.root / named if named else None
    if path is None and credentials:
        path = Path(credentials) / "smtp_password"
    if path is None or (not named and not path.exists()):
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"smtp.password_file: {path} cannot be read: {error}",
            cure="name a readable file",
        ) from None


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a key was written, for the message of a fault."""

    path: str
    text: str

    def place(self, section: str, key: str = "") -> str:
        """`path:line: section.key`; the line is that of the key, else of its table."""
        inside, best = "", 0
        for number, line in enumerate(self.text.splitlines(), 1):
            table = re.match(r"\s*\[\s*([\w-]+)\s*\]", line)
            if table:
                inside = table[1]
                best = number if inside == section and not best else best
            name = re.match(r"\s*\"?([\w-]+)\"?\s*=", line)
            if name and inside == section and name[1] == key:
                best = number
                break
        where = f"{self.path}:{best}" if best else self.path
        return f"{where}: {section}.{key}" if key else f"{where}: [{section}]"


def _refuse_unknown(
    given: Mapping[str, object],
    known: Mapping[str, object],
    section: str,
    origin: _Origin,
) -> None:
    for key in given:
        if key not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - 10 ms, only for a fault

            near = get_close_matches(key, known, n=1)
            place = origin.place(section, key) if section else origin.place(key)
            cure = (
                f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            )
            raise ConfigError(f"{place}: unknown", cure=cure)


def _key(item: Field[Any]) -> str:
    return item.metadata["name"] or item.name


def _read_section(
    name: str,
    kind: type[Any],
    table: object,
    overrides: Mapping[str, tuple[str, str]],
    origin: _Origin,
) -> Any:
    if not isinstance(table, dict):
        raise ConfigError(
            f"{origin.place(name)}: must be a table", cure=f"write [{name}]"
        )
    known = {_key(item): item for item in fields(kind)}
    _refuse_unknown(table, known, name, origin)
    values: dict[str, Any] = {}
    for key, item in known.items():
        if key in overrides:
            place, raw = overrides[key]
        elif key in table:
            place, raw = origin.place(name, key), table[key]
        else:
            continue
        try:
            values[item.name] = item.metadata["read"](raw)
        except ValueError as error:
            shown = "…" if item.metadata["secret"] else repr(raw)
            raise ConfigError(f"{place}: {shown} {error}") from None
    for key in overrides:
        if key not in known:
            raise ConfigError(f"{overrides[key][0]}: no such setting")
    return kind(**values)


def _environment(environ: Mapping[str, str]) -> dict[str, dict[str, tuple[str, str]]]:
    """`POSTROOM_SMTP__HOST=x` becomes {"smtp": {"host": (variable's name, "x")}}."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for variable, value in environ.items():
        match = re.fullmatch(r"POSTROOM_([A-Z]+)__([A-Z_]+)", variable)
        if match is None:
            continue
        section, key = match[1].lower(), match[2].lower()
        if section not in SECTIONS:
            raise ConfigError(f"{variable}: no such setting", cure="unset it")
        found.setdefault(section, {})[key] = (variable, value)
    return found


def _check_together(config: Config, origin: _Origin) -> None:
    """Refuse what is right key by key and wrong together."""
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
    if config.mail.transport == "smtp":
        _check_smtp(config, origin)


def _check_smtp(config: Config, origin: _Origin) -> None:
    smtp = config.smtp
    if not smtp.host:
        raise ConfigError(
            f"{origin.place('smtp', 'host')}: is missing",
            cure='mail.transport = "smtp" needs it',
        )
    if not config.mail.from_:
        raise ConfigError(
            f"{origin.place('mail', 'from')}: is missing",
            cure='say who writes: from = "Name <letters@blog.example>"',
        )
    if smtp.tls == "none" and smtp.host not in LOOPBACK_HOSTS:
        raise ConfigError(
            f'{origin.place("smtp", "tls")}: "none" is for this machine only',
            cure='use "starttls" (port 587) or "implicit" (port 465)',
        )
    if smtp.tls == "none" and smtp.username:
        raise ConfigError(
            f"{origin.place('smtp', 'username')}: no login without TLS",
            cure='set tls to "starttls" or "implicit"',
        )

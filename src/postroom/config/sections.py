"""The sections of postroom.toml as values, and the whole of them: Config.

Each field names its default and its reader; `reading` fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from postroom.config import values
from postroom.config.values import setting
from postroom.subscribers.subscriber import Cadence

if TYPE_CHECKING:
    from pathlib import Path

PORTS = {"implicit": 465, "starttls": 587, "none": 25}

# Every run makes these classes. They are only read: without comparison and slots they
# are made in half the time. Without a `repr`, of which only what shapes pages has need,
# in two thirds of that, and no password can be printed.


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteConfig:
    """`[site]`: what it is called and where it will be read."""

    title: str = setting("", values.text)
    """Empty: the host."""
    url: str = setting("", values.url)
    language: str = setting("en", values.language)
    timezone: ZoneInfo = setting(ZoneInfo("UTC"), values.zone)
    description: str = setting("", values.text)
    author: str = setting("", values.text)
    pages: bool = setting(default=True, read=values.flag)
    """False: another program makes them, at `posts.permalink`."""
    media: bool = setting(default=True, read=values.flag)
    """False: files that posts show are where those pages are, and not copied."""

    @property
    def host(self) -> str:
        """Host of the site's address, without user and port."""
        return self.url.split("/")[2].rpartition("@")[2].partition(":")[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class PostsConfig:
    """`[posts]`: where they lie and how they are read."""

    folder: str = setting("posts", values.text)
    encoding: str = setting("utf-8", values.choice("utf-8", "cp949", "euc-kr"))
    pelican: bool = setting(default=False, read=values.flag)
    hard_breaks: bool = setting(default=False, read=values.flag)
    permalink: str = setting("", values.permalink)
    """A pattern that `posts.permalink` reads, or empty."""
    exclude: tuple[str, ...] = setting((), values.paths)


@dataclass(frozen=True, kw_only=True, eq=False)
class OutputConfig:
    """`[output]`: where feeds and pages go."""

    folder: str = setting("public", values.text)
    precompress: bool = setting(default=False, read=values.flag)
    """Whether `.gz` and `.br` files lie beside those that are text."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FeedsConfig:
    """`[feeds]`: which, with what, how long."""

    formats: tuple[str, ...] = setting(
        ("atom", "rss", "json"), values.choices("atom", "rss", "json")
    )
    content: str = setting("full", values.choice("full", "excerpt"))
    limit: int = setting(50, values.number(1, 100))
    groups: tuple[str, ...] = setting(
        ("topics", "authors", "languages"),
        values.choices("topics", "authors", "languages"),
    )
    """What has feeds of its own beside the whole."""
    hub: str = setting("", values.hub)
    """A WebSub hub."""
    archive: bool = setting(default=True, read=values.flag)
    """Whether posts that fell out of the feed are in monthly archives."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PodcastConfig:
    """`[podcast]`: what directories ask of a feed; on when `category` names one."""

    category: str = setting("", values.podcast_category)
    """Apple's: `Arts`, or `Arts > Books`."""
    explicit: bool = setting(default=False, read=values.flag)
    image: str = setting("", values.web_address)
    author: str = setting("", values.text)
    """Empty: the site's."""
    owner: str = setting("", values.text)
    """Empty: the author."""
    email: str = setting("", values.text)
    """Of the owner; published."""
    guid: str = setting("", values.uuid)
    """Empty: made of the feed's address."""
    locked: bool = setting(default=False, read=values.flag)
    kind: str = setting("episodic", values.choice("episodic", "serial"))
    copyright: str = setting("", values.text)
    funding: str = setting("", values.web_address)
    funding_text: str = setting("", values.text)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExcerptConfig:
    """`[excerpt]`: length in grapheme clusters."""

    length: int = setting(200, values.number(40, 2000))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DigestConfig:
    """`[digest]`: rhythms as cron expressions in the site's zone, and the guards."""

    immediate: bool = setting(default=True, read=values.flag)
    daily: str = setting("0 8 * * *", values.cron)
    weekly: str = setting("0 8 * * 1", values.cron)
    monthly: str = setting("0 8 1 * *", values.cron)
    default: Cadence = setting(Cadence.WEEKLY, values.cadence)
    max_age: timedelta = setting(timedelta(days=30), values.duration)
    max_new: int = setting(10, values.number(1, 100_000))
    max_posts: int = setting(12, values.number(1, 100))
    prepare: timedelta = setting(timedelta(0), values.up_to_a_day)
    """How long before its slot an edition is frozen and signed."""

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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MailConfig:
    """`[mail]`: who the letters come from and how they leave."""

    from_: str = setting("", values.text, name="from")
    reply_to: str = setting("", values.text)
    postal_address: str = setting("", values.lines)
    transport: str = setting("outbox", values.choice("outbox", "smtp"))
    on_unknown: str = setting("resend", values.choice("resend", "hold"))
    max_retry: timedelta = setting(timedelta(days=3), values.duration)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RelayConfig:
    """`[[smtp.relays]]`: one relay. TLS is always explicit and verified."""

    host: str = setting("", values.text)
    port: int = setting(0, values.number(0, 65535))
    """0: what `tls` implies."""
    tls: str = setting("starttls", values.choice("implicit", "starttls", "none"))
    ca_file: str = setting("", values.text)
    username: str = setting("", values.text)
    password: str = setting("", values.text, secret=True)
    password_file: str = setting("", values.text)
    connections: int = setting(4, values.number(1, 100))
    rate: float = setting(0.0, values.rate)
    """Messages a second over its connections; 0 is no limit."""
    weight: int = setting(1, values.number(0, 1000))
    """Its share beside the others; 0 stands by until they are away."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SmtpConfig(RelayConfig):
    """`[smtp]`: the first relay, and what is shared by all."""

    domain_rate: float = setting(0.0, values.rate)
    """Messages a second to any one domain of recipients; 0 is no limit."""
    domain_rates: tuple[tuple[str, float], ...] = setting(
        (), values.rates, scalar=False
    )
    """(domain as addresses have it, its own rate)."""
    relays: tuple[RelayConfig, ...] = setting(
        (), values.tables(RelayConfig), scalar=False
    )

    def all_relays(self) -> tuple[RelayConfig, ...]:
        """Every relay: this one when it has a host, then `relays`."""
        return (self, *self.relays) if self.host else self.relays


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DkimConfig:
    """`[dkim]`: signatures (RFC 6376); on when `key_file` names a key."""

    domain: str = setting("", values.optional_domain)
    """The signing domain; empty: that of `mail.from`."""
    selector: str = setting("postroom", values.selector)
    key_file: str = setting("", values.text)
    ed25519_selector: str = setting("postroom-ed25519", values.selector)
    ed25519_key_file: str = setting("", values.text)
    """A second signature (RFC 8463)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StoreConfig:
    """`[store]`: where the ledger is, and what its journal survives."""

    database: str = setting("state/postroom.db", values.database)
    durability: str = setting("process", values.choice("process", "power"))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WebConfig:
    """`[web]`: where links of confirmation, preferences and leaving point."""

    url: str = setting("", values.optional_url)
    bind: str = setting("127.0.0.1:8000", values.bind)
    """Where `serve` listens."""
    page_policy: str = setting("", values.header_value)
    """Content-Security-Policy of pages as `serve` sends them; empty: as ours need it."""
    secret_file: str = setting("", values.text)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Config:
    """The whole configuration; `root` is the folder of postroom.toml."""

    root: Path
    site: SiteConfig
    posts: PostsConfig
    output: OutputConfig
    feeds: FeedsConfig
    podcast: PodcastConfig
    excerpt: ExcerptConfig
    digest: DigestConfig
    mail: MailConfig
    smtp: SmtpConfig
    dkim: DkimConfig
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

    @property
    def from_(self) -> str:
        """The mailbox that letters come from, named or not."""
        return self.mail.from_ or f"letters@{self.site.host}"

    @property
    def from_domain(self) -> str:
        """Its domain, as it goes on the wire; ValueError when it has none."""
        return values.domain(self.from_.rpartition("@")[2].rstrip(" >"))

    @property
    def signing_domain(self) -> str:
        """The domain that answers for signatures (RFC 6376 §3.5, `d=`)."""
        return self.dkim.domain or self.from_domain


SECTIONS: dict[str, type[Any]] = {
    "site": SiteConfig,
    "posts": PostsConfig,
    "output": OutputConfig,
    "feeds": FeedsConfig,
    "podcast": PodcastConfig,
    "excerpt": ExcerptConfig,
    "digest": DigestConfig,
    "mail": MailConfig,
    "smtp": SmtpConfig,
    "dkim": DkimConfig,
    "store": StoreConfig,
    "web": WebConfig,
}

"""postroom.toml: defaults, overrides, and faults that name file, line, key and cure."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from postroom.config.reading import find_root, read_config
from postroom.config.sections import SECTIONS
from postroom.errors import ConfigError
from postroom.subscribers.subscriber import Cadence
from tests.config.scene import MINIMAL, SMTP, read, write


def test_only_the_address_is_required(tmp_path: Path) -> None:
    """Everything else has a default that works with no account."""
    config = read(tmp_path, MINIMAL)
    assert config.site.url == "https://blog.example/"
    assert config.site.title == config.site.host == "blog.example"
    assert config.mail.transport == "outbox"
    assert config.digest.max_age == timedelta(days=30)
    assert config.digest.crons()[Cadence.WEEKLY] == "0 8 * * 1"
    assert config.database_path == tmp_path / "state" / "postroom.db"
    assert config.store.durability == "process"
    assert config.digest.prepare == timedelta(0)


def test_the_repositorys_own_file_is_valid_and_names_every_key() -> None:
    """The reference configuration mentions each setting, commented out or not."""
    root = Path(__file__).parents[2]
    read_config(root, {})
    text = (root / "postroom.toml").read_text(encoding="utf-8")
    for name, kind in SECTIONS.items():
        section = text.partition(f"[{name}]")[2].partition("\n[")[0]
        for item in fields(kind):
            key = item.metadata["name"] or item.name
            if key == "relays":
                assert "# [[smtp.relays]]" in section
            elif not item.metadata["secret"]:
                assert f"{key} = " in section, f"{name}.{key}"


def test_the_commented_keys_show_the_defaults(tmp_path: Path) -> None:
    """Each line of the reference without its `#` is a configuration that changes nothing."""
    text = (Path(__file__).parents[2] / "postroom.toml").read_text(encoding="utf-8")
    shown = re.sub(r"(?m)^# (\w+ = )", r"\1", text.partition("# [[smtp.relays]]")[0])
    shown += text[text.index("\n[dkim]") :].replace("\n# ", "\n")
    written, plain = read(tmp_path, shown), read(tmp_path, MINIMAL)
    own = {"site", "mail.from", "mail.postal_address"}
    example = {"smtp.host"}
    for name, kind in SECTIONS.items():
        for item in fields(kind):
            key = f"{name}.{item.metadata['name'] or item.name}"
            if name in own or key in own | example:
                continue
            values = [getattr(getattr(c, name), item.name) for c in (written, plain)]
            assert values[0] == values[1], key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[site]\nurl = "x"\n', "postroom.toml:2: site.url: 'x' must be an address"),
        (MINIMAL + '[digset]\ndaily = ""\n', "did you mean digest?"),
        (MINIMAL + '[digest]\nweeky = ""\n', "postroom.toml:4: digest.weeky: unknown"),
        (MINIMAL + "[feeds]\nlimit = 1000\n", "must be a whole number from 1 to 100"),
        (MINIMAL + '[feeds]\nformats = ["atm"]\n', "feeds.formats"),
        (MINIMAL + '[digest]\ndaily = "25 99 * * *"\n', "digest.daily"),
        (MINIMAL + '[digest]\nmax_age = "soon"\n', '"30d"'),
        (MINIMAL + '[mail]\ntransport = "smtp"\n', "smtp.host: is missing"),
        (MINIMAL + '[mail]\ntransport = "pigeon"\n', '"outbox", "smtp"'),
        (MINIMAL + "[smtp\n", "at line 3, column 6"),
        ("title = 1\n", "[title]: unknown"),
        ("", "url is missing"),
        (MINIMAL + "mail = 3\n", "site.mail"),
        ("mail = 3\n" + MINIMAL, "write [mail]"),
        (MINIMAL + '[output]\nfolder = "posts/public"\n', "inside the posts folder"),
        ('[site]\nurl = "https://b.example"\ntimezone = "Asia/Seol"\n', "Asia/Seoul"),
        ('[site]\nurl = "https://b.example"\ntitle = "a\\nb"\n', "line breaks"),
        (MINIMAL + '[store]\ndatabase = "postgresql://x/y"\n', "must be a path"),
        (
            MINIMAL + '[store]\ndurability = "disk"\n',
            'postroom.toml:4: store.durability: \'disk\' must be one of "process", "power"',
        ),
        (
            MINIMAL + '[digest]\nprepare = "25h"\n',
            "postroom.toml:4: digest.prepare: '25h' must be at most a day",
        ),
    ],
)
def test_a_fault_is_named_with_its_place_and_cure(
    tmp_path: Path, text: str, said: str
) -> None:
    """Where, what, and what would be right."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "postroom.toml" in str(raised.value)
    assert raised.value.exit_code == 2


def test_plain_smtp_is_for_this_machine_only(tmp_path: Path) -> None:
    """Without TLS a relay elsewhere, and any login, are refused."""
    read(tmp_path, SMTP + 'host = "127.0.0.1"\ntls = "none"\n')
    with pytest.raises(ConfigError, match="for this machine only"):
        read(tmp_path, SMTP + 'host = "relay.example"\ntls = "none"\n')
    with pytest.raises(ConfigError, match="no login without TLS"):
        read(tmp_path, SMTP + 'host = "::1"\ntls = "none"\nusername = "me"\n')


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """POSTROOM_SECTION__KEY, with the same checks and the variable's name in faults."""
    config = read(tmp_path, MINIMAL, POSTROOM_SITE__TIMEZONE="Asia/Seoul", HOME="/")
    assert config.site.timezone == ZoneInfo("Asia/Seoul")
    assert read(tmp_path, MINIMAL, POSTROOM_SMTP__PORT="2525").smtp.port == 2525
    assert not read(
        tmp_path, MINIMAL, POSTROOM_DIGEST__IMMEDIATE="false"
    ).digest.immediate
    for name, value in [
        ("POSTROOM_SMTP__PORT", "many"),
        ("POSTROOM_SMTP__PROT", "25"),
        ("POSTROOM_SMPT__PORT", "25"),
        ("POSTROOM_SMTP__RELAYS", "two"),
        ("POSTROOM_SMTP__DOMAIN_RATES", "naver.com=5"),
    ]:
        with pytest.raises(ConfigError, match=name):
            read(tmp_path, MINIMAL, **{name: value})


def test_a_secret_never_stands_in_a_message(tmp_path: Path) -> None:
    """A faulty password is not printed."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, MINIMAL + '[smtp]\npassword = "geheim\\u0000"\n')
    assert "geheim" not in str(raised.value)


def test_the_site_is_found_from_below(tmp_path: Path) -> None:
    """Commands work in any folder of a site, and say so outside of one."""
    write(tmp_path, MINIMAL)
    below = tmp_path / "posts" / "2026"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path
    with pytest.raises(ConfigError, match="-C DIR"):
        find_root(Path("/"))


def test_durations_read_as_people_write_them(tmp_path: Path) -> None:
    """Days as a number, or a number with a unit."""
    for written, meant in [
        ("7", timedelta(days=7)),
        ('"12h"', timedelta(hours=12)),
        ('"2 weeks"', timedelta(weeks=2)),
        ('"90 minutes"', timedelta(minutes=90)),
    ]:
        text = MINIMAL + f"[digest]\nmax_age = {written}\n"
        assert read(tmp_path, text).digest.max_age == meant
    text = MINIMAL + '[digest]\nprepare = "6h"\n'
    assert read(tmp_path, text).digest.prepare == timedelta(hours=6)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Windows editors write one; bytes that are not UTF-8 are named as such."""
    (tmp_path / "postroom.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert read_config(tmp_path, {}).site.url
    (tmp_path / "postroom.toml").write_bytes("# 제목".encode("cp949"))
    with pytest.raises(ConfigError, match="UTF-8"):
        read_config(tmp_path, {})

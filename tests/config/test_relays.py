"""`[smtp]` and `[[smtp.relays]]`: several ways out, each checked as the first is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import ConfigError
from tests.config.scene import MINIMAL, SMTP, read

if TYPE_CHECKING:
    from pathlib import Path

RELAYS = """[[smtp.relays]]
host = "two.example"

[[smtp.relays]]
host = "three.example"
port = 2525
tls = "implicit"
ca_file = "ca.pem"
username = "me"
password = "geheim"
connections = 9
rate = 2.5
weight = 0
"""


def test_every_relay_has_the_keys_of_the_first(tmp_path: Path) -> None:
    """Own defaults, nothing inherited from `[smtp]`; that one comes first."""
    smtp = read(tmp_path, SMTP + 'host = "one.example"\nport = 26\n' + RELAYS).smtp
    one, two, three = smtp.all_relays()
    assert one is smtp
    assert (one.host, one.port, one.weight, one.connections) == (
        "one.example", 26, 1, 4,
    )  # fmt: skip
    assert (two.host, two.port, two.tls, two.weight, two.rate) == (
        "two.example", 0, "starttls", 1, 0.0,
    )  # fmt: skip
    assert (three.host, three.port, three.tls, three.ca_file, three.username) == (
        "three.example", 2525, "implicit", "ca.pem", "me",
    )  # fmt: skip
    assert (three.password, three.connections, three.rate, three.weight) == (
        "geheim", 9, 2.5, 0,
    )  # fmt: skip
    assert "geheim" not in repr(smtp) + repr(three)


def test_the_first_relay_may_be_missing(tmp_path: Path) -> None:
    """`[smtp]` without a host is no relay; without any there is none to send by."""
    relays = read(tmp_path, SMTP + RELAYS).smtp.all_relays()
    assert [relay.host for relay in relays] == ["two.example", "three.example"]
    assert read(tmp_path, MINIMAL).smtp.all_relays() == ()
    with pytest.raises(ConfigError, match=r"postroom\.toml:6: smtp\.host: is missing"):
        read(tmp_path, SMTP)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('port = 0\n[[smtp.relays]]\nhost = "x.example"\nprot = 1\n',
         "postroom.toml:10: smtp.relays[1].prot: unknown (did you mean port?)"),
        (RELAYS + '[[smtp.relays]]\nhost = "a.example"\nport = 99999\n',
         "postroom.toml:22: smtp.relays[3].port: 99999 must be a whole number"),
        (RELAYS + "[[smtp.relays]]\nport = 25\n",
         "postroom.toml:20: smtp.relays[3].host: is missing"),
        (RELAYS + '[[smtp.relays]]\nhost = "a.example"\ntls = "none"\n',
         'postroom.toml:22: smtp.relays[3].tls: "none" is for this machine only'),
        (RELAYS + '[[smtp.relays]]\nhost = "::1"\ntls = "none"\nusername = "me"\n',
         "postroom.toml:23: smtp.relays[3].username: no login without TLS"),
        (RELAYS + "[[smtp.relays]]\nhost = 'a'\npassword = \"geheim\\u0000\"\n",
         "postroom.toml:22: smtp.relays[3].password: … must not contain"),
        ("relays = 3\n", "postroom.toml:7: smtp.relays: must be tables"),
        ("\nrelays = [\n  {host = 'a', wait = 2},\n]\n",
         "postroom.toml:8: smtp.relays[1].wait: unknown"),
        ('host = "a.example"\nweight = 1001\n',
         "postroom.toml:8: smtp.weight: 1001 must be a whole number from 0 to 1000"),
        ('weight = 0\nhost = "a.example"\n',
         "postroom.toml:7: smtp.weight: is 0 for every relay"),
        ("[[smtp.relays]]\nhost = 'a'\ndomain_rate = 3\n",
         "smtp.relays[1].domain_rate: unknown"),
    ],
)  # fmt: skip
def test_a_fault_of_a_relay_is_named_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    """The line of the very table, and which of them it is."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, SMTP + text)
    assert said in str(raised.value)
    assert "geheim" not in str(raised.value)


def test_domains_have_rates_of_their_own(tmp_path: Path) -> None:
    """Named as addresses have them after parsing: lower case, A-labels."""
    text = (
        'domain_rate = 2.5\ndomain_rates = { "Naver.COM" = 5, "우편.example" = 0.5 }\n'
    )
    smtp = read(tmp_path, MINIMAL + "[smtp]\n" + text).smtp
    assert smtp.domain_rate == 2.5
    assert smtp.domain_rates == (("naver.com", 5.0), ("xn--vo5bi2v.example", 0.5))
    table = MINIMAL + "[smtp.domain_rates]\n'daum.net' = 3\n"
    assert read(tmp_path, table).smtp.domain_rates == (("daum.net", 3.0),)
    wins = read(tmp_path, MINIMAL, POSTROOM_SMTP__DOMAIN_RATE="1.5").smtp
    assert (wins.domain_rate, wins.domain_rates) == (1.5, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[smtp]\ndomain_rates = { "naver com" = 5 }\n',
         "postroom.toml:4: smtp.domain_rates: {'naver com': 5} naver com: must be a domain"),
        ('[smtp]\ndomain_rates = { "naver.com" = "fast" }\n',
         "naver.com: must be messages a second"),
        ("[smtp.domain_rates]\n'naver.com' = -1\n", "postroom.toml:3: smtp.domain_rates"),
        ("[smtp.domain_rates]\n'a.example' = 1\n'A.example' = 2\n", "a.example twice"),
        ("[smtp]\ndomain_rates = 3\n", "must be a table such as"),
        ("[smtp]\ndomain_rate = inf\n", "postroom.toml:4: smtp.domain_rate"),
        ("[smtp]\nrate = nan\n", "postroom.toml:4: smtp.rate"),
    ],
)  # fmt: skip
def test_a_rate_that_is_none_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Domain and number, where they stand."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, MINIMAL + text)
    assert said in str(raised.value)

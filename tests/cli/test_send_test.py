"""`send-test`: a letter like any other goes to one address, and no ledger knows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.dkim import dns_record, parse_key
from tests.stage import Relay, Site, free_port, make_site, smtp_settings

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

SUNDAY = "2026-11-22T12:00:00+09:00"
MONDAY = "2026-11-23T08:05:00+09:00"
ME = "me@reader.example"


def with_posts(site: Site) -> Site:
    """Posts that are public whatever the machine's clock says."""
    site.essay("2024-03-01", "오래된 글")
    site.essay("2024-03-02", "새 글")
    site.post(
        "2024-03-03-quiet.md",
        "---\ntitle: 조용한 글\ndate: 2024-03-03\nemail: false\n---\n\nx\n",
    )
    return site


def text_of(message: EmailMessage) -> str:
    """The text part."""
    part = message.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def test_the_newest_posts_go_to_one_address(site: Site) -> None:
    """Marked as a test, with links of nobody; no row, no subscriber, no number."""
    with_posts(site)
    ran = site.run("send-test", "Me@Reader.example")
    assert ran.out.startswith("Me@reader.example: accepted by ")
    (message,) = site.outbox()
    assert message["Subject"].startswith("[test] ")
    assert message["To"].addresses[0].addr_spec == "Me@reader.example"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "새 글" in text_of(message)
    assert "오래된 글" in text_of(message)
    assert "조용한 글" not in text_of(message)
    assert site.run("deliveries", "list").out == ""
    assert site.run("subscribers", "list").out == ""
    assert site.run("posts", "list").out == ""
    site.run("send-test", ME)
    assert len({message["Message-ID"] for message in site.outbox()}) == 2


def test_the_interface_follows_the_language(site: Site) -> None:
    """`--language` renders the letter as readers of that language get it."""
    with_posts(site)
    site.run("send-test", ME, "--language", "en")
    (message,) = site.outbox()
    assert message["Content-Language"] == "en"


def test_an_edition_is_sent_again_as_it_was_frozen(site: Site) -> None:
    """The variant of the language that is asked for, else of the site's."""
    with_posts(site)
    site.publish(SUNDAY)
    site.subscribe("a@reader.example", "--cadence", "weekly", "--language", "en")
    site.subscribe("b@reader.example", "--cadence", "weekly", "--language", "en")
    site.subscribe("c@reader.example", "--cadence", "weekly")
    site.essay("2026-11-22", "느린 편지")
    key = site.publish(MONDAY)["editions"][0]["key"]
    before = site.run("deliveries", "list", "--json").rows
    site.run("send-test", ME, "--edition", key)
    site.run("send-test", ME, "--edition", key, "--language", "en")
    mine = [m for m in site.outbox() if m["Subject"].startswith("[test] ")]
    assert sorted(m["Content-Language"] for m in mine) == ["en", "ko"]
    assert all("느린 편지" in text_of(message) for message in mine)
    assert all("오래된 글" not in text_of(message) for message in mine)
    assert site.run("deliveries", "list", "--json").rows == before
    none = site.run("send-test", ME, "--edition", key, "--language", "fr", code=2)
    assert "it has en, ko" in none.err
    slip = site.run("send-test", ME, "--edition", key[:-1], code=2)
    assert f"did you mean {key}" in slip.err


def test_the_relays_words_decide_the_exit_code(tmp_path: Path, relay: Relay) -> None:
    """Accepted 0, refused or put off 1."""
    site = with_posts(make_site(tmp_path / "site", smtp_settings(relay.port)))
    taken = site.run("send-test", ME)
    assert taken.out == f"{ME}: accepted by 127.0.0.1:{relay.port}: 250 2.0.0 kept\n"
    assert relay.received[0][:2] == ("letters@blog.example", ME)
    gone = site.run("send-test", "gone@reader.example", code=1)
    assert "failed by" in gone.out
    assert "550 5.1.1 no such user" in gone.out
    assert "450 4.2.1" in site.run("send-test", "later@reader.example", code=1).out


def test_a_relay_that_is_away_is_another_matter(tmp_path: Path, relay: Relay) -> None:
    """Exit 75; where there is a second one, that one gets the letter."""
    port = free_port()
    site = with_posts(make_site(tmp_path / "site", smtp_settings(port)))
    assert f"127.0.0.1:{port}" in site.run("send-test", ME, code=75).err
    second = f'[[smtp.relays]]\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"\nweight = 0\n'
    two = with_posts(make_site(tmp_path / "two", smtp_settings(port) + second))
    ran = two.run("send-test", ME)
    assert f"127.0.0.1:{port}" in ran.err
    assert f"accepted by 127.0.0.1:{relay.port}" in ran.out


def test_what_cannot_be_sent_is_said(site: Site) -> None:
    """No post, or no address: exit 2."""
    assert "--edition" in site.run("send-test", ME, code=2).err
    with_posts(site)
    site.run("send-test", "nobody", code=2)
    assert site.outbox() == []


@pytest.mark.parametrize("name", ["key.pem"])
def test_it_is_signed_as_letters_are(tmp_path: Path, name: str) -> None:
    """With `[dkim]` set, another implementation verifies the signature."""
    site = with_posts(
        make_site(tmp_path / "site", f'[dkim]\nkey_file = "{name}"\nselector = "s1"\n')
    )
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (site.root / name).write_bytes(pem)
    (site.root / name).chmod(0o600)
    site.run("send-test", ME)
    (path,) = (site.root / "outbox").glob("*.eml")
    where, record = dns_record(parse_key(pem, domain="blog.example", selector="s1"))
    data = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def look_up(asked: bytes, **_: object) -> bytes | None:
        return (
            record.encode() if asked.decode().rstrip(".") == where.rstrip(".") else None
        )

    assert dkim.verify(data, dnsfunc=look_up)

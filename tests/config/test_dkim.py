"""`[dkim]`: who answers for signatures, and what receivers would make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from postroom.errors import ConfigError
from tests.config.scene import MINIMAL, read

if TYPE_CHECKING:
    from pathlib import Path

DKIM = MINIMAL + '[mail]\nfrom = "우편함 <letters@News.Blog.example>"\n[dkim]\n'


def test_the_signing_domain_is_that_of_the_sender(tmp_path: Path) -> None:
    """Unless one above it is named; without `mail.from` it is the site's host."""
    assert read(tmp_path, DKIM).signing_domain == "news.blog.example"
    above = read(tmp_path, DKIM + 'domain = "BLOG.example"\nkey_file = "k"\n')
    assert above.signing_domain == "blog.example"
    assert above.dkim.selector == "postroom"
    assert above.dkim.ed25519_selector == "postroom-ed25519"
    assert read(tmp_path, MINIMAL).signing_domain == "blog.example"
    keyed = read(tmp_path, MINIMAL, POSTROOM_DKIM__ED25519_SELECTOR="ed", HOME="/")
    assert keyed.dkim.ed25519_selector == "ed"
    idn = MINIMAL + '[mail]\nfrom = "a@우편.example"\n[dkim]\nkey_file = "k"\n'
    assert read(tmp_path, idn).signing_domain == "xn--vo5bi2v.example"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('domain = "other.example"\n',
         "postroom.toml:6: dkim.domain: other.example is not news.blog.example"),
        ('domain = "other.example"\n', "DMARC"),
        ('domain = "og.example"\n', "dkim.domain: og.example is not"),
        ('domain = "example"\n', "postroom.toml:6: dkim.domain: 'example' must be a domain"),
        ('ed25519_key_file = "k"\n',
         "postroom.toml:6: dkim.ed25519_key_file: needs an RSA key"),
        ('key_file = "r"\ned25519_key_file = "k"\ned25519_selector = "postroom"\n',
         "postroom.toml:8: dkim.ed25519_selector: is the RSA key's, too"),
        ('selector = "a b"\n', "postroom.toml:6: dkim.selector: 'a b' must be letters"),
        ('selector = ""\n', "dkim.selector"),
        ('keyfile = "x"\n', "postroom.toml:6: dkim.keyfile: unknown (did you mean"),
    ],
)  # fmt: skip
def test_what_receivers_would_not_honour_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    """Named with file, line, key and reason."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, DKIM + text)
    assert said in str(raised.value)


def test_a_sender_without_a_domain_cannot_be_signed_for(tmp_path: Path) -> None:
    """The fault is that of `mail.from`."""
    text = MINIMAL + '[mail]\nfrom = "letters"\n[dkim]\nkey_file = "k"\n'
    with pytest.raises(ConfigError, match=r"toml:4: mail\.from: has no domain"):
        read(tmp_path, text)

"""A link proves one subscriber's right to one thing, and nothing else."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import ConfigError
from postroom.subscribers.token import (
    Keys,
    LinkError,
    LinkExpiredError,
    LinkSigner,
    PreparedMac,
    Purpose,
    parse_keys,
    sign_link,
    verify_link,
)

OLD = b"0123456789abcdef0123456789abcdef"
NEW = b"fedcba9876543210fedcba9876543210"
KEYS = parse_keys(OLD)
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
IDS = st.integers(min_value=0, max_value=2**63 - 1)


@given(IDS, st.sampled_from(Purpose))
def test_a_signed_link_verifies(subscriber_id: int, purpose: Purpose) -> None:
    """What was signed verifies to the same subscriber, and is safe and short in a URL."""
    text = sign_link(purpose, subscriber_id, KEYS)
    assert verify_link(text, purpose, KEYS) == subscriber_id
    assert set(text) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )
    assert len(text) <= 50


def test_links_stay_the_same() -> None:
    """Letters sent years ago keep working: the form of a link is fixed."""
    assert sign_link(Purpose.UNSUBSCRIBE, 42, KEYS) == sign_link(
        Purpose.UNSUBSCRIBE, 42, KEYS
    )
    assert (
        sign_link(Purpose.UNSUBSCRIBE, 42, KEYS) == "140d10.42.bLPJHkr3HLOpTt2ffGojAg"
    )


@given(IDS, st.sampled_from(Purpose), st.sampled_from([OLD, OLD + b"\n" + NEW]))
def test_a_signer_of_many_links_makes_the_same_links(
    subscriber_id: int, purpose: Purpose, secret: bytes
) -> None:
    """Prefix and rest are what `sign_link` returns, by the newest key."""
    keys = parse_keys(secret)
    signer = LinkSigner(purpose, keys)
    text = signer.prefix + signer.sign(subscriber_id).decode("ascii")
    assert text == sign_link(purpose, subscriber_id, keys)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_a_prepared_mac_is_the_mac(secret: bytes, begin: bytes, rest: bytes) -> None:
    """RFC 2104 with keys shorter than a block, as long, and longer; again and again."""
    prepared = PreparedMac(secret, begin)
    expected = hmac.digest(secret, begin + rest, "sha256")
    assert prepared.digest(rest) == expected
    assert prepared.digest(b"else") != expected or rest == b"else"
    assert prepared.digest(rest) == expected


@given(IDS, st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_a_link_is_good_for_one_purpose(
    subscriber_id: int, signed: Purpose, used: Purpose
) -> None:
    """An unsubscribe link opens no preferences, and none confirms."""
    text = sign_link(signed, subscriber_id, KEYS)
    if signed is used:
        assert verify_link(text, used, KEYS) == subscriber_id
    else:
        with pytest.raises(LinkError):
            verify_link(text, used, KEYS)


@given(st.data())
def test_no_changed_character_verifies(data: st.DataObject) -> None:
    """Any other character at any place, one more or one less: refused."""
    text = sign_link(Purpose.UNSUBSCRIBE, 1234, KEYS)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda c: c != text[place]))
    for forged in (
        text[:place] + other + text[place + 1 :],
        text[:place] + text[place + 1 :],
        text[:place] + other + text[place:],
    ):
        with pytest.raises(LinkError):
            verify_link(forged, Purpose.UNSUBSCRIBE, KEYS)


@given(st.text() | st.from_regex(r"[0-9a-f]{6}\.[0-9]{1,20}\.[A-Za-z0-9_-]{22}"))
def test_any_text_is_refused_with_its_evidence(text: str) -> None:
    """Whatever comes in is a LinkError that keeps what came and what for."""
    with pytest.raises(LinkError) as caught:
        verify_link(text, Purpose.PREFERENCES, KEYS)
    assert caught.value.text == text
    assert caught.value.purpose is Purpose.PREFERENCES


def test_keys_rotate() -> None:
    """The newest key signs; links of the old one hold until its line is removed."""
    both = parse_keys(OLD + b"\n" + NEW + b"\n")
    only_new = parse_keys(NEW)
    old_link = sign_link(Purpose.UNSUBSCRIBE, 7, KEYS)
    new_link = sign_link(Purpose.UNSUBSCRIBE, 7, both)
    assert new_link == sign_link(Purpose.UNSUBSCRIBE, 7, only_new)
    assert verify_link(old_link, Purpose.UNSUBSCRIBE, both) == 7
    assert verify_link(new_link, Purpose.UNSUBSCRIBE, both) == 7
    with pytest.raises(LinkError):
        verify_link(old_link, Purpose.UNSUBSCRIBE, only_new)
    with pytest.raises(LinkError):
        verify_link(new_link, Purpose.UNSUBSCRIBE, KEYS)


def test_a_link_expires() -> None:
    """After its time a link tells whose it was and until when it was good."""
    expires = NOW + timedelta(days=2)
    text = sign_link(Purpose.CONFIRM, 7, KEYS, expires=expires)
    assert verify_link(text, Purpose.CONFIRM, KEYS, now=NOW) == 7
    assert verify_link(text, Purpose.CONFIRM, KEYS, now=expires) == 7
    with pytest.raises(LinkExpiredError, match="2026-11-25 08:00") as caught:
        verify_link(text, Purpose.CONFIRM, KEYS, now=expires + timedelta(seconds=1))
    assert (caught.value.subscriber_id, caught.value.expires) == (7, expires)


def test_a_link_that_expires_needs_a_clock() -> None:
    """Where no time is given, a link that expires is not taken for one that does not."""
    text = sign_link(Purpose.CONFIRM, 7, KEYS, expires=NOW)
    with pytest.raises(LinkExpiredError):
        verify_link(text, Purpose.CONFIRM, KEYS)


def test_an_expiry_cannot_be_moved_or_dropped() -> None:
    """The expiry is part of what is signed."""
    key, subject, expires, mac = sign_link(Purpose.CONFIRM, 7, KEYS, expires=NOW).split(
        "."
    )
    for forged in (
        f"{key}.{subject}.{mac}",
        f"{key}.{subject}.{int(expires) + 1}.{mac}",
    ):
        with pytest.raises(LinkError):
            verify_link(forged, Purpose.CONFIRM, KEYS, now=NOW)


@pytest.mark.parametrize("text", [b"", b"\n \n", b"short", OLD + b"\nshort"])
def test_a_secret_must_be_long(text: bytes) -> None:
    """No key, or one that could be guessed, stops the run."""
    with pytest.raises(ConfigError, match="16 characters"):
        parse_keys(text)


def test_a_key_does_not_print_its_secret() -> None:
    """A traceback that shows keys shows their fingerprints only."""
    assert isinstance(KEYS, Keys)
    assert OLD.decode() not in repr(KEYS)

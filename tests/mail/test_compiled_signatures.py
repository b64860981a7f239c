"""A letter can be signed when it leaves, or long before, by any number of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.body import CompiledBody, PartText
from postroom.mail.compiled_header import PERSONAL_FIELDS, SIGNED_FIELDS
from postroom.mail.dkim import parse_key
from postroom.mail.message import (
    CompiledLetter,
    Recipient,
    Sender,
    _digest,
    compile_letter,
)
from tests.mail.dkim_judges import (
    JUDGES,
    ed25519_key,
    judge_dkimpy,
    private_pem,
    records,
    rsa_key,
    rsa_pem,
)
from tests.mail.scenes import DATE, EDITION, RECIPIENT, SENDER, golden_letters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from postroom.mail.dkim import DkimKey
    from postroom.mail.letter import Letter

LETTERS = golden_letters()
LETTER = LETTERS["several-ko"]


def compiled(
    letter: Letter = LETTER,
    sender: Sender = SENDER,
    edition: str = EDITION,
    date: datetime = DATE,
    keys: Sequence[DkimKey] = (),
) -> CompiledLetter:
    """Compiled with what is not named taken from above, by default for the RSA key."""
    return compile_letter(letter, sender, edition, date, keys or [rsa_key()])


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("name", ["several-ko", "one-en"])
def test_every_judge_accepts_a_signed_message(judge: str, name: str) -> None:
    """Korean in base64 and English in quoted-printable, with all fields there are."""
    sender = replace(SENDER, reply_to="Mina <mina@blog.example>")
    for recipient in (RECIPIENT, RECIPIENT._replace(name='긴 "이름" ' * 9)):
        message = compiled(LETTERS[name], sender).draft(recipient).sign()
        assert JUDGES[judge](message.data, records(rsa_key()))


@pytest.mark.parametrize("name", LETTERS)
def test_letters_of_every_kind_verify(name: str) -> None:
    """With two keys, each of which is enough."""
    keys = [rsa_key(), ed25519_key()]
    for number in (1, 22, 333):
        recipient = RECIPIENT._replace(subscriber_id=number)
        data = compiled(LETTERS[name], keys=keys).draft(recipient).sign().data
        assert data.count(b"DKIM-Signature: ") == 2
        for key in keys:
            assert judge_dkimpy(data, records(key))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\nTo: ", b"\r\nTo: x"),
        (b"\r\nSubject: ", b"\r\nSubject: x"),
        (b"\r\nFrom: ", b"\r\nFrom: x@y.example\r\nFrom: "),
        (b"\r\nMessage-ID: <", b"\r\nMessage-ID: <x"),
        (b"/unsubscribe/", b"/unsubscribe/x"),
        (b"One-Click", b"Two-Click"),
        (b"Content-Language: ko", b"Content-Language: en"),
        (b"\r\n--=_", b"\r\nx\r\n--=_"),
    ],
)
def test_what_is_changed_on_the_way_does_not_verify(old: bytes, new: bytes) -> None:
    """Every field is signed, and From cannot be given twice."""
    data = compiled().draft(RECIPIENT).sign().data
    assert old in data
    assert judge_dkimpy(data, records(rsa_key()))
    assert not judge_dkimpy(data.replace(old, new, 1), records(rsa_key()))


def test_all_fields_are_signed() -> None:
    """No field of ours is left out, the personal ones neither."""
    header = compiled(sender=replace(SENDER, reply_to="a@b.example")).header
    assert {name for name, _ in header.fields} | set(PERSONAL_FIELDS) == SIGNED_FIELDS
    assert set(header.names) == SIGNED_FIELDS


def test_a_signed_message_is_the_unsigned_one_with_fields_before_it() -> None:
    """Nothing else differs, and the signature comes first."""
    unsigned = compile_letter(LETTER, SENDER, EDITION, DATE).fill(RECIPIENT)
    signed = compiled().draft(RECIPIENT).sign()
    assert signed._replace(data=b"") == unsigned._replace(data=b"")
    assert signed.data.endswith(unsigned.data)
    fields = signed.data.removesuffix(unsigned.data)
    assert fields.startswith(b"DKIM-Signature: v=1;")
    assert fields.endswith(b"\r\n")
    assert not any(line.startswith(b".") for line in signed.data.split(b"\r\n"))
    assert max(map(len, fields.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("keys", [[rsa_key()], [rsa_key(), ed25519_key()]])
def test_what_is_signed_ahead_completes_the_message_later(keys: list[DkimKey]) -> None:
    """Another process, another draft: the same octets as signing now."""
    octets = set()
    for name in ("", "김민지", '"'):
        recipient = RECIPIENT._replace(name=name)
        ahead = compiled(keys=keys).draft(recipient)
        signed, fingerprint = ahead.signed(), ahead.fingerprint
        later = compiled(keys=keys)
        draft = later.draft(recipient)
        assert draft.fingerprint == fingerprint
        assert len(fingerprint) == 16
        assert draft.complete(signed) == draft.sign() == ahead.sign()
        assert later.signed_octets == len(signed)
        octets.add(len(signed))
    assert octets == {32 + sum(key.signature_octets for key in keys)}


@pytest.mark.parametrize("signed", [b"", b"x" * 287, b"x" * 289])
def test_what_was_signed_for_another_number_of_keys_is_refused(signed: bytes) -> None:
    """Rather an error than a broken signature."""
    with pytest.raises(ValueError, match="no signatures of this letter"):
        compiled().draft(RECIPIENT).complete(signed)


def test_the_fingerprint_changes_with_everything_that_is_signed() -> None:
    """And with what signs; else what was signed ahead would break the message."""
    other_pem = private_pem(rsa.generate_private_key(65537, 2048))
    same_place = {"domain": "blog.example", "selector": "postroom"}
    letters = [
        compiled(),
        compiled(replace(LETTER, html=LETTER.html.replace("우편함", "우체통", 1))),
        compiled(replace(LETTER, text=LETTER.text + "x")),
        compiled(replace(LETTER, subject="x")),
        compiled(replace(LETTER, language="ja")),
        compiled(sender=replace(SENDER, from_="x <letters@blog.example>")),
        compiled(sender=replace(SENDER, from_="느린 우편함 <mina@blog.example>")),
        compiled(sender=replace(SENDER, reply_to="mina@blog.example")),
        compiled(sender=replace(SENDER, site_title="x")),
        compiled(sender=replace(SENDER, site_url="https://blog.example/x/")),
        compiled(sender=replace(SENDER, link_url="https://links.example/")),
        compiled(sender=replace(SENDER, secret=b"another secret of some length")),
        compiled(sender=replace(SENDER, secret=SENDER.secret + b"\n" + b"n" * 32)),
        compiled(edition="daily-20261123T0800"),
        compiled(date=DATE + timedelta(seconds=1)),
        compiled(keys=[parse_key(other_pem, **same_place)]),
        compiled(keys=[parse_key(rsa_pem(), domain="blog.example", selector="other")]),
        compiled(keys=[parse_key(rsa_pem(), domain="example.org", selector="postroom")]),
        compiled(keys=[ed25519_key()]),
        compiled(keys=[rsa_key(), ed25519_key()]),
        compiled(keys=[ed25519_key(), rsa_key()]),
    ]  # fmt: skip
    recipients = [
        RECIPIENT,
        RECIPIENT._replace(name="김민정"),
        RECIPIENT._replace(name=""),
        RECIPIENT._replace(email="minji2@reader.example"),
        RECIPIENT._replace(subscriber_id=8),
    ]
    found = {
        letter.draft(recipient).fingerprint
        for letter in letters
        for recipient in recipients
    }
    assert len(found) == len(letters) * len(recipients)


def test_the_fingerprint_is_one_of_all_octets() -> None:
    """Also of those that a newer version would encode in another way."""
    letter = compiled()
    header, signatures = letter.header, letter.signatures
    one, two, three, four = header.pieces
    digests = {
        _digest(header, letter.body, signatures),
        _digest(replace(header, pieces=(one, two, three, four + b"x")), letter.body, signatures),
        *(
            _digest(header, CompiledBody(texts, "=_b", [b"v"]), signatures)
            for texts in (
                [PartText("text/plain", ["a", "b"], [0])],
                [PartText("text/plain", ["ab", ""], [0])],
                [PartText("text/plain", ["글이 이어진다", "b"], [0])],
                [PartText("text/plain", ["글이 이어진다", "c"], [0])],
                [PartText("text/html", ["a", "b"], [0])],
            )
        ),
    }  # fmt: skip
    assert len(digests) == 7


def test_what_is_not_signed_changes_no_fingerprint() -> None:
    """A preheader is in the HTML already, a postal address too."""
    same = [
        compiled(replace(LETTER, preheader="x")),
        compiled(sender=replace(SENDER, postal_address="x")),
    ]
    expected = compiled().draft(RECIPIENT).fingerprint
    assert {letter.draft(RECIPIENT).fingerprint for letter in same} == {expected}


def test_threads_sign_one_letter_side_by_side() -> None:
    """Drafts share what was compiled, and none disturbs another."""
    letter = compiled()
    recipients = [
        Recipient(number, f"reader-{number}@reader.example", "김민지")
        for number in range(1, 121)
    ]
    expected = [compiled().draft(recipient).sign() for recipient in recipients[:20]]
    with ThreadPoolExecutor(4) as threads:
        signed = list(
            threads.map(lambda recipient: letter.draft(recipient).sign(), recipients)
        )
    assert signed[:20] == expected
    for message in signed:
        assert judge_dkimpy(message.data, records(rsa_key()))


def test_a_letter_with_keys_never_leaves_unsigned() -> None:
    """And one without has nothing to sign."""
    with pytest.raises(ValueError, match="drafted"):
        compiled().fill(RECIPIENT)
    with pytest.raises(ValueError, match="filled"):
        compile_letter(LETTER, SENDER, EDITION, DATE).draft(RECIPIENT)

"""DKIM: what we sign, three other programs verify; what was changed, none of them."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from shutil import which
from typing import TYPE_CHECKING

import dkim.canonicalization
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import DkimKeyError
from postroom.mail.dkim import (
    SignatureForm,
    canonical_header,
    dns_record,
    parse_key,
    render_zone_line,
    split_record,
)
from tests.mail.dkim_judges import (
    JUDGES,
    PARTS,
    PERSONAL,
    STATIC,
    Letter,
    build_body,
    ed25519_key,
    judge_dkimpy,
    private_pem,
    records,
    rsa_key,
    rsa_pem,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from postroom.mail.dkim import DkimKey

every_judge = pytest.mark.parametrize("judge", JUDGES)
JOE = {"domain": "football.example.com", "selector": "brisbane"}


# -- other programs -----------------------------------------------------------------


@every_judge
@pytest.mark.parametrize("encoding", PARTS)
def test_a_letter_is_verified(judge: str, encoding: str) -> None:
    """Folded and encoded fields, both encodings of bodies, a long List-Unsubscribe."""
    message = Letter(body=build_body(encoding)).sign(rsa_key())
    assert JUDGES[judge](message, records(rsa_key()))


@every_judge
def test_a_second_signature_does_not_disturb_the_first(judge: str) -> None:
    """Who does not know Ed25519 must find the RSA signature (RFC 8463 §5)."""
    dns = records(rsa_key())
    letter = Letter()
    assert JUDGES[judge](letter.sign(ed25519_key(), rsa_key()), dns)
    assert JUDGES[judge](letter.sign(rsa_key(), ed25519_key()), dns)


@every_judge
def test_an_address_outside_ascii_is_signed_as_it_is(judge: str) -> None:
    """UTF-8 in a header field (RFC 8616 §3)."""
    to = ("To", "독자 <독자@우편.example>")
    message = Letter(personal=(to, *PERSONAL[1:])).sign(rsa_key())
    assert JUDGES[judge](message, records(rsa_key()))


def _replace(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(message: bytes) -> bytes:
        assert message.count(old) == 1
        return message.replace(old, new)

    return change


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "the body": _replace(b"\r\n--=_b--", b"\r\nBuy this.\r\n--=_b--"),
    "List-Unsubscribe": _replace(
        b"<https://blog.example/unsubscribe/", b"<https://evil.example/unsubscribe/"
    ),
    "another From": lambda message: b"From: <ceo@bank.example>\r\n" + message,
    "another Subject": lambda message: b"Subject: Your prize\r\n" + message,
    "another Cc": lambda message: b"Cc: <all@blog.example>\r\n" + message,
    "no signature": lambda message: message[message.index(b"\r\nTo:") + 2 :],
}


@every_judge
@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_on_the_way_fails(judge: str, what: str) -> None:
    """A body, a signed field, and fields added to oversigned ones."""
    message = Letter().sign(rsa_key())
    assert not JUDGES[judge](TAMPERED[what](message), records(rsa_key()))


@every_judge
def test_a_key_that_is_not_in_the_dns_counts_for_nothing(judge: str) -> None:
    """So the judges do ask."""
    assert not JUDGES[judge](Letter().sign(rsa_key()), {})


@pytest.mark.parametrize("what", ["nothing", *TAMPERED])
def test_an_ed25519_signature_is_verified_by_dkimpy(what: str) -> None:
    """The only one of the three that knows it, and only with PyNaCl."""
    pytest.importorskip("nacl")
    message = Letter().sign(ed25519_key())
    if what != "nothing":
        message = TAMPERED[what](message)
    assert judge_dkimpy(message, records(ed25519_key())) == (what == "nothing")


def test_ed25519_agrees_with_the_example_of_its_standard() -> None:
    """RFC 8463, Appendix A: key, record and signature, octet by octet."""
    seed = base64.b64decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    key = parse_key(private_pem(private), **JOE)
    assert dns_record(key) == (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    )
    signed = [
        ("From", "Joe SixPack <joe@football.example.com>"),
        ("To", "Suzie Q <suzie@shopping.example.net>"),
        ("Subject", "Is dinner ready?"),
        ("Date", "Fri, 11 Jul 2003 21:00:37 -0700 (PDT)"),
        ("Message-ID", "<20030712040037.46341.5F8J@football.example.com>"),
    ]
    itself = (
        "v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        " d=football.example.com; i=@football.example.com;\r\n"
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        " subject : date : message-id : from : subject : date;\r\n"
        " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b="
    )
    fields = [canonical_header(name, value) for name, value in signed]
    fields.append(canonical_header("DKIM-Signature", itself).removesuffix(b"\r\n"))
    signature = key.sign(hashlib.sha256(b"".join(fields)).digest())
    assert base64.b64encode(signature) == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq"
        b"+eXdp1Q1Dw=="
    )


# -- what is signed -----------------------------------------------------------------

characters = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), include_characters="\t"
)
runs = st.text(characters | st.sampled_from(" \t한é"), max_size=12)
folds = st.sampled_from(["\r\n ", "\r\n\t", "\r\n \t ", " \r\n  "])


@st.composite
def values(draw: st.DrawFn) -> str:
    """Values of fields, folded anywhere; each line after the first begins with a blank."""
    value = draw(runs)
    for _ in range(draw(st.integers(0, 4))):
        value += draw(folds) + draw(runs)
    return value


def relax_by_the_book(name: str, value: str) -> bytes:
    """RFC 6376 §3.4.2, step by step."""
    name = name.lower()
    value = re.sub("\r\n(?=[ \t])", "", value)
    value = re.sub("[ \t]+", " ", value)
    value = re.sub(" $", "", value)
    value = re.sub("^ ", "", value)
    return f"{name}:{value}\r\n".encode()


@given(st.sampled_from(["Subject", "X-a", "LIST-ID"]), values())
def test_relaxed_form_is_that_of_the_standard(name: str, value: str) -> None:
    """And that of dkimpy, for every folded value."""
    ours = canonical_header(name, value)
    assert ours == relax_by_the_book(name, value)
    relaxed = dkim.canonicalization.Relaxed
    ((field, theirs),) = relaxed.canonicalize_headers([(name.encode(), value.encode())])
    assert ours == field + b":" + theirs


labels = st.from_regex("[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True)


def dotted(least: int, most: int) -> st.SearchStrategy[str]:
    """Names of the DNS."""
    return st.lists(labels, min_size=least, max_size=most).map(".".join)


@given(
    domain=dotted(2, 5),
    selector=dotted(1, 2),
    values=st.lists(values(), min_size=5, max_size=5),
    body=st.binary(max_size=60),
)
def test_whatever_the_fields_say_the_signature_is_good(
    domain: str, selector: str, values: list[str], body: bytes
) -> None:
    """Folded values in any field, names of any length."""
    key = parse_key(rsa_pem(), domain=domain, selector=selector)
    names = ["From", "Subject", "To", "Message-ID", "List-Unsubscribe"]
    fields = list(zip(names, values, strict=True))
    letter = Letter(
        static=fields[:2],
        personal=fields[2:],
        oversigned=("From", "Subject"),
        body=base64.encodebytes(body).replace(b"\n", b"\r\n") + b"-\r\n",
    )
    message = letter.sign(key)
    assert judge_dkimpy(message, records(key))
    for line in letter.signature(key).split(b"\r\n"):
        assert len(line) <= 76 or line.count(b"=") == 1


def test_the_field_says_what_the_standard_wants() -> None:
    """Every tag once, each field before its second mention; no l=, x=, i= or z=."""
    field = Letter().signature(rsa_key())
    assert field.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; ")
    assert field.endswith(b"\r\n")
    assert max(map(len, field.split(b"\r\n"))) <= 76
    value = re.sub(rb"\s+", b"", field.partition(b":")[2]).decode()
    tags = dict(tag.split("=", 1) for tag in value.split(";"))
    assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
    assert (tags["c"], tags["t"]) == ("relaxed/relaxed", "1795000000")
    signed = [name for name, _ in (*STATIC, *PERSONAL)]
    assert tags["h"].split(":") == [*signed, "From", "Subject", "To", "Date", "Cc"]
    assert base64.b64decode(tags["bh"]) == hashlib.sha256(build_body("base64")).digest()


def test_long_names_stand_on_lines_of_their_own() -> None:
    """They cannot be folded; nothing else grows with them."""
    domain = ".".join(["a" * 60] * 3)
    key = parse_key(rsa_pem(), domain=domain, selector="s" * 40)
    letter = Letter().without_body()
    lines = letter.signature(key).decode().split("\r\n")
    assert [line for line in lines if len(line) > 76] == [f" d={domain};"]
    assert judge_dkimpy(letter.sign(key), records(key))


def test_a_field_given_twice_is_refused() -> None:
    """`h=` counts from the last field upwards, so the order would be another one."""
    with pytest.raises(ValueError, match="twice"):
        SignatureForm(rsa_key(), [("To", "a"), ("From", "b")], ["to"], [], 0)


def test_values_must_be_those_that_were_announced() -> None:
    """One too few or too many is a mistake of ours, not a signature."""
    form = SignatureForm(rsa_key(), STATIC, ["To", "Message-ID"], ["From"], 0)
    for values in ([b"a"], [b"a", b"b", b"c"]):
        with pytest.raises(TypeError):
            form.digest(values, b"\0" * 32)


def test_one_form_serves_many_messages_and_threads() -> None:
    """Neither digests nor signatures of one message leak into another."""
    letter = Letter().without_body()
    names = [name for name, _ in PERSONAL]
    form = SignatureForm(rsa_key(), STATIC, names, [], 0)
    body_hash = hashlib.sha256(letter.body).digest()

    def sign(number: int) -> bytes:
        personal = [f"{number} {name}".encode() for name in names]
        return rsa_key().sign(form.digest(personal, body_hash))

    with ThreadPoolExecutor(4) as pool:
        signed = list(pool.map(sign, range(200)))
    assert signed == [sign(number) for number in range(200)]
    assert len(set(signed)) == 200


# -- keys ---------------------------------------------------------------------------


def test_an_rsa_record_is_that_of_openssl() -> None:
    """`p=` is SubjectPublicKeyInfo in base64; a zone wants strings of 255 octets."""
    name, value = dns_record(rsa_key())
    assert name == "postroom._domainkey.blog.example"
    found = re.fullmatch(r"v=DKIM1; k=rsa; p=([A-Za-z0-9+/=]+)", value)
    assert found
    private = load_pem_private_key(rsa_pem(), None)
    assert base64.b64decode(found[1]) == private.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    strings = split_record(value)
    assert "".join(strings) == value
    assert [len(part) for part in strings[:-1]] == [255]
    line = render_zone_line(rsa_key())
    assert line.startswith("postroom._domainkey.blog.example. IN TXT ")
    assert re.findall('"([^"]*)"', line) == strings


def test_an_ed25519_signature_is_that_of_the_digest() -> None:
    """RFC 8463 §3: of the 32 octets of SHA-256, not of the fields themselves."""
    key = ed25519_key()
    digest = hashlib.sha256(b"fields").digest()
    public = base64.b64decode(dns_record(key)[1].rpartition("p=")[2])
    Ed25519PublicKey.from_public_bytes(public).verify(key.sign(digest), digest)
    assert len(key.sign(digest)) == key.signature_octets == 64


@pytest.mark.parametrize("bits", [1024, 2048, 4096])
def test_rsa_keys_of_usual_sizes_sign(bits: int) -> None:
    """Short by today's rules is said, not refused."""
    key = parse_key(rsa_pem(bits), domain="Blog.Example", selector="S1")
    assert (key.domain, key.selector) == ("blog.example", "s1")
    assert key.signature_octets == bits // 8 == len(key.sign(b"\0" * 32))
    assert key.is_weak == (bits == 1024)
    letter = Letter().without_body()
    assert judge_dkimpy(letter.sign(key), records(key))


def test_nothing_that_is_printed_shows_a_key() -> None:
    """A repr ends in tracebacks and logs."""
    key = rsa_key()
    assert repr(key) == (
        "DkimKey(domain='blog.example', selector='postroom', algorithm='rsa-sha256',"
        " signature_octets=256)"
    )
    assert not ed25519_key().is_weak


def _encrypted() -> bytes:
    key = load_pem_private_key(rsa_pem(), None)
    secret = BestAvailableEncryption(b"open sesame")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)


def _public() -> bytes:
    key = load_pem_private_key(rsa_pem(), None)
    return key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def _elliptic() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


WRONG = {
    "no private key": lambda: b"v=DKIM1; p=abc",
    "no private key in PEM": lambda: rsa_pem()[:300],
    "passphrase": _encrypted,
    "a public key": _public,
    "neither RSA nor Ed25519": _elliptic,
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_key_of_ours_is_named(what: str) -> None:
    """With how to mend it."""
    with pytest.raises(DkimKeyError, match=what) as caught:
        parse_key(WRONG[what](), domain="blog.example", selector="postroom")
    assert caught.value.cure


@given(st.binary(max_size=200))
def test_arbitrary_octets_are_no_key(pem: bytes) -> None:
    """One error, whatever is wrong inside."""
    block = base64.encodebytes(pem)
    for kind in (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY"):
        armoured = b"-----BEGIN %b-----\n%b-----END %b-----\n" % (kind, block, kind)
        with pytest.raises(DkimKeyError):
            parse_key(armoured, domain="blog.example", selector="postroom")


@pytest.mark.parametrize("bits", [768, 4224])
def test_an_rsa_key_that_receivers_do_not_take_is_refused(bits: int) -> None:
    """RFC 8301 §3.2: 1024 to 4096 bits."""
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make such a key")
    made = subprocess.run(
        [openssl, "genrsa", str(bits)], capture_output=True, check=True, timeout=60
    )
    with pytest.raises(DkimKeyError, match=str(bits)):
        parse_key(made.stdout, domain="blog.example", selector="postroom")


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("", "s"),
        ("localhost", "s"),
        ("blog.example.", "s"),
        ("우편.example", "s"),
        ("blog.example; l=0", "s"),
        ("-a.example", "s"),
        (f"{'a' * 64}.example", "s"),
        ("blog.example\r\n", "s"),
        ("blog.example", ""),
        ("blog.example", "a b"),
        ("blog.example", "a..b"),
        ("blog.example", "_s"),
        (".".join(["a" * 60] * 4), "postroom"),
    ],
)
def test_names_that_the_dns_cannot_have_are_refused(domain: str, selector: str) -> None:
    """Nothing but the names can stand in `d=` and `s=`."""
    with pytest.raises(DkimKeyError):
        parse_key(rsa_pem(), domain=domain, selector=selector)


def test_keys_compare_by_what_the_world_sees_of_them() -> None:
    """The same file read twice is the same key; another selector is another."""
    again = parse_key(rsa_pem(), domain="blog.example", selector="postroom")
    assert again == rsa_key()
    other: DkimKey = replace(again, selector="next")
    assert other != again

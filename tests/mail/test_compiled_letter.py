"""A message filled into a compiled letter is the one that a mail library would build."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape
from typing import TYPE_CHECKING, Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import MessageUnsafeError
from postroom.mail.characters import clean_line
from postroom.mail.compiled_header import field_names
from postroom.mail.flowed import deletes_blanks
from postroom.mail.holes import (
    HOLE_END,
    HOLE_START,
    PREFERENCES_HOLE,
    UNSUBSCRIBE_HOLE,
    split_at_holes,
)
from postroom.mail.letter import Letter, render_letter
from postroom.mail.message import Message, Recipient, Sender, compile_letter
from postroom.subscribers.address import parse_name
from postroom.subscribers.token import Purpose, parse_keys, sign_link
from tests.mail.scenes import (
    DATE,
    EDITION,
    ENVIRONMENT,
    RECIPIENT,
    SENDER,
    SETTINGS,
    golden_letters,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HOLES = (UNSUBSCRIBE_HOLE, PREFERENCES_HOLE)
FRAGMENT = st.text(
    st.one_of(
        st.sampled_from("\r\n \t.=-From<>&\"'x글가"),
        st.characters(codec="utf-8", exclude_characters=HOLE_START + HOLE_END),
    ),
    max_size=120,
)
LETTER_TEXT = st.lists(
    FRAGMENT | st.sampled_from(["", "", "a", "ab", ".", "글", "From "]) | st.sampled_from(HOLES),
    max_size=12,
).map("".join)  # fmt: skip
LETTERS = st.builds(
    Letter,
    language=st.sampled_from(["ko", "en", "ja", "", "x y"]),
    subject=st.text(max_size=120),
    preheader=st.just(""),
    html=LETTER_TEXT,
    text=LETTER_TEXT,
)
LINK_URLS = st.sampled_from(
    ["https://blog.example/", "http://127.0.0.1:8000/", "https://b.example/~mina/글 x/",
     "https://b.example/?a=1&b='<>\"", f"https://b.example/{'long/' * 60}",
     "https://b.example/a.b/.c/From /"]
)  # fmt: skip
SENDERS = st.builds(
    Sender,
    from_=st.sampled_from(
        ["a@b.example", "느린 우편함 <letters@blog.example>", "<김@b.example>"]
    ),
    reply_to=st.sampled_from(["", "Mina <mina@blog.example>"]),
    site_title=st.text(max_size=60),
    site_url=st.just("https://blog.example/"),
    link_url=LINK_URLS,
    postal_address=st.just(""),
    secret=st.from_regex(rb"[ -~]{16,40}(\n[ -~]{16,40})?", fullmatch=True).filter(
        lambda secret: all(len(line.strip()) >= 16 for line in secret.splitlines())
    ),
)
RECIPIENTS = st.builds(
    Recipient,
    subscriber_id=st.integers(0, 2**63 - 1),
    email=st.sampled_from(["minji@reader.example", "a.b+c@d-e.example", "김@b.example"])
    | st.from_regex(r"[a-z]{1,64}@([a-z]{1,60}\.){1,3}[a-z]{2,9}", fullmatch=True),
    name=st.text() | st.text(st.sampled_from('aZ ,."\\=?@글가é'), max_size=130),
)  # fmt: skip


def crlf(text: str) -> bytes:
    """Text as it is encoded."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()


def links(sender: Sender, recipient: Recipient, base: str) -> dict[str, str]:
    """The links of one subscriber, by hole."""
    keys = parse_keys(sender.secret)
    return {
        f"{HOLE_START}{purpose}{HOLE_END}": (
            f"{base}{purpose}/{sign_link(purpose, recipient.subscriber_id, keys)}"
        )
        for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)
    }


def plain_build(
    letter: Letter, sender: Sender, recipient: Recipient, base: str
) -> EmailMessage[Any, Any]:
    """The same letter by the email package alone; `base` begins every link."""
    text, html = letter.text, letter.html
    for hole, url in links(sender, recipient, base).items():
        text, html = text.replace(hole, url), html.replace(hole, escape(url))
    message = EmailMessage(policy=policy.SMTP)
    message.make_alternative()
    delsp = [("delsp", "yes")] if deletes_blanks(letter.language) else []
    for subtype, content, parameters in (
        ("plain", text, [("charset", "utf-8"), ("format", "flowed"), *delsp]),
        ("html", html, [("charset", "utf-8")]),
    ):
        part = EmailMessage(policy=policy.SMTP)
        part.set_content(crlf(content), maintype="text", subtype=subtype, cte="base64")
        for parameter in parameters:
            part.set_param(*parameter)
        message.attach(part)
    return message


def parsed(message: Message) -> EmailMessage[Any, Any]:
    """As a mail program reads it; no defects anywhere."""
    found = message_from_bytes(message.data, policy=policy.default)
    for part in found.walk():
        assert part.defects == []
    return found


def structure(message: EmailMessage[Any, Any]) -> list[tuple[object, ...]]:
    """Types, parameters and decoded octets of all parts."""
    found: list[tuple[object, ...]] = []
    for part in message.walk():
        parameters = part.get_params(failobj=[])[1:]
        found.append(
            (
                part.get_content_type(),
                sorted(item for item in parameters if item[0] != "boundary"),
                None if part.is_multipart() else part.get_payload(decode=True),
            )
        )
    return found


def check_wire(data: bytes) -> None:
    """What `Message.data` promises, and RFC 5322 and 2045 on lengths of lines."""
    assert data.endswith(b"\r\n")
    lines = data.removesuffix(b"\r\n").split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    head, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert body.isascii()
    assert b"\r\nFrom " not in body
    assert Relaxed.canonicalize_body(body) == body


def base_of(message: EmailMessage[Any, Any]) -> str:
    """What the link to leave begins with."""
    before, word, _ = message["List-Unsubscribe"].rpartition("unsubscribe/")
    assert word
    return str(before.removeprefix("<"))


@given(LETTERS, SENDERS, RECIPIENTS)
def test_a_message_is_what_a_mail_library_would_build(
    letter: Letter, sender: Sender, recipient: Recipient
) -> None:
    """The same parts, octet for octet, and in the header what was meant."""
    message = compile_letter(letter, sender, EDITION, DATE).fill(recipient)
    check_wire(message.data)
    found = parsed(message)
    base = base_of(
        parsed(compile_letter(letter, replace(sender, reply_to=""), EDITION, DATE).fill(recipient))
    )  # fmt: skip
    assert structure(found) == structure(plain_build(letter, sender, recipient, base))
    assert message.smtputf8 == (not message.data.isascii())
    assert tuple(found.keys()) == field_names(
        reply_to=bool(sender.reply_to),
        one_click=sender.link_url.startswith("https://"),
    )
    leave = links(sender, recipient, base)[UNSUBSCRIBE_HOLE]
    assert found["List-Unsubscribe"].startswith(f"<{leave}>")
    assert found["Message-ID"] == message.message_id
    assert found["Date"].datetime == DATE
    assert str(make_header(decode_header(raw(message, "Subject")))) == clean_line(
        letter.subject
    )


@given(RECIPIENTS)
def test_the_reader_is_named_as_they_are(recipient: Recipient) -> None:
    """Name and address come out of the field To as they would of the library's own."""
    message = compile_letter(LETTER, SENDER, EDITION, DATE).fill(recipient)
    name = clean_line(parse_name(recipient.name))
    shown, address = parseaddr(raw(message, "To"))
    assert address == recipient.email == message.recipient
    assert str(make_header(decode_header(shown))) == name
    own = EmailMessage(policy=policy.default)
    own["To"] = Address(name, *recipient.email.split("@"))
    # CPython 3.11 sets blanks between the encoded words of a long name.
    said = parsed(message)["To"].addresses[0].display_name
    assert said.replace(" ", "") == own["To"].addresses[0].display_name.replace(" ", "")


LETTER = Letter(
    language="ko",
    subject="네 시의 우편함 외 3편",
    preheader="",
    html=f'<p>글 <a href="{UNSUBSCRIBE_HOLE}">그만 받기</a></p>\n',
    text=f"글이다.\n{UNSUBSCRIBE_HOLE}\n{PREFERENCES_HOLE}\n",
)


def raw(message: Message, name: str) -> str:
    """The value of a field as it was written, unfolded."""
    head = message.data.partition(b"\r\n\r\n")[0].decode().replace("\r\n ", " ")
    (value,) = [line for line in head.split("\r\n") if line.startswith(f"{name}: ")]
    return value.removeprefix(f"{name}: ")


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_all_messages_of_a_letter_have_one_boundary(one: int, other: int) -> None:
    """Which no part contains, and which nobody can foresee without the secret."""
    compiled = compile_letter(LETTER, SENDER, EDITION, DATE)
    found = [
        parsed(compiled.fill(RECIPIENT._replace(subscriber_id=number)))
        for number in (one, other)
    ]
    boundary = found[0].get_boundary()
    assert boundary == found[1].get_boundary()
    assert boundary is not None
    for part in found[0].iter_parts():
        assert boundary not in part.get_payload()
        assert boundary.encode() not in (part.get_payload(decode=True) or b"")


def boundary_of(
    letter: Letter = LETTER, sender: Sender = SENDER, edition: str = EDITION
) -> str:
    """The boundary of its messages."""
    compiled = compile_letter(letter, sender, edition, DATE)
    return str(parsed(compiled.fill(RECIPIENT)).get_boundary())


def test_another_letter_has_another_boundary() -> None:
    """Whatever of it, of the edition or of the secret differs."""
    others = [
        boundary_of(replace(LETTER, text=LETTER.text + "x")),
        boundary_of(replace(LETTER, html=LETTER.html + "x")),
        boundary_of(replace(LETTER, subject="x")),
        boundary_of(replace(LETTER, language="en")),
        boundary_of(edition="daily-20261123T0800"),
        boundary_of(sender=replace(SENDER, secret=b"another secret of some length")),
    ]
    assert len({boundary_of(), *others}) == 7
    assert boundary_of() == boundary_of(sender=replace(SENDER, site_title="x"))


def forged_holes() -> Sequence[str]:
    """Attempts of a post to bring a hole: the characters, and what HTML reads as them."""
    word = "unsubscribe"
    return (
        UNSUBSCRIBE_HOLE,
        f"{HOLE_START}{UNSUBSCRIBE_HOLE}{HOLE_END}",
        f"&#xFDD0;{word}&#xFDD1;",
        f"&#64976;{word}&#64977;",
        f"&#xFDD0{word}&#xFDD1",
        f"{HOLE_START}{word}",
    )


@pytest.mark.parametrize("hole", forged_holes(), ids=ascii)
@pytest.mark.parametrize("count", [1, 3])
def test_no_post_can_forge_a_hole(hole: str, count: int) -> None:
    """The reader's own link stands where the template has it, and nowhere else."""
    honest = [post(number) for number in range(count)]
    forged = [
        replace(
            item,
            title=f"{hole}{item.title}",
            excerpt=f"{hole}{item.excerpt}",
            html=f'<p>{hole}</p><p title="{hole}"></p>{item.html}',
            text=f"{hole}\n{item.text}",
        )
        for item in honest
    ]
    found = []
    for posts in (honest, forged):
        letter = render_letter(posts, SETTINGS, ENVIRONMENT)
        message = compile_letter(letter, SENDER, EDITION, DATE).fill(RECIPIENT)
        parts = [octets for *_, octets in structure(parsed(message))[1:]]
        found.append([str(octets).count("/unsubscribe/") for octets in parts])
    assert found[0] == found[1]
    assert min(found[0]) >= 1


@pytest.mark.parametrize("hole", forged_holes()[:2], ids=ascii)
def test_no_name_subject_or_title_can_forge_a_hole(hole: str) -> None:
    """They are cleaned before the header is put together."""
    message = compile_letter(
        replace(LETTER, subject=f"a{hole}b"),
        replace(SENDER, site_title=f"a{hole}b", from_=f"{hole} <a@b.example>"),
        EDITION,
        DATE,
    ).fill(RECIPIENT._replace(name=f"a{hole}b"))
    found = parsed(message)
    for name in ("To", "From", "Subject", "List-Id"):
        assert "/unsubscribe/" not in str(found[name])
        assert HOLE_START not in str(found[name])


@given(st.text(st.sampled_from(HOLE_START + HOLE_END + "ab"), max_size=20))
def test_text_splits_at_known_holes_or_not_at_all(text: str) -> None:
    """What is put together again is the text; a damaged or unknown hole stops it."""
    known = (f"{HOLE_START}a{HOLE_END}", f"{HOLE_START}b{HOLE_END}")
    rest = text.replace(known[0], "").replace(known[1], "")
    damaged = text
    for hole in known:
        damaged = damaged.replace(hole, " ")
    if HOLE_START in damaged or HOLE_END in damaged:
        with pytest.raises(MessageUnsafeError):
            split_at_holes(text, known)
        return
    between, holes = split_at_holes(text, known)
    assert "".join(between) == rest
    again = between[0] + "".join(
        known[hole] + piece for hole, piece in zip(holes, between[1:], strict=True)
    )
    assert again == text


BCC = "x\r\nBcc: evil@x.example"


def test_a_compiled_header_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a title rendered wrongly, no letter would be compiled."""
    monkeypatch.setattr(
        "postroom.mail.compiled_header.render_free_text", lambda *_: BCC
    )
    with pytest.raises(MessageUnsafeError, match="Bcc"):
        compile_letter(LETTER, SENDER, EDITION, DATE)


def test_an_unusual_reader_has_the_header_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were a name rendered wrongly, that reader would get no message, the others would."""
    compiled = compile_letter(LETTER, SENDER, EDITION, DATE)
    monkeypatch.setattr("postroom.mail.message.render_mailbox", lambda *_: BCC)
    with pytest.raises(MessageUnsafeError, match="Bcc"):
        compiled.fill(RECIPIENT._replace(name='"'))
    assert parsed(compiled.fill(RECIPIENT))["To"].addresses


def test_golden_letters_take_the_encoding_of_their_script() -> None:
    """English is quoted-printable and hardly longer than it is; no letter is twice as long."""
    for name, letter in golden_letters().items():
        message = compile_letter(letter, SENDER, EDITION, DATE).fill(RECIPIENT)
        check_wire(message.data)
        kinds = [part["Content-Transfer-Encoding"] for part in parsed(message).iter_parts()]  # fmt: skip
        size = len((letter.html + letter.text).encode())
        if name.endswith("-en"):
            assert kinds == ["quoted-printable"] * 2
            assert len(message.data) < 1.15 * size + 1500
        else:
            assert kinds[0] == "base64"
            assert len(message.data) < 1.4 * size + 1500

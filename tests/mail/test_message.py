"""A message says what it should and nothing else, whatever stands in its parts."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import MessageUnsafeError
from postroom.mail.compiled_header import check_header
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.mail.letter import Letter
from postroom.mail.message import (
    Message,
    Recipient,
    Sender,
    compile_letter,
    expected_field_names,
)
from postroom.subscribers.token import Purpose, parse_keys, verify_link
from tests.mail.scenes import (
    DATE,
    EDITION,
    RECIPIENT,
    SECRET,
    SENDER,
    golden_letters,
)

if TYPE_CHECKING:
    from email.message import EmailMessage

LETTER = Letter(
    language="ko",
    subject="연구 돌 올려놓기 외 3편",
    preheader="",
    html=f'<p>글 <a href="{UNSUBSCRIBE_HOLE}">그만 받기</a></p>\n',
    text=f"글이다.\n.\nFrom here \n{UNSUBSCRIBE_HOLE}\n{PREFERENCES_HOLE}\n",
)
NAMES = [
    "Date", "From", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Archive", "List-Help", "Precedence", "Auto-Submitted",
    "Content-Language", "MIME-Version", "Content-Type",
]  # fmt: skip


def build(
    letter: Letter = LETTER,
    sender: Sender = SENDER,
    recipient: Recipient = RECIPIENT,
    edition: str = EDITION,
) -> Message:
    """Build with what is not named taken from above."""
    return compile_letter(letter, sender, edition, DATE).fill(recipient)


def parsed(message: Message) -> EmailMessage[Any, Any]:
    """Parse as a mail program would; no defects anywhere."""
    found = message_from_bytes(message.data, policy=policy.default)
    for part in found.walk():
        assert part.defects == []
    return found


def part_of(message: Message, kind: str) -> str:
    """The decoded text of one part, with LF."""
    body = parsed(message).get_body((kind,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def test_it_carries_the_fields_of_a_list_and_no_others() -> None:
    """RFC 5322, 2369, 2919, 8058, 3834; each once and in order."""
    message = parsed(build())
    assert message.keys() == NAMES
    assert message["From"] == "느린 우편함 <letters@blog.example>"
    assert message["To"] == "김민지 <minji@reader.example>"
    assert message["Subject"] == LETTER.subject
    assert message["List-Id"] == "느린 우편함 <posts.blog.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Mon, 23 Nov 2026 08:00:00 +0000"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_its_link_to_leave_is_signed_and_on_one_line() -> None:
    """In the header and in both parts, for this subscriber and this purpose."""
    message = build()
    head = message.data.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    (line,) = [field for field in head if field.startswith("List-Unsubscribe:")]
    link = line.partition("<")[2].rstrip(">")
    assert link.startswith("https://blog.example/unsubscribe/")
    token = link.rpartition("/")[2]
    assert verify_link(token, Purpose.UNSUBSCRIBE, parse_keys(SECRET)) == 7
    assert link in part_of(message, "plain")
    assert f'href="{link}"' in part_of(message, "html")
    assert "https://blog.example/preferences/" in part_of(message, "plain")


def test_one_click_needs_https() -> None:
    """RFC 8058 §3.1; without it the link alone is there."""
    message = parsed(build(sender=replace(SENDER, link_url="http://127.0.0.1:8000/")))
    assert message["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/unsubscribe/")
    assert "List-Unsubscribe-Post" not in message


def test_the_same_letter_for_the_same_reader_is_the_same_message() -> None:
    """Sent again it has the same Message-ID; for another reader or edition another."""
    assert build() == build()
    other = build(recipient=RECIPIENT._replace(subscriber_id=8))
    later = build(edition="weekly-20261130T0800")
    assert len({build().message_id, other.message_id, later.message_id}) == 3
    rotated = replace(SENDER, secret=SECRET + b"\nfedcba9876543210fedcba9876543210")
    assert build(sender=rotated).message_id == build().message_id


def test_message_ids_and_links_stay_what_they_were() -> None:
    """A delivery that a former version could not finish is sent as the same message."""
    message = build()
    assert (
        message.message_id == "<6da4f7acb2eeadd33b0f09aafe86731a1f4c36d5@blog.example>"
    )
    assert b"/unsubscribe/140d10.7.JGZfKfIiT6bVB6Bb38m3Ew>" in message.data


def test_the_bytes_are_fit_for_the_wire() -> None:
    """CRLF only, 7 bit, short lines, nothing that a relay would change."""
    data = build().data
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    body = data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert not any(line.startswith((b".", b"From ")) for line in body.split(b"\r\n"))


def test_parts_decode_to_what_the_letter_says() -> None:
    """Trailing blanks of flowed text and lone dots included; Latin is quoted-printable."""
    assert part_of(build(), "plain").startswith("글이다.\n.\nFrom here \n")
    latin = replace(LETTER, text="Plain words.\n" * 9, html="<p>Plain words.</p>\n")
    assert build(latin).data.count(b"quoted-printable") == 2
    assert part_of(build(latin), "plain") == latin.text
    korean = replace(LETTER, text=LETTER.text + "천천히 온다. " * 30)
    assert build(korean).data.count(b"base64") == 1
    assert part_of(build(korean), "plain").endswith("천천히 온다. ")


def test_a_reply_address_is_named_when_there_is_one() -> None:
    """And nothing else changes."""
    message = parsed(build(sender=replace(SENDER, reply_to="Mina <mina@blog.example>")))
    assert message["Reply-To"] == "Mina <mina@blog.example>"
    assert [name for name in message.keys() if name != "Reply-To"] == NAMES  # noqa: SIM118 - an EmailMessage iterates differently


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "a@b\r\nBcc: x@y",
        "a@b>\r\nRCPT TO:<x@y",
        "a b@c.example",
        "<a@b.example>",
    ],
)
def test_what_is_no_address_gets_no_message(email: str) -> None:
    """Checked here once more, whatever was checked before."""
    with pytest.raises(MessageUnsafeError):
        build(recipient=RECIPIENT._replace(email=email))


def test_a_letter_with_an_unfilled_hole_is_no_letter() -> None:
    """Rather no mail than one without its link."""
    with pytest.raises(MessageUnsafeError):
        build(replace(LETTER, html="\ufdd0elsewhere\ufdd1"))


HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\r\n\0\x0b\x0c\x1c\x85\u2028\u2029\u202e\u2066\ufeff\t :;,<>\"'\\()@=?"
        ),
        st.characters(exclude_categories=()),
        st.sampled_from("aB글"),
    ),
    max_size=60,
)
INJECTIONS = st.sampled_from(
    [
        "x\r\nBcc: evil@x.example",
        "x\nX-A: b\n\nbody",
        "=?utf-8?b?DQpCY2M6IHg=?=",
        "\r\n\r\n<p>",
    ]
)


@given(st.one_of(HOSTILE, INJECTIONS), st.one_of(HOSTILE, INJECTIONS), HOSTILE)
def test_no_text_changes_the_header(name: str, subject: str, title: str) -> None:
    """Any text as name, subject or title: the same fields, one recipient, no override."""
    message = build(
        replace(LETTER, subject=subject),
        replace(SENDER, from_=f'"{title}" <letters@blog.example>')
        if '"' not in title and "\\" not in title
        else SENDER,
        RECIPIENT._replace(name=name),
    )
    found = parsed(message)
    assert found.keys() == NAMES
    assert [mailbox.addr_spec for mailbox in found["To"].addresses] == [RECIPIENT.email]
    assert message.recipient == RECIPIENT.email
    for value in (str(found["To"]), str(found["Subject"])):
        assert not set(value) & set("\r\n\0\u2028\u2029\u202e\u2066")
    body = found.get_body(("plain",))
    assert body is not None
    assert "글이다." in body.get_content()


EVERY_CONTROL = [
    *map(chr, (*range(0x20), *range(0x7F, 0xA0))),
    *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *"\ud800\ufdd0\ufeff\uffff",
]
INJECTED = "Bcc: evil@x.example"


@pytest.mark.parametrize("control", EVERY_CONTROL, ids=ascii)
def test_no_control_in_any_value_adds_a_field(control: str) -> None:
    """Each at the start, inside and at the end of everything that reaches a header."""
    for attack in (
        f"{control}{INJECTED}",
        f"a{control}{INJECTED}",
        f"a{control}{control}{INJECTED}{control}",
        f"a\r{control}\n{INJECTED}",
    ):
        for letter, sender, recipient in (
            (replace(LETTER, subject=attack), SENDER, RECIPIENT),
            (replace(LETTER, language=attack), SENDER, RECIPIENT),
            (LETTER, replace(SENDER, site_title=attack), RECIPIENT),
            (LETTER, replace(SENDER, from_=f"{attack} <a@b.example>"), RECIPIENT),
            (LETTER, SENDER, RECIPIENT._replace(name=attack)),
        ):
            message = build(letter, sender, recipient)
            assert parsed(message).keys() == NAMES
            assert b"\r\nBcc" not in message.data
        for sender, recipient in (
            (SENDER, RECIPIENT._replace(email=f"a@b.example{attack}")),
            (SENDER, RECIPIENT._replace(email=f"a{attack}@b.example")),
            (replace(SENDER, from_=f"a{attack}@b.example"), RECIPIENT),
            (replace(SENDER, reply_to=f"a@b.example{attack}"), RECIPIENT),
        ):
            with pytest.raises(MessageUnsafeError):
                build(sender=sender, recipient=recipient)
        with_url = replace(SENDER, link_url=f"https://b.example/{attack}/")
        assert parsed(build(sender=with_url)).keys() == NAMES


@pytest.mark.parametrize(
    "head",
    [
        b"Date: x\r\nBcc: y\r\n",
        b"Date: x\r\nDate: y\r\n",
        b"From: x\r\nDate: y\r\n",
        b"Date: x\r\n\r\nFrom: y\r\n",
        b"Date: x\r\n \r\nFrom: y\r\n",
        b"Date: x\nFrom: y\r\n",
        b"Date: x\rFrom: y\r\n",
        b"Date: x\0\r\nFrom: y\r\n",
        b"Date: x\x0bX: z\r\nFrom: y\r\n",
        b"Date:x\r\nFrom: y\r\n",
        b"Date : x\r\nFrom: y\r\n",
        b" Date: x\r\nFrom: y\r\n",
        b"Date: x\r\nFrom: y",
        b"Date: " + b"x" * 998 + b"\r\nFrom: y\r\n",
    ],
)
def test_a_header_that_is_not_as_expected_stops_the_message(head: bytes) -> None:
    """A field too many, too few, twice, elsewhere; a bare line end; a line too long."""
    with pytest.raises(MessageUnsafeError):
        check_header(head, ("Date", "From"))


def test_a_header_that_is_as_expected_passes() -> None:
    """Folded lines belong to their field."""
    check_header(b"Date: x\r\n y\r\nFrom: z\r\n", ("Date", "From"))


def test_the_expected_fields_can_be_asked_for() -> None:
    """Other tests compare final bytes with them."""
    for sender in (
        SENDER,
        replace(SENDER, reply_to="a@b.example"),
        replace(SENDER, link_url="http://127.0.0.1/"),
    ):
        found = parsed(build(sender=sender)).keys()
        assert tuple(found) == expected_field_names(sender)


def test_a_reader_with_a_korean_address_gets_a_utf8_header() -> None:
    """RFC 6532: raw UTF-8 in To alone, and the message says so; others stay ASCII."""
    message = build(recipient=RECIPIENT._replace(email="김민지@reader.example"))
    assert message.smtputf8
    assert message.recipient == "김민지@reader.example"
    head = message.data.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if not line.isascii()]
    assert len(lines) == 1
    assert lines[0].endswith("<김민지@reader.example>".encode())
    assert not build().smtputf8


def test_the_domain_of_an_address_becomes_ascii() -> None:
    """IDNA: only a local part needs SMTPUTF8."""
    message = build(recipient=RECIPIENT._replace(email="minji@한국.example"))
    assert not message.smtputf8
    assert message.recipient == "minji@xn--3e0b707e.example"


def test_long_names_and_subjects_are_folded() -> None:
    """Encoded words of at most 75 characters on lines of at most 76 (RFC 2047 §2)."""
    name, subject = "긴 이름 " * 20, "긴 제목 👨‍👩‍👧 " * 20
    message = build(
        replace(LETTER, subject=subject),
        replace(SENDER, from_=f"{name} <letters@blog.example>"),
        RECIPIENT._replace(name=name),
    )
    for line in message.data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if not line.startswith(b"List-"):
            assert len(line) <= 76, line
    assert parsed(message)["Subject"] == subject.strip()
    # The address parser of CPython 3.11 sets blanks between encoded words (RFC 2047
    # §6.2 has them ignored); the older one does not.
    to = message_from_bytes(message.data)["To"]
    assert str(make_header(decode_header(to))).startswith(f"{name.strip()} <")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Kim Minji", b"Kim Minji <"),
        ("Kim, Minji", b'"Kim, Minji" <'),
        ('a "b" \\ c', b'"a \\"b\\" \\\\ c" <'),
        ("=?utf-8?q?Admin?=", b"=?utf-8?b?PT91dGYtOD9xP0FkbWluPz0=?= <"),
        ("", b"minji@"),
    ],
)
def test_display_names(name: str, written: bytes) -> None:
    """Atoms, a quoted string, or encoded: what only looks encoded as well."""
    message = build(recipient=RECIPIENT._replace(name=name))
    assert b"\r\nTo: " + written in message.data
    assert parsed(message)["To"].addresses[0].display_name == name


@given(
    st.text(
        st.one_of(
            st.sampled_from("\r\n .Ffrom=-글\t"),
            st.characters(codec="utf-8", exclude_characters="\ufdd0\ufdd1"),
        ),
        max_size=400,
    )
)
def test_any_body_survives_the_way(text: str) -> None:
    """Decoded it is what it was, line ends aside; encoded nothing can harm it."""
    message = build(replace(LETTER, text=text, html=text))
    lines = message.data.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert message.data.isascii()
    for part in parsed(message).iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        ends = text.replace("\r\n", "\n").replace("\r", "\n")
        assert payload.decode().replace("\r\n", "\n") == ends


def test_every_golden_letter_arrives_as_it_was_made() -> None:
    """Parsed again, both parts are those of the letter with its links."""
    for letter in golden_letters().values():
        message = build(letter)
        links = dict.fromkeys((UNSUBSCRIBE_HOLE, PREFERENCES_HOLE), "(.*)")
        for kind, made in (("plain", letter.text), ("html", letter.html)):
            pattern = re.escape(made)
            for hole, hidden in links.items():
                pattern = pattern.replace(re.escape(hole), hidden)
            assert re.fullmatch(pattern, part_of(message, kind), re.DOTALL)
        assert parsed(message)["Subject"] == letter.subject

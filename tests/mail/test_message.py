"""A message says what it should and nothing else, whatever stands in its parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import MessageUnsafeError
from postroom.mail.holes import PREFERENCES_HOLE, UNSUBSCRIBE_HOLE
from postroom.mail.letter import Letter
from postroom.mail.message import Message, Recipient, Sender, build_message
from postroom.subscribers.token import Purpose, parse_keys, verify_link

if TYPE_CHECKING:
    from email.message import EmailMessage

DATE = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
SENDER = Sender(
    from_="느린 우편함 <letters@blog.example>",
    reply_to="",
    site_title="느린 우편함",
    site_url="https://blog.example/",
    link_url="https://blog.example/",
    postal_address="",
    secret=SECRET,
)
RECIPIENT = Recipient(
    edition="weekly-20261123T0800",
    subscriber_id=7,
    email="minji@reader.example",
    name="김민지",
)
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
    letter: Letter = LETTER, sender: Sender = SENDER, recipient: Recipient = RECIPIENT
) -> Message:
    """Build with what is not named taken from above."""
    return build_message(letter, sender, recipient, DATE)


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
    other = build(recipient=replace(RECIPIENT, subscriber_id=8))
    later = build(recipient=replace(RECIPIENT, edition="weekly-20261130T0800"))
    assert len({build().message_id, other.message_id, later.message_id}) == 3
    rotated = replace(SENDER, secret=SECRET + b"\nfedcba9876543210fedcba9876543210")
    assert build(sender=rotated).message_id == build().message_id


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
        build(recipient=replace(RECIPIENT, email=email))


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
        replace(RECIPIENT, name=name),
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

"""Which column of a table says what: ours, and those of other services' exports.

Their header rows, as published in code and tests: listmonk `uuid,email,name,attributes,
status,created_at,updated_at`; Ghost `id,email,name,note,subscribed_to_emails,…,labels,
tiers`; Mailchimp `Email Address,First Name,Last Name,…,OPTIN_TIME,CONFIRM_TIME,…,TAGS`
with `UNSUB_TIME` or `CLEAN_TIME` in the files of those who left or bounced; Substack
`email,active_subscription,expiry,…,email_disabled,created_at`; Buttondown `email,…,
subscriber_type` (now `email_address,…,type`).

A service's "active" says that it mailed someone, not that this person agreed to be
mailed by us: only the operator's word makes such a row `confirmed`. A no is taken from
everyone, and nothing turns it into a yes. Tags and labels sort people for the sender;
they are not topics a reader chose, and are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postroom.subscribers.address import parse_name
from postroom.subscribers.subscriber import Consent

StateReader = Callable[[str], Consent | None]
"""A non-empty cell → what it says; None: "active", which is no consent of ours."""

EMAIL = {
    *("email", "email_address", "e_mail", "e_mail_address", "emailaddress", "mail"),
    *("이메일", "이메일_주소", "이메일주소", "전자우편", "메일"),
}
NAME = {"name", "full_name", "fullname", "display_name", "이름", "성명"}
FIRST_NAME = {"first_name", "firstname", "fname", "given_name"}
LAST_NAME = {"last_name", "lastname", "lname", "surname", "family_name"}

ACTIVE = {
    *(
        "enabled",
        "active",
        "subscribed",
        "free",
        "paid",
        "comped",
        "regular",
        "premium",
    ),
    *("trialed", "unpaid", "gifted", "churning", "paused", "past_due"),
}
WAITING = {"pending", "unconfirmed", "unactivated"}
LEFT = {"unsubscribed", "disabled", "inactive", "cancelled", "canceled", "opted_out"}
STOPPED = {
    *("suppressed", "blocklisted", "blacklisted", "blocked", "bounced", "cleaned"),
    *("complained", "spam", "spammy", "removed", "undeliverable", "invalid"),
}
STATES: dict[str, Consent | None] = {
    **dict.fromkeys(ACTIVE, None),
    "confirmed": Consent.CONFIRMED,
    **dict.fromkeys(WAITING, Consent.PENDING),
    **dict.fromkeys(LEFT, Consent.UNSUBSCRIBED),
    **dict.fromkeys(STOPPED, Consent.SUPPRESSED),
}
"""Words of listmonk, Ghost, Mailchimp, Buttondown and others for one reader's state."""

FLAGS = {
    **dict.fromkeys(("true", "yes", "y", "1", "t"), True),
    **dict.fromkeys(("false", "no", "n", "0", "f"), False),
}

DOUBTFUL = re.compile(
    r"unsub|opt_?out|bounce|suppress|blocked|수신|"
    r"(consent|status|subscribed|subscription|상태|구독)$"
)
"""A column that may speak of consent: not to be passed over in silence."""
PAYMENT = "active_subscription"
"""Substack's word for readers who pay."""


def read_consent(cell: str) -> Consent | None:
    """Our own column: one of the four words. Raises ValueError."""
    return Consent(cell.lower())


def read_state(cell: str) -> Consent | None:
    """Read a service's word for the state of a reader. Raises ValueError."""
    word = cell.lower().replace(" ", "_").replace("-", "_")
    if word not in STATES:
        raise ValueError(cell)
    return STATES[word]


def read_subscribed(cell: str) -> Consent | None:
    """Whether they want letters (Ghost's `subscribed_to_emails`). Raises ValueError."""
    return Consent.UNSUBSCRIBED if not _flag(cell) else None


def read_disabled(cell: str) -> Consent | None:
    """Whether they want none (Substack's `email_disabled`). Raises ValueError."""
    return Consent.UNSUBSCRIBED if _flag(cell) else None


def read_left_at(cell: str) -> Consent | None:
    """Whatever time is given: they left then."""
    return Consent.UNSUBSCRIBED


def read_bounced_at(cell: str) -> Consent | None:
    """Whatever time is given: the service stopped mailing them then."""
    return Consent.SUPPRESSED


STATE_COLUMNS: dict[str, StateReader] = {
    "consent": read_consent,
    "status": read_state,
    "subscriber_type": read_state,
    "subscribed_to_emails": read_subscribed,
    "subscribed": read_subscribed,
    "email_disabled": read_disabled,
    "unsubscribed": read_disabled,
    "opted_out": read_disabled,
    "unsub_time": read_left_at,
    "unsubscribed_at": read_left_at,
    "unsubscription_date": read_left_at,
    "deleted_at": read_left_at,
    "clean_time": read_bounced_at,
    "undeliverability_date": read_bounced_at,
}
BUTTONDOWN = frozenset({"creation_date", "metadata"})
"""Beside one of these, `type` is a reader's state; elsewhere it may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where in a row things stand; -1 where the table does not have them."""

    width: int
    email: int
    name: int = -1
    first_name: int = -1
    last_name: int = -1
    states: tuple[tuple[int, StateReader], ...] = ()
    cadence: int = -1
    topics: int = -1
    language: int = -1
    doubtful: tuple[str, ...] = ()
    """Columns that may speak of consent in a table where no column is known to."""


def find_columns(header: Sequence[str]) -> Columns | None:
    """Return what each column is, or None when no column is named as the address."""
    names = [_fold(cell) for cell in header]
    email = _find(names, EMAIL)
    if email < 0:
        return None
    states = tuple(
        (index, read)
        for index, name in enumerate(names)
        if (read := _state_reader(name, names)) is not None
    )
    return Columns(
        width=len(names),
        email=email,
        name=_find(names, NAME),
        first_name=_find(names, FIRST_NAME),
        last_name=_find(names, LAST_NAME),
        states=states,
        cadence=_find(names, {"cadence"}),
        topics=_find(names, {"topics"}),
        language=_find(names, {"language"}),
        doubtful=()
        if states
        else tuple(
            parse_name(cell)
            for cell, name in zip(header, names, strict=True)
            if DOUBTFUL.search(name) and name != PAYMENT
        ),
    )


def _state_reader(name: str, names: Sequence[str]) -> StateReader | None:
    if name == "type" and BUTTONDOWN.intersection(names):
        return read_state
    return STATE_COLUMNS.get(name)


def _find(names: Sequence[str], wanted: set[str]) -> int:
    return next((index for index, name in enumerate(names) if name in wanted), -1)


def _fold(cell: str) -> str:
    name = unicodedata.normalize("NFC", cell).strip(" \t'\ufeff").casefold()
    return re.sub(r"[\s-]+", "_", name)


def _flag(cell: str) -> bool:
    word = cell.lower()
    if word not in FLAGS:
        raise ValueError(cell)
    return FLAGS[word]

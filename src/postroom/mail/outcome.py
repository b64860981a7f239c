"""Replies to outcomes: what a relay's words mean for one delivery (RFC 5321, 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    """A row of the ledger; `TRANSITIONS` says what may follow what."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDING = "handing"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"

    # Enum's own is a call into Python, for every look-up of every message.
    __hash__ = str.__hash__


TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset(
        {DeliveryState.CLAIMED, DeliveryState.SKIPPED, DeliveryState.EXPIRED}
    ),
    DeliveryState.DEFERRED: frozenset(
        {DeliveryState.CLAIMED, DeliveryState.SKIPPED, DeliveryState.EXPIRED}
    ),
    DeliveryState.CLAIMED: frozenset(
        {
            DeliveryState.QUEUED,
            DeliveryState.HANDING,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.SKIPPED,
            # Where the intent stood in a journal, the row itself was never `handing`.
            DeliveryState.ACCEPTED,
            DeliveryState.UNKNOWN,
        }
    ),
    DeliveryState.HANDING: frozenset(
        {
            DeliveryState.ACCEPTED,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
        }
    ),
    DeliveryState.UNKNOWN: frozenset(
        {DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.FAILED}
    ),
    DeliveryState.ACCEPTED: frozenset(),
    DeliveryState.FAILED: frozenset(),
    DeliveryState.SKIPPED: frozenset(),
    DeliveryState.EXPIRED: frozenset(),
}

OPEN_STATES = frozenset(state for state, following in TRANSITIONS.items() if following)


class Phase(StrEnum):
    """How far a transaction had come when the reply (or the silence) arrived."""

    CONNECT = "connect"
    """Until logged in: greeting, EHLO, STARTTLS, AUTH."""
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    """The DATA command itself: nothing of the message has been sent."""
    DOT = "dot"
    """The final dot may have reached the receiver."""


class Concern(StrEnum):
    """Whom a reply that is no go-ahead is about."""

    RECIPIENT = "recipient"
    """This delivery is decided (or, after the dot, perhaps not knowable)."""
    RELAY = "relay"
    """The connection or the relay's load: try again on another connection."""
    OURS = "ours"
    """Login, sender or size: every other message would meet the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An SMTP reply: basic code, enhanced status (`""` when there is none), text.

    `code` is `NOBODY` where no server spoke; `text` then says what happened.
    """

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        """The reply in one line, as people and the ledger read it."""
        if self.code and self.status and self.text:
            return f"{self.code} {self.status} {self.text}"
        code = str(self.code) if self.code else ""
        return " ".join(word for word in (code, self.status, self.text) if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt: accepted, deferred, failed, unknown, or queued again.

    `suppress` is true only for replies that say the address does not exist.
    """

    state: DeliveryState
    phase: Phase
    reply: Reply | None
    suppress: bool = False


NOBODY = 0
"""The code of a Reply that no server gave."""
TEXT_LIMIT = 500
"""Characters of a reply that are kept: enough for every cause, little in a ledger."""

MULTIPLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
STATUS = re.compile(r"#?([245])\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})(?![\w.])[ :-]*")
"""RFC 3463 §2 at the start of a line, where RFC 2034 §4 wants it (some write a `#`)."""
STATUS_IN_BRACKETS = re.compile(r"\(#([245])\.(\d{1,3})\.(\d{1,3})\)")
"""qmail and its kin put it into the text: `no mailbox here by that name. (#5.1.1)`."""

NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""No mailbox, no host, bad syntax, moved away, null MX: never any use to try again."""
DOMAIN_TAKES_NO_MAIL = 556
"""RFC 7504: says the same as 5.1.10."""
NOT_LOGGED_IN = frozenset({530, 534, 535, 538})
"""RFC 4954 §6: authentication wanted, too weak, refused, encryption wanted."""
SHUTTING_DOWN = 421
"""RFC 5321 §3.8: may answer any command, and the connection ends."""
BAD_SEQUENCE = 503
TEMPORARY_LOGIN_FAILURE = 454
POLICY_CODE = 554
"""Without an enhanced status: `transaction failed`, in practice a refusal of ours."""
THROTTLED = frozenset({"4.7.0", "4.7.28", "4.5.3"})
"""Too much mail or too many recipients: about our rate, not about this recipient."""
GO_AHEAD = 354


def parse_reply(code: int, text: str) -> Reply:
    """The words of a server → a reply in one line, its enhanced status apart.

    The status counts only where RFC 2034 §4 puts it and when its class is that of
    `code`; `text` may have several lines, each with the status again.
    """
    lines = text.splitlines()
    found = STATUS.match(lines[0]) if lines else None
    found = found or STATUS_IN_BRACKETS.search(text)
    status = ""
    if found and found[1] == str(code)[0]:
        status = f"{found[1]}.{int(found[2])}.{int(found[3])}"
        if found.re is STATUS:
            lines = [_without(line, status) for line in lines]
    words = " ".join(lines)
    if not (words.isascii() and words.isprintable()) or "  " in words:
        words = MULTIPLE.sub(" ", words).encode("utf-8", "replace").decode("utf-8")
    return Reply(code=code, status=status, text=words[:TEXT_LIMIT].strip())


def _without(line: str, status: str) -> str:
    found = STATUS.match(line)
    if found and f"{found[1]}.{found[2]}.{found[3]}" == status:
        return line[found.end() :]
    return line


def is_go_ahead(phase: Phase, reply: Reply) -> bool:
    """Whether the transaction goes on: 354 to DATA, 2yz to everything before.

    251 and 252 at RCPT are acceptances like any other (RFC 5321 §4.3.2).
    """
    if phase is Phase.DATA:
        return reply.code == GO_AHEAD
    return phase is not Phase.DOT and reply.code // 100 == 2  # noqa: PLR2004 - RFC 5321 §4.2.1


def concern(phase: Phase, reply: Reply | None) -> Concern:
    """Whom `reply` (None: silence or nonsense) is about; it is no go-ahead."""
    if phase is Phase.DOT:
        return Concern.RECIPIENT
    kind = reply.code // 100 if reply else 0
    if reply is None or kind not in {4, 5} or reply.code == SHUTTING_DOWN:
        return Concern.RELAY
    if phase in {Phase.CONNECT, Phase.MAIL}:
        return Concern.OURS if kind == 5 else Concern.RELAY  # noqa: PLR2004 - permanent
    if reply.code in NOT_LOGGED_IN:
        return Concern.OURS
    if reply.code in {TEMPORARY_LOGIN_FAILURE, BAD_SEQUENCE} or (
        reply.status in THROTTLED
    ):
        return Concern.RELAY
    return Concern.RECIPIENT


def build_outcome(phase: Phase, reply: Reply | None) -> Outcome:
    """What a reply that is no go-ahead, or None for silence and nonsense, means.

    Before the dot nothing is ambiguous: what is not about the recipient queues the
    delivery again. After it, only a well-formed 2yz, 4yz or 5yz decides; all else is
    unknown. The phase counts more than the enhanced status, and that more than the
    code.
    """
    if concern(phase, reply) is not Concern.RECIPIENT:
        return Outcome(state=DeliveryState.QUEUED, phase=phase, reply=reply)
    match reply.code // 100 if reply else 0:
        case 2:
            state = DeliveryState.ACCEPTED
        case 4:
            state = DeliveryState.DEFERRED
        case 5:
            state = DeliveryState.FAILED
        case _:
            state = DeliveryState.UNKNOWN
    return Outcome(
        state=state,
        phase=phase,
        reply=reply,
        # At RCPT alone: there the address is all that was asked about. After the dot the
        # same words may come from a filter that read the content, or from a hop behind
        # the one that knew the address. To fail one letter is mended by the next one; a
        # subscriber suppressed for nothing gets no letter that could mend it.
        suppress=phase is Phase.RCPT and reply is not None and _is_no_address(reply),
    )


def internal_outcome(why: str) -> Outcome:
    """Failed before anything was sent, for a reason of our own."""
    reply = Reply(code=NOBODY, status="", text=parse_reply(0, f"internal: {why}").text)
    return Outcome(state=DeliveryState.FAILED, phase=Phase.MAIL, reply=reply)


def is_policy(reply: Reply) -> bool:
    """Whether a refusal is about us (spam, authentication, reputation), not an address."""
    if reply.status:
        return reply.status.startswith("5.7.")
    return reply.code == POLICY_CODE


def is_slow_down(reply: Reply) -> bool:
    """Whether a relay asks for fewer connections: 421, or any 4.7.x (RFC 3463 §3.8)."""
    return reply.code == SHUTTING_DOWN or reply.status.startswith("4.7.")


def _is_no_address(reply: Reply) -> bool:
    """Enhanced status first; 556 says it without one."""
    if reply.status:
        return reply.status in NO_SUCH_ADDRESS
    return reply.code == DOMAIN_TAKES_NO_MAIL

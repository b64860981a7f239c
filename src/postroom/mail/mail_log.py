"""What a Postfix log proves about messages whose fate is not known.

Postfix names a message by a queue id. `cleanup` logs the Message-ID beside it when it
meets that field, before the message has come to its end: that binds the two, no more.
Once `qmgr` or a delivery agent says anything of the queue id, the message was taken, for
they see finished queue files only. A refusal at the end of the message proves the other
thing. A short queue id is used again for a later message; `client=` begins a new one.

Lines are `STAMP HOST NAME/DAEMON[PID]: QUEUE-ID: WORDS`, whatever the stamp and the name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from postroom.mail.outcome import MULTIPLE, TEXT_LIMIT, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

MESSAGE_ID = "message-id="
CLIENT = "client="
RECENT = 1000
"""Refusals kept until their Message-ID is known, which `cleanup` may log a little later."""

_AT_THE_END = re.compile(r"(?:milter-)?reject: END-OF-MESSAGE from \S+: ([45])")
"""By smtpd (`554 5.7.1 …`) or by a milter (`5.7.1 …`)."""
_BY_CONTENT = re.compile(
    r"reject: (?:mime-|nested-)?(?:header|body) .*>: ([45])\.\d{1,3}\.\d{1,3} "
)
"""By header_checks or body_checks: the status comes last (header_checks(5))."""
_QUEUED = re.compile(r"from=<|removed$")
_DELIVERED = re.compile(r"to=<.*, status=\w+")


class Proof(NamedTuple):
    """What became of a message: accepted, failed, or queued (not taken, try again)."""

    state: DeliveryState
    queue_id: str
    words: str
    """Those of the log."""


def parse_mail_log(
    lines: Iterable[str], message_ids: Container[str]
) -> dict[str, Proof]:
    """Return what the log proves of each of `message_ids` (with angle brackets).

    One line at a time; only queue ids of these messages are remembered. A message with
    several queue ids is accepted if any of them was; a refusal counts if it was the
    last one's.
    """
    reader = _Reader(message_ids)
    for line in lines:
        _, _, rest = line.partition("]: ")
        queue_id, colon, words = rest.partition(": ")
        if colon and reader.concerns(queue_id, words):
            program = line.partition("[")[0].rpartition(" ")[2]
            reader.read(program.rpartition("/")[2], queue_id, words.rstrip())
    return reader.proofs


class _Reader:
    """The queue ids that matter, and what has been proved so far."""

    def __init__(self, message_ids: Container[str]) -> None:
        self.proofs: dict[str, Proof] = {}
        self._message_ids = message_ids
        self._bound: dict[str, str] = {}
        """Queue id → Message-ID."""
        self._last: dict[str, str] = {}
        """Message-ID → its latest queue id."""
        self._refused: dict[str, Proof] = {}
        """Of queue ids whose Message-ID is not known yet."""

    def concerns(self, queue_id: str, words: str) -> bool:
        """Whether a line can matter; nearly none does."""
        return queue_id in self._bound or words.startswith(
            (MESSAGE_ID, CLIENT, "reject: END-", "milter-reject: END-")
        )

    def read(self, daemon: str, queue_id: str, words: str) -> None:
        """Take note of what `daemon` says of a queue id."""
        if daemon == "smtpd" and words.startswith(CLIENT):
            self._forget(queue_id)
        elif daemon == "cleanup" and words.startswith(MESSAGE_ID):
            self._bind(queue_id, words.removeprefix(MESSAGE_ID))
        elif daemon in {"smtpd", "cleanup"}:
            refusal = _AT_THE_END.match(words) or _BY_CONTENT.match(words)
            if refusal:
                self._refuse(queue_id, _proof(refusal[1], queue_id, words))
        elif queue_id in self._bound and _is_taken(daemon, words):
            taken = _proof("2", queue_id, words)
            message_id = self._bound[queue_id]
            if not self._is_accepted(message_id):
                self.proofs[message_id] = taken

    def _bind(self, queue_id: str, message_id: str) -> None:
        self._bound.pop(queue_id, None)
        refused = self._refused.pop(queue_id, None)
        if message_id not in self._message_ids:
            return
        self._bound[queue_id] = message_id
        self._last[message_id] = queue_id
        if not self._is_accepted(message_id):
            self.proofs.pop(message_id, None)  # of an earlier attempt
        if refused:
            self._refuse(queue_id, refused)

    def _refuse(self, queue_id: str, proof: Proof) -> None:
        message_id = self._bound.get(queue_id)
        if message_id is None:
            self._refused[queue_id] = proof
            if len(self._refused) > RECENT:
                del self._refused[next(iter(self._refused))]
        elif self._last[message_id] == queue_id and not self._is_accepted(message_id):
            self.proofs[message_id] = proof

    def _forget(self, queue_id: str) -> None:
        self._bound.pop(queue_id, None)
        self._refused.pop(queue_id, None)

    def _is_accepted(self, message_id: str) -> bool:
        proof = self.proofs.get(message_id)
        return proof is not None and proof.state is DeliveryState.ACCEPTED


def _is_taken(daemon: str, words: str) -> bool:
    """Whether only a message that was taken can have this said of it."""
    if daemon.endswith("qmgr"):
        return _QUEUED.match(words) is not None
    return _DELIVERED.match(words) is not None


def _proof(kind: str, queue_id: str, words: str) -> Proof:
    """`kind` is the first digit of a status."""
    state = {
        "2": DeliveryState.ACCEPTED,
        "4": DeliveryState.QUEUED,
        "5": DeliveryState.FAILED,
    }[kind]
    return Proof(state, queue_id, MULTIPLE.sub(" ", words)[:TEXT_LIMIT].strip())

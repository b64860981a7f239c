"""What the replies to MAIL, RCPT and DATA say together: three replies, one answer.

They come in the order of the commands (RFC 2920 §3.1), so a reply that is missing, or one
too many, shows in what stands where.
"""

from __future__ import annotations

from postroom.mail.outcome import (
    GO_AHEAD,
    NOBODY,
    Outcome,
    Phase,
    Reply,
    build_outcome,
    is_go_ahead,
)

STEPS = (Phase.MAIL, Phase.RCPT, Phase.DATA)
"""The envelope, a reply for each."""


def is_invitation(envelope: list[Reply]) -> bool:
    """Whether MAIL, RCPT and DATA are all answered, and as they should be."""
    return (
        len(envelope) == len(STEPS)
        and envelope[2].code == GO_AHEAD
        and 200 <= envelope[0].code < 300  # noqa: PLR2004 - is_go_ahead, for each message
        and 200 <= envelope[1].code < 300  # noqa: PLR2004 - is_go_ahead, for each message
    )


def is_out_of_step(envelope: list[Reply]) -> bool:
    """Whether the replies belong to other commands than their place says.

    A 354 to MAIL or RCPT: a reply is missing before it. A 2yz to DATA: there was one
    too many.
    """
    if any(reply.code == GO_AHEAD for reply in envelope[:2]):
        return True
    return len(envelope) == len(STEPS) and 200 <= envelope[2].code < 300  # noqa: PLR2004 - success


def lacks_a_reply(envelope: list[Reply], *, silent: bool) -> bool:
    """Whether a verdict may be missing before `envelope`, so that the first is not it.

    Then what stands for RCPT answers DATA (354, or a refusal), and nothing stands for
    DATA. A server that hangs after a refused RCPT looks the same: taking an acceptance
    for unknown costs a question, the reverse costs a letter.
    """
    if is_invitation(envelope) or not envelope:
        return False
    if any(reply.code == GO_AHEAD for reply in envelope[:2]):
        return True
    asked_last = envelope[-1]
    return silent and len(envelope) == 2 and not is_go_ahead(Phase.RCPT, asked_last)  # noqa: PLR2004 - MAIL and RCPT


def silence(envelope: list[Reply], why: str) -> Outcome:
    """The outcome where a reply to an envelope is missing or cannot be trusted."""
    phase = STEPS[min(len(envelope), len(STEPS) - 1)]
    return build_outcome(phase, Reply(code=NOBODY, status="", text=why))


def unknown(why: str) -> Outcome:
    """The outcome where the dot was sent and no verdict can be had."""
    return build_outcome(Phase.DOT, Reply(code=NOBODY, status="", text=why))


def is_asking(envelope: list[Reply]) -> bool:
    """Whether the server waits for a body, whatever it said before."""
    return len(envelope) == len(STEPS) and envelope[2].code == GO_AHEAD

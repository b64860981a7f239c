"""Handing messages to a relay over SMTP (RFC 5321), knowing how far each one came.

One transaction at a time per connection:

    MAIL, RCPT, DATA ─► 354 ─► intend() ─► body and dot in one write ─► verdict

The three commands leave in one write where the server offers PIPELINING (RFC 2920),
else one after the other. Before the dot nothing is ambiguous; after it, only a
well-formed verdict decides, and all else leaves the delivery unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import (
    GO_AHEAD,
    NOBODY,
    Concern,
    DeliveryState,
    Outcome,
    Phase,
    Reply,
    build_outcome,
    concern,
    internal_outcome,
    is_go_ahead,
)
from postroom.smtp.connect import WAIT, Timeouts, build_relay, connect
from postroom.smtp.dialogue import BrokenDialogueError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from postroom.config import SmtpConfig
    from postroom.mail.message import Message
    from postroom.smtp.connect import Greeted, Relay
    from postroom.smtp.dialogue import Dialogue

PATH_LIMIT = 254
"""Octets of an address (RFC 5321 §4.5.3.1.3, without its angle brackets)."""
FORBIDDEN = re.compile("[\x00-\x20\x7f-\xa0<>\u2028\u2029\ud800-\udfff]")
"""What would end or split a command, however it got this far."""


class SmtpTransport:
    """Opens sessions with one relay; the contract is `smtp.base.Transport`."""

    def __init__(
        self,
        smtp: SmtpConfig,
        *,
        root: Path,
        password: str,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.connections = smtp.connections
        self._smtp = smtp
        self._root = root
        self._password = password
        self._timeouts = timeouts or Timeouts()
        self._relay: Relay | None = None

    async def open(self) -> SmtpSession:
        """Connect, secure, log in; raise RelayAwayError or RelayRefusedError."""
        if self._relay is None:  # reading certificates takes 20 ms: once
            self._relay = build_relay(
                self._smtp, root=self._root, password=self._password
            )
        return SmtpSession(await connect(self._relay, self._timeouts), self._timeouts)


class SmtpSession:
    """One connection; the contract is `smtp.base.Session`."""

    def __init__(self, greeted: Greeted, timeouts: Timeouts) -> None:
        self._dialogue: Dialogue = greeted.dialogue
        self._extensions = greeted.extensions
        self._timeouts = timeouts

    async def send(
        self, message: Message, intend: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """Hand `message` over; see `smtp.base.Session.send`.

        Raises RelayAwayError where the connection ended since the last message, and
        RelayRefusedError for a sender or size that the relay never takes.
        """
        if self._dialogue.broken:
            raise RelayAwayError(self._dialogue.broken, cure=WAIT)
        require_usable(message, self._extensions)
        reason = unfit(message, self._extensions)
        if reason:
            return internal_outcome(reason)
        refused = await self._begin(message)
        if refused:
            if concern(refused.phase, refused.reply) is Concern.OURS:
                raise RelayRefusedError(
                    f"the relay refuses every letter at {refused.phase.upper()}:"
                    f" {refused.reply}",
                    cure="check mail.from and the login in [smtp]",
                )
            return refused
        return await self._commit(message.data, intend)

    async def close(self) -> None:
        """QUIT, and close within a few seconds."""
        await self._dialogue.close(self._timeouts.quit)

    # -- before the dot -----------------------------------------------------------

    async def _begin(self, message: Message) -> Outcome | None:
        """MAIL, RCPT, DATA; None once the server waits for the body."""
        steps = (
            (Phase.MAIL, _mail(message, self._extensions), self._timeouts.command),
            (Phase.RCPT, f"RCPT TO:<{message.recipient}>", self._timeouts.command),
            (Phase.DATA, "DATA", self._timeouts.data),
        )
        pipelining = "pipelining" in self._extensions
        if pipelining:
            self._command(*(command for _, command, _ in steps))
        refused: Outcome | None = None
        last: Reply | None = None
        for phase, command, seconds in steps:
            if not pipelining:
                self._command(command)
            try:
                last = await self._dialogue.reply(seconds)
            except BrokenDialogueError as error:
                in_doubt = refused is None or error.silent
                return _silence(phase, str(error)) if in_doubt else refused
            if refused or is_go_ahead(phase, last):
                continue
            refused = build_outcome(phase, last)
            if not pipelining:
                break
        if refused:
            asked = pipelining and last is not None and last.code == GO_AHEAD
            await self._reset(refused.phase, asked=asked)
        return refused

    def _command(self, *commands: str) -> None:
        lines = "".join(f"{command}\r\n" for command in commands)
        self._dialogue.write(lines.encode(), replies=len(commands))

    async def _reset(self, refused_at: Phase, *, asked: bool) -> None:
        """Make the connection fit for the next transaction, if it still can be.

        `asked`: the server wants the body of a pipelined transaction although it
        refused something before. RFC 2920 §3.1 asks for an empty one, which goes to
        nobody if the recipient was refused; else it might go to them.
        """
        try:
            if asked and refused_at is Phase.RCPT:
                self._dialogue.write(b".\r\n")
                await self._dialogue.reply(self._timeouts.command)
            elif asked:
                self._dialogue.abort("asked for a message after refusing it")
            if not self._dialogue.broken:
                self._command("RSET")
                reply = await self._dialogue.reply(self._timeouts.command)
                if not is_go_ahead(Phase.MAIL, reply):
                    self._dialogue.abort(f"RSET answered {reply}")
        except BrokenDialogueError:
            pass  # the next `send` says so

    # -- the dot and after --------------------------------------------------------

    async def _commit(
        self, data: bytes, intend: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        """The intent, then body and dot; the server is waiting for them."""
        if self._dialogue.broken:  # by what came in the same breath as the 354
            return _silence(Phase.DATA, self._dialogue.broken)
        try:
            intended = await intend()
        except BaseException:
            self._dialogue.abort("the ledger cannot be written")
            raise
        if not intended:
            self._dialogue.abort("the claim is stale")
            return _silence(Phase.DATA, self._dialogue.broken)
        return await self._finish(data)

    async def _finish(self, data: bytes) -> Outcome:
        """Body and dot, then the verdict."""
        if self._dialogue.broken:
            # The intent is on record, yet nothing of the message was sent.
            reply = Reply(code=NOBODY, status="", text=self._dialogue.broken)
            return Outcome(state=DeliveryState.DEFERRED, phase=Phase.DATA, reply=reply)
        self._dialogue.write(stuff(data))
        try:
            reply = await self._dialogue.reply(self._timeouts.verdict)
        except BrokenDialogueError as error:
            return _silence(Phase.DOT, f"no verdict: {error}")
        outcome = build_outcome(Phase.DOT, reply)
        if self._dialogue.hasty:
            self._dialogue.abort("a reply came before the message was sent")
            if outcome.state is DeliveryState.ACCEPTED:
                return _silence(Phase.DOT, f"accepted before it was sent: {reply}")
        elif outcome.state is DeliveryState.UNKNOWN:
            self._dialogue.abort(f"{reply} is no verdict")
        return outcome


def _silence(phase: Phase, why: str) -> Outcome:
    """The outcome when no reply came; `why` is kept for whoever reads the ledger."""
    return build_outcome(phase, Reply(code=NOBODY, status="", text=why))


def require_usable(message: Message, extensions: Mapping[str, str]) -> None:
    """Raise RelayRefusedError where no letter can leave: bad sender, above SIZE (RFC 1870)."""
    if _is_forbidden(message.reverse_path):
        raise RelayRefusedError(
            f"not an address to send from: {message.reverse_path!r}",
            cure="mend mail.from",
        )
    limit = extensions.get("size", "").strip()
    if limit.isdecimal() and 0 < int(limit) < len(message.data):
        raise RelayRefusedError(
            f"the relay takes letters up to {limit} octets, this one has"
            f" {len(message.data)}",
            cure="lower digest.max_posts or excerpt.length",
        )


def unfit(message: Message, extensions: Mapping[str, str]) -> str:
    """Why `message` cannot be handed over here, or "".

    The envelope is checked once more, whatever was checked before: a line break in it
    would be a command of its own.
    """
    if _is_forbidden(message.recipient) or "@" not in message.recipient:
        return f"not an address: {message.recipient!r}"
    if _is_international(message) and "smtputf8" not in extensions:
        return "the relay does not take addresses beyond ASCII (SMTPUTF8)"
    if not message.data.isascii() and "8bitmime" not in extensions:
        return "the relay does not take 8-bit messages (8BITMIME)"
    return ""


def _is_forbidden(path: str) -> bool:
    return FORBIDDEN.search(path) is not None or len(path.encode()) > PATH_LIMIT


def stuff(data: bytes) -> bytes:
    """A message as it goes over the wire: CRLF everywhere, dots doubled, final dot.

    A bare CR or LF becomes CRLF: servers that take one for a line end could be made to
    see a second message (RFC 5321 §2.3.8). Splitting and joining does that in less than
    half the time of looking for them.
    """
    data = b"\r\n".join(data.splitlines()) + b"\r\n"
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data + b".\r\n"


def _mail(message: Message, extensions: Mapping[str, str]) -> str:
    """The MAIL command, naming of what is offered only what this message needs."""
    command = f"MAIL FROM:<{message.reverse_path}>"
    if "size" in extensions:
        command += f" SIZE={len(message.data)}"
    if not message.data.isascii():
        command += " BODY=8BITMIME"
    if _is_international(message):
        command += " SMTPUTF8"
    return command


def _is_international(message: Message) -> bool:
    return not (message.reverse_path.isascii() and message.recipient.isascii())

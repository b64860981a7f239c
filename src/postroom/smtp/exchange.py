"""One feed through one connection: who is under way, and what each reply means for whom.

With PIPELINING (RFC 2920) two messages are under way at once, in one write and one
round trip each; `─►` is a write, `◄─` what the server answers to it:

    ─► MAIL RCPT DATA of 1
    ◄─ 250 250 354            intend(1)
    ─► body of 1, dot, MAIL RCPT DATA of 2
    ◄─ verdict of 1, 250 250 354            settle(1), intend(2)
    ─► body of 2, dot, MAIL RCPT DATA of 3 …

Without it each command waits for its reply. Before the dot nothing is ambiguous; after
it only a well-formed verdict decides, and all else leaves that one delivery unknown.
Whatever happens to one of the two, the other is judged by its own replies; where they
cannot be told apart any more, the one with the dot is unknown and the other not sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NoReturn

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import (
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
from postroom.smtp.base import P
from postroom.smtp.dialogue import never
from postroom.smtp.pairing import (
    STEPS,
    is_asking,
    is_invitation,
    is_out_of_step,
    lacks_a_reply,
    silence,
    unknown,
)
from postroom.smtp.terms import UnfitMessageError, is_broken_promise

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from postroom.smtp.base import Feed
    from postroom.smtp.dialogue import Dialogue
    from postroom.smtp.terms import Experience, Terms

WAIT = "it is tried again with the next run"
DOT = b".\r\n"
NOT_SENT = Outcome(state=DeliveryState.QUEUED, phase=Phase.MAIL, reply=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds for each reply to a group of commands."""

    envelope: tuple[float, ...]
    """MAIL, RCPT, DATA."""
    verdict: tuple[float, ...]
    reset: tuple[float, ...]

    @property
    def both(self) -> tuple[float, ...]:
        """A verdict, then the next envelope."""
        return self.verdict + self.envelope


class Exchange(Generic[P]):
    """Takes parcels from `feed` until there are none, and settles every one."""

    def __init__(
        self,
        feed: Feed[P],
        dialogue: Dialogue,
        terms: Terms,
        limits: Limits,
        experience: Experience,
    ) -> None:
        self._feed = feed
        self._dialogue = dialogue
        self._terms = terms
        self._limits = limits
        self._both = limits.both
        self._experience = experience
        self._sent: P | None = None
        """Its body and dot are written; the verdict is to come."""
        self._offered: P | None = None
        """Its envelope is written (without PIPELINING: about to be)."""
        self._chosen: P | None = None
        """Taken from the feed, nothing written yet."""
        self._envelope = b""
        """Of the parcel taken last."""
        self._usual = NOT_SENT
        """The outcome of the last verdict."""
        self._fault: RelayRefusedError | None = None
        """Why no letter at all can leave; raised once the one under way is decided."""
        self._intention: Awaitable[bool] | None = None
        """What the shortcut leaves to `run` to wait for."""
        self._failed: Exception | None = None
        """What the shortcut ran into."""

    async def run(self) -> None:
        """Do it; the contract is `smtp.base.Session.run`."""
        self._dialogue.shortcut = self._go_on
        try:
            while (
                self._sent is not None
                or self._offered is not None
                or await self._begin()
            ):
                invited = await self._hear()
                if invited is not None:
                    await self._hand_over(invited)
        except BaseException:
            self._leave()
            raise
        finally:
            self._dialogue.shortcut = never

    def _go_on(self, replies: list[Reply]) -> bool:
        """Deal with what nearly every group of replies is, without waking `run`.

        One message accepted and the next one invited: settle, intend, write. Anything
        else is left to `run`, as it came. It saves a tenth of what a message costs.
        """
        sent, invited = self._sent, self._offered
        if (
            sent is None
            or invited is None
            or self._dialogue.hasty
            or replies[0].code // 100 != 2  # noqa: PLR2004 - accepted
            or not is_invitation(replies[1:])
        ):
            return False
        self._sent = None
        try:
            self._feed.settle(sent, self._verdict(replies[0]))
            self._chosen = self._choose()
            intended = self._intend(invited)
            if not isinstance(intended, bool):
                self._intention = intended
                return False
            self._send_body(invited, intended=intended)
        except Exception as error:  # noqa: BLE001 - raised by `run`
            self._failed = error
            return False
        return True

    # -- before the dot ------------------------------------------------------------

    async def _begin(self) -> bool:
        """Take a parcel while none is under way; False when the feed has no more."""
        self._require_usable()
        self._chosen = self._choose()
        while self._chosen is None:
            self._require_usable()
            parcel = await self._feed.wait()
            if parcel is None:
                return False
            if self._is_fit(parcel):
                self._chosen = parcel
        self._require_usable()
        self._offered, self._chosen = self._chosen, None
        if self._terms.pipelining:
            self._dialogue.send(self._envelope, self._limits.envelope)
        return True

    def _choose(self) -> P | None:
        """The next parcel that can leave at this moment, if any."""
        while not self._fault:
            parcel = self._feed.take()
            if parcel is None or self._is_fit(parcel):
                return parcel
        return None

    def _is_fit(self, parcel: P) -> bool:
        """Render its envelope; settle `parcel` where that cannot be."""
        try:
            self._envelope = self._terms.render_envelope(parcel.message)
        except UnfitMessageError as error:
            self._feed.settle(parcel, internal_outcome(str(error)))
            return False
        except RelayRefusedError as error:
            self._fault = error
            self._feed.settle(parcel, NOT_SENT)
            return False
        return True

    def _require_usable(self) -> None:
        if self._fault:
            raise self._fault
        if self._dialogue.broken:
            raise RelayAwayError(self._dialogue.broken, cure=WAIT)

    # -- replies -------------------------------------------------------------------

    async def _hear(self) -> P | None:
        """Judge who is under way by the replies; return who is invited to go on."""
        pipelining = self._terms.pipelining
        if self._offered is not None and not pipelining:
            envelope = await self._offer_in_steps()
        else:
            replies = await self._dialogue.replies()
            if self._failed:
                raise self._failed
            if self._intention is not None:
                return self._offered
            envelope = replies if self._sent is None else replies[1:]
        invited = is_invitation(envelope)
        alone = self._sent is None
        if not alone:
            self._conclude(envelope)
        if self._offered is None:
            return None
        if not invited or self._dialogue.broken:
            await self._turn_down(self._offered, envelope, alone=alone)
            return None
        self._experience.pipelines = self._experience.pipelines or pipelining
        return self._offered

    async def _offer_in_steps(self) -> list[Reply]:
        """The envelope of the parcel on offer, each command after the reply before."""
        replies: list[Reply] = []
        commands = self._envelope.splitlines(keepends=True)
        for phase, command, seconds in zip(
            STEPS, commands, self._limits.envelope, strict=True
        ):
            self._dialogue.send(command, (seconds,))
            replies += await self._dialogue.replies()
            if self._dialogue.broken or not is_go_ahead(phase, replies[-1]):
                break
        return replies

    async def _turn_down(
        self, parcel: P, envelope: list[Reply], *, alone: bool
    ) -> None:
        """Settle `parcel`, which cannot go on, and mend the connection if that helps.

        Raises RelayAwayError or RelayRefusedError where it is not about the recipient.
        The latter ends a run, so only by an envelope that went `alone`: behind a
        verdict, a second reply to the dot would look the same.
        """
        outcome = self._judge(parcel, envelope)
        self._offered = None
        self._feed.settle(parcel, outcome)
        phase, reply = outcome.phase, outcome.reply
        asked = is_asking(envelope)
        if outcome.state is not DeliveryState.QUEUED:
            await self._reset(phase, asked=asked)
            return
        if asked:
            self._dialogue.abort("waits for a message that will not come")
        if alone and concern(phase, reply) is Concern.OURS:
            raise RelayRefusedError(
                f"the relay refuses every letter at {phase.upper()}: {reply}",
                cure="check mail.from and the login in [smtp]",
            )
        raise RelayAwayError(
            f"the relay breaks off at {phase.upper()}: {reply}", cure=WAIT
        )

    def _judge(self, parcel: P, envelope: list[Reply]) -> Outcome:
        """What an envelope that was not answered as it should be means for `parcel`."""
        if is_out_of_step(envelope):
            self._dialogue.abort("its replies are out of step with our commands")
            return silence(envelope, self._dialogue.broken)
        paired = not (self._dialogue.silent or self._dialogue.surplus)
        for phase, reply in zip(STEPS, envelope, strict=False):
            if paired and not is_go_ahead(phase, reply):
                if phase is Phase.MAIL and is_broken_promise(parcel.message, reply):
                    return Outcome(state=DeliveryState.FAILED, phase=phase, reply=reply)
                return build_outcome(phase, reply)
        # A refusal beside a missing or surplus reply does not count: it may have been
        # the reply to another command.
        if self._dialogue.silent and envelope:
            self._experience.fails_to_pipeline = not self._experience.pipelines
        return silence(envelope, self._dialogue.broken)

    async def _reset(self, refused_at: Phase, *, asked: bool) -> None:
        """Make the connection fit for the next transaction, if it still can be.

        `asked`: the server wants the body of a pipelined transaction although it
        refused something before. RFC 2920 §3.1 asks for an empty one, which goes to
        nobody if the recipient was refused; else it might go to them.
        """
        if asked and refused_at is Phase.RCPT and not self._dialogue.broken:
            self._dialogue.send(DOT, self._limits.reset)
            await self._dialogue.replies()
        elif asked:
            self._dialogue.abort("asked for a message after refusing it")
        if not self._dialogue.broken:
            self._dialogue.send(b"RSET\r\n", self._limits.reset)
            replies = await self._dialogue.replies()
            if replies and not is_go_ahead(Phase.MAIL, replies[0]):
                self._dialogue.abort(f"RSET answered {replies[0]}")

    # -- the dot and after ---------------------------------------------------------

    async def _hand_over(self, parcel: P) -> None:
        """The intent, then body, dot and the next envelope in one write."""
        intended: bool | Awaitable[bool] | None = self._intention
        if intended is None:
            self._chosen = self._choose() if self._terms.pipelining else None
            intended = self._intend(parcel)
        self._intention = None
        if not isinstance(intended, bool):
            try:
                intended = await intended
            except asyncio.CancelledError:
                raise  # nothing was sent, and `_leave` says so
            except BaseException:
                self._give_up()
                raise
        self._send_body(parcel, intended=intended)

    def _intend(self, parcel: P) -> bool | Awaitable[bool]:
        try:
            return self._feed.intend(parcel)
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """The feed knows best what became of what it cannot put on record."""
        self._offered = None
        self._dialogue.abort("the ledger cannot be written")

    def _send_body(self, parcel: P, *, intended: bool) -> None:
        """Body, dot and the envelope of who was chosen to follow, in one write."""
        following = self._chosen
        if not intended or self._dialogue.broken:
            self._refrain(parcel, intended=intended)
        self._sent, self._offered, self._chosen = parcel, following, None
        if following is None:
            self._dialogue.send(parcel.message.data + DOT, self._limits.verdict)
        else:
            data = b"".join((parcel.message.data, DOT, self._envelope))
            self._dialogue.send(data, self._both, trailing=len(self._envelope))

    def _refrain(self, parcel: P, *, intended: bool) -> NoReturn:
        """Send nothing although the server waits for it; raises RelayAwayError."""
        self._offered = None
        if intended:  # the connection ended while the intent was written
            reply = Reply(code=NOBODY, status="", text=self._dialogue.broken)
            outcome = Outcome(state=DeliveryState.QUEUED, phase=Phase.DATA, reply=reply)
            self._feed.settle(parcel, outcome)
        else:
            self._dialogue.abort("the claim is stale")
            self._feed.settle(parcel, NOT_SENT)
        raise RelayAwayError(self._dialogue.broken, cure=WAIT)

    def _conclude(self, envelope: list[Reply]) -> None:
        """Settle the parcel whose dot was sent; `envelope` answers the one after it."""
        parcel, self._sent = self._sent, None
        dialogue = self._dialogue
        if not dialogue.received:
            outcome = unknown(f"no verdict: {dialogue.broken}")
        elif lacks_a_reply(envelope, silent=dialogue.silent):
            dialogue.abort("a reply is missing")
            outcome = unknown("perhaps no verdict: a reply is missing")
        else:
            outcome = self._verdict(dialogue.received[0])
        if parcel is not None:
            self._feed.settle(parcel, outcome)

    def _verdict(self, reply: Reply) -> Outcome:
        """What the reply to the dot means; ends the dialogue where it is none."""
        if reply is not self._usual.reply:  # most servers say the same each time
            self._usual = build_outcome(Phase.DOT, reply)
        outcome = self._usual
        if self._dialogue.hasty:
            self._dialogue.abort("a reply came before the message was sent")
            if outcome.state is DeliveryState.ACCEPTED:
                return unknown(f"accepted before it was sent: {reply}")
        elif outcome.state is DeliveryState.UNKNOWN:
            self._dialogue.abort(f"{reply} is no verdict")
        return outcome

    def _leave(self) -> None:
        """Settle what is under way when everything ends in the middle of it."""
        left = [x for x in (self._offered, self._chosen) if x is not None]
        if left or self._sent is not None:
            self._dialogue.abort("broken off by us")
        if isinstance(self._intention, Coroutine):
            self._intention.close()  # never begun
        if self._sent is not None:
            self._conclude(self._dialogue.received[1:])
        for parcel in left:
            self._feed.settle(parcel, NOT_SENT)

"""A lane: one connection at a time, renewed when it breaks, given up when it gets nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState, Outcome, Phase, internal_outcome

if TYPE_CHECKING:
    from postroom.delivery.dispatch import Dispatch
    from postroom.delivery.ledger import Work
    from postroom.mail.message import Message
    from postroom.smtp.base import Session, Transport

BREAKS_LIMIT = 2
"""A relay that breaks off so often over one recipient does not like that recipient."""


class Lane:
    """Deals with one claim after the other."""

    def __init__(self, dispatch: Dispatch, transport: Transport) -> None:
        self._dispatch = dispatch
        self._transport = transport
        self._session: Session | None = None
        self._tries = 0
        """New connections since the relay last said anything about a recipient."""

    async def run(self) -> None:
        """Work until there is no more, the run stops, or the relay stays away."""
        try:
            while (work := await self._dispatch.take()) is not None:
                try:
                    alive = await self._deal_with(work)
                finally:
                    self._dispatch.put_back(work)
                if self._dispatch.tally.fault:
                    self._dispatch.stop()
                if not alive:
                    break
        except BaseException:
            self._dispatch.stop()
            raise
        finally:
            await self._drop()

    async def _deal_with(self, work: Work) -> bool:
        """Send `work`, over new connections if need be; False ends the lane."""
        if work.message is None:
            self._dispatch.tally.settle(work, internal_outcome(work.obstacle))
            return True
        await self._dispatch.turn()
        while not work.settled and not self._dispatch.stopping:
            try:
                trouble = await self._attempt(work, work.message)
            except RelayAwayError as error:
                trouble = error
            except RelayRefusedError as error:
                self._dispatch.stop(error)
                return False
            if trouble and not await self._renew(trouble):
                return False
        return True

    async def _attempt(self, work: Work, message: Message) -> RelayAwayError | None:
        """Try once. None: `work` is settled and all is well; else a new connection is due."""
        if self._session is None:
            self._session = await self._transport.open()
        intent = Intent(self._dispatch, work, message.message_id)
        try:
            outcome = await self._session.send(message, intent)
        except BaseException:
            self._settle_interrupted(work, intent)
            raise
        if intent.refused:
            await self._drop()
            self._dispatch.tally.give_back(work)
            return None
        if outcome.state is DeliveryState.QUEUED:
            return self._relay_trouble(work, outcome)
        self._dispatch.tally.settle(work, outcome)
        if outcome.state is DeliveryState.UNKNOWN:
            return _breaking_off(outcome)
        self._tries = 0
        return None

    def _settle_interrupted(self, work: Work, intent: Intent) -> None:
        """After an intent the ledger needs the truth: sent perhaps, or surely not."""
        if intent.asked:
            state = DeliveryState.UNKNOWN if intent.granted else DeliveryState.DEFERRED
            outcome = Outcome(state=state, phase=Phase.DOT, reply=None)
            self._dispatch.tally.settle(work, outcome)

    def _relay_trouble(self, work: Work, outcome: Outcome) -> RelayAwayError:
        """Blame the relay, but over one recipient only once, lest it hold up the others."""
        if outcome.phase in {Phase.RCPT, Phase.DATA}:
            work.breaks += 1
        if work.breaks >= BREAKS_LIMIT:
            state, phase, reply = DeliveryState.DEFERRED, outcome.phase, outcome.reply
            self._dispatch.tally.settle(
                work, Outcome(state=state, phase=phase, reply=reply)
            )
        return _breaking_off(outcome)

    async def _renew(self, trouble: RelayAwayError) -> bool:
        """Close what is left and wait; False when enough was tried."""
        await self._drop()
        back_off = self._dispatch.settings.back_off
        if self._tries >= len(back_off):
            self._dispatch.give_up(trouble)
            return False
        await self._dispatch.pause(back_off[self._tries])
        self._tries += 1
        return True

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            await session.close()


def _breaking_off(outcome: Outcome) -> RelayAwayError:
    return RelayAwayError(
        f"the relay breaks off at {outcome.phase.upper()}: {outcome.reply}",
        cure="it is tried again with the next run",
    )


class Intent:
    """What a session awaits before the dot; remembers how that went."""

    def __init__(self, dispatch: Dispatch, work: Work, message_id: str) -> None:
        self._dispatch = dispatch
        self._work = work
        self._message_id = message_id
        self.asked = False
        self.granted = False
        self.refused = False

    async def __call__(self) -> bool:
        """Make the intent durable; False where the claim is stale or too old."""
        if self._dispatch.is_fresh(self._work):
            self.asked = True
            self.granted = await self._dispatch.ledger.intend(
                self._work.claim, self._message_id
            )
        self.refused = not self.granted
        return self.granted

"""A lane: one connection at a time, renewed when it breaks, given up when it gets nowhere.

It is the feed of its session: what the session takes comes from the dispatch, what the
session says goes to the tally.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postroom.errors import RelayAwayError, RelayRefusedError
from postroom.mail.outcome import DeliveryState, Outcome, Phase, is_slow_down

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

    from postroom.delivery.dispatch import Dispatch
    from postroom.delivery.outlet import Outlet
    from postroom.delivery.work import Work
    from postroom.smtp.base import Session

BREAKS_LIMIT = 2
"""A relay that breaks off so often over one recipient does not like that recipient."""


class Lane:
    """Number `number` of `outlet`'s lanes, from 0; the contract is `smtp.base.Feed`."""

    def __init__(self, dispatch: Dispatch, outlet: Outlet, number: int) -> None:
        self._dispatch = dispatch
        self._outlet = outlet
        self._number = number
        self._session: Session | None = None
        self._kept: Work | None = None
        """Taken to find out whether a connection is worth while."""
        self._tries = 0
        """New connections since the relay last said anything about a recipient."""
        self._heard = 0
        """Verdicts on all connections when the first of them was tried."""

    async def run(self) -> None:
        """Work until there is no more, the run stops, or the relay stays away."""
        try:
            while await self._has_work():
                try:
                    await self._send()
                except RelayAwayError as trouble:
                    if not await self._renew(trouble):
                        break
                except RelayRefusedError as trouble:
                    self._dispatch.retire(self._outlet, trouble)
                    break
        except BaseException:
            self._dispatch.stop()
            raise
        finally:
            self._leave_kept()
            await self._drop()

    async def _has_work(self) -> bool:
        """Keep the next work, waiting for it; False when there will be none."""
        if self._kept is None:
            self._kept = await self._next(whole_run=True)
        return self._kept is not None

    async def _send(self) -> None:
        if self._session is None:
            self._session = await self._open()
            self._outlet.connected += 1
        await self._session.run(self)
        await self._drop()

    async def _open(self) -> Session:
        self._outlet.opening += 1
        try:
            return await self._outlet.transport.open()
        finally:
            self._outlet.opening -= 1

    async def _renew(self, trouble: RelayAwayError) -> bool:
        """Close what is left and wait; False when enough was tried."""
        outlet, back_off = self._outlet, self._dispatch.settings.back_off
        self._leave_kept()
        await self._drop()
        if not outlet.connected and not outlet.failing:
            outlet.failing = trouble
            self._dispatch.wake()  # others need not wait for it any more
        if not self._tries:
            self._heard = outlet.heard
        if self._tries >= len(back_off):
            if outlet.give_up(self._number, self._heard):
                self._dispatch.retire(outlet, trouble)
            self._dispatch.wake()  # another lane may be admitted in its place
            return False
        await self._dispatch.pause(outlet, back_off[self._tries])
        self._tries += 1
        return True

    async def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            self._outlet.connected -= 1
            await session.close()

    def _leave_kept(self) -> None:
        work, self._kept = self._kept, None
        if work:
            self._dispatch.put_back(work)

    # -- the session's feed --------------------------------------------------------

    def take(self) -> Work | None:
        """The next message, if there is one that may leave now."""
        if self._kept:
            work, self._kept = self._kept, None
            return work
        if not self._outlet.admits(self._number):
            return None
        return self._dispatch.take(self._outlet)

    async def wait(self) -> Work | None:
        """The next message; None ends the session, but perhaps not the lane."""
        return self.take() or await self._next(whole_run=False)

    async def _next(self, *, whole_run: bool) -> Work | None:
        """Wait for a message; a lane too many for its relay waits without a session."""
        while True:
            work = self.take()
            if work:
                return work
            if not whole_run and not self._outlet.admits(self._number):
                return None
            if not await self._dispatch.until_change(self._outlet):
                return None

    def intend(self, work: Work) -> bool | Awaitable[bool]:
        """Put the intent on record, unless the claim is too old by now."""
        if not self._dispatch.is_fresh(work):
            return False
        return self._dispatch.ledger.intend(work)

    def settle(self, work: Work, outcome: Outcome) -> None:
        """Record what became of `work`, and learn from it about the relay."""
        dispatch = self._dispatch
        state, reply = outcome.state, outcome.reply
        if state is DeliveryState.QUEUED:
            self._settle_unsent(work, outcome)
        else:
            dispatch.tally.settle(work, outcome)
            dispatch.done()
            if state is not DeliveryState.UNKNOWN:
                self._tries = 0
                self._outlet.hear()
        if state is DeliveryState.ACCEPTED:
            if self._outlet.grow():
                dispatch.wake()
        elif reply and is_slow_down(reply):
            self._outlet.shrink(dispatch.now())
        if dispatch.tally.fault:
            dispatch.stop()

    def _settle_unsent(self, work: Work, outcome: Outcome) -> None:
        """Blame the relay, but over one recipient only once, lest it hold up the others."""
        if outcome.phase in {Phase.RCPT, Phase.DATA} and outcome.reply:
            work.breaks += 1
        if work.breaks < BREAKS_LIMIT:
            self._dispatch.put_back(work)
            return
        deferred = Outcome(
            state=DeliveryState.DEFERRED, phase=outcome.phase, reply=outcome.reply
        )
        self._dispatch.tally.settle(work, deferred)
        self._dispatch.done()


def start_lanes(dispatch: Dispatch, loop: asyncio.AbstractEventLoop) -> None:
    """Start every lane of every outlet."""
    dispatch.lanes = [
        loop.create_task(Lane(dispatch, outlet, number).run())
        for outlet in dispatch.outlets
        for number in range(outlet.transport.connections)
    ]

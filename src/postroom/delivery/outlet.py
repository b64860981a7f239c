"""An outlet: one transport of a run, with its pace, its share and how it is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroom.errors import PostroomError
    from postroom.smtp.base import Transport

START = 5
"""Connections to begin with: Postfix's choice too; success adds more within seconds."""
SHRINK_SECONDS = 1.0
"""Several connections hear the same complaint at once: it counts once."""
LATE = 0.005
"""Seconds by which a timer may be late without slowing down all that comes after it."""


class Outlet:
    """Which of its lanes may take the next message, and when."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.taken = 0
        """Messages given to its lanes."""
        self.opening = 0
        """Lanes that are about to have a session, if they can."""
        self.connected = 0
        """Lanes that have one."""
        self.heard = 0
        """Verdicts."""
        self.failing: PostroomError | None = None
        """Why no connection works: the last one broke, and no verdict has come since."""
        self.out: PostroomError | None = None
        """Why it takes no more messages in this run."""
        self._lanes = transport.connections
        """Those that have not given up."""
        self._ranks = list(range(transport.connections))
        """Of each lane: how many before it have not given up."""
        self._limit = float(min(START, transport.connections))
        """Lanes that may work; never less than one."""
        self._shrunk_at = float("-inf")
        self._next_turn = 0.0

    def admits(self, lane: int) -> bool:
        """Whether its lane of that number (from 0) may work now."""
        return self._ranks[lane] + 1 <= self._limit

    def hear(self) -> None:
        """A verdict has come: it is there."""
        self.heard += 1
        self.failing = None

    def give_up(self, lane: int, heard: int) -> bool:
        """A lane got nowhere: there is one connection less; whether that was the last hope.

        `heard`: the verdicts when the lane's troubles began. While others hear some,
        wait for one, or are still connecting, it is enough that one lane works; else
        those that were not admitted are not tried in vain.
        """
        self._lanes -= 1
        for after in range(lane + 1, len(self._ranks)):
            self._ranks[after] -= 1
        left = self._limit - 1.0
        self._limit = max(1.0, left)
        hopes = self.connected or self.opening or self.heard > heard
        return not self._lanes or (left < 1.0 and not hopes)

    def grow(self) -> bool:
        """A message was accepted: one connection more for as many as there are.

        By Postfix's experience growing by less, 1/N each, gave a third of the
        deferrals that growing by one each did. Returns whether another lane may work.
        """
        if self._limit >= self._lanes:
            return False
        before = int(self._limit)
        self._limit += 1.0 / self._limit
        return int(self._limit) > before

    def shrink(self, now: float) -> None:
        """The relay asked for less: half of the connections, and one at least."""
        if now - self._shrunk_at >= SHRINK_SECONDS:
            self._shrunk_at = now
            self._limit = max(1.0, self._limit / 2)

    def delay(self, now: float) -> float:
        """Seconds until its rate allows another message."""
        return max(0.0, self._next_turn - now)

    def start(self, now: float) -> None:
        """One message is taken now."""
        self.taken += 1
        if self.transport.rate:
            self._next_turn = next_turn(self._next_turn, now, self.transport.rate)

    @property
    def trouble(self) -> PostroomError | None:
        """Why it did not do its part, though the run may have ended before it gave up."""
        return self.out or (None if self.heard else self.failing)

    @property
    def share(self) -> float:
        """How much of its due it has had; the one with least is next."""
        return self.taken / self.transport.weight


def next_turn(due: float, now: float, rate: float) -> float:
    """When a rate allows the next message after one that was due at `due` leaves now."""
    return (due if now - due < LATE else now) + 1.0 / rate


def may_take(outlet: Outlet, outlets: list[Outlet], now: float) -> bool:
    """Whether the next message is for `outlet` to take, by weight and by who is there.

    One that is out, failing, or held up by its own rate, is not waited for. Standbys
    (weight 0) take over when all others are out.
    """
    if len(outlets) == 1:
        return True
    there = [other for other in outlets if other.out is None]
    weighted = [other for other in there if other.transport.weight]
    if not weighted:
        return True
    if not outlet.transport.weight:
        return False
    free = [other for other in weighted if not (other.failing or other.delay(now))]
    return all(outlet.share <= other.share for other in free)

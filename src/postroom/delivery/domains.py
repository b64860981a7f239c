"""Messages that wait until the domain of their recipients may have the next one."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from postroom.delivery.outlet import next_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from postroom.delivery.work import Work

REMEMBERED = 10_000
"""Domains above which those that could have a message at once are forgotten."""


class Domains:
    """Keeps a rate for each domain; of those that wait, each domain's in their order.

    A turn is given when a message leaves, not when it is parked: one that grew too old
    meanwhile does not use it up.
    """

    def __init__(self, rate: float, rates: Mapping[str, float]) -> None:
        """Messages a second to any one domain, and to those named; 0 is no limit."""
        self._rate = rate
        self._rates = rates
        self._limits = rate > 0 or any(rates.values())
        self._next: dict[str, float] = {}
        """When a domain may have another one."""
        self._parked: dict[str, deque[Work]] = {}
        self._turns: list[tuple[float, str]] = []
        """A heap: when each domain with parked messages may have one."""
        self.count = 0
        """Messages parked."""

    def admits(self, work: Work, now: float) -> bool:
        """Whether `work` may leave now; if not, it is parked."""
        if not self._limits:
            return True
        domain = work.domain
        rate = self._rates.get(domain, self._rate)
        if not rate:
            return True
        turn = self._next.get(domain, now)
        if domain not in self._parked:
            if turn <= now:
                self._leave(domain, turn, now, rate)
                return True
            self._parked[domain] = deque()
            heappush(self._turns, (turn, domain))
        self._parked[domain].append(work)
        self.count += 1
        return False

    def pop(self, now: float, keeps: Callable[[Work], bool]) -> Work | None:
        """One whose domain has its turn and that `keeps` agrees to, if there is one."""
        while self._turns and self._turns[0][0] <= now:
            turn, domain = heappop(self._turns)
            queue = self._parked[domain]
            work = queue.popleft()
            self.count -= 1
            kept = keeps(work)
            if kept:
                rate = self._rates.get(domain, self._rate)
                turn = self._leave(domain, turn, now, rate)
            if queue:
                heappush(self._turns, (turn, domain))
            else:
                del self._parked[domain]
            if kept:
                return work
        return None

    def seconds_to_turn(self, now: float) -> float:
        """How long until one may leave; 0: none waits."""
        return max(self._turns[0][0] - now, 0.001) if self._turns else 0.0

    def drain(self) -> list[Work]:
        """Every message parked."""
        return [work for queue in self._parked.values() for work in queue]

    def _leave(self, domain: str, turn: float, now: float, rate: float) -> float:
        """A message leaves; returns when the next one may."""
        if len(self._next) > REMEMBERED:
            self._next = {d: at for d, at in self._next.items() if at > now}
        self._next[domain] = next_turn(turn, now, rate)
        return self._next[domain]

"""A feed for tests: a list of letters, with what was asked and said about each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from postroom.errors import PostroomError, RelayAwayError, RelayRefusedError
from postroom.mail.message import Message
from postroom.mail.outcome import DeliveryState, Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from postroom.smtp.base import Transport
    from tests.fault_server import FaultServer

DATA = b"Subject: x\r\n\r\nfirst line\r\nlast line\r\n"
REVERSE_PATH = "letters@blog.example"
IN_PRIVATE = ("AUTH", "MAIL", "RCPT", "DATA")
"""What is never said before TLS."""
SENDS_PERHAPS = {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}


@dataclass(slots=True)
class Letter:
    """A parcel, and all that became of it."""

    message: Message
    offers: int = 0
    """How often a session took it."""
    intents: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The last word about it."""
        return self.outcomes[-1]

    @property
    def state(self) -> DeliveryState:
        """What it is now."""
        return self.outcome.state if self.outcomes else DeliveryState.QUEUED


def letter(
    recipient: str,
    data: bytes = DATA,
    *,
    reverse_path: str = REVERSE_PATH,
    smtputf8: bool = False,
) -> Letter:
    """A small letter to `recipient`."""
    message = Message(
        reverse_path=reverse_path,
        recipient=recipient,
        message_id=f"<{recipient}>",
        data=data,
        smtputf8=smtputf8,
    )
    return Letter(message)


def letters(*names: str) -> list[Letter]:
    """A letter to each at x.example."""
    return [letter(f"{name}@x.example") for name in names]


def names(taken: list[str]) -> str:
    """The first letters of who was sent to."""
    return "".join(recipient[0] for recipient in taken)


class ListFeed:
    """Gives letters in order; one that was not sent comes again, up to a limit.

    The contract is `smtp.base.Feed`, and what a session does against it fails here.
    """

    def __init__(
        self,
        letters: Sequence[Letter],
        *,
        offers: int = 3,
        intend: Callable[[Letter], bool | Awaitable[bool]] | None = None,
        slow: bool = False,
    ) -> None:
        """`slow`: nothing can be taken, all has to be waited for."""
        self.letters = list(letters)
        self.under_way: list[Letter] = []
        self._waiting = list(letters)
        self._offers = offers
        self._intend = intend
        self._slow = slow

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left that would be given again."""
        return not self._waiting

    def take(self) -> Letter | None:
        """The next letter."""
        return None if self._slow else self._next()

    async def wait(self) -> Letter | None:
        """The next letter; None at the end."""
        return self._next()

    def intend(self, parcel: Letter) -> bool | Awaitable[bool]:
        """Yes, or what the test says."""
        assert parcel in self.under_way
        parcel.intents += 1
        return self._intend(parcel) if self._intend else True

    def settle(self, parcel: Letter, outcome: Outcome) -> None:
        """Note the outcome of a letter that is under way, once."""
        self.under_way.remove(parcel)
        parcel.outcomes.append(outcome)
        assert parcel.intents or outcome.state not in SENDS_PERHAPS
        if outcome.state is DeliveryState.QUEUED and parcel.offers < self._offers:
            self._waiting.insert(0, parcel)

    def _next(self) -> Letter | None:
        if not self._waiting:
            return None
        parcel = self._waiting.pop(0)
        parcel.offers += 1
        self.under_way.append(parcel)
        return parcel


async def send(
    transport: Transport, feed: ListFeed, *, sessions: int = 12
) -> list[PostroomError]:
    """Run sessions until the feed is empty or the relay refuses us; what they raised."""
    troubles: list[PostroomError] = []
    while not feed.is_empty and len(troubles) < sessions:
        session = None
        try:
            session = await transport.open()
            await session.run(feed)
        except RelayAwayError as trouble:
            troubles.append(trouble)
        except RelayRefusedError as trouble:
            troubles.append(trouble)
            break
        finally:
            assert feed.under_way == []
            if session:
                await session.close()
    return troubles


def four(step: str = "", fault: str = "", data: bytes = DATA) -> list[Letter]:
    """Four letters, the second of which asks for a fault."""
    asks = f"f.{step}.{fault}.1@x.example"
    bad = letter(asks, data)
    if step == "mail":
        bad = letter("b@x.example", data, reverse_path=asks)
    return [letter("a@x.example"), bad, letter("c@x.example"), letter("d@x.example")]


def check_truth(server: FaultServer, letters: list[Letter]) -> None:
    """Accepted is taken once, unknown perhaps, and all else is not with the server."""
    for parcel in letters:
        times = server.taken.count(parcel.message.recipient)
        if parcel.state is DeliveryState.ACCEPTED:
            assert times == 1
        elif parcel.state is not DeliveryState.UNKNOWN:
            assert times == 0
        assert times <= 1
        assert parcel.intents <= 1
    assert all(body == DATA for body in server.bodies)
    if server.starttls:
        assert not any(
            command.upper().startswith(IN_PRIVATE) for command in server.clear
        )


def states(letters: list[Letter]) -> set[DeliveryState]:
    """What the letters are."""
    return {parcel.state for parcel in letters}
